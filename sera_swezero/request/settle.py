"""A request: what the caller asked for, checked against the catalog, with every default in place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Unpack

from sera_swezero.catalog import CONFIGS, DEFAULT, Config, Origin
from sera_swezero.core.trajectory import Tools
from sera_swezero.errors import ConfigError
from sera_swezero.request.arguments import NARROWING, Arguments, ArgumentsDict, check
from sera_swezero.request.clashes import clashes
from sera_swezero.request.config_names import split_name
from sera_swezero.request.hub_upstream import hub_upstream
from sera_swezero.request.tools_file import read_tools
from sera_swezero.views import VIEWS, View
from sera_swezero.views.token_limit import DROP, Limit


@dataclass(frozen=True, kw_only=True)
class Request:
    """What a caller asked for, checked: every field has its final value."""

    config: Config
    """Named without a view."""
    view: View
    submit: str
    """How the view shows a submission; "" in a view that has only one way."""
    origins: tuple[Origin, ...]
    """The upstream repos to read. Your own runs have the repo that `upstream` names on the hub, else ""."""
    repeated: frozenset[str]
    """The names of sets that are left out, since other sets that are read hold every row of them, too."""
    limit: Limit | None
    """The most tokens of a row, and what happens to a longer one; None for rows of any length."""
    history: int | None
    """How many observations a row of one turn shows in full, its last ones; None for all."""
    tools: Tools
    """The tools that the argument `tools` lists, for records that name none."""
    arguments: Arguments
    """The arguments as they were given, with the defaults of the config filled in. Your own runs on the hub are
    read as any repo is: `upstream` is None, and the revision that it names is in `revision`."""

    @property
    def name(self) -> str:
        """The config's published name: with the view's name after it unless it is the default view."""
        name, view = self.config.name, self.view.name
        return name if view == self.config.default_view else f"{name}-{view}"


def settle(name: str | None = None, **given: Unpack[ArgumentsDict]) -> Request:
    """Check what was asked for and fill in every default.

    Args:
        name: the name of a config, also followed by that of a view; None for the default config.
        **given: the fields of `Arguments`.

    Raises:
        ConfigError: an unknown name, argument or value, or two arguments that make no sense together.
    """
    base, suffix = split_name(DEFAULT if name is None else name)
    config, arguments = CONFIGS[base], check(given)
    view = VIEWS[arguments.view or suffix or config.default_view]
    origins = tuple(origin for origin in config.origins if _chosen(origin, config, arguments))
    for message in clashes(arguments, config, suffix, view, origins):
        raise ConfigError(message)
    limit = None
    if arguments.max_tokens is not None and arguments.tokenizer is not None:
        overlong, context = arguments.overlong or DROP, arguments.context or 0
        limit = Limit(arguments.max_tokens, arguments.tokenizer, overlong, context, arguments.chat_template)
    arguments = replace(arguments, view=view.name, incomplete=arguments.incomplete or config.incomplete)
    if config.own and (found := hub_upstream(arguments.upstream)):
        repo, revision = found
        origins = tuple(replace(origin, repo=repo) for origin in origins)
        arguments = replace(arguments, upstream=None, revision=revision or arguments.revision)
    return Request(
        config=config,
        view=view,
        submit=arguments.submit or next(iter(view.submits), ""),
        origins=origins,
        repeated=frozenset() if arguments.repeats == "keep" else _repeated(origins),
        limit=limit,
        history=_observations(arguments.history),
        tools=read_tools(arguments.tools) if arguments.tools else (),
        arguments=arguments,
    )


def _observations(history: str | None) -> int | None:
    """The number in "last-5-observations"; None for "full"."""
    digits = "".join(filter(str.isdigit, history or ""))
    return int(digits) if digits else None


def _chosen(origin: Origin, config: Config, arguments: Arguments) -> bool:
    """Whether `teacher`, `scale` and `rollout` leave the origin in."""
    wanted = {name: getattr(arguments, name) for name in NARROWING}
    return len(config.origins) == 1 or all(value in {None, origin.facts.get(name)} for name, value in wanted.items())


def _repeated(origins: Sequence[Origin]) -> frozenset[str]:
    read = {origin.name for origin in origins}
    return frozenset(origin.name for origin in origins if origin.repeats and read.issuperset(origin.repeats))
