"""What the readers of all formats have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterator

from sera_swezero.errors import UpstreamError
from sera_swezero.hub.ranged_get import RangedGet
from sera_swezero.upstream.at_exit import closed_at_exit
from sera_swezero.upstream.records import ColumnTypes, Raw, Shard
from sera_swezero.upstream.snapshot import Snapshot


class RecordReader(ABC):
    """The records of one shard in order, as an iterable. Iterating again reads again.

    Args:
        snapshot: where the file lies.
        shard: which part of it.
        columns: the columns that a Parquet file must have.
        at: the offset of the first record that is wanted, which is `Raw.after` of the record before it; -1 for all
            records of the shard.

    Raises:
        UpstreamError: the file is gone or changed, does not have its format, lacks columns, or ends too early.
    """

    def __init__(self, snapshot: Snapshot, shard: Shard, columns: ColumnTypes, at: int = -1) -> None:
        self._snapshot, self._shard, self._columns, self._at = snapshot, shard, columns, at
        self._get: RangedGet | None = None

    @abstractmethod
    def open(self) -> None:
        """Ask the hub for the first bytes, so that iterating need not wait for them. Below a root this does nothing."""

    @abstractmethod
    def _records(self, wanted: Callable[[int], bool]) -> Iterator[Raw]:
        """The records whose offsets are wanted, and perhaps others; opens what is not open yet."""

    def decoded_bytes(self) -> int:
        """About how many bytes the records have once they are decoded. This may read from the file."""
        return self._shard.stop - self._shard.start

    def close(self) -> None:
        """Drop what `open` asked for."""
        if self._get is not None:
            self._get.close()

    def __iter__(self) -> Generator[Raw]:
        return self.read(lambda _: True)

    @closed_at_exit
    def read(self, wanted: Callable[[int], bool]) -> Generator[Raw]:
        """Yield the records whose offsets are wanted, in order."""
        try:
            for raw in self._records(wanted):
                if wanted(raw.offset):
                    yield raw
        except OSError as error:
            msg = f"{self._shard.place}: cannot be read: {type(error).__name__}: {error}"
            raise UpstreamError(msg) from error
