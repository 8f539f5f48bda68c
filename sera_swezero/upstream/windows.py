"""The order of a stream: which records are read together, and in which order.

An element of a stream's shard list is a window. Without a seed a window is one shard, its records in the order of the
file. With a seed the shards (of JSON Lines four small ranges of each) are permuted and dealt to the windows. A process
joins neighbouring windows of its share up to the size of one shard, and `WindowReader` permutes all records of the
joined window. So neighbours come from far apart, ranks have disjoint windows, two runs with the same shares agree, and
a stream is resumed by skipping inside a window.

A permutation sorts by hashes: the shuffles of numpy and Python may change with their versions.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import NamedTuple

from sera_swezero.upstream.formats import format_of
from sera_swezero.upstream.records import Raw, Shard, Starts
from sera_swezero.upstream.shards import MULTIPLE, cut

PIECES = 4
"""Ranges that a shard is cut into for shuffling: at 16 MiB per shard, some 27 neighbours share a window of 107 rows."""


class Window(NamedTuple):
    """Shards that are read together."""

    shards: tuple[Shard, ...]
    """What is read."""
    salt: str = ""
    """What the order of the records depends on; "" for the order of the file."""

    @property
    def bytes(self) -> int:
        """Raw bytes (of Parquet: as stored) of all its shards."""
        return sum(shard.stop - shard.start for shard in self.shards)

    def __str__(self) -> str:
        return ", ".join(f"{shard.place} [{shard.start}:{shard.stop}]" for shard in self.shards)


class JoinedWindow(NamedTuple):
    """Neighbouring windows of a share that are read as one."""

    window: Window
    """The shards of all of them."""
    first: int
    """The index of the first of them in the share."""
    after: int
    """The index of the window after the last of them."""


class Record(NamedTuple):
    """A raw record of a window."""

    shard: Shard
    """The shard that it belongs to."""
    raw: Raw
    """The record itself."""
    before: int
    """Where a saved state goes on with this record: `WindowReader(mark=...)` yields it and those after it."""
    mark: int
    """Where a saved state goes on after this record. In the order of the file this is `Raw.after`; in a permuted window
    it is the number of records up to and including this one."""

    def key(self, row: int = 0) -> str:
        """The name of a row among all rows of a config: the record, and the number of its row if that is not 0."""
        key = f"{self.shard.place}:{self.raw.offset}"
        return f"{key}:{row}" if row else key


def plan_windows(shards: Sequence[Shard], seed: int | None, epoch: int, starts: Starts | None = None) -> list[Window]:
    """Put shards in order: as they are without a seed, permuted in small ranges with one.

    There are as many windows as shards. If there are more than 64 shards, but not a multiple of 64 because files could
    not be cut, empty windows make up a multiple: when the world size does not divide the number, `datasets` lets every
    rank read all data.

    Args:
        shards: the plan, as `plan_shards` makes it.
        seed: None for the order of the files.
        epoch: counts passes over the data; each has its own permutation.
        starts: where the row groups of Parquet files start, as `plan_shards` got it.
    """
    salt = "" if seed is None else f"{seed}:{epoch}"
    pieces = list(shards)
    if salt:
        pieces = [piece for shard in shards for piece in _pieces(shard, starts or {})]
        pieces.sort(key=lambda piece: rank(salt, f"{piece.place}:{piece.start}"))
    count = -(-len(shards) // MULTIPLE) * MULTIPLE if len(shards) > MULTIPLE else len(shards)
    # `datasets` deals windows to ranks and workers in turn, so each of them gets as many pieces as others, or one less.
    return [Window(shards=tuple(pieces[first::count]), salt=salt) for first in range(count)]


def _pieces(shard: Shard, starts: Starts) -> list[Shard]:
    """The parts of a shard that are dealt separately: the whole shard if its row groups are not known."""
    known = starts.get((shard.repo, shard.file))
    return [shard] if known is None and format_of(shard.file).planning == "row groups" else cut(shard, PIECES, known)


def join_windows(windows: Sequence[Window], most: int) -> list[JoinedWindow]:
    """Join neighbouring permuted windows that have at most `most` bytes together, so that their records mix.

    Windows in the order of the file stay as they are.
    """
    joined: list[JoinedWindow] = []
    for index, window in enumerate(windows):
        before = joined[-1].window if joined else window
        if joined and window.salt and before.bytes + window.bytes <= most:
            both = before._replace(shards=before.shards + window.shards)
            joined[-1] = joined[-1]._replace(window=both, after=index + 1)
        else:
            joined.append(JoinedWindow(window=window, first=index, after=index + 1))
    return joined


def rank(salt: str, name: str) -> int:
    """The place of a name in the permutation of a salt: a number of 64 bits."""
    return int.from_bytes(blake2b(f"{salt}:{name}".encode(), digest_size=8).digest(), "big")
