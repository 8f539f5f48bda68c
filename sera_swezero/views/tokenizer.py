"""Tokenizers by the names that a caller gives: their files, and how many tokens texts have."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from sera_swezero.errors import ConfigError

_FILE = "tokenizer.json"
_SYSTEM = "<|im_start|>system\n"


def count(tokenizer: str, texts: Sequence[str]) -> list[int]:
    """Tokens of each text.

    All texts are one batch, which the library spreads over the cores without the interpreter's lock. Each text is
    counted once: a system message, which most rows of a set share, once for all of them.
    """
    shared = {text: _count(tokenizer, text) for text in texts if text.startswith(_SYSTEM)}
    new = [text for text in dict.fromkeys(texts) if text not in shared]
    encodings = _load(tokenizer).encode_batch_fast(new, add_special_tokens=False)
    counts = {**shared, **dict(zip(new, map(len, encodings), strict=True))}
    return [counts[text] for text in texts]


@lru_cache(maxsize=64)
def _count(tokenizer: str, text: str) -> int:
    return len(_load(tokenizer).encode(text, add_special_tokens=False))


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
        ConfigError: the tokenizer was not found.
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
