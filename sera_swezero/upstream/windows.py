"""The order of a stream: which records are read together, and in which order. Depends on (seed, epoch) alone.

An element of a stream's shard list is a window. Without a seed a window is one shard, its rows in the order of the
file. With a seed every shard is cut into `PIECES` small ranges, all ranges of all files are permuted, each window gets
its share of them (so some from far apart, about `shard_bytes` together), and the rows of a window are permuted. No
rank, worker or position enters, so two runs agree, ranks share disjoint windows, and a stream is resumed by skipping
inside a window.

Permutations sort by hashes rather than use a generator: numpy's and Python's shuffles may change with their versions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from hashlib import blake2b
from itertools import pairwise
from typing import Any, NamedTuple

from sera_swezero.upstream import DEFAULT_SHARD_BYTES, Raw, Shard, ShardReader, Snapshot, cut
from sera_swezero.upstream.prefetch import Ahead
from sera_swezero.upstream.shards import Starts

PIECES = 4
"""Ranges that a shard is cut into for shuffling: at 16 MiB a shard, some 27 neighbours share a window of 107 rows."""


class Window(NamedTuple):
    """Shards that are read together. salt: what their rows are permuted by, "" for the order of the file."""

    shards: tuple[Shard, ...]
    salt: str = ""

    @property
    def bytes(self) -> int:
        """Raw bytes (of Parquet: as stored) of all its shards."""
        return sum(shard.stop - shard.start for shard in self.shards)

    def __str__(self) -> str:
        return ", ".join(f"{shard.repo}/{shard.file} [{shard.start}:{shard.stop}]" for shard in self.shards)


class Record(NamedTuple):
    """A raw record of a window. mark: where to go on behind it, for `read_window`."""

    shard: Shard
    raw: Raw
    mark: int

    @property
    def key(self) -> str:
        """Names the record among all of a config."""
        return f"{self.shard.repo}/{self.shard.file}:{self.raw.offset}"


def plan_windows(shards: Sequence[Shard], seed: int | None, epoch: int, starts: Starts | None = None) -> list[Window]:
    """Put shards in order: as they are without a seed, permuted in small ranges with one. As many windows as shards.

    Args:
        shards: the plan, as `plan_shards` makes it.
        seed: None for the files' own order.
        epoch: counts passes over the data; each has its own permutation.
        starts: where the row groups of Parquet files start, as `plan_shards` got it.
    """
    if seed is None:
        return [Window((shard,)) for shard in shards]
    salt = f"{seed}:{epoch}"
    known = starts or {}
    pieces = [piece for shard in shards for piece in cut(shard, PIECES, known.get((shard.repo, shard.file)))]
    pieces.sort(key=lambda piece: _rank(salt, f"{piece.repo}/{piece.file}:{piece.start}"))
    edges = [len(pieces) * i // len(shards) for i in range(len(shards) + 1)]
    return [Window(tuple(pieces[lo:hi]), salt) for lo, hi in pairwise(edges)]


class WindowReader:
    """The raw records of a window in order, as an iterator; use it once.

    Args:
        snapshot: where the files lie.
        window: what to read.
        columns: gives the columns that a Parquet file of a repo must have.
        mark: `Record.mark` of the last record had; -1: from the start.
        most: raw bytes of records that are permuted, and so held, at a time. A window of JSONL stays below; row groups
            of Parquet that are larger are permuted in parts.

    Raises:
        UpstreamError: as `ShardReader`.
    """

    def __init__(
        self,
        snapshot: Snapshot,
        window: Window,
        columns: Callable[[str], dict[str, str]],
        mark: int = -1,
        most: int = 2 * DEFAULT_SHARD_BYTES,
    ) -> None:
        at = -1 if window.salt else mark
        self._window, self._mark, self._most = window, mark, most
        self._readers = [ShardReader(snapshot, shard, columns(shard.repo), at) for shard in window.shards]

    def open(self) -> None:
        """Ask for the first bytes of every shard, all at once."""
        first, *others = self._readers
        ahead = Ahead(*(reader.open for reader in others))
        first.open()
        ahead.wait()

    def close(self) -> None:
        """Let go of what `open` asked for."""
        for reader in self._readers:
            reader.close()

    def __iter__(self) -> Iterator[Record]:
        if self._window.salt:
            yield from self._permuted()
            return
        for shard, reader in zip(self._window.shards, self._readers, strict=True):
            for raw in reader:
                yield Record(shard, raw, raw.after)

    def _permuted(self) -> Iterator[Record]:
        self.open()
        held: list[tuple[Shard, Raw]] = []
        weight = count = 0
        for shard, reader in zip(self._window.shards, self._readers, strict=True):
            for raw in reader:
                held.append((shard, raw))
                weight += _weight(raw.data)
                if weight >= self._most:
                    total = count + len(held)
                    yield from self._part(held, count)
                    count, weight = total, 0
        yield from self._part(held, count)

    def _part(self, held: list[tuple[Shard, Raw]], count: int) -> Iterator[Record]:
        """What is held, permuted, without the records that were had before. Lets go of each record as it goes."""
        salt = self._window.salt
        ranked = sorted(held, key=lambda one: _rank(salt, Record(one[0], one[1], 0).key), reverse=True)
        held_back = max(self._mark - count, 0)
        total = len(ranked)
        del ranked[max(total - held_back, 0) :]
        held.clear()
        while ranked:
            shard, raw = ranked.pop()
            yield Record(shard, raw, count + total - len(ranked))


def _rank(salt: str, name: str) -> bytes:
    return blake2b(f"{salt}:{name}".encode(), digest_size=8).digest()


def _weight(data: bytes | dict[str, Any]) -> int:
    """About how many bytes of text a record holds."""
    if isinstance(data, bytes):
        return len(data)
    total = 0
    for value in data.values():
        if isinstance(value, str):
            total += len(value)
        elif isinstance(value, list):
            total += sum(len(text) for item in value if isinstance(item, dict) for text in item.values() if text)
    return total
