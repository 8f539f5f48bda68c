"""The pairs of arguments that make no sense together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sera_swezero.catalog import CONFIGS, Config, Origin
from sera_swezero.request.arguments import NARROWING, OF_SEVERAL_SETS, Arguments
from sera_swezero.request.hub_upstream import FORM, HUB, hub_upstream
from sera_swezero.sources import SOURCES
from sera_swezero.views import VIEWS, View
from sera_swezero.views.token_limit import DROP, SPLIT, TRUNCATE

JSON_LEAVES_SINCE = (4, 8)
"""The version of `datasets` that brought the feature `Json`."""


def datasets_version() -> tuple[int, ...]:
    """The first two numbers of the installed version of `datasets`."""
    from importlib import metadata

    # From the metadata: importing datasets takes more than a second, and the command line often needs none of it.
    return tuple(int(part) for part in metadata.version("datasets").split(".")[:2])


def clashes(
    arguments: Arguments, config: Config, suffix: str | None, view: View, origins: Sequence[Origin]
) -> Iterator[str]:
    """For every pair of arguments that makes no sense together, say what is wrong and what to ask for instead.

    The config and the version of `datasets` count as arguments here.

    Args:
        arguments: each of them is right by itself.
        config: the config that is asked for.
        suffix: the view that the config's name ends in, None if it ends in none.
        view: the view that is asked for, by whichever of these.
        origins: the origins of the config that `teacher`, `scale` and `rollout` leave.
    """
    yield from _of_upstream(arguments, config)
    yield from _of_source(arguments, config)
    yield from _of_view(arguments, config, suffix, view)
    yield from _of_sets(arguments, config, origins)
    if (arguments.max_tokens is None) != (arguments.tokenizer is None):
        yield f"max_tokens={arguments.max_tokens!r} with tokenizer={arguments.tokenizer!r}: each needs the other"
    if arguments.overlong is not None and arguments.max_tokens is None:
        yield (
            f"overlong={arguments.overlong!r} says what happens to rows with more than max_tokens; "
            "pass max_tokens and tokenizer, too"
        )
    if arguments.chat_template is not None and arguments.max_tokens is None:
        yield (
            f"chat_template={arguments.chat_template!r} says how the tokens of a row are counted; "
            "pass max_tokens and tokenizer, too"
        )
    yield from _of_overlong(arguments, view)


def _of_overlong(arguments: Arguments, view: View) -> Iterator[str]:
    overlong, share, context = arguments.overlong, arguments.min_kept_share, arguments.context
    if share is not None and overlong != TRUNCATE:
        yield f'min_kept_share={share!r} is about what overlong="truncate" keeps; it was {overlong!r}'
    if context is not None and overlong != SPLIT:
        yield f'context={context!r} is about the windows of overlong="split"; overlong was {overlong!r}'
    if context and not view.marks_training:
        marking = ", ".join(repr(other.name) for other in VIEWS.values() if other.marks_training)
        yield f"the view {view.name!r} cannot say that a turn is not trained; context works with {marking}"
    if view.one_turn and overlong not in {None, DROP}:
        yield f"a row of the view {view.name!r} is one turn, which overlong={overlong!r} cannot cut"
    if arguments.history is not None and not view.one_turn:
        one_turn = ", ".join(repr(other.name) for other in VIEWS.values() if other.one_turn)
        yield f"history={arguments.history!r} would be wrong for all turns but one; it works with the view {one_turn}"


def _of_upstream(arguments: Arguments, config: Config) -> Iterator[str]:
    upstream, revision = arguments.upstream, arguments.revision
    if config.own and upstream is None:
        yield f"{config.name!r} reads runs of your own; pass upstream= with a folder, an fsspec URL or {FORM}"
    on_hub = hub_upstream(upstream) if config.own else None
    if config.own and upstream and upstream.startswith(HUB) and not on_hub:
        yield f"upstream={upstream!r} names no dataset repository; {FORM} was expected"
    if upstream is None or revision is None:
        return
    if on_hub is None:
        yield (
            f"upstream={upstream!r} is read as it is and has no revisions; "
            f"revision={revision!r} works with the hub only"
        )
    elif on_hub[1] is not None:
        yield f"upstream={upstream!r} names a revision already; leave revision={revision!r} out"


def _of_source(arguments: Arguments, config: Config) -> Iterator[str]:
    """Arguments that only some sources understand."""
    for name in dict.fromkeys(name for source in SOURCES.values() for name in source.takes):
        if getattr(arguments, name) is not None and name not in SOURCES[config.source].takes:
            takers = [other.name for other in CONFIGS.values() if name in SOURCES[other.source].takes]
            yield f"the rows of {config.name!r} already say what {name} would; it is for {', '.join(takers)}"


def _of_view(arguments: Arguments, config: Config, suffix: str | None, view: View) -> Iterator[str]:
    if suffix and arguments.view not in {None, suffix}:
        yield (
            f"the config name already says the view {suffix!r}; leave view={arguments.view!r} out, "
            f"or name the config {config.name!r}"
        )
    if arguments.submit and arguments.submit not in view.submits:
        submits = " or ".join(map(repr, view.submits)) or "no submit at all"
        yield f"the view {view.name!r} has no submit={arguments.submit!r}; it takes {submits}"
    if view.has_json_leaves and datasets_version() < JSON_LEAVES_SINCE:
        yield (
            f"the view {view.name!r} holds objects, which datasets below 4.8 cannot; take view='hermes' or "
            "view='sharegpt', which every version reads, or install datasets>=4.8"
        )
    if arguments.max_tokens is not None and not view.trains:
        training = ", ".join(repr(other.name) for other in VIEWS.values() if other.trains)
        yield f"the view {view.name!r} is not for training and is never cut; max_tokens works with {training}"


def _of_sets(arguments: Arguments, config: Config, origins: Sequence[Origin]) -> Iterator[str]:
    wanted = {name: getattr(arguments, name) for name in NARROWING if getattr(arguments, name) is not None}
    if len(config.origins) == 1:
        several = " or ".join(repr(other.name) for other in CONFIGS.values() if len(other.origins) > 1)
        for name in (name for name in OF_SEVERAL_SETS if getattr(arguments, name) is not None):
            yield f"{config.name!r} is one set; {name} is for a config of several: {several}"
    if not origins:
        unmet = ", ".join(f"{name}={value!r}" for name, value in wanted.items())
        sets = "; ".join(", ".join(origin.facts.values()) for origin in config.origins)
        yield f"no set of {config.name!r} has {unmet}; its sets are {sets}"
    elif arguments.min_recall is not None and not any(map(_has_recall, origins)):
        with_recall = ", ".join(name for name, other in CONFIGS.items() if any(map(_has_recall, other.origins)))
        yield (
            f"no row of {config.name!r} as narrowed has a line-level recall, so min_recall would drop them all; "
            f"there are recalls in {with_recall}"
        )


def _has_recall(origin: Origin) -> bool:
    return bool(origin.facts) and origin.facts.get("rollout") != "T1"
