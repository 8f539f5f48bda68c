"""The config table and what may be asked of it: the one place that knows repos, teachers and licences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sera_swezero.catalog import CONFIGS, DEFAULT, Config, Origin
from sera_swezero.errors import ConfigError
from sera_swezero.request.arguments import (
    CHOICES,
    CLASHES,
    NARROWING,
    Arguments,
    check_limit,
    check_paths,
    check_values,
)
from sera_swezero.request.config_names import split_name
from sera_swezero.views import VIEWS, View
from sera_swezero.views.token_limit import DROP, Limit


@dataclass(frozen=True)
class Request:
    """What a caller asked for, checked: every field has its final value.

    config: the config's own name, without a view. view, submit, incomplete, on_error: as in `CHOICES`; submit is "" in
    a view that has no such question. origins: the upstream repos that are read. min_recall: least line-level recall,
    None for no filter. lineage: whether rows tell where they came from. upstream: a root to read from instead of the
    hub, None for the hub. revision: a commit, tag or branch, a mapping of repo to one, or the path of a lock file.
    limit: the most tokens of a row, and what becomes of a longer one; None for rows of any length. dedup: a file of
    kept rows (`dedup.keptfile`), None for all rows. decontaminate: a file of what rows must not overlap
    (`decontaminate`), or the name of one that ships with the package, None for no such filter.
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

    @property
    def name(self) -> str:
        """The config's published name: with the view's name behind it unless it is the default view."""
        return (
            self.config.name if self.view.name == self.config.default_view else f"{self.config.name}-{self.view.name}"
        )


def settle(  # noqa: PLR0913 (the public arguments, one by one, so that a misspelt one is a TypeError)
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
