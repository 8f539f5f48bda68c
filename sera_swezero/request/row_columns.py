"""The columns of the rows that a request gives, and of the files that it reads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from sera_swezero.catalog import Origin
from sera_swezero.core.conversions import CONVERSIONS
from sera_swezero.request.settle import Request
from sera_swezero.schemas.columns import types_of
from sera_swezero.sources import SOURCES
from sera_swezero.upstream import Snapshot
from sera_swezero.upstream.windows import Record
from sera_swezero.views import LINEAGE, Columns, Row


def raw_columns(request: Request) -> Callable[[str], Columns]:
    """Repository -> the columns that its files must have, by name and type; empty if whatever they have is read."""
    return {origin.repo: _file_columns(origin) for origin in request.origins}.__getitem__


def _file_columns(origin: Origin) -> Columns:
    source = SOURCES[origin.source]
    return {} if source.reads_all_columns else types_of(source.native_columns[origin.shape])


def lineage(record: Record, snapshot: Snapshot, counts: Counter[str]) -> Row:
    """The columns of `LINEAGE` for one row."""
    return {
        "source_repo": record.shard.repo,
        "source_revision": snapshot.commits[record.shard.repo],
        "source_file": record.shard.file,
        "source_offset": record.raw.offset,
        "conversions": {kind: counts.get(kind, 0) for kind in CONVERSIONS},
    }


def columns(request: Request) -> Columns:
    """The columns of the rows that the request gives, in order, by name and type."""
    origin = request.origins[0]
    view = request.view
    own = view.columns(SOURCES[origin.source], origin.shape)
    added = request.limit.columns if request.limit is not None else ()
    optional = {name: column for name, column in (view.optional or {}).items() if name in added}
    return types_of({**own, **optional, **(LINEAGE if request.arguments.lineage else {})})
