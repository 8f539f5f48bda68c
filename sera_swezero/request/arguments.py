"""The arguments of a config, each declared once: its type, its bounds, its values and what it means.

Everything else derives from these declarations: the checks and their messages, the fields of the builder's config, the
options of the commands and the README's table. A new argument is one field of `Arguments`, one line of `ArgumentsDict`
or `RowArgumentsDict` (a test holds them equal), and the code that uses it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import Field, dataclass, fields
from functools import partial
from types import NoneType
from typing import Any, Literal, TypedDict, Union, get_args, get_type_hints

from sera_swezero.catalog import fact_values
from sera_swezero.errors import ConfigError, did_you_mean
from sera_swezero.request.argument import Argument, declare
from sera_swezero.views import VIEWS

PATHS = ("dedup", "decontaminate", "tokenizer", "chat_template", "tools")
"""The arguments that may name a file or a folder of this machine; its content then decides rows."""

NARROWING = ("teacher", "scale", "rollout")
"""The arguments that choose some of the sets of a config that has several."""

OF_SEVERAL_SETS = (*NARROWING, "repeats")
"""The arguments that only a config with several sets has."""


@dataclass(kw_only=True)
class Arguments:
    """What may be asked of a config. None stands for the default, which may depend on the config and the view."""

    view: str | None = declare(
        "the shape in which a row shows its trajectory; every config has a default", listed=lambda: [*VIEWS]
    )
    submit: Literal["call", "answer"] | None = declare(
        "training views: show every submit as the call that it was, or fold all of them into one final answer"
    )
    incomplete: Literal["keep", "reject"] | None = declare(
        "whether to keep rollouts that did not submit; SERA rejects them by default, SWE-ZERO keeps them"
    )
    on_error: Literal["skip", "raise"] = declare(
        "whether a record that cannot become a row is counted and skipped, or raises its error", default="skip"
    )
    teacher: str | None = declare("read only the sets of this teacher", listed=partial(fact_values, "teacher"))
    scale: str | None = declare("read only the sets of this scale", listed=partial(fact_values, "scale"))
    rollout: str | None = declare("read only the sets of this rollout", listed=partial(fact_values, "rollout"))
    repeats: Literal["drop", "keep"] | None = declare(
        "whether to leave out rows that another set of the config holds, too (the default), or to keep them"
    )
    min_recall: float | None = declare(
        "leave out rows with a smaller line-level recall, and rows without one", "a number from 0 to 1", ge=0, le=1
    )
    lineage: bool = declare(
        "add columns that say where each row comes from (repo, commit, file, offset) and what was converted",
        "True or False",
        default=False,
    )
    upstream: str | None = declare(
        "where to read instead of the hub: a mirror laid out as `ROOT/<owner>/<repo>/<files>`, or your own runs",
        "a folder, an fsspec URL or `sample`; for your own runs also a file or `hf://datasets/OWNER/NAME`",
        min_length=1,
    )
    revision: str | Mapping[str, str] | None = declare(
        "the upstream version to read; pin it for all ranks of a job (`sera-swezero lock`)",
        "a commit, a tag, a mapping of repo to commit or a lock file",
    )
    messages_column: str | None = declare(
        "the column of the messages, where it is not `messages`, `trajectory` or `conversations`",
        "the name of a column",
        min_length=1,
    )
    tools: str | None = declare(
        "the tools that the model could call, for rows that do not list them", "the path of a JSON file", min_length=1
    )
    dedup: str | None = declare(
        "read only the rows in this file, which `sera-swezero dedup` wrote", "the path of a file", min_length=1
    )
    decontaminate: str | None = declare(
        "leave out rows that overlap the repositories, instances or texts of a benchmark",
        "the path of a file that lists them, or `swe-bench-verified`",
        min_length=1,
    )
    max_tokens: int | None = declare(
        "training views: the most tokens that a row may have, counted with `tokenizer`",
        "a positive number of tokens",
        ge=1,
    )
    tokenizer: str | None = declare(
        "the tokenizer that counts for `max_tokens`",
        "a hub id, a folder or the path of a `tokenizer.json`",
        min_length=1,
    )
    chat_template: str | None = declare(
        "count for `max_tokens` what this chat template makes of a row, as a trainer does; SERA's form by default",
        "the path of a template, or the name of one in the installed `trl`, such as `qwen3_training`",
        min_length=1,
    )
    overlong: Literal["drop", "truncate", "split"] | None = declare(
        "whether a row of more than `max_tokens` is left out (the default), cut after a turn, or split into windows"
    )
    min_kept_share: float | None = declare(
        'leave out a row if `overlong="truncate"` would keep a smaller share of its messages',
        "a number from 0 to 1",
        ge=0,
        le=1,
    )
    context: int | None = declare(
        'view `hermes`: how many earlier turns a window of `overlong="split"` repeats without training them',
        "a whole number from 0 on",
        ge=0,
    )
    history: str | None = declare(
        "view `steps`: the observations that a prompt shows in full, as SWE-agent's `last_n_observations` does",
        "`full` or `last-5-observations`, with any number",
        pattern=r"^(full|last-[1-9][0-9]{0,8}-observations)\Z",
    )
    shard_bytes: int | None = declare(
        "the raw size of a shard, 16 MiB by default; a resumed stream reads at most one shard again",
        "a positive number of bytes",
        order=True,
        ge=1,
    )
    shuffle_seed: int | None = declare(
        "shuffle shards and rows; the same seed, `epoch` and number of ranks give the same order",
        "a whole number from 0 on",
        order=True,
        ge=0,
    )
    epoch: int = declare(
        "the number of this pass over the data; each pass is shuffled anew",
        "a whole number from 0 on",
        default=0,
        order=True,
        ge=0,
    )


StrPath = str | os.PathLike[str]


class RowArgumentsDict(TypedDict, total=False):
    """The fields of `Arguments` that decide which rows there are and what they say, as keywords.

    Paths may also be path objects; `check` makes text of them.
    """

    view: str | None
    submit: Literal["call", "answer"] | None
    incomplete: Literal["keep", "reject"] | None
    on_error: Literal["skip", "raise"]
    teacher: str | None
    scale: str | None
    rollout: str | None
    repeats: Literal["drop", "keep"] | None
    min_recall: float | None
    lineage: bool
    upstream: StrPath | None
    revision: StrPath | Mapping[str, str] | None
    messages_column: str | None
    tools: StrPath | None
    dedup: StrPath | None
    decontaminate: StrPath | None
    max_tokens: int | None
    tokenizer: StrPath | None
    chat_template: StrPath | None
    overlong: Literal["drop", "truncate", "split"] | None
    min_kept_share: float | None
    context: int | None
    history: str | None


class ArgumentsDict(RowArgumentsDict, total=False):
    """The fields of `Arguments` as keywords, for functions that take them as `**arguments: Unpack[ArgumentsDict]`."""

    shard_bytes: int | None
    shuffle_seed: int | None
    epoch: int


def _declaration(declared: Field[Any], hint: Any) -> Argument:
    kinds = tuple(kind for kind in get_args(hint) if kind is not NoneType) if NoneType in get_args(hint) else (hint,)
    return Argument(name=declared.name, type=Union[kinds], default=declared.default, **declared.metadata)  # noqa: UP007


_HINTS = get_type_hints(Arguments)

ARGUMENTS: dict[str, Argument] = {
    declared.name: _declaration(declared, _HINTS[declared.name]) for declared in fields(Arguments)
}
"""Every argument by name."""


def refuse_unknown(names: Iterable[str]) -> None:
    """Raise ConfigError, which lists the arguments that there are, unless all names are arguments."""
    unknown = sorted(set(names) - set(ARGUMENTS))
    if unknown:
        hint = did_you_mean(unknown[0], ARGUMENTS)
        msg = f"unknown argument {', '.join(unknown)}{hint}; arguments are {', '.join(ARGUMENTS)}"
        raise ConfigError(msg)


def check(given: Mapping[str, Any]) -> Arguments:
    """Check each argument by itself; None stands for the default. Raises ConfigError."""
    refuse_unknown(given)
    return Arguments(**{name: ARGUMENTS[name].check(value) for name, value in given.items() if value is not None})
