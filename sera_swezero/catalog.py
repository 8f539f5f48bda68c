"""The table of configs: the repos that each reads, their source, and the view that it shows.

This is the only place that knows repositories, teachers and licences.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Origin:
    """One upstream repo.

    repo: its id on the hub. source: a key of `SOURCES`. shape: which columns its files have.
    pattern: the files to read, an fnmatch pattern of paths inside the repo (the exact names are upstream's to change).
    rows: rows upstream says it has. license: an SPDX-like id as on its card.
    facts: teacher, scale and rollout as the rectified card spells them; empty for SWE-ZERO.
    """

    repo: str
    source: str
    shape: str
    pattern: str
    rows: int
    license: str
    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Config:
    """One row of the config table: a name, what it reads, the view it shows unless asked for another."""

    name: str
    origins: tuple[Origin, ...]
    default_view: str
    incomplete: str
    about: str

    @property
    def source(self) -> str:
        """The name of the source of every origin: a config never mixes sources."""
        return self.origins[0].source

    @property
    def rows(self) -> int:
        """Rows upstream."""
        return sum(origin.rows for origin in self.origins)


def _sera(repo: str, rows: int, teacher: str, scale: str, rollout: str) -> Origin:
    facts = {"teacher": teacher, "scale": scale, "rollout": rollout}
    return Origin(f"allenai/{repo}", "sera", "sera", "*.jsonl", rows, "odc-by", facts)


def _swe_zero(repo: str, shape: str, rows: int) -> Origin:
    return Origin(f"AlienKevin/{repo}", "swe_zero", shape, "*.parquet", rows, "apache-2.0")


_SERA = {
    "glm-4.5-air-full-t1": _sera("Sera-4.5A-Full-T1", 72_118, "GLM-4.5-Air", "full", "T1"),
    "glm-4.5-air-full-t2": _sera("Sera-4.5A-Full-T2", 66_337, "GLM-4.5-Air", "full", "T2"),
    "glm-4.6-lite-t1": _sera("Sera-4.6-Lite-T1", 36_825, "GLM-4.6", "lite", "T1"),
    "glm-4.6-lite-t2": _sera("Sera-4.6-Lite-T2", 36_083, "GLM-4.6", "lite", "T2"),
}
_SWE_ZERO = {
    "swe-zero-1k-32k": _swe_zero("SWE-ZERO-1k-trajectories-32k", "swe-zero-1k", 1_000),
    "swe-zero-1k-8k": _swe_zero("SWE-ZERO-1k-trajectories", "swe-zero-1k", 1_000),
    "swe-zero-12m": _swe_zero("SWE-ZERO-12M-trajectories", "swe-zero-12m", 12_290_800),
}


def _about(origin: Origin) -> str:
    if not origin.facts:
        return f"mini-swe-agent rollouts of {origin.repo}"
    return "SWE-agent rollouts of {teacher}, {scale} set, rollout {rollout}".format(**origin.facts)


CONFIGS: dict[str, Config] = {
    **{name: Config(name, (o,), "rectified", "reject", _about(o)) for name, o in _SERA.items()},
    "sera": Config("sera", tuple(_SERA.values()), "rectified", "reject", "all four SERA sets"),
    **{name: Config(name, (o,), "native", "keep", _about(o)) for name, o in _SWE_ZERO.items()},
}
"""Every config by name."""

DEFAULT = "sera"
"""The config where none is named."""


def set_name(origin: Origin) -> str:
    """The name of the config that reads this origin alone."""
    return next(name for name, config in CONFIGS.items() if [one.repo for one in config.origins] == [origin.repo])
