"""The order of a stream: which records are read together, and in which order. Depends on (seed, epoch) alone.

An element of a stream's shard list is a window. Without a seed a window is one shard, its records in the order of the
file. With a seed every shard is cut into `PIECES` small ranges, all ranges of all files are permuted, each window gets
its share of them (so some from far apart, about `shard_bytes` together), and the records of a window are permuted. The
order depends on no rank, worker or position. So two runs agree, ranks have disjoint windows, and a stream is resumed by
skipping inside a window.

A permutation sorts by hashes: the shuffles of numpy and Python may change with their versions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from hashlib import blake2b
from itertools import pairwise
from typing import Any, NamedTuple

from sera_swezero.hub.background import in_background
from sera_swezero.upstream.reading import shard_reader
from sera_swezero.upstream.records import ColumnTypes, Raw, Shard, Starts
from sera_swezero.upstream.shards import DEFAULT_SHARD_BYTES, cut
from sera_swezero.upstream.snapshot import Snapshot

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


class Record(NamedTuple):
    """A raw record of a window."""

    shard: Shard
    """The shard that it belongs to."""

    raw: Raw
    """The record itself."""

    mark: int
    """Where a saved state goes on after this record: `WindowReader(mark=...)` yields the records behind it.

    In the order of the file it is `Raw.after`; in a permuted window the number of records up to and with this one.
    """

    @property
    def key(self) -> str:
        """Names the record among all of a config."""
        return _key(self.shard, self.raw)


def plan_windows(shards: Sequence[Shard], seed: int | None, epoch: int, starts: Starts | None = None) -> list[Window]:
    """Put shards in order: as they are without a seed, permuted in small ranges with one. As many windows as shards.

    Args:
        shards: the plan, as `plan_shards` makes it.
        seed: None for the order of the files.
        epoch: counts passes over the data; each has its own permutation.
        starts: where the row groups of Parquet files start, as `plan_shards` got it.
    """
    if seed is None:
        return [Window(shards=(shard,)) for shard in shards]
    salt = f"{seed}:{epoch}"
    known = starts or {}
    pieces = [piece for shard in shards for piece in cut(shard, PIECES, known.get((shard.repo, shard.file)))]
    pieces.sort(key=lambda piece: _rank(salt, f"{piece.place}:{piece.start}"))
    edges = [len(pieces) * i // len(shards) for i in range(len(shards) + 1)]
    return [Window(shards=tuple(pieces[lo:hi]), salt=salt) for lo, hi in pairwise(edges)]


class WindowReader:
    """The raw records of a window in order, as an iterator; use it once.

    Args:
        snapshot: where the files lie.
        window: what to read.
        columns: gives the columns that a Parquet file of a repo must have.
        mark: `Record.mark` of the last record that was used; -1: from the start.
        batch_bytes: raw bytes of records that are permuted, and so in memory, at a time. A window of JSONL stays below;
            row groups of Parquet that are larger are permuted in parts. It decides the order: do not change it.

    Raises:
        UpstreamError: as `RecordReader`.
    """

    def __init__(
        self,
        snapshot: Snapshot,
        window: Window,
        columns: Callable[[str], ColumnTypes],
        mark: int = -1,
        batch_bytes: int = 2 * DEFAULT_SHARD_BYTES,
    ) -> None:
        at = -1 if window.salt else mark
        self._window, self._mark, self._batch_bytes = window, mark, batch_bytes
        self._readers = [shard_reader(snapshot, shard, columns(shard.repo), at) for shard in window.shards]

    def open(self) -> None:
        """Ask for the first bytes of every shard, all at once."""
        first, *others = self._readers
        waiting = [in_background(reader.open) for reader in others]
        first.open()
        for opened in waiting:
            opened.result()

    def close(self) -> None:
        """Drop what `open` asked for."""
        for reader in self._readers:
            reader.close()

    def __iter__(self) -> Iterator[Record]:
        if self._window.salt:
            yield from self._permuted()
            return
        for shard, reader in zip(self._window.shards, self._readers, strict=True):
            for raw in reader:
                yield Record(shard=shard, raw=raw, mark=raw.after)

    def _permuted(self) -> Iterator[Record]:
        """The records batch by batch, each batch permuted. `before` counts the records of all earlier batches.

        The batches are the same in every run, also in one that goes on from a mark: it reads and permutes them all, and
        leaves out the first `mark` records. So a mark means the same record in every run.
        """
        self.open()
        batch: list[tuple[Shard, Raw]] = []
        before = weight = 0
        for shard, reader in zip(self._window.shards, self._readers, strict=True):
            for raw in reader:
                batch.append((shard, raw))
                weight += _weight(raw.data)
                if weight >= self._batch_bytes:
                    count = len(batch)
                    yield from self._permute(batch, before)
                    before, weight = before + count, 0
        yield from self._permute(batch, before)

    def _permute(self, batch: list[tuple[Shard, Raw]], before: int) -> Iterator[Record]:
        """The records of a batch in the order of their ranks, numbered from `before` + 1, without those up to the mark.

        It empties the batch. The last element is the next record, so that the memory of each is free after its use.
        """
        salt, count = self._window.salt, len(batch)
        batch.sort(key=lambda record: _rank(salt, _key(*record)), reverse=True)
        used = min(max(self._mark - before, 0), count)
        del batch[count - used :]
        for number in range(before + used + 1, before + count + 1):
            shard, raw = batch.pop()
            yield Record(shard=shard, raw=raw, mark=number)


def _key(shard: Shard, raw: Raw) -> str:
    return f"{shard.place}:{raw.offset}"


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
