"""The config table and what may be asked of it: the one place that knows repos, teachers and licences."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field

from sera_swezero.arguments import CHOICES, CLASHES, NARROWING, Arguments, check_limit, check_paths, check_values
from sera_swezero.errors import ConfigError
from sera_swezero.length import DROP, Limit
from sera_swezero.sources import SOURCES, Source
from sera_swezero.views import VIEWS, View


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
    def source(self) -> Source:
        """The source of every origin: a config never mixes sources."""
        return SOURCES[self.origins[0].source]

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


@dataclass(frozen=True)
class Request:
    """What a caller asked for, checked: every field has its final value.

    config: the config's own name, without a view. view, submit, incomplete, on_error: as in `CHOICES`; submit is "" in
    a view that has no such question. origins: the upstream repos that are read. min_recall: least line-level recall,
    None for no filter. lineage: whether rows tell where they came from. upstream: a root to read from instead of the
    hub, None for the hub. revision: a commit, tag or branch, a mapping of repo to one, or the path of a lock file.
    limit: the most tokens of a row, and what becomes of a longer one; None for rows of any length. dedup: a file of
    kept rows (`dedup.keptfile`), None for all rows. decontaminate: a file of what rows must not overlap
    (`decontaminate`), or the name of one that ships with the package, None for no such filter. encoded: JSON text in
    rows is UTF-8 bytes rather than str where the view has it so, for who hands it to Arrow at once; no caller's choice.
    """

    config: Config
    view: View
    submit: str
    incomplete: str
    on_error: str
    origins: tuple[Origin, ...]
    min_recall: float | None = None
    lineage: bool = False
    upstream: str | None = None
    revision: str | Mapping[str, str] | None = None
    limit: Limit | None = None
    dedup: str | None = None
    decontaminate: str | None = None
    encoded: bool = False

    @property
    def name(self) -> str:
        """The config's published name: with the view's name behind it unless it is the default view."""
        return (
            self.config.name if self.view.name == self.config.default_view else f"{self.config.name}-{self.view.name}"
        )


def set_name(origin: Origin) -> str:
    """The name of the config that reads this origin alone."""
    return next(name for name, config in CONFIGS.items() if [one.repo for one in config.origins] == [origin.repo])


def config_names() -> list[str]:
    """Every name that may be asked for: each config, then each config with a view behind it."""
    return [*CONFIGS, *(f"{name}-{view}" for name in CONFIGS for view in VIEWS)]


def split_name(name: str) -> tuple[str, str | None]:
    """Split a config name into (config, view or None). Raises ConfigError for a name that there is not."""
    if name in CONFIGS:
        return name, None
    for view in VIEWS:
        if name.endswith(f"-{view}") and name.removesuffix(f"-{view}") in CONFIGS:
            return name.removesuffix(f"-{view}"), view
    near = difflib.get_close_matches(name, config_names(), n=1)
    hint = f" (did you mean {near[0]!r}?)" if near else ""
    msg = f"no config {name!r}{hint}; configs are {', '.join(CONFIGS)}, each also with a view behind it: " + ", ".join(
        f"-{view}" for view in VIEWS
    )
    raise ConfigError(msg)


def request(  # noqa: PLR0913 (the public arguments, one by one, so that a misspelt one is a TypeError)
    name: str | None = None,
    *,
    view: str | None = None,
    submit: str | None = None,
    incomplete: str | None = None,
    on_error: str | None = None,
    teacher: str | None = None,
    scale: str | None = None,
    rollout: str | None = None,
    min_recall: float | None = None,
    lineage: bool = False,
    upstream: str | None = None,
    revision: str | Mapping[str, str] | None = None,
    max_tokens: int | None = None,
    tokenizer: str | None = None,
    overlong: str | None = None,
    dedup: str | None = None,
    decontaminate: str | None = None,
) -> Request:
    """Check what was asked for and settle every default.

    Raises:
        ConfigError: an unknown name or value, or a pair of `CLASHES`; says what there is.
    """
    base, suffix = split_name(DEFAULT if name is None else name)
    config = CONFIGS[base]
    given = {"view": view, "submit": submit, "incomplete": incomplete, "on_error": on_error}
    given |= {"teacher": teacher, "scale": scale, "rollout": rollout, "overlong": overlong}
    for argument, value in given.items():
        if value is not None and value not in CHOICES[argument]:
            msg = f"{argument}={value!r}; {argument} is one of {', '.join(map(repr, CHOICES[argument]))}"
            raise ConfigError(msg)
    check_values(min_recall, lineage, upstream, revision)
    check_limit(max_tokens, tokenizer)
    check_paths(dedup=dedup, decontaminate=decontaminate)
    shown = view or suffix or config.default_view
    wanted = {key: given[key] for key in NARROWING if given[key] is not None}
    origins = tuple(
        origin
        for origin in config.origins
        if config.name != "sera" or all(origin.facts[key] == value for key, value in wanted.items())
    )
    arguments: Arguments = {**given, "config": base, "suffix": suffix, "shown": shown, "origins": origins}
    arguments |= {"min_recall": min_recall, "upstream": upstream, "revision": revision}
    arguments |= {"max_tokens": max_tokens, "tokenizer": tokenizer}
    arguments["submits"] = " or ".join(repr(way) for way in VIEWS[shown].submits) or "no submit at all"
    for clash in CLASHES:
        if clash.clashes(arguments):
            raise ConfigError(clash.says.format(**arguments))
    return Request(
        config=config,
        view=VIEWS[shown],
        submit=submit or (VIEWS[shown].submits[0] if VIEWS[shown].submits else ""),
        incomplete=incomplete or config.incomplete,
        on_error=on_error or "skip",
        origins=origins,
        min_recall=min_recall,
        lineage=lineage,
        upstream=upstream,
        revision=revision,
        limit=Limit(max_tokens, tokenizer, overlong or DROP) if max_tokens is not None and tokenizer else None,
        dedup=dedup,
        decontaminate=decontaminate,
    )
