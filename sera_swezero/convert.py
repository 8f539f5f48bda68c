"""Raw records to rows: the whole pipeline, its one policy and its counts.

raw record -> read (typed) -> events -> fold (Trajectory) -> policy -> view (row) -> check
"""

from __future__ import annotations

import hashlib
import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from typing import Any

from sera_swezero.catalog import Origin, set_name
from sera_swezero.core.conversions import CONVERSIONS, Notes
from sera_swezero.core.machine import fold
from sera_swezero.core.rectify import NOTHING, Begun
from sera_swezero.core.trajectory import Trajectory
from sera_swezero.errors import POLICY_REASONS, RowError
from sera_swezero.request.filters import Filters, described
from sera_swezero.request.settle import Request
from sera_swezero.schemas.validate import check_row
from sera_swezero.sources import SOURCES, Source
from sera_swezero.upstream import Raw, Shard, Snapshot
from sera_swezero.upstream.windows import Record, Window, WindowReader
from sera_swezero.views import Columns, Rollout, Row
from sera_swezero.views.token_limit import digest as tokenizer_digest
from sera_swezero.views.training import KEPT_SHARE

_LOG = logging.getLogger("sera_swezero")

LINEAGE_COLUMNS: Columns = {
    "source_repo": "string",
    "source_revision": "string",
    "source_file": "string",
    "source_offset": "int64",
    "conversions": "counts",
}
"""What `lineage=True` adds: the upstream repo, commit ("" below a root), file, byte offset of the line (JSONL) or row
number (Parquet), and how often each kind of `notes.CONVERSIONS` was needed."""


@dataclass
class Report:
    """What became of the records of one shard or of many.

    rows_in: records read. rows_out: rows given. filtered_by: rows left out, by the names of `filters.FILTERS`.
    rejected: by the reasons of `errors.REASONS`. conversions: by the kinds of `notes.CONVERSIONS`.
    """

    rows_in: int = 0
    rows_out: int = 0
    filtered_by: Counter[str] = field(default_factory=Counter)
    rejected: Counter[str] = field(default_factory=Counter)
    conversions: Counter[str] = field(default_factory=Counter)

    @property
    def filtered(self) -> int:
        """Rows that filters left out."""
        return self.filtered_by.total()

    def add(self, other: Report) -> None:
        """Add another report's counts to this one's."""
        self.rows_in += other.rows_in
        self.rows_out += other.rows_out
        self.filtered_by.update(other.filtered_by)
        self.rejected.update(other.rejected)
        self.conversions.update(other.conversions)

    def __str__(self) -> str:
        told = f"{self.rows_in} rows in, {self.rows_out} out"
        if self.filtered_by:
            told += ", filtered: " + ", ".join(f"{count} {name}" for name, count in sorted(self.filtered_by.items()))
        if self.rejected:
            told += ", rejected: " + ", ".join(f"{count} {reason}" for reason, count in sorted(self.rejected.items()))
        return told


Reject = Callable[[RowError, Raw], None]
"""Gets every rejected record beside its error, so that it can be kept aside."""


LeaveOut = Callable[[Any, Trajectory], bool]
"""Says of a typed record and its trajectory whether a filter leaves it out."""


def convert(raw: Raw, origin: Origin, request: Request, notes: Notes, leave_out: LeaveOut | None = None) -> Row | None:
    """Convert one record; None where a filter leaves it out (`leave_out`: the request's filters, None for none).

    Raises:
        RowError: the record cannot become a row, or the policy `incomplete="reject"` refuses it.
    """
    if raw.fault:
        raise RowError("not_json", raw.fault)
    source = SOURCES[origin.source]
    record = source.read(raw.data, notes)
    noted = len(notes)
    # A filter looks at whole trajectories.
    begun, trajectory = _told(record, source, notes, fast=request.view.rectified and leave_out is None)
    if request.incomplete == "reject" and not trajectory.submitted:
        ended = f"{trajectory.outcome.status} {trajectory.outcome.detail}".strip()
        raise RowError("no_submission", f"the rollout is {ended!r}; a submission was expected", "$.messages")
    if leave_out is not None and leave_out(record, trajectory):
        return None
    facts = dict(origin.facts)
    told = (record, trajectory, notes, source, origin.shape, facts, request.submit, noted, set_name(origin))
    row = request.view.render(Rollout(*told, request.limit, request.encoded and request.view.rectified, begun))
    # The schema of a row says of its JSON text only that it is text.
    plain = {name: "" if type(value) is bytes else value for name, value in row.items()} if request.encoded else row
    check_row(request.view.schema(source.name, origin.shape), plain)
    return row


