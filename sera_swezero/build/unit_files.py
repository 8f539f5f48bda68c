"""The unit of a build, pure: a shard in, files and a manifest entry out.

Files are written aside and renamed, the entry last; whatever is killed leaves nothing half. The same unit gives the
same bytes in one process, in many, or on a cluster.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import socket
import tempfile
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec

from sera_swezero.build import parquet_writer
from sera_swezero.build.collector import resting
from sera_swezero.build.figures import Figures
from sera_swezero.build.manifest import FORMAT, Built, BuiltShard, Counts, Source
from sera_swezero.convert import Converted, convert_shard
from sera_swezero.errors import RowError
from sera_swezero.report import Report
from sera_swezero.request.identity import ROWS_VERSION, describe
from sera_swezero.request.row_columns import columns
from sera_swezero.request.settle import Request, settle
from sera_swezero.upstream import Raw, Shard, Snapshot, format_of
from sera_swezero.views import Columns

REJECTED = "rejected"
"""The folder of rejected rows, beside those of the configs."""

REJECTED_COLUMNS: Columns = {
    "reason": "string",
    "problem": "string",
    "where": "string",
    "repo": "string",
    "file": "string",
    "offset": "int64",
    "raw": "binary",
}
"""A rejected row: why, and the record as it stands upstream. `raw` holds the line's bytes, or the Parquet row as JSON;
`offset` is the line's first byte, or the row's number in the file."""

STATE = ".build"
"""The folder of finished units' entries, by which a rerun knows what it need not do. Never published."""


@dataclass(frozen=True)
class Unit:
    """One piece of a build.

    name: the published config. index, count: which of how many files. arguments: of `configs.request`, plain values.
    sources: what it reads. snapshot: where that lies. max_rows: stop after so many rows, None for never.
    """

    name: str
    index: int
    count: int
    arguments: Mapping[str, Any]
    sources: tuple[Shard, ...]
    snapshot: Snapshot
    max_rows: int | None = None

    @property
    def stem(self) -> str:
        """Path of its files below their folder, without the ending."""
        return f"{self.name}/train-{self.index:05d}-of-{self.count:05d}"

    @property
    def size(self) -> int:
        """Raw bytes to read."""
        return sum(source.stop - source.start for source in self.sources)

    def key(self) -> str:
        """A hash of everything that the unit's files depend on."""
        marks = [list(file) for file in self.snapshot.files]
        commits = sorted(self.snapshot.commits.items())
        request = describe(settle(**self.arguments))
        code = [FORMAT, ROWS_VERSION, parquet_writer.WRITER]
        told = [code, request, self.stem, [list(source) for source in self.sources], marks, commits, self.max_rows]
        return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


class Entry(msgspec.Struct):
    """A finished unit, as kept for a rerun."""

    key: str
    shard: BuiltShard


Told = Callable[[int, int], None]
"""Is told of progress: (rows, raw bytes) since it was told last."""


def finished(unit: Unit, out: Path) -> BuiltShard | None:
    """The unit's entry if an earlier run made exactly these files and they are still whole; else None."""
    try:
        entry = msgspec.json.decode(_entry_path(unit, out).read_bytes(), type=Entry)
    except (OSError, msgspec.DecodeError):
        return None
    if entry.key != unit.key():
        return None
    return entry.shard if all(intact(out, built) for built in entry.shard.files) else None


def intact(out: Path, built: Built) -> bool:
    """Whether the file is there with its size and hash."""
    path = out / built.path
    return path.is_file() and path.stat().st_size == built.bytes and sha256(path) == built.sha256


