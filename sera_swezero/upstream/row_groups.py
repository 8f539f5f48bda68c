"""Parquet: the row groups that start in a shard, read one after the other, and the footers that planning needs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import lru_cache
from typing import IO, Any, NamedTuple

from sera_swezero.errors import UpstreamError
from sera_swezero.hub.hub_file import HubFile
from sera_swezero.hub.seekable_file import SeekableHubFile
from sera_swezero.upstream.file_access import hub_file, open_local
from sera_swezero.upstream.parquet_rows import as_objects, check_columns
from sera_swezero.upstream.record_reader import RecordReader
from sera_swezero.upstream.records import LONGEST, ColumnTypes, Raw, Shard
from sera_swezero.upstream.snapshot import Snapshot

BATCH = 32
"""The most rows that are Python objects at a time; fewer if rows are so large that these may exceed `LONGEST`."""

_FOOTER = 64 * 1024  # bytes at the end of a file that pyarrow looks at first
_IN_MEMORY = 32 * 1024 * 1024  # a row group up to this size comes by one GET and stays in memory, compressed
_BUFFER = 4 * 1024 * 1024  # of a larger row group so many bytes of a column are asked for at a time


class Group(NamedTuple):
    """A row group of a file."""

    number: int
    """Its place in the file, from 0."""
    start: int
    """Its first byte."""
    stop: int
    """The first byte after it."""
    first: int
    """The number of its first row in the file."""
    rows: int
    """How many rows it has."""
    decoded: int
    """Bytes of all its columns without their compression, as the footer says."""

    @property
    def batch(self) -> int:
        """How many of its rows to read at a time."""
        return min(max(LONGEST * self.rows // max(self.decoded, 1), 1), BATCH)


@lru_cache(maxsize=256)
def _hub_footer(file: HubFile) -> Any:
    """The footer of a file on the hub, fetched once per process."""
    import pyarrow.parquet as pq

    handle = SeekableHubFile(file)
    handle.prefetch(max(0, file.size - _FOOTER), file.size)
    return pq.read_metadata(handle)


def footer(source: HubFile | IO[bytes], place: str) -> Any:
    """A file's metadata (`pyarrow.parquet.FileMetaData`). Raises UpstreamError where it is not a Parquet file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return _hub_footer(source) if isinstance(source, HubFile) else pq.read_metadata(source)
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:  # of a column's name
        msg = f"{place}: is not a Parquet file: {error}"
        raise UpstreamError(msg) from error


def groups(metadata: Any, size: int, place: str) -> list[Group]:
    """The row groups of a file that have rows, in order. pyarrow may read a damaged footer, which would hide rows.

    Args:
        metadata: the footer.
        size: bytes of the file.
        place: the name of the file for errors.

    Raises:
        UpstreamError: the row groups have more or fewer rows than the file, leave the file, or overlap.
    """
    found: list[Group] = []
    first = 0
    for number in range(metadata.num_row_groups):
        group = metadata.row_group(number)
        chunks = [group.column(i) for i in range(group.num_columns)]
        starts = [int(chunk.dictionary_page_offset or chunk.data_page_offset) for chunk in chunks]
        stops = [start + int(chunk.total_compressed_size) for start, chunk in zip(starts, chunks, strict=True)]
        rows = int(group.num_rows)
        if rows:
            decoded = sum(int(chunk.total_uncompressed_size) for chunk in chunks)
            start, stop = min(starts, default=0), max(stops, default=0)
            found.append(Group(number=number, start=start, stop=stop, first=first, rows=rows, decoded=decoded))
        first += rows
    problem = ""
    if first != metadata.num_rows or any(group.rows < 0 for group in found):
        problem = f"the row groups have {first} rows, the file has {metadata.num_rows}"
    edges = [edge for start, stop in sorted((group.start, group.stop) for group in found) for edge in (start, stop)]
    if edges != sorted(edges) or any(not 0 < edge < size for edge in edges):
        problem = f"the row groups do not lie one behind the other in the {size} bytes of the file"
    if problem:
        msg = f"{place}: has a damaged footer: {problem}"
        raise UpstreamError(msg)
    return found


def group_starts(snapshot: Snapshot, shard: Shard) -> list[int]:
    """The bytes at which the row groups of a shard's file start. Raises UpstreamError: it is not a Parquet file."""
    with ExitStack() as stack:
        source = hub_file(snapshot, shard) or stack.enter_context(open_local(snapshot, shard))
        return [group.start for group in groups(footer(source, shard.place), shard.size, shard.place)]


