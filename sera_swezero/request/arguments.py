"""What the arguments of a config may be: closed lists of values, types, and the pairs that make no sense together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sera_swezero.errors import ConfigError
from sera_swezero.views import VIEWS
from sera_swezero.views.token_limit import DROP, TRUNCATE

CHOICES: dict[str, tuple[str, ...]] = {
    "view": tuple(VIEWS),
    "submit": ("answer", "call"),
    "incomplete": ("keep", "reject"),
    "on_error": ("skip", "raise"),
    "teacher": ("GLM-4.5-Air", "GLM-4.6"),
    "scale": ("full", "lite"),
    "rollout": ("T1", "T2"),
    "overlong": (DROP, TRUNCATE),
}
"""Arguments with a closed list of values."""

NARROWING = ("teacher", "scale", "rollout")

Arguments = dict[str, Any]


@dataclass(frozen=True)
class Clash:
    """Two arguments that make no sense together: who, when, and what to say instead."""

    pair: tuple[str, str]
    clashes: Callable[[Arguments], bool]
    says: str


JSON_LEAVES_SINCE = (4, 8)
"""The version of `datasets` that brought the feature `Json`."""


def _datasets_version() -> tuple[int, ...]:
    from importlib import metadata

    # From the metadata: importing datasets takes more than a second, and the command line often needs none of it.
    return tuple(int(part) for part in metadata.version("datasets").split(".")[:2])


CLASHES: tuple[Clash, ...] = (
    Clash(
        ("config", "view"),
        lambda a: bool(a["suffix"] and a["view"] and a["view"] != a["suffix"]),
        "the config name already says the view {suffix!r}; leave view={view!r} out, or name the config {config!r}",
    ),
    Clash(
        ("view", "submit"),
        lambda a: bool(a["submit"]) and a["submit"] not in VIEWS[a["shown"]].submits,
        "the view {shown!r} has no submit={submit!r}; it takes {submits}",
    ),
    Clash(
        ("config", "min_recall"),
        lambda a: a["min_recall"] is not None and not any(o.facts.get("rollout") == "T2" for o in a["origins"]),
        "no row of {config!r} as narrowed has a line-level recall, so min_recall would drop them all; "
        "recalls are in T2 sets: glm-4.5-air-full-t2, glm-4.6-lite-t2, sera",
    ),
    *(
        Clash(
            ("config", argument),
            lambda a, argument=argument: a[argument] is not None and a["config"] != "sera",  # type: ignore[misc]
            "{config!r} is one set already; " + argument + " narrows the config 'sera'",
        )
        for argument in NARROWING
    ),
    Clash(
        ("teacher", "scale"),
        lambda a: not a["origins"],
        "no SERA set has teacher={teacher!r}, scale={scale!r}, rollout={rollout!r}; "
        "GLM-4.5-Air is full, GLM-4.6 is lite, each with T1 and T2",
    ),
    Clash(
        ("view", "datasets"),
        lambda a: VIEWS[a["shown"]].has_json_leaves and _datasets_version() < JSON_LEAVES_SINCE,
        "the view {shown!r} holds objects, which datasets below 4.8 cannot; take view='hermes' or view='sharegpt', "
        "which every version reads, or install datasets>=4.8",
    ),
    Clash(
        ("view", "max_tokens"),
        lambda a: a["max_tokens"] is not None and not VIEWS[a["shown"]].trains,
        "the view {shown!r} is not for training and is never cut; max_tokens goes with "
        + ", ".join(repr(view.name) for view in VIEWS.values() if view.trains),
    ),
    Clash(
        ("max_tokens", "tokenizer"),
        lambda a: (a["max_tokens"] is None) != (a["tokenizer"] is None),
        "max_tokens={max_tokens!r} with tokenizer={tokenizer!r}: each needs the other",
    ),
    Clash(
        ("overlong", "max_tokens"),
        lambda a: a["overlong"] is not None and a["max_tokens"] is None,
        "overlong={overlong!r} says what becomes of rows with more than max_tokens; give max_tokens and tokenizer too",
    ),
    Clash(
        ("upstream", "revision"),
        lambda a: a["upstream"] is not None and a["revision"] is not None,
        "upstream={upstream!r} is read as it is and has no revisions; revision={revision!r} goes with the hub only",
    ),
)
"""Every pair of arguments that makes no sense; a pair that is not here is fine."""


def check_paths(**paths: Any) -> None:
    """Arguments that are the path of a file, or None. Raises ConfigError."""
    for argument, path in paths.items():
        if path is not None and not (isinstance(path, str) and path):
            msg = f"{argument}={path!r}; the path of a file was expected"
            raise ConfigError(msg)


def check_limit(max_tokens: Any, tokenizer: Any) -> None:
    """The limit of tokens. Raises ConfigError."""
    if max_tokens is not None and (not isinstance(max_tokens, int) or isinstance(max_tokens, bool) or max_tokens < 1):
        msg = f"max_tokens={max_tokens!r}; a positive number of tokens was expected"
        raise ConfigError(msg)
    if tokenizer is not None and not (isinstance(tokenizer, str) and tokenizer):
        msg = f"tokenizer={tokenizer!r}; a hub id, a folder or the path of a tokenizer.json was expected"
        raise ConfigError(msg)


def check_values(min_recall: Any, lineage: Any, upstream: Any, revision: Any) -> None:
    """Types and ranges of the other arguments that have no closed list. Raises ConfigError."""
    number = isinstance(min_recall, int | float) and not isinstance(min_recall, bool)
    if min_recall is not None and not (number and 0 <= min_recall <= 1):
        msg = f"min_recall={min_recall!r}; a number from 0 to 1 was expected"
        raise ConfigError(msg)
    if not isinstance(lineage, bool):
        msg = f"lineage={lineage!r}; True or False was expected"
        raise ConfigError(msg)
    if upstream is not None and not (isinstance(upstream, str) and upstream):
        msg = f"upstream={upstream!r}; a folder, an fsspec URL or 'sample' was expected"
        raise ConfigError(msg)
    if revision is not None and not isinstance(revision, str | Mapping):
        msg = f"revision={revision!r}; a commit, a tag, a mapping of repo to commit or a lock file was expected"
        raise ConfigError(msg)
