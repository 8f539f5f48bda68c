"""How many tokens a row has, and what becomes of one that has too many (`max_tokens`, `tokenizer`, `overlong`).

The count is that of SERA's own recipe: every message of the tagged form in a ChatML wrapper, tokenized and summed. What
a trainer's chat template adds or leaves out differs by a few tokens per message; leave it some room.

Truncating is SERA's too: a row ends behind the last turn of the model that fits, whole and with its call, so that no
turn is ever cut and the last thing in the row is something to train on. Its kept share is messages kept over messages
there were.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from functools import cache
from itertools import accumulate
from pathlib import Path
from typing import Any, NamedTuple

from sera_swezero.core.conversions import ConversionLog
from sera_swezero.core.text import join
from sera_swezero.core.trajectory import Step, Trajectory
from sera_swezero.errors import ConfigError, RowError

DROP = "drop"
_FILE = "tokenizer.json"


class Limit(NamedTuple):
    """The most that a row may hold."""

    max_tokens: int
    tokenizer: str
    """Hub id, folder or `tokenizer.json`."""
    overlong: str
    """`DROP` (reject, reason `overlong`) or "truncate"."""


def fit(
    trajectory: Trajectory, messages: Sequence[tuple[str, str]], limit: Limit, conversions: ConversionLog
) -> tuple[Trajectory, float]:
    """Hold a trajectory to the limit; gives (what is kept of it, the share of its messages that is kept).

    Args:
        trajectory: with at least one step.
        messages: its messages as (ChatML role, text): system, task, then every turn and observation in order.
        limit: what to hold it to.
        conversions: gets `truncated` with the text that was left out.

    Raises:
        RowError: reason `overlong`: too long and to be dropped, or not even the first turn fits.
        ConfigError: the tokenizer cannot be loaded.
    """
    sums = list(accumulate(count(limit.tokenizer, messages)))
    if sums[-1] <= limit.max_tokens:
        return trajectory, 1.0
    too_long = f"{sums[-1]} tokens; at most {limit.max_tokens} were asked for"
    if limit.overlong == DROP:
        raise RowError("overlong", too_long)
    kept, end = 0, 0
    at = len(messages) - sum(map(_messages, trajectory.steps))
    for number, step in enumerate(trajectory.steps, 1):
        if sums[at] > limit.max_tokens:
            break
        kept, end = number, at + 1
        at += _messages(step)
    if not kept:
        raise RowError("overlong", f"{too_long}, and the first turn of the model ends behind that")
    conversions.add("truncated", join(*(text for _, text in messages[end:])))
    last = trajectory.steps[kept - 1]
    cut = last._replace(calls=tuple(call._replace(observation=None) for call in last.calls), reply=None)
    return trajectory._replace(steps=(*trajectory.steps[: kept - 1], cut)), end / len(messages)


def _messages(step: Step) -> int:
    """How many messages a step has: the turn, what its calls gave, and the reply."""
    return 1 + any(call.observation is not None for call in step.calls) + (step.reply is not None)


def count(tokenizer: str, messages: Sequence[tuple[str, str]]) -> list[int]:
    """Tokens of each (role, text) message in its ChatML wrapper."""
    wrapped = [f"<|im_start|>{role}\n{text}<|im_end|>\n" for role, text in messages]
    return [len(encoding) for encoding in _load(tokenizer).encode_batch_fast(wrapped, add_special_tokens=False)]


@cache
def digest(tokenizer: str) -> str:
    """SHA-256 of the tokenizer's file: what decides the counts, whatever the name points to tomorrow."""
    return hashlib.sha256(_path(tokenizer).read_bytes()).hexdigest()


@cache
def _load(tokenizer: str) -> Any:
    try:
        from tokenizers import Tokenizer
    except ImportError:
        msg = f"tokenizer={tokenizer!r} needs the package `tokenizers`: pip install 'sera-swezero[train]'"
        raise ConfigError(msg) from None
    path = _path(tokenizer)
    try:
        loaded = Tokenizer.from_file(str(path))
    except Exception as error:  # noqa: BLE001 (the library raises nothing narrower)
        msg = f"tokenizer={tokenizer!r}: {path} is not a tokenizer of the `tokenizers` package: {error}"
        raise ConfigError(msg) from None
    # A file may ask for cutting or padding, which would make every count the same.
    loaded.no_truncation()
    loaded.no_padding()
    return loaded


def encode(tokenizer: str, text: str) -> tuple[list[int], list[tuple[int, int]]]:
    """The tokens of a text, and each as (start, end) in characters."""
    encoding = _load(tokenizer).encode(text, add_special_tokens=False)
    return encoding.ids, encoding.offsets


@cache
def added_tokens(tokenizer: str) -> frozenset[int]:
    """The ids of the tokens at which a text is split before anything else, such as `<|im_start|>`."""
    return frozenset(_load(tokenizer).get_added_tokens_decoder())


def tokens_inside(places: Iterable[tuple[int, int]], parts: Sequence[tuple[int, int]]) -> int:
    """How many tokens lie in one of the parts, both in order."""
    count = at = 0
    for start, end in places:
        while at < len(parts) and parts[at][1] <= start:
            at += 1
        count += at < len(parts) and end > parts[at][0] and start < parts[at][1]
    return count


@cache
def file_of(tokenizer: str, name: str = _FILE) -> Path | None:
    """A file of a tokenizer, from its folder, from next to its `tokenizer.json`, or from the hub; None: it has none.

    Raises:
        ConfigError: there is no such tokenizer.
    """
    path = Path(tokenizer).expanduser()
    if path.exists():
        if path.is_file() and name == _FILE:
            return path
        file = (path if path.is_dir() else path.parent) / name
        return file if file.is_file() else None
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import EntryNotFoundError

    try:
        return Path(hf_hub_download(tokenizer, name))
    except EntryNotFoundError:
        return None
    except (OSError, ValueError) as error:
        msg = f"tokenizer={tokenizer!r}: no such folder or file, and not on the hub or in its cache: {error}"
        raise ConfigError(msg) from error


def _path(tokenizer: str) -> Path:
    path = file_of(tokenizer)
    if path is None:
        msg = f"tokenizer={tokenizer!r} has no {_FILE}, the format of the package `tokenizers`"
        raise ConfigError(msg)
    return path
