"""The upstream columns, validated and unchanged, for anyone who wants the upstream rows through the same API.

A record is read and folded as for any other view, so a row of this view would also convert to the others. Only lone
surrogates differ from upstream: they become U+FFFD, because Arrow cannot hold them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from sera_swezero.core.conversions import ConversionLog
from sera_swezero.core.machine import fold
from sera_swezero.core.trajectory import Trajectory
from sera_swezero.errors import RowError
from sera_swezero.schemas.validate import Fault
from sera_swezero.sources.decoding import decode
from sera_swezero.sources.source import RecordContext, Source
from sera_swezero.views.training import count_calls
from sera_swezero.views.view import Rendered, Row, View, ViewInput

_HISTORY = msgspec.json.Decoder(list[msgspec.Raw])
"""Counts messages without decoding any."""


def render(view_input: ViewInput) -> tuple[Rendered]:
    """The record's own columns."""
    view_input.conversions.clear()  # they were needed for the trajectory, which this row does not show
    values = view_input.source.native_values(view_input.record)
    row = {name: values[name] for name in view_input.source.native_columns[view_input.origin.shape]}
    messages = row.get("messages") or []
    if isinstance(messages, str):
        messages = decode(_HISTORY, messages, ConversionLog(), wrong="bad_messages", where="$.messages")
    return (Rendered(row, len(messages), count_calls(view_input.trajectory)),)


def to_trajectory(row: Row, source: Source) -> Trajectory:
    """The Trajectory of a row. Raises RowError where it does not convert."""
    conversions = ConversionLog()
    return fold(source.events(source.read(row, conversions, RecordContext()), conversions))


def order_faults(source: Source, row: Row, _decoded: Mapping[str, Any]) -> Iterator[Fault]:
    """What the source and the machine would refuse in the record when it is loaded."""
    try:
        to_trajectory(dict(row), source)
    except RowError as error:
        found, _, expected = error.problem.partition("; ")
        yield Fault(error.where, found, expected or "a record that converts")


VIEW = View(
    name="native",
    columns=lambda source, shape: source.native_columns[shape],
    render=render,
    to_trajectory=to_trajectory,
    schema=lambda source, shape: f"native-{shape}",
    for_statistics=True,
    order_faults=order_faults,
)
