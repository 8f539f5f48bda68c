"""The registry of views: what a Trajectory looks like as a row. One file, one row here, one golden folder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from sera_swezero.notes import Notes
from sera_swezero.sources import Source
from sera_swezero.trajectory import Trajectory
from sera_swezero.views import native, rectified

Row = dict[str, Any]
Columns = dict[str, str]
"""Column name -> type: string, int64, float64 (`?` behind it: may be null) or messages (list of {role, content})."""


class Rollout(NamedTuple):
    """One converted record, as a view gets it.

    record: the source's own typed record.
    trajectory: what happened in it.
    notes: the row's conversions so far; a view that leaves text out adds to them.
    source: where the record came from, `shape` names its upstream columns and `facts` holds teacher, scale, rollout.
    submit: "call" or "answer".
    noted: how many of the notes are of reading the record; the others are of telling it as events.
    """

    record: Any
    trajectory: Trajectory
    notes: Notes
    source: Source
    shape: str
    facts: dict[str, str]
    submit: str
    noted: int = 0


@dataclass(frozen=True)
class View:
    """One way to write a Trajectory down.

    columns: (source, shape) -> the view's columns in order.
    render: rollout -> row, already checked; raises RowError.
    schema: (source name, shape) -> name of the row's JSON Schema in `schemas`.
    submits: the ways of submitting that the view has, its default first; empty where the question has no meaning.
    """

    name: str
    columns: Callable[[Source, str], Columns]
    render: Callable[[Any], Row]
    schema: Callable[[str, str], str]
    submits: tuple[str, ...]


VIEWS: dict[str, View] = {
    "rectified": View("rectified", rectified.columns, rectified.render, rectified.schema, ("answer",)),
    "native": View("native", native.columns, native.render, native.schema, ()),
}
"""Every view by name."""
