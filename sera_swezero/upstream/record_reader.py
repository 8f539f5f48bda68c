"""What the readers of all formats share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Generator, Iterator

from sera_swezero.errors import UpstreamError
from sera_swezero.hub.ranged_get import RangedGet
from sera_swezero.upstream.at_exit import closed_at_exit
from sera_swezero.upstream.records import ColumnTypes, Raw, Shard
from sera_swezero.upstream.snapshot import Snapshot


class RecordReader(ABC):
    """The records of one shard in order, as an iterator; use it once.

    Args:
        snapshot: where the file lies.
        shard: which part of it.
        columns: the columns that a Parquet file must have.
        at: offset of the first record wanted, as `Raw.after` of the record before it says; -1: from the shard's start.

    Raises:
        UpstreamError: the file is gone or changed, does not have its format, lacks columns, or ends too early.
    """

    def __init__(self, snapshot: Snapshot, shard: Shard, columns: ColumnTypes, at: int = -1) -> None:
        self._snapshot, self._shard, self._columns, self._at = snapshot, shard, columns, at
        self._get: RangedGet | None = None

    @abstractmethod
    def open(self) -> None:
        """Ask the hub for the first bytes, so that iterating need not wait. Other roots have nothing to ask."""

    @abstractmethod
    def _records(self) -> Iterator[Raw]:
        """The records; opens what is not open yet."""

    def close(self) -> None:
        """Drop what `open` asked for."""
        if self._get is not None:
            self._get.close()

    @closed_at_exit
    def __iter__(self) -> Generator[Raw]:
        try:
            yield from self._records()
        except OSError as error:
            msg = f"{self._shard.place}: cannot be read: {type(error).__name__}: {error}"
            raise UpstreamError(msg) from error
