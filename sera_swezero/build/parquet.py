"""Rows to one Parquet file: the same rows give the same bytes.

Made for readers of a published set: row groups that fit in memory and in the viewer's limits, a page index to read
single pages, and content-defined pages, so that a new version shares most of its bytes with the last one (Xet).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from datasets import Features

from sera_swezero.infos import legacy
from sera_swezero.views import Row

ROW_GROUP_BYTES = 64_000_000
"""No row group is larger, uncompressed, unless one row alone is. The hub's viewer refuses groups above 286 MiB, and a
streaming reader holds a whole group."""

# Arrow bytes at which a group is closed: a group is held twice while it is written, and a process should stay below
# 100 MB. Some 100 rows; groups twice as large save 0.15 % of the file.
_FILL = 12_000_000
_BATCH = 16  # rows that are Python objects at a time
# Smaller pages than pyarrow's 256 KiB to 1 MiB: a changed row costs a new version the pages that it touches.
_PAGES = {"min_chunk_size": 64 * 1024, "max_chunk_size": 256 * 1024, "norm_level": 0}

WRITER: dict[str, Any] = {
    "pyarrow": pa.__version__,
    "compression": "zstd",
    "compression_level": 3,
    "row_group_bytes": ROW_GROUP_BYTES,
    "content_defined_chunking": _PAGES,
    # Text that differs from row to row gains nothing from a dictionary; columns of few values stay below this.
    "dictionary_bytes": 64 * 1024,
}
"""What the bytes of a file depend on besides its rows."""


def schema_of(features: Features) -> pa.Schema:
    """The Arrow schema of a config: its features, told twice, to Arrow and to `datasets`.

    `datasets` 4 and later writes lists as `List`, which 3.6 refuses to read; the older bracket form means the same to
    all of them.
    """
    told = {"info": {"features": legacy(features.to_dict())}}
    return features.arrow_schema.with_metadata({"huggingface": json.dumps(told, sort_keys=True)})


def has_json(features: Features) -> bool:
    """Whether any leaf is free JSON, which `datasets` below 4.8 cannot read."""
    return '"_type": "Json"' in json.dumps(features.to_dict())


class Sink:
    """A Parquet file that takes rows one by one and holds at most one row group of them. Close it to have the file."""

    def __init__(self, path: Path, features: Features) -> None:
        self.path = path
        self.rows = 0
        self.arrow_bytes = 0
        self._schema = schema_of(features)
        self._plain = pa.schema([field.with_type(_without_json(field.type)) for field in self._schema])
        self._encode = features.encode_example if has_json(features) else None
        self._waiting: list[Row] = []
        self._group: list[pa.RecordBatch] = []
        self._size = 0
        self._writer = pq.ParquetWriter(
            path,
            self._schema,
            compression=WRITER["compression"],
            compression_level=WRITER["compression_level"],
            write_page_index=True,
            use_content_defined_chunking=WRITER["content_defined_chunking"],
            dictionary_pagesize_limit=WRITER["dictionary_bytes"],
            memory_pool=pa.default_memory_pool(),
        )

    def add(self, row: Row) -> None:
        """Take one row."""
        self._waiting.append(self._encode(row) if self._encode else row)
        if len(self._waiting) == _BATCH:
            self._gather()

    def close(self) -> None:
        """Write what is held, then the footer. `rows` and `arrow_bytes` (the rows' size in memory) are final now."""
        self._gather()
        self._write_group()
        self._writer.close()

    def _gather(self) -> None:
        """Make Arrow of the waiting rows, and close the row group before the row that would make it too large."""
        # Arrow makes no Json leaves of Python values, but it takes text for them.
        batch = pa.RecordBatch.from_pylist(self._waiting, schema=self._plain).cast(self._schema)
        self._waiting = []
        start = 0
        for index in range(batch.num_rows):
            more = batch.slice(index, 1).nbytes
            if self._size and self._size + more > _FILL:
                self._group.append(batch.slice(start, index - start))
                self._write_group()
                start = index
            self._size += more
        self._group.append(batch.slice(start))

    def _write_group(self) -> None:
        if self._size:
            # One chunk a column: pages must follow from the content, not from how rows happened to be batched.
            table = pa.Table.from_batches([batch for batch in self._group if batch.num_rows]).combine_chunks()
            self._writer.write_table(table, row_group_size=table.num_rows)
            self.rows += table.num_rows
            self.arrow_bytes += self._size
        self._group, self._size = [], 0


def _without_json(kind: Any) -> Any:
    if isinstance(kind, pa.BaseExtensionType):
        return kind.storage_type
    if pa.types.is_list(kind):
        return pa.list_(_without_json(kind.value_type))
    if pa.types.is_struct(kind):
        return pa.struct([pa.field(field.name, _without_json(field.type)) for field in kind])
    return kind