class RowGroupReader(RecordReader):
    """The rows of the row groups that start in a shard of a Parquet file."""

    def __init__(self, snapshot: Snapshot, shard: Shard, columns: ColumnTypes, at: int = -1) -> None:
        super().__init__(snapshot, shard, columns, at)
        self._remote: SeekableHubFile | None = None
        self._metadata: Any = None
        self._prefetched = -1

    def open(self) -> None:
        """Ask the hub for the footer and the first row group."""
        file = hub_file(self._snapshot, self._shard) if self._remote is None else None
        if file is not None:
            self._metadata = self._checked_footer(file)
            self._remote = SeekableHubFile(file)
            for group in self._wanted()[:1]:
                self._prefetch(group)

    def decoded_bytes(self) -> int:
        """The bytes that the footer names."""
        self.open()
        if self._metadata is None:
            with open_local(self._snapshot, self._shard) as source:
                self._metadata = self._checked_footer(source)
        return sum(group.decoded for group in self._wanted())

    def _records(self, wanted: Callable[[int], bool]) -> Iterator[Raw]:
        self.open()
        with ExitStack() as stack:
            source: SeekableHubFile | IO[bytes]
            if self._remote is not None:
                source = self._remote
            else:
                source = stack.enter_context(open_local(self._snapshot, self._shard))
                self._metadata = self._checked_footer(source)
            for group in self._wanted():
                self._prefetch(group)
                yield from self._rows(group, source, wanted)

    def _checked_footer(self, source: HubFile | IO[bytes]) -> Any:
        metadata = footer(source, self._shard.place)
        check_columns(metadata.schema.to_arrow_schema(), self._columns, self._shard.place)
        return metadata

    def _wanted(self) -> list[Group]:
        """The row groups that start in the shard and hold a row to read."""
        shard = self._shard
        found = groups(self._metadata, shard.size, shard.place)
        found = [group for group in found if shard.start <= group.start < shard.stop]
        return [group for group in found if group.first + group.rows > self._at]

    def _prefetch(self, group: Group) -> None:
        if self._remote is not None and self._prefetched != group.number and group.stop - group.start <= _IN_MEMORY:
            self._remote.prefetch(group.start, group.stop)
            self._prefetched = group.number

    def _rows(self, group: Group, source: SeekableHubFile | IO[bytes], wanted: Callable[[int], bool]) -> Iterator[Raw]:
        """The wanted rows of a row group from the first one on. Raises UpstreamError."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        if group.rows == 1 and group.decoded > LONGEST:
            yield _too_long(group.first, group.decoded)
            return
        buffer = 0 if group.stop - group.start <= _IN_MEMORY else _BUFFER
        number = group.first
        try:
            file = pq.ParquetFile(
                source,
                metadata=self._metadata,
                pre_buffer=False,
                buffer_size=buffer,
                page_checksum_verification=True,  # of files that have checksums
            )
            # With threads every one keeps memory of its own, and one column holds nearly all there is to decode.
            batches = file.iter_batches(
                batch_size=group.batch,
                row_groups=[group.number],
                columns=list(self._columns) or None,
                use_threads=False,
            )
            for batch in batches:
                skipped = min(max(self._at - number, 0), batch.num_rows)
                number += skipped
                yield from _raw_rows(batch.slice(skipped), number, wanted)
                number += batch.num_rows - skipped
        except (pa.ArrowException, OSError) as error:
            msg = f"{self._shard.place}: row group {group.number} cannot be read: {error}"
            raise UpstreamError(msg) from error
        if number != group.first + group.rows:  # a column may have fewer values than its group has rows
            found = number - group.first
            msg = f"{self._shard.place}: row group {group.number} has {found} rows, its footer says {group.rows}"
            raise UpstreamError(msg)


def _raw_rows(batch: Any, number: int, wanted: Callable[[int], bool]) -> Iterator[Raw]:
    """The wanted rows of a batch whose first row has this number. No other row is made into Python objects."""
    numbers = [one for one in range(number, number + batch.num_rows) if wanted(one)]
    if not numbers:
        return
    if len(numbers) < batch.num_rows:
        batch = batch.take([one - number for one in numbers])
    if batch.nbytes <= LONGEST:
        for index, row in zip(numbers, as_objects(batch), strict=True):
            yield Raw(offset=index, data=row, after=index + 1)
        return
    for at, index in enumerate(numbers):
        row = batch.slice(at, 1)
        if row.nbytes > LONGEST:
            yield _too_long(index, row.nbytes)
        else:
            yield Raw(offset=index, data=as_objects(row)[0], after=index + 1)


def _too_long(number: int, size: int) -> Raw:
    fault = f"the row has {size} bytes; a record of at most {LONGEST} bytes was expected"
    return Raw(offset=number, data=b"", after=number + 1, fault=fault)
