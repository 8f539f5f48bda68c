"""The records of a window, in the order of the file or permuted."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from functools import cache, partial
from typing import Any

from sera_swezero.hub.background import in_background
from sera_swezero.upstream.reading import shard_reader
from sera_swezero.upstream.records import ColumnTypes, Raw
from sera_swezero.upstream.snapshot import Snapshot
from sera_swezero.upstream.windows import Record, Window, rank

PASS_BYTES = 96 * 1024 * 1024
"""About how many bytes of decoded records one pass keeps. The order is the same whatever this number is."""

_PLAIN_BYTES = 32 * 1024 * 1024
"""Up to so many bytes of records wait as they are; more wait compressed, each record by itself. That takes a third of
the memory and, for rows of SWE-ZERO of 45 kB, 75 us per row. Without it twice as many passes would be needed, at 48 us
per row each."""

_AHEAD = 8
"""How many shards of a window are asked for their first bytes in advance. Each of many small files is a request."""


class WindowReader:
    """The raw records of a window in order, as an iterator; use it once.

    Args:
        snapshot: where the files lie.
        window: what to read.
        columns: gives the columns that a Parquet file of a repo must have.
        mark: `Record.mark` of the last record that was used, or `Record.before` of the first one that is wanted; -1 for
            all records.

    Raises:
        UpstreamError: as `RecordReader`.
    """

    def __init__(
        self,
        snapshot: Snapshot,
        window: Window,
        columns: Callable[[str], ColumnTypes],
        mark: int = -1,
    ) -> None:
        at = -1 if window.salt else mark
        self._window, self._mark = window, mark
        self._readers = [shard_reader(snapshot, shard, columns(shard.repo), at) for shard in window.shards]
        self._opening: dict[int, Future[None]] = {}  # by the index of the shard
        self._asks = snapshot.root is None  # below a root there is nothing to ask for

    def open(self) -> None:
        """Ask for the first bytes of the first shards, all at once."""
        self._open_ahead(0)
        for opened in list(self._opening.values()):
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
                yield Record(shard=shard, raw=raw, before=raw.offset, mark=raw.after)

    def _permuted(self) -> Iterator[Record]:
        """All records in the order of their ranks, numbered from 1, without those up to the mark.

        The ranks are cut into as many equal parts as there are passes. A pass reads all shards, keeps the records whose
        ranks are in its part, and yields them, so that any number of records is permuted in little memory.
        """
        self.open()
        decoded = sum(reader.decoded_bytes() for reader in self._readers)
        passes = max(1, -(-decoded // PASS_BYTES))
        pack, unpack = (_pack, _unpack) if decoded > _PLAIN_BYTES else (_keep, _keep)
        number = 0
        for part in range(passes):
            waiting = [
                (self._rank(index, raw.offset), index, raw.offset, pack(raw))
                for index in range(len(self._readers))
                for raw in self._read_ahead(index, partial(self._is_in, part, passes, index))
            ]
            waiting.sort(key=lambda record: record[:3], reverse=True)
            while waiting:
                number += 1
                _, index, _, packed = waiting.pop()  # the memory of each record is free after its use
                if number > self._mark:
                    shard = self._window.shards[index]
                    yield Record(shard=shard, raw=unpack(packed), before=number - 1, mark=number)

    def _read_ahead(self, index: int, wanted: Callable[[int], bool]) -> Iterator[Raw]:
        """The wanted records of one shard; the shards after it are opened meanwhile."""
        self._open_ahead(index)
        if index in self._opening:
            self._opening.pop(index).result()
        yield from self._readers[index].read(wanted)

    def _open_ahead(self, first: int) -> None:
        """Open the shards from `first` on that are not open yet, each in the background."""
        for index in range(first, min(first + _AHEAD, len(self._readers))):
            if self._asks and index not in self._opening:
                self._opening[index] = in_background(self._readers[index].open)

    def _is_in(self, part: int, passes: int, index: int, offset: int) -> bool:
        """Whether a record's rank is in this part, of as many equal parts of all ranks as there are passes."""
        return self._rank(index, offset) * passes >> 64 == part

    def _rank(self, index: int, offset: int) -> int:
        return rank(self._window.salt, f"{self._window.shards[index].place}:{offset}")


def _keep(raw: Any) -> Any:
    return raw


def _pack(raw: Any) -> Any:
    """Compress a record, for `_unpack`."""
    plain = pickle.dumps(tuple(raw), protocol=5)
    return _codec().compress(plain, asbytes=True), len(plain)


def _unpack(packed: Any) -> Any:
    return Raw(*pickle.loads(_codec().decompress(*packed, asbytes=True)))  # noqa: S301 (packed by this process)


@cache
def _codec() -> Any:
    import pyarrow as pa

    return pa.Codec("lz4_raw")
