"""Rows to one Parquet file: the same rows give the same bytes.

Made for readers of a published set: row groups that fit in memory and in the viewer's limits, a page index to read
single pages, and content-defined pages, so that a new version shares most of its bytes with the last one (Xet).
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from mmap import mmap
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from sera_swezero.schemas.arrow_columns import arrow_column, schema_of
from sera_swezero.views import Columns, Row

ROW_GROUP_BYTES = 64_000_000
"""No row group is larger, uncompressed, unless one row alone is. The hub's viewer refuses groups above 286 MiB, and a
streaming reader keeps a whole group in memory."""

# Bytes of rows at which a group is closed: some 100 rows. It is in memory until then, and a process should stay below
# 100 MB; groups twice as large would save 0.15 % of the file.
_FILL = 12_000_000
_ROOM = 32_000_000  # bytes of memory that must be free to write a group, besides four times its size
_BUFFER = 256 * 1024  # bytes that go to the file at a time; Arrow writes every page and every header by itself

WRITER: dict[str, Any] = {
    "pyarrow": pa.__version__,
    "compression": "zstd",
    "compression_level": 3,
    "row_group_bytes": ROW_GROUP_BYTES,
    # Pages end where the content says, after 256 KiB to 1 MiB: decision 017 weighs the size of files against updates.
    "content_defined_chunking": True,
    # Pages of version 1 compress their levels together with their values, which takes a copy of both.
    "data_page_version": "2.0",
    # Text that differs from row to row gains nothing from a dictionary; columns of few values stay below this.
    "dictionary_bytes": 64 * 1024,
    # Nobody looks a history up by its least and greatest text, and finding them costs 6 % of the writing.
    "no_statistics": ["messages"],
}
"""What the bytes of a file depend on besides its rows."""


class _File:
    """The file below a writer, which keeps its first error instead of raising it.

    Arrow ends the process where content-defined pages cannot be written.
    """

    closed = False

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb", _BUFFER)
        self._error: OSError | None = None

    def write(self, data: bytes) -> None:
        with self._keeping_its_error():
            self._file.write(data)

    def close(self) -> None:
        with self._keeping_its_error():
            self._file.close()

    def check(self) -> None:
        """Raise the OSError that was kept."""
        if self._error is not None:
            raise self._error

    @contextmanager
    def _keeping_its_error(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self._error = self._error or error


@contextmanager
def _without_interrupts() -> Iterator[None]:
    """Have Ctrl-C and SIGTERM wait for the end of the block: one inside the writer would end the process."""
    numbers = (signal.SIGINT, signal.SIGTERM)
    if threading.current_thread() is not threading.main_thread() or None in map(signal.getsignal, numbers):
        yield  # Python calls handlers in the main thread, and only its own
        return
    came: list[int] = []
    before = {number: signal.signal(number, lambda number, _: came.append(number)) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    for interrupt in came:
        signal.raise_signal(interrupt)


def open_writer(path: Path | _File, schema: pa.Schema) -> pq.ParquetWriter:
    """A writer with the settings of `WRITER`."""
    flat = [field.name for field in schema if not pa.types.is_nested(field.type)]
    return pq.ParquetWriter(
        path,
        schema,
        compression=WRITER["compression"],
        compression_level=WRITER["compression_level"],
        write_page_index=True,
        use_content_defined_chunking=WRITER["content_defined_chunking"],
        data_page_version=WRITER["data_page_version"],
        dictionary_pagesize_limit=WRITER["dictionary_bytes"],
        write_statistics=[name for name in flat if name not in WRITER["no_statistics"]],
        # Arrow's own pool keeps some 15 MB more, and clears memory anew for every row group.
        memory_pool=pa.system_memory_pool(),
    )


class Sink:
    """A Parquet file that takes rows one by one and keeps at most one row group of them. Close it to have the file."""

    def __init__(self, path: Path, columns: Columns) -> None:
        self.path = path
        self.rows = 0
        """Rows written."""
        self.arrow_bytes = 0
        """Their size in memory as Arrow, in bytes."""
        self._schema = schema_of(columns)
        self._file = _File(path)
        self._writer = open_writer(self._file, self._schema)
        self._columns = {field.name: arrow_column(field.type) for field in self._schema}
        self._size = 0

    def add(self, row: Row) -> None:
        """Take one row; the row group is closed before a row that would make it too large."""
        waiting = self._size
        self._append(row)
        if waiting and self._size > _FILL:
            self._write_group(without_last=True)
            self._append(row)

    def close(self) -> None:
        """Write the rows that wait, then the footer."""
        if self._size:
            self._write_group()
        self._writer.close()
        self._file.close()
        self._file.check()

    def _append(self, row: Row) -> None:
        for name, column in self._columns.items():
            self._size += column.extend((row.get(name),))

    def _write_group(self, *, without_last: bool = False) -> None:
        # One chunk for all rows: pages must follow from the content, not from how rows were batched.
        table = pa.Table.from_arrays([column.finish() for column in self._columns.values()], schema=self._schema)
        table = table.slice(0, table.num_rows - without_last)
        # Arrow ends the process where memory is too short inside the writer; here it is an error. The memory is mapped
        # rather than taken from Arrow's pool, which would keep it from zstd.
        try:
            mmap(-1, _ROOM + 4 * table.nbytes).close()
        except OSError as error:
            raise MemoryError from error
        with _without_interrupts():
            self._writer.write_table(table, row_group_size=table.num_rows)
        self._file.check()
        self.rows += table.num_rows
        self.arrow_bytes += table.nbytes
        self._size = 0
