"""Raw records to rows: the whole pipeline on one screen, with its one policy for rejected records and its counts.

raw record -> read (typed record) -> events -> fold (Trajectory) -> filters -> view (row) -> schema check
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass

from sera_swezero import schemas
from sera_swezero.catalog import Origin
from sera_swezero.core.conversions import ConversionLog
from sera_swezero.core.machine import fold
from sera_swezero.errors import POLICY_REASONS, RowError
from sera_swezero.report import Report
from sera_swezero.request.filters import Filters
from sera_swezero.request.row_columns import lineage, raw_columns
from sera_swezero.request.settle import Request
from sera_swezero.schemas.validate import check_row
from sera_swezero.sources import SOURCES, RecordContext
from sera_swezero.upstream import Raw, Shard, Snapshot
from sera_swezero.upstream.at_exit import closed_at_exit
from sera_swezero.upstream.formats import instance_of
from sera_swezero.upstream.window_reader import WindowReader
from sera_swezero.upstream.windows import Record, Window
from sera_swezero.views import Row, ViewInput, text_row

_LOG = logging.getLogger("sera_swezero")

Reject = Callable[[RowError, Raw], None]
"""Receives every rejected record with its error, so that it can be kept aside."""


@dataclass(kw_only=True, slots=True)
class Converted:
    """A row, and what it was made of."""

    row: Row
    """The row, its JSON text as bytes (see `views.Row`)."""
    messages: int
    """How many messages the row shows."""
    calls: int
    """How many tool calls it shows."""
    view_input: ViewInput
    """The record and its trajectory."""
    counts: Counter[str]
    """How often each kind of `CONVERSIONS` was needed; where a record gives several rows, the first one has them."""
    number: int
    """Which row of its record it is, counted from 0."""
    last: bool
    """Whether no row of the record follows."""

    @property
    def text_row(self) -> Row:
        """The row with its JSON text as str, as everybody outside the package gets it."""
        return text_row(self.row)


def read_record(raw: Raw, origin: Origin, request: Request, file: str = "") -> ViewInput:
    """Read one record of a set and fold it. A record that does not name its instance is named after its file.

    Raises:
        RowError: it is not a legal trajectory, or the policy `incomplete="reject"` refuses it.
    """
    if raw.fault:
        raise RowError("not_json", raw.fault)
    source = SOURCES[origin.source]
    record_conversions, conversions = ConversionLog(), ConversionLog()
    record = source.read(raw.data, record_conversions, context_of(origin, request))
    if not record.instance_id:
        record.instance_id = instance_of(file, raw.offset, origin.patterns)
    trajectory = fold(source.events(record, conversions))
    if request.arguments.incomplete == "reject" and not trajectory.submitted:
        ended = f"{trajectory.outcome.status} {trajectory.outcome.detail}".strip()
        raise RowError("no_submission", f"the rollout is {ended!r}; a submission was expected", "$.messages")
    return ViewInput(
        record=record,
        trajectory=trajectory,
        tools=source.tools(record),
        source=source,
        origin=origin,
        submit=request.submit,
        limit=request.limit,
        history=request.history,
        record_conversions=record_conversions,
        conversions=conversions,
    )


def context_of(origin: Origin, request: Request) -> RecordContext:
    """What the request and the catalog say of a set's records, where they do not say it themselves."""
    tools = request.tools or (schemas.tools(origin.tools) if origin.tools else ())
    return RecordContext(request.arguments.messages_column, tools)


def render_rows(view_input: ViewInput, request: Request, skip: int = 0) -> Iterator[Converted | RowError]:
    """Show a record in the request's view and check each row, but for the first `skip` of them.

    An error among the rows stands for one that is left out. Raises RowError where the view cannot show the record.
    """
    schema = request.view.schema(view_input.source, view_input.origin.shape)
    logs = (view_input.record_conversions, view_input.conversions)
    rendered = enumerate(request.view.render(view_input))
    coming = next(rendered, None)
    while coming is not None:
        (number, made), coming = coming, next(rendered, None)
        if number < skip:
            continue
        if isinstance(made, RowError):
            yield made
            continue
        check_row(schema, made.row)
        yield Converted(
            row=made.row,
            messages=made.messages,
            calls=made.calls,
            view_input=view_input,
            counts=Counter([kind for log in logs for kind, _ in log] if number == 0 else ()),
            number=number,
            last=coming is None,
        )


def convert_shard(
    shard: Shard, snapshot: Snapshot, request: Request, report: Report, reject: Reject | None = None
) -> Iterator[tuple[Record, Converted]]:
    """Yield every record of the shard that becomes a row, in order, with what became of it.

    Every record is counted in `report`: out, filtered, or rejected with its reason. With `on_error="skip"` a rejected
    record goes to `reject` and the shard goes on; with "raise" the first RowError that is not a policy is raised. What
    was rejected is logged at the shard's end, with level INFO; `report.log_pass` warns at the end of a pass.

    Raises:
        RowError: with `on_error="raise"`.
        UpstreamError: the file itself cannot be read as what it should be.
    """
    window = Window((shard,))
    records = WindowReader(snapshot, window, raw_columns(request))
    return convert_window(window, records, snapshot, request, report, reject)


@closed_at_exit
def convert_window(
    window: Window,
    records: Iterable[Record],
    snapshot: Snapshot,
    request: Request,
    report: Report,
    reject: Reject | None = None,
    skip: int = 0,
) -> Generator[tuple[Record, Converted]]:
    """The same for the records of a window, but for the first `skip` rows of its first record."""
    origins = {origin.repo: origin for origin in request.origins}
    mine = Report()
    filters = Filters(request, snapshot, mine.filtered_by)
    try:
        for record in records:
            mine.rows_in += 1
            out = mine.rows_out
            for made in _rows_of(record, origins[record.shard.repo], request, filters, skip):
                if isinstance(made, RowError):
                    made.located(record.shard.repo, record.shard.file, record.raw.offset)
                    if request.arguments.on_error == "raise" and made.reason not in POLICY_REASONS:
                        raise made
                    mine.rejected[made.reason] += 1
                    if reject is not None:
                        reject(made, record.raw)
                    continue
                mine.rows_out += 1
                mine.conversions.update(made.counts)
                if request.arguments.lineage:
                    made.row.update(lineage(record, snapshot, made.counts))
                yield record, made
            mine.records_out += mine.rows_out > out
            skip = 0
    finally:
        report.add(mine)
        if mine.rejected:
            _LOG.info("%s: %s", window, mine)


def _rows_of(
    record: Record, origin: Origin, request: Request, filters: Filters, skip: int
) -> Iterator[Converted | RowError]:
    """The rows of a record that no filter leaves out, and the errors of those that are rejected."""
    try:
        if filters.leave_out_set(origin):
            return
        view_input = read_record(record.raw, origin, request, record.shard.file)
        if filters.leave_out(record.shard, record.raw.offset, view_input):
            return
        for made in render_rows(view_input, request, skip):
            if isinstance(made, RowError) or not filters.leave_out_row(made.row):
                yield made
    except RowError as error:
        yield error
