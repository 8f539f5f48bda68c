"""The columns that `lineage=True` adds to a row of any view: where it came from, and what was done to it."""

from __future__ import annotations

from collections.abc import Mapping

from sera_swezero.schemas.columns import Column

LINEAGE: Mapping[str, Column] = {
    "source_repo": Column(type="string", about="Upstream repo id.", rules={"minLength": 1}),
    "source_revision": Column(type="string", about="Its commit; empty below a root."),
    "source_file": Column(type="string", about="Path inside the repo.", rules={"minLength": 1}),
    "source_offset": Column(
        type="int64", about="Byte offset of the line (JSONL) or row number (Parquet).", rules={"minimum": 0}
    ),
    "conversions": Column(type="counts", about="How often each kind of conversion was needed."),
}
