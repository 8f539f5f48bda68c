"""Raw records to rows: the whole pipeline on one screen, with its one policy for rejected records and its counts.

raw record -> read (typed record) -> events -> fold (Trajectory) -> filters -> view (row) -> schema check

Up to the filters nothing depends on the view: `readings` has that part, and requests that differ in it share the work.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass
from typing import Self

from sera_swezero.errors import POLICY_REASONS, RowError
from sera_swezero.readings import Reading, readings
from sera_swezero.report import Report
from sera_swezero.request.filters import Filters
from sera_swezero.request.row_columns import lineage
from sera_swezero.request.settle import Request
from sera_swezero.schemas.validate import check_row
from sera_swezero.upstream import Raw, Snapshot
from sera_swezero.upstream.at_exit import closed_at_exit
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


class Conversion:
    """What becomes of the records of a window in one request: rows, or errors, and counts. Leave it to have the counts.

    Every record is counted in `report`: out, filtered, or rejected with its reason. With `on_error="skip"` a rejected
    record goes to `reject` and the window goes on; with "raise" the first RowError that is not a policy is raised. What
    was rejected is logged at the window's end, with level INFO; `report.log_pass` warns at the end of a pass.
    """

    def __init__(
        self, window: Window, snapshot: Snapshot, request: Request, report: Report, reject: Reject | None = None
    ) -> None:
        self._window, self._snapshot, self._request = window, snapshot, request
        self._report, self._reject = report, reject
        self._mine = Report()
        self._filters = Filters(request, snapshot, self._mine.filtered_by)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._report.add(self._mine)
        if self._mine.rejected:
            _LOG.info("%s: %s", self._window, self._mine)

    def rows(self, reading: Reading, skip: int = 0) -> Generator[Converted]:
        """The rows of the next record, but for the first `skip` of them. Raises RowError with `on_error="raise"`."""
        mine, record, arguments = self._mine, reading.record, self._request.arguments
        mine.rows_in += 1
        out = mine.rows_out
        for made in self._made_of(reading, skip):
            if isinstance(made, RowError):
                made.located(record.shard.repo, record.shard.file, record.raw.offset)
                if arguments.on_error == "raise" and made.reason not in POLICY_REASONS:
                    raise made
                mine.rejected[made.reason] += 1
                if self._reject is not None:
                    self._reject(made, record.raw)
                continue
            mine.records_out += mine.rows_out == out
            mine.rows_out += 1
            mine.conversions.update(made.counts)
            if arguments.lineage:
                made.row.update(lineage(record, self._snapshot, made.counts))
            yield made

    def _made_of(self, reading: Reading, skip: int) -> Iterator[Converted | RowError]:
        """The rows of a record that no filter leaves out, and the errors of those that are rejected."""
        try:
            if self._filters.leave_out_set(reading.origin):
                return
            view_input = reading.view_input(self._request)
            if isinstance(view_input, RowError):
                yield view_input
                return
            if self._filters.leave_out(reading.record.shard, reading.record.raw.offset, view_input):
                return
            for made in render_rows(view_input, self._request, skip):
                if isinstance(made, RowError) or not self._filters.leave_out_row(made.row):
                    yield made
        except RowError as error:
            yield error


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
    """Yield every record of a window that becomes a row, in order, with what became of it (see `Conversion`).

    The first `skip` rows of the first record are left out.

    Raises:
        RowError: with `on_error="raise"`.
        UpstreamError: a file cannot be read as what it should be.
    """
    with Conversion(window, snapshot, request, report, reject) as conversion:
        for reading in readings(records, request):
            for made in conversion.rows(reading, skip):
                yield reading.record, made
            skip = 0
