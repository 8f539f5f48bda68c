"""Parquet: the row groups that start in a shard, read group by group; footers for planning."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import IO, Any, NamedTuple

from sera_swezero.errors import UpstreamError
from sera_swezero.hub.ranged_get import RangedGet, Remote

BATCH = 32
"""Rows that are Python objects at a time."""

_FOOTER = 64 * 1024  # bytes from the end that pyarrow looks at first
_HELD = 32 * 1024 * 1024  # a row group up to this size comes by one GET and is held, compressed, while it is read
_BUFFER = 4 * 1024 * 1024  # of a larger one, bytes of a column asked for at a time


class Group(NamedTuple):
    """A row group: its number in the file, its bytes [start, stop), its first row's number, how many rows it has."""

    number: int
    start: int
    stop: int
    first: int
    rows: int


class RemoteFile(io.RawIOBase):
    """A file on the hub as pyarrow reads it: a span held in memory, and a GET for whatever lies outside."""

    def __init__(self, remote: Remote) -> None:
        super().__init__()
        self._remote = remote
        self._at = 0
        self._start = 0
        self._bytes = b""
        self._coming: RangedGet | None = None

    def expect(self, start: int, stop: int) -> None:
        """Ask for a span, and hold it from the first read on in place of the one before."""
        self._coming, self._start, self._bytes = RangedGet(self._remote, start, stop), start, b""
        self._coming.open()

    def read(self, size: int = -1) -> bytes:
        """The next `size` bytes (-1: to the end). Raises UpstreamError."""
        stop = self._remote.size if size < 0 else min(self._at + size, self._remote.size)
        if self._coming is not None:
            self._bytes, self._coming = b"".join(self._coming), None
        begin = self._at - self._start
        if begin >= 0 and stop - self._start <= len(self._bytes):
            found = self._bytes[begin : stop - self._start]
        else:
            found = b"".join(RangedGet(self._remote, self._at, stop))
        self._at = stop
        return found

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move to an offset from the start, from here or from the end."""
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._remote.size}[whence]
        return self._at

    def tell(self) -> int:
        """The offset of the next byte."""
        return self._at

    def readable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """Always."""
        return True


@lru_cache(maxsize=256)
def _remote_footer(remote: Remote) -> Any:
    """The footer of a file on the hub, fetched once a process."""
    import pyarrow.parquet as pq

    file = RemoteFile(remote)
    file.expect(max(0, remote.size - _FOOTER), remote.size)
    return pq.read_metadata(file)


def footer(source: Remote | IO[bytes], place: str) -> Any:
    """A file's metadata (`pyarrow.parquet.FileMetaData`). Raises UpstreamError where it is no Parquet file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return _remote_footer(source) if isinstance(source, Remote) else pq.read_metadata(source)
    except (pa.ArrowInvalid, OSError) as error:
        msg = f"{place}: is no Parquet file: {error}"
        raise UpstreamError(msg) from error


def groups(metadata: Any) -> list[Group]:
    """The row groups of a file that have rows, in order."""
    found: list[Group] = []
    first = 0
    for index in range(metadata.num_row_groups):
        group = metadata.row_group(index)
        chunks = [group.column(i) for i in range(group.num_columns)]
        starts = [int(chunk.dictionary_page_offset or chunk.data_page_offset) for chunk in chunks]
        stop = max(start + int(chunk.total_compressed_size) for start, chunk in zip(starts, chunks, strict=True))
        if group.num_rows:
            found.append(Group(index, min(starts), stop, first, int(group.num_rows)))
        first += int(group.num_rows)
    return found


