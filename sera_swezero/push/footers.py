"""Whether a Parquet file is what a build wrote: its footer is compared with the manifest, when it is sent and after."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from sera_swezero.build.build_shard import REJECTED, REJECTED_COLUMNS
from sera_swezero.build.manifest import BuiltConfig, BuiltFile
from sera_swezero.build.parquet_writer import ROW_GROUP_BYTES
from sera_swezero.errors import PublishError
from sera_swezero.schemas.arrow_columns import schema_of


def footer_faults(metadata: Any, built: BuiltFile) -> Iterator[str]:
    """What is wrong with a footer: rows that differ from the manifest, row groups too large, pages without an index."""
    if metadata.num_rows != built.rows:
        yield f"{metadata.num_rows} rows in its footer, expected {built.rows}"
    for index in range(metadata.num_row_groups):
        group = metadata.row_group(index)
        if group.num_rows > 1 and group.total_byte_size > ROW_GROUP_BYTES:
            yield f"row group {index} has {group.total_byte_size} bytes uncompressed, expected fewer"
        if not all(group.column(column).has_offset_index for column in range(group.num_columns)):
            yield f"row group {index} has a column without an offset index"


def check_local(folder: Path, built: BuiltFile, config: BuiltConfig) -> None:
    """Refuse to send a file unless it is Parquet of the config's columns, in the folder itself. Raises PublishError."""
    path = folder / built.path
    if path.resolve() != folder.resolve() / built.path:
        msg = f"{path} is a link to {path.resolve()}; only files in the folder itself are sent"
        raise PublishError(msg)
    columns = REJECTED_COLUMNS if built.path.startswith(f"{REJECTED}/") else dict(config.columns)
    try:
        metadata = pq.read_metadata(path)
        faults = list(footer_faults(metadata, built))
        if not metadata.schema.to_arrow_schema().equals(schema_of(columns)):
            faults.append("other columns than the manifest lists")
    except (pa.ArrowException, OSError) as error:
        faults = [f"not Parquet: {error}"]
    if faults:
        msg = f"{path} is not what a build wrote: {'; '.join(faults)}; build again"
        raise PublishError(msg)
