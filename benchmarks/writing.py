"""Parquet as every variant writes it: with the settings that the project's own writer publishes with."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from sera_swezero.build.parquet_writer import open_writer

GROUP_ROWS = 384
"""Rows per row group of the variants that count rows; about what the project's bound in bytes comes to."""


def write_rows(path: Path, schema: pa.Schema, rows: Iterable[dict[str, Any]]) -> int:
    """Write rows group by group; gives their number."""
    count = 0
    with open_writer(path, schema) as writer:
        group: list[dict[str, Any]] = []
        for row in rows:
            group.append(row)
            if len(group) == GROUP_ROWS:
                writer.write_table(pa.Table.from_pylist(group, schema))
                count += len(group)
                group = []
        if group:
            writer.write_table(pa.Table.from_pylist(group, schema))
    return count + len(group)


def files_of(out: Path) -> list[Path]:
    """The Parquet files of rows below a variant's folder, in order."""
    return sorted(path for path in out.rglob("*.parquet") if "rejected" not in path.parts)


def row_digest(out: Path) -> str:
    """A hash of all rows in order, whatever files and row groups they are in.

    JSON in texts is compared as what it says, inside the tags of a call too, so that a variant may space it as its
    library does.
    """
    digest = hashlib.sha256()
    for row in _rows(files_of(out)):
        digest.update(
            json.dumps({name: _parsed(value) for name, value in row.items()}, sort_keys=True).encode() + b"\n"
        )
    return digest.hexdigest()


def _rows(files: list[Path]) -> Iterator[dict[str, Any]]:
    for path in files:
        for batch in pq.ParquetFile(path).iter_batches(batch_size=32):
            yield from batch.to_pylist()


def _parsed(value: Any) -> Any:
    """A value with the JSON in its texts decoded."""
    if isinstance(value, dict):
        return {name: _parsed(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_parsed(member) for member in value]
    if not isinstance(value, str):
        return value
    if value.startswith(("[", "{")):
        with suppress(ValueError):
            return _parsed(json.loads(value))
    before, tag, call = value.rpartition("<tool_call>")
    if tag and call.rstrip().endswith("</tool_call>"):
        return [before, json.loads(call.rstrip().removesuffix("</tool_call>"))]
    return value


def settings_of(out: Path) -> dict[str, Any]:
    """What a variant's files show of their settings; the same for all variants, or they are not comparable."""
    codecs, indexes, rows = set(), set(), 0
    for path in files_of(out):
        metadata = pq.read_metadata(path)
        rows += metadata.num_rows
        for group in range(metadata.num_row_groups):
            chunks = [metadata.row_group(group).column(index) for index in range(metadata.num_columns)]
            codecs |= {chunk.compression for chunk in chunks}
            indexes |= {chunk.has_offset_index for chunk in chunks}
    return {"codecs": sorted(codecs), "page_index": sorted(indexes), "rows": rows}


def file_bytes(out: Path) -> int:
    """Bytes of a variant's files: the level and the chunking cannot be read from a file, but show here."""
    return sum(path.stat().st_size for path in files_of(out))