class GroupReader:
    """The rows of some row groups of one file."""

    def __init__(self, source: Remote | IO[bytes], columns: dict[str, str], place: str) -> None:
        self._source, self._columns, self._place = source, columns, place
        self._metadata = footer(source, place)
        check_columns(self._metadata.schema.to_arrow_schema(), columns, place)
        self._remote = RemoteFile(source) if isinstance(source, Remote) else None
        self._asked = -1

    def groups(self, start: int, stop: int) -> list[Group]:
        """The row groups that start in [start, stop), in bytes."""
        return [group for group in groups(self._metadata) if start <= group.start < stop]

    def expect(self, group: Group) -> None:
        """Ask for a row group's bytes ahead of reading it."""
        if self._remote is not None and self._asked != group.number and group.stop - group.start <= _HELD:
            self._remote.expect(group.start, group.stop)
            self._asked = group.number

    def rows(self, group: Group, at: int) -> Iterator[tuple[int, dict[str, Any]]]:
        """(row number in the file, row) of a row group's rows from number `at` on. Raises UpstreamError."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        self.expect(group)
        buffer = 0 if group.stop - group.start <= _HELD else _BUFFER
        handle = self._remote or self._source
        number = group.first
        try:
            file = pq.ParquetFile(handle, metadata=self._metadata, pre_buffer=False, buffer_size=buffer)
            # With threads every one keeps memory of its own, and one column holds nearly all there is to decode.
            asked = {"row_groups": [group.number], "columns": list(self._columns), "use_threads": False}
            for batch in file.iter_batches(batch_size=BATCH, **asked):
                skipped = min(max(at - number, 0), batch.num_rows)
                number += skipped
                for row in _objects(batch.slice(skipped)) if skipped < batch.num_rows else ():
                    yield number, row
                    number += 1
        except (pa.ArrowException, OSError) as error:
            msg = f"{self._place}: row group {group.number} cannot be read: {error}"
            raise UpstreamError(msg) from error


def _objects(batch: Any) -> list[dict[str, Any]]:
    """The rows as Python objects.

    Text that is no UTF-8, which Arrow does not check, keeps its bytes as lone surrogates; the source mends and counts
    them, so that such a text never costs more than itself.
    """
    import pyarrow as pa

    try:
        return batch.to_pylist()  # type: ignore[no-any-return]
    except UnicodeDecodeError:
        fields = [pa.field(field.name, _as_bytes(field.type)) for field in batch.schema]
        rows = pa.Table.from_batches([batch]).cast(pa.schema(fields)).to_pylist()
        return _as_text(rows)  # type: ignore[no-any-return]


def _as_bytes(kind: Any) -> Any:
    """The Arrow type with binary in place of text."""
    import pyarrow as pa
    import pyarrow.types as kinds

    if kinds.is_string(kind) or kinds.is_large_string(kind):
        return pa.large_binary()
    if kinds.is_list(kind) or kinds.is_large_list(kind):
        return pa.large_list(_as_bytes(kind.value_type))
    if kinds.is_struct(kind):
        return pa.struct([pa.field(field.name, _as_bytes(field.type)) for field in kind])
    return kind


def _as_text(value: Any) -> Any:
    if isinstance(value, list):
        return [_as_text(one) for one in value]
    if isinstance(value, dict):
        return {key: _as_text(one) for key, one in value.items()}
    if not isinstance(value, bytes):
        return value
    try:
        return value.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return value.decode("utf-8", "surrogateescape")


def check_columns(schema: Any, columns: dict[str, str], place: str) -> None:
    """Hold the file's columns to the expected ones by name and kind of type; further columns do no harm.

    Raises:
        UpstreamError: names the first column that does not fit.
    """
    import pyarrow.types as kinds

    def text(kind: Any) -> bool:
        return bool(kinds.is_string(kind) or kinds.is_large_string(kind) or kinds.is_null(kind))

    def messages(kind: Any) -> bool:
        if not (kinds.is_list(kind) or kinds.is_large_list(kind)) or not kinds.is_struct(kind.value_type):
            return False
        fields = {field.name: field.type for field in kind.value_type}
        return {"role", "content"} <= fields.keys() and text(fields["role"]) and text(fields["content"])

    fits = {
        "string": text,
        "int64": lambda kind: kinds.is_integer(kind) or kinds.is_null(kind),
        "float64": lambda kind: kinds.is_floating(kind) or kinds.is_integer(kind) or kinds.is_null(kind),
        "messages": messages,
    }
    for name, dtype in columns.items():
        kind = dtype.removesuffix("?")
        index = schema.get_field_index(name)
        found = schema.field(index).type if index >= 0 else "none"
        if index < 0 or not fits[kind](found):
            told = ", ".join(f"{n} {t}" for n, t in columns.items())
            msg = f"{place}: column {name!r} is {found}, expected {kind}; expected columns are {told}"
            raise UpstreamError(msg)


def starts(found: Sequence[Group]) -> list[int]:
    """Where row groups start, for planning."""
    return [group.start for group in found]
