"""Raw records, read and folded: what a record says before a view shows it. It is read once for all views."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Any, NamedTuple

from sera_swezero import schemas
from sera_swezero.catalog import Origin
from sera_swezero.core.conversions import ConversionLog
from sera_swezero.core.machine import fold
from sera_swezero.core.trajectory import Trajectory
from sera_swezero.errors import RowError
from sera_swezero.request.settle import Request
from sera_swezero.sources import SOURCES, RecordContext
from sera_swezero.upstream.formats import instance_of
from sera_swezero.upstream.windows import Record
from sera_swezero.views import ViewInput


class _Folded(NamedTuple):
    """What a record says, whatever is made of it."""

    record: Any
    """The source's own typed record."""
    trajectory: Trajectory
    record_conversions: ConversionLog
    conversions: ConversionLog


class Reading:
    """A record, which is read and folded when it is first asked for, and once for all requests that ask.

    Args:
        record: the raw record.
        origin: the set that it is of.
        context: what is known of the set's records.
    """

    def __init__(self, record: Record, origin: Origin, context: RecordContext) -> None:
        self.record, self.origin = record, origin
        self._context = context

    def view_input(self, request: Request) -> ViewInput | RowError:
        """What the request's view renders, with a log of its own.

        An error says that the record is not a legal trajectory, or that the policy `incomplete="reject"` refuses it.
        """
        folded = self._folded
        if isinstance(folded, RowError):
            return folded
        trajectory, source = folded.trajectory, SOURCES[self.origin.source]
        if request.arguments.incomplete == "reject" and not trajectory.submitted:
            ended = f"{trajectory.outcome.status} {trajectory.outcome.detail}".strip()
            return RowError("no_submission", f"the rollout is {ended!r}; a submission was expected", "$.messages")
        return ViewInput(
            record=folded.record,
            trajectory=trajectory,
            tools=source.tools(folded.record),
            source=source,
            origin=self.origin,
            submit=request.submit,
            limit=request.limit,
            history=request.history,
            record_conversions=folded.record_conversions,
            conversions=ConversionLog(folded.conversions),
        )

    @cached_property
    def _folded(self) -> _Folded | RowError:
        """The record, read and folded. One that does not name its instance is named after its file."""
        raw, source = self.record.raw, SOURCES[self.origin.source]
        if raw.fault:
            return RowError("not_json", raw.fault)
        record_conversions, conversions = ConversionLog(), ConversionLog()
        try:
            typed = source.read(raw.data, record_conversions, self._context)
            if not typed.instance_id:
                typed.instance_id = instance_of(self.record.shard.file, raw.offset, self.origin.patterns)
            trajectory = fold(source.events(typed, conversions))
        except RowError as error:
            return error
        return _Folded(typed, trajectory, record_conversions, conversions)


def readings(records: Iterable[Record], request: Request) -> Iterator[Reading]:
    """The records, each to be read as the request says; requests that differ in their views alone share them."""
    known = {origin.repo: (origin, context_of(origin, request)) for origin in request.origins}
    for record in records:
        yield Reading(record, *known[record.shard.repo])


def context_of(origin: Origin, request: Request) -> RecordContext:
    """What the request and the catalog say of a set's records, where they do not say it themselves."""
    tools = request.tools or (schemas.tools(origin.tools) if origin.tools else ())
    return RecordContext(request.arguments.messages_column, tools)