def sha256(path: Path) -> str:
    """The sha256 of a file in hex."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


@resting()
def build_shard(unit: Unit, out: Path, told: Told | None = None) -> BuiltShard:
    """Convert the unit's records and write its files below `out`.

    Raises:
        UpstreamError: its part of upstream cannot be read. ConfigError: its arguments make no sense.
    """
    request = settle(**unit.arguments)
    report, figures = Report(), Figures()
    state = out / STATE
    state.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(dir=state, prefix=_part(os.getpid())))
    try:
        data = parquet_writer.Sink(scratch / "data", columns(request))
        rejects = _Rejects(scratch / "rejected")
        with closing(_rows(unit, request, report, rejects, told)) as rows:
            for converted in islice(rows, unit.max_rows):
                data.add(converted.row)
                figures.note(converted, request.view)
        data.close()
        sources = [Source(*source[:4]) for source in unit.sources]
        shard = BuiltShard(
            sources,
            _place(data, out, f"{unit.stem}.parquet") if data.rows else None,
            data.arrow_bytes,
            _counts(report),
            figures,
            rejects.place(out, f"{REJECTED}/{unit.stem}.parquet"),
        )
        (scratch / "entry").write_bytes(msgspec.json.encode(Entry(unit.key(), shard), order="deterministic"))
        _rename(scratch / "entry", _entry_path(unit, out))
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return shard


class _Rejects:
    """The file of a shard's rejected rows, begun with the first one."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._sink: parquet_writer.Sink | None = None

    def keep(self, error: RowError, raw: Raw) -> None:
        """Write the record beside its reason."""
        if self._sink is None:
            self._sink = parquet_writer.Sink(self._path, REJECTED_COLUMNS)
        told = {"reason": error.reason, "problem": error.problem, "where": error.where}
        place = {"repo": error.repo, "file": error.file, "offset": error.offset}
        # No surrogate escapes a message: Arrow refuses them, and a quoted piece of the record may hold one.
        told = {name: text.encode("utf-8", "replace").decode() for name, text in told.items()}
        self._sink.add({**told, **place, "raw": _bytes(raw)})

    def place(self, out: Path, path: str) -> Built | None:
        """Close the file and put it in its place; None if there was nothing to reject."""
        if self._sink is None:
            return None
        self._sink.close()
        return _place(self._sink, out, path)


def _rows(
    unit: Unit, request: Request, report: Report, rejects: _Rejects, told: Told | None
) -> Generator[Converted, None, None]:
    for source in unit.sources:
        reached = source.start
        for record, converted in convert_shard(source, unit.snapshot, request, report, rejects.keep):
            yield converted
            if told is not None:
                # A Parquet row's offset is its number, which says nothing of bytes.
                at = record.raw.offset if format_of(source.file).offsets_are_bytes else reached
                told(1, max(at - reached, 0))
                reached = max(at, reached)
        if told is not None:
            told(0, max(source.stop - reached, 0))


def _bytes(raw: Raw) -> bytes:
    return raw.data if isinstance(raw.data, bytes) else json.dumps(raw.data).encode()


def _counts(report: Report) -> Counts:
    rejected, conversions = dict(sorted(report.rejected.items())), dict(sorted(report.conversions.items()))
    return Counts(report.rows_in, report.rows_out, report.filtered, rejected, conversions)


def _place(sink: parquet_writer.Sink, out: Path, path: str) -> Built:
    built = Built(path, sink.path.stat().st_size, sha256(sink.path), sink.rows)
    _rename(sink.path, out / path)
    return built


def _rename(made: Path, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    made.replace(path)


def sweep(out: Path, pids: Iterable[int] | None = None) -> None:
    """Remove what killed processes of this machine left half written: those of `pids`, else all that are gone."""
    for part in (out / STATE).glob(_part("*") + "*"):
        pid = int(part.name.split("-")[-2])
        if pid in pids if pids is not None else not _alive(pid):
            shutil.rmtree(part, ignore_errors=True)


def _part(pid: int | str) -> str:
    # The machine's name too: a cluster builds into one shared folder.
    return f"part-{socket.gethostname()}-{pid}-"


def _alive(pid: int) -> bool:
    if os.name == "nt":
        return True  # to ask there is to kill
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _entry_path(unit: Unit, out: Path) -> Path:
    return out / STATE / f"{unit.stem}.json"