def _told(record: Any, source: Source, notes: Notes, *, fast: bool) -> tuple[Begun, Trajectory]:
    """What happened: the first steps, rectified, and the Trajectory of the others: of all, without the fast path."""
    noted = len(notes)
    if fast and source.ordinary is not None:
        try:
            begun, events = source.ordinary(record, notes)
            return begun, fold(events)
        except RowError:
            # The slow twin refuses it, too, and says where: it has all messages before it.
            del notes[noted:]
    return NOTHING, fold(source.events(record, notes))


def convert_shard(
    shard: Shard, snapshot: Snapshot, request: Request, report: Report, reject: Reject | None = None
) -> Iterator[tuple[str, Row]]:
    """Yield (key, row) for every record of the shard that becomes a row, in order.

    Every record is counted in `report`: out, filtered, or rejected with its reason. With `on_error="skip"` a rejected
    record goes to `reject` and the shard goes on; with "raise" the first RowError that is no policy is raised. What was
    rejected is logged once at the shard's end.

    Raises:
        RowError: with `on_error="raise"`.
        UpstreamError: the file itself cannot be read as what it should be.
    """
    window = Window((shard,))
    records = WindowReader(snapshot, window, raw_columns(request))
    for record, row in convert_window(window, records, snapshot, request, report, reject):
        yield record.key, row


def convert_window(
    window: Window,
    records: Iterable[Record],
    snapshot: Snapshot,
    request: Request,
    report: Report,
    reject: Reject | None = None,
) -> Iterator[tuple[Record, Row]]:
    """Yield (record, row) for every record of the window that becomes a row; else as `convert_shard`."""
    origins = {origin.repo: origin for origin in request.origins}
    mine = Report()
    filters = Filters(request, snapshot, mine.filtered_by)
    try:
        for record in records:
            shard, raw, _ = record
            origin = origins[shard.repo]
            mine.rows_in += 1
            notes = Notes()
            leave_out = partial(filters.leave_out, shard, raw.offset, origin) if filters else None
            try:
                row = convert(raw, origin, request, notes, leave_out)
            except RowError as error:
                error.located(shard.repo, shard.file, raw.offset)
                if request.on_error == "raise" and error.reason not in POLICY_REASONS:
                    raise
                mine.rejected[error.reason] += 1
                if reject is not None:
                    reject(error, raw)
                continue
            if row is None:
                continue
            counts = notes.counts()
            mine.rows_out += 1
            mine.conversions.update(counts)
            if request.lineage:
                row |= lineage(shard, snapshot, raw, counts)
            yield record, row
    finally:
        report.add(mine)
        if mine.rejected:
            _LOG.warning("%s: %s", window, mine)


def raw_columns(request: Request) -> Callable[[str], Columns]:
    """Repo -> the columns that its files must have."""
    known = {origin.repo: SOURCES[origin.source].native_columns[origin.shape] for origin in request.origins}
    return known.__getitem__


def lineage(shard: Shard, snapshot: Snapshot, raw: Raw, counts: Counter[str]) -> Row:
    """The columns of `LINEAGE_COLUMNS` for one row."""
    return {
        "source_repo": shard.repo,
        "source_revision": snapshot.commits[shard.repo],
        "source_file": shard.file,
        "source_offset": raw.offset,
        "conversions": {kind: counts.get(kind, 0) for kind in CONVERSIONS},
    }


def columns(request: Request) -> Columns:
    """The columns of the rows that the request gives, in order, by name and type."""
    origin = request.origins[0]
    own = request.view.columns(SOURCES[origin.source], origin.shape)
    kept = {KEPT_SHARE: "float64"} if request.limit is not None else {}
    return {**own, **kept, **(LINEAGE_COLUMNS if request.lineage else {})}


_DECIDING = ("core", "sources", "views", "schemas", "upstream", "request")


@cache
def converter_digest() -> str:
    """A hash of the code and schemas that decide what a row looks like; cached data of another digest is not reused."""
    root = Path(__file__).parent
    files = [*root.glob("*.py"), *(path for name in _DECIDING for path in (root / name).iterdir() if path.is_file())]
    digest = hashlib.sha256()
    for path in sorted(files):
        digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def describe(request: Request) -> dict[str, Any]:
    """What of a request decides its rows, as plain values: for cache keys, manifests and resume checks."""
    limit = request.limit
    return {
        "config": request.config.name,
        "view": request.view.name,
        "submit": request.submit,
        "incomplete": request.incomplete,
        "repos": [origin.repo for origin in request.origins],
        "min_recall": request.min_recall,
        "lineage": request.lineage,
        "limit": limit and [limit.max_tokens, limit.overlong, tokenizer_digest(limit.tokenizer)],
        **described(request),
    }
