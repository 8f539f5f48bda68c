"""What a build does per unit: read shards of upstream, write files and an entry. It has no other effect.

Files are written aside and renamed, the entry last, so that a killed process leaves nothing half done. The same unit
gives the same bytes in one process, in many, or on a cluster.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Generator
from contextlib import closing
from itertools import islice
from pathlib import Path

from sera_swezero.build.collector import quiet_collector
from sera_swezero.build.figures import Figures
from sera_swezero.build.manifest import BuiltFile, BuiltShard, ShardSource
from sera_swezero.build.parquet_writer import Sink
from sera_swezero.build.secret_scan import SecretScanner
from sera_swezero.build.unit_files import STATE, Unit, put, scratch_prefix, sha256, write_entry
from sera_swezero.convert import Converted, convert_shard
from sera_swezero.errors import RowError
from sera_swezero.report import Report
from sera_swezero.request.row_columns import columns
from sera_swezero.request.settle import Request, settle
from sera_swezero.upstream import Raw
from sera_swezero.views import Columns

REJECTED = "rejected"
"""The folder of rejected records, next to those of the configs."""

REJECTED_COLUMNS: Columns = {
    "reason": "string",
    "problem": "string",
    "where": "string",
    "repo": "string",
    "file": "string",
    "offset": "int64",
    "raw": "binary",
}
"""A rejected record: why, and the record as it is upstream. `raw` holds the line's bytes, or the Parquet row as JSON;
`offset` is the line's first byte, or the row's number in the file."""

OnProgress = Callable[[int, int], None]
"""Called with what was done since the last call: rows written, raw bytes read."""


@quiet_collector()
def build_shard(unit: Unit, out: Path, on_progress: OnProgress = lambda _rows, _size: None) -> BuiltShard:
    """Convert the unit's records and write its files below `out`.

    Raises:
        UpstreamError: its part of upstream cannot be read. ConfigError: its arguments make no sense.
        OSError: its files cannot be written.
    """
    request = settle(**unit.arguments)
    state = out / STATE
    state.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(dir=state, prefix=scratch_prefix(os.getpid())))
    try:
        report, figures, redacted = Report(), Figures(), Counter[str]()
        scanner = SecretScanner() if unit.redact else None
        rejects = _Rejects(scratch / "rejected", scanner, redacted)
        data = Sink(scratch / "data", columns(request))
        with closing(_converted(unit, request, report, rejects, on_progress)) as rows:
            for converted in islice(rows, unit.max_rows):
                data.add(scanner.redacted(converted.row, redacted) if scanner else converted.row)
                count(converted, figures)
        data.close()
        shard = BuiltShard(
            sources=[ShardSource(shard.repo, shard.file, shard.start, shard.stop) for shard in unit.shards],
            data=_put(data, out, f"{unit.stem}.parquet") if data.rows else None,
            arrow_bytes=data.arrow_bytes,
            report=report,
            figures=figures,
            rejected=rejects.put(out, f"{REJECTED}/{unit.stem}.parquet"),
            redacted=dict(sorted(redacted.items())),
        )
        write_entry(unit, shard, scratch, out)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return shard


class _Rejects:
    """The file of a unit's rejected records, which the first one starts."""

    def __init__(self, path: Path, scanner: SecretScanner | None, redacted: Counter[str]) -> None:
        self._path, self._scanner, self._redacted = path, scanner, redacted
        self._sink: Sink | None = None

    def keep(self, error: RowError, raw: Raw) -> None:
        """Write the record and its reason."""
        if self._sink is None:
            self._sink = Sink(self._path, REJECTED_COLUMNS)
        row = {"reason": error.reason, "problem": error.problem, "where": error.where}
        # A message may quote a piece of the record with a lone surrogate, which Arrow refuses.
        row = {name: text.encode("utf-8", "replace").decode() for name, text in row.items()}
        data = raw.data if isinstance(raw.data, bytes) else json.dumps(raw.data).encode()
        kept = {**row, "repo": error.repo, "file": error.file, "offset": error.offset, "raw": data}
        self._sink.add(self._scanner.redacted(kept, self._redacted) if self._scanner else kept)

    def put(self, out: Path, path: str) -> BuiltFile | None:
        """Close the file and put it in its place; None if no record was rejected."""
        if self._sink is None:
            return None
        self._sink.close()
        return _put(self._sink, out, path)


def _converted(
    unit: Unit, request: Request, report: Report, rejects: _Rejects, on_progress: OnProgress
) -> Generator[Converted, None, None]:
    for shard in unit.shards:
        seen = 0
        for record, converted in convert_shard(shard, unit.snapshot, request, report, rejects.keep):
            yield converted
            size = len(record.raw.data) if isinstance(record.raw.data, bytes) and converted.last else 0
            on_progress(1, size)
            seen += size
        # Rejected records too, and rows of Parquet, whose raw size is not known one by one.
        on_progress(0, max(shard.stop - shard.start - seen, 0))


def count(converted: Converted, figures: Figures) -> None:
    """Count one row."""
    row = converted.row
    figures.note_row(
        messages=converted.messages,
        calls=converted.calls,
        outcome=converted.view_input.trajectory.outcome.status,
    )
    if "line_level_recall" in row:
        figures.note_recall(row["line_level_recall"])


def _put(sink: Sink, out: Path, path: str) -> BuiltFile:
    file = BuiltFile(path=path, bytes=sink.path.stat().st_size, sha256=sha256(sink.path), rows=sink.rows)
    put(sink.path, out / path)
    return file
