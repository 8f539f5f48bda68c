"""The table of sets and configs: which repositories there are, of which source, and the view that each config shows.

This is the only place that knows repositories, teachers and licences.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class Origin:
    """One set: an upstream repository and what is known of it apart from its files."""

    name: str
    """The name of the set, and of the config that reads it alone."""
    repo: str
    """The repository's id on the hub."""
    source: str
    """A key of `sources.SOURCES`."""
    shape: str
    """Which columns its files have: a key of the source's `native_columns`."""
    pattern: str
    """The files to read, as an fnmatch pattern of paths inside the repository: their names are upstream's to change."""
    rows: int
    """Rows that upstream says it has."""
    license: str
    """An SPDX-like id, as on its card."""
    agent: str = "Agent"
    """The program that made the rollouts."""
    facts: Mapping[str, str] = field(default_factory=dict)
    """Teacher, scale and rollout as the rectified card spells them; empty for SWE-ZERO."""
    default_view: str = "rectified"
    """The view that its config shows unless asked for another."""
    incomplete: Literal["keep", "reject"] = "reject"
    """What its config does with rows that were not submitted."""

    @property
    def about(self) -> str:
        """The set in a few words."""
        what = "{teacher}, {scale} set, rollout {rollout}".format(**self.facts) if self.facts else self.repo
        return f"{self.agent} rollouts of {what}"


@dataclass(frozen=True, kw_only=True)
class Config:
    """What may be loaded by one name: a set, or several of one source."""

    name: str
    origins: tuple[Origin, ...]
    """The sets that it reads."""
    about: str
    """The config in a few words."""

    @property
    def source(self) -> str:
        """The name of the source of every set: a config never mixes sources."""
        return self.origins[0].source

    @property
    def default_view(self) -> str:
        """The view that it shows unless asked for another."""
        return self.origins[0].default_view

    @property
    def incomplete(self) -> Literal["keep", "reject"]:
        """What it does with rows that were not submitted, unless asked."""
        return self.origins[0].incomplete

    @property
    def rows(self) -> int:
        """Rows upstream."""
        return sum(origin.rows for origin in self.origins)


def _sera(name: str, repo: str, rows: int, teacher: str, scale: str, rollout: str) -> Origin:
    return Origin(
        name=name,
        repo=f"allenai/{repo}",
        source="sera",
        agent="SWE-agent",
        shape="sera",
        pattern="*.jsonl",
        rows=rows,
        license="odc-by",
        facts={"teacher": teacher, "scale": scale, "rollout": rollout},
    )


def _swe_zero(name: str, repo: str, rows: int, shape: str) -> Origin:
    return Origin(
        name=name,
        repo=f"AlienKevin/{repo}",
        source="swe_zero",
        agent="mini-swe-agent",
        shape=shape,
        pattern="*.parquet",
        rows=rows,
        license="apache-2.0",
        default_view="native",
        incomplete="keep",
    )


SERA = (
    _sera("glm-4.5-air-full-t1", "Sera-4.5A-Full-T1", 72_118, "GLM-4.5-Air", "full", "T1"),
    _sera("glm-4.5-air-full-t2", "Sera-4.5A-Full-T2", 66_337, "GLM-4.5-Air", "full", "T2"),
    _sera("glm-4.6-lite-t1", "Sera-4.6-Lite-T1", 36_825, "GLM-4.6", "lite", "T1"),
    _sera("glm-4.6-lite-t2", "Sera-4.6-Lite-T2", 36_083, "GLM-4.6", "lite", "T2"),
)
"""The sets that the config `sera` joins."""

SWE_ZERO = (
    _swe_zero("swe-zero-1k-32k", "SWE-ZERO-1k-trajectories-32k", 1_000, "swe-zero-1k"),
    _swe_zero("swe-zero-1k-8k", "SWE-ZERO-1k-trajectories", 1_000, "swe-zero-1k"),
    _swe_zero("swe-zero-12m", "SWE-ZERO-12M-trajectories", 12_290_800, "swe-zero-12m"),
)

DEFAULT = "sera"
"""The config where none is named."""

CONFIGS: dict[str, Config] = {}
"""Every config by name."""


def add_set(origin: Origin) -> None:
    """Add a set, which may be loaded by its name."""
    CONFIGS[origin.name] = Config(name=origin.name, origins=(origin,), about=origin.about)


def fact_values(name: str) -> list[str]:
    """The values that a fact of the sets has ("teacher", "scale" or "rollout"), in the table's order, each once."""
    facts = (origin.facts for config in CONFIGS.values() for origin in config.origins)
    return list(dict.fromkeys(fact[name] for fact in facts if name in fact))


def _words(count: int) -> str:
    return {2: "two", 3: "three", 4: "four"}.get(count, str(count))


for _origin in SERA:
    add_set(_origin)
CONFIGS[DEFAULT] = Config(name=DEFAULT, origins=SERA, about=f"all {_words(len(SERA))} SERA sets")
for _origin in SWE_ZERO:
    add_set(_origin)
