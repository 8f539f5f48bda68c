"""What a build does per unit: read shards of upstream, write files and an entry. It has no other effect.

Files are written aside and renamed, the entry last, so that a killed process leaves nothing half done. The same unit
gives the same bytes in one process, in many, or on a cluster; by itself, or beside the same shards in other views.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import islice
from pathlib import Path

from sera_swezero.build.collector import quiet_collector
from sera_swezero.build.figures import Figures
from sera_swezero.build.manifest import BuiltFile, BuiltShard, ShardSource
from sera_swezero.build.parquet_writer import Sink
from sera_swezero.build.secret_scan import SecretScanner
from sera_swezero.build.unit_files import STATE, Unit, put, scratch_prefix, sha256, write_entry
from sera_swezero.convert import Conversion, Converted
from sera_swezero.errors import RowError
from sera_swezero.readings import Reading, readings
from sera_swezero.report import Report
from sera_swezero.request.row_columns import columns, raw_columns
from sera_swezero.request.settle import settle
from sera_swezero.upstream import Raw, Shard
from sera_swezero.upstream.window_reader import WindowReader
from sera_swezero.upstream.windows import Window
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

OnProgress = Callable[[Unit, int, int], None]
"""Called with what was done for a unit since the last call: rows written, raw bytes read."""


@quiet_collector()
def build_shards(
    units: Sequence[Unit], out: Path, on_progress: OnProgress = lambda _unit, _rows, _size: None
) -> list[BuiltShard]:
    """Convert the units' records and write their files below `out`.

    Several units share one reading and must be alike in `Unit.reads`: each record is read once, for the view of each.

    Raises:
        UpstreamError: their part of upstream cannot be read. ConfigError: their arguments make no sense.
        OSError: their files cannot be written.
    """
    with ExitStack() as stack:
        parts = [_Part(unit, stack.enter_context(_scratch(out)), on_progress) for unit in units]
        for shard in units[0].shards:
            _convert(shard, [part for part in parts if part.wants_more])
        return [part.finish(out) for part in parts]


def _convert(shard: Shard, parts: Sequence[_Part]) -> None:
    """Read a shard for these parts, until none of them wants more."""
    if not parts:
        return
    window, request = Window((shard,)), parts[0].request
    records = WindowReader(parts[0].unit.snapshot, window, raw_columns(request))
    with ExitStack() as stack:
        going = [(part, stack.enter_context(part.conversion(window))) for part in parts]
        for reading in readings(records, request):
            for part, conversion in going:
                part.add(conversion, reading)
            going = [one for one in going if one[0].wants_more]
            if not going:
                return
    for part, _ in going:
        part.end(shard)


@contextmanager
def _scratch(out: Path) -> Iterator[Path]:
    """A folder for half-written files."""
    state = out / STATE
    state.mkdir(parents=True, exist_ok=True)
    folder = tempfile.mkdtemp(dir=state, prefix=scratch_prefix(os.getpid()))
    try:
        yield Path(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class _Part:
    """A unit while it is built: its half-written files and its counts."""

    def __init__(self, unit: Unit, scratch: Path, on_progress: OnProgress) -> None:
        self.unit, self.request = unit, settle(**unit.arguments)
        self._scratch, self._on_progress = scratch, on_progress
        self._left, self._seen = unit.max_rows, 0
        self._report, self._figures, self._redacted = Report(), Figures(), Counter[str]()
        self._scanner = SecretScanner() if unit.redact else None
        self._rejects = _Rejects(scratch / "rejected", self._scanner, self._redacted)
        self._data = Sink(scratch / "data", columns(self.request))

    @property
    def wants_more(self) -> bool:
        """Whether there may be another row."""
        return self._left is None or self._left > 0

    def conversion(self, window: Window) -> Conversion:
        """What makes rows of the window's records."""
        return Conversion(window, self.unit.snapshot, self.request, self._report, self._rejects.keep)

    def add(self, conversion: Conversion, reading: Reading) -> None:
        """Write the rows of a record, as many as are wanted."""
        data = reading.record.raw.data
        for converted in islice(conversion.rows(reading), self._left):
            row = converted.row
            self._data.add(self._scanner.redacted(row, self._redacted) if self._scanner else row)
            count(converted, self._figures)
            if self._left is not None:
                self._left -= 1
            size = len(data) if isinstance(data, bytes) and converted.last else 0
            self._seen += size
            self._on_progress(self.unit, 1, size)

    def end(self, shard: Shard) -> None:
        """Count the bytes of rejected records too, and of Parquet rows, whose raw size is not known one by one."""
        self._on_progress(self.unit, 0, max(shard.stop - shard.start - self._seen, 0))
        self._seen = 0

    def finish(self, out: Path) -> BuiltShard:
        """Put the files in their places, and the entry last."""
        unit, data = self.unit, self._data
        data.close()
        shard = BuiltShard(
            sources=[ShardSource(shard.repo, shard.file, shard.start, shard.stop) for shard in unit.shards],
            data=_put(data, out, f"{unit.stem}.parquet") if data.rows else None,
            arrow_bytes=data.arrow_bytes,
            report=self._report,
            figures=self._figures,
            rejected=self._rejects.put(out, f"{REJECTED}/{unit.stem}.parquet"),
            redacted=dict(sorted(self._redacted.items())),
        )
        write_entry(unit, shard, self._scratch, out)
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
