"""The registry of views: what a Trajectory looks like as a row. One file, one row here, one golden folder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from sera_swezero.core.conversions import Notes
from sera_swezero.core.rectify import NOTHING, Begun
from sera_swezero.core.trajectory import Trajectory
from sera_swezero.sources import Source
from sera_swezero.views import hermes, native, openai, rectified, sharegpt
from sera_swezero.views.token_limit import Limit

Row = dict[str, Any]
Columns = dict[str, str]
"""Column name -> type: string, int64, float64 (`?` behind it: may be null), or a list: messages (of {role, content}),
trained_messages (of {role, content, train}), conversations (of {from, value}), json (of JSON texts: Json leaves, which
`datasets` >= 4.8 hands out as objects)."""


class Rollout(NamedTuple):
    """One converted record, as a view gets it.

    record: the source's own typed record.
    trajectory: what happened in it.
    notes: the row's conversions so far; a view that leaves text out adds to them.
    source: where the record came from, `shape` names its upstream columns and `facts` holds teacher, scale, rollout.
    submit: "call" or "answer".
    noted: how many of the notes are of reading the record; the others are of telling it as events.
    config: the config name of the set that the record is of.
    limit: the most tokens of a row, None for any number.
    encoded: whether JSON text is wanted as UTF-8 bytes.
    begun: what comes before the trajectory's steps, rectified already; only for a view that is `rectified`.
    """

    record: Any
    trajectory: Trajectory
    notes: Notes
    source: Source
    shape: str
    facts: dict[str, str]
    submit: str
    noted: int = 0
    config: str = ""
    limit: Limit | None = None
    encoded: bool = False
    begun: Begun = NOTHING


@dataclass(frozen=True)
class View:
    """One way to write a Trajectory down.

    columns: (source, shape) -> the view's columns in order.
    render: rollout -> row, already checked; raises RowError.
    schema: (source name, shape) -> name of the row's JSON Schema in `schemas`.
    submits: the ways of submitting that the view has, its default first; empty where the question has no meaning.
    to_trajectory: row -> Trajectory; None where the view is not for training. A training view has the columns of
        `training.COMMON`, and its rows may be held to a length.
    has_json_leaves: whether its columns need the feature `Json`, which came with `datasets` 4.8.
    rectified: whether it shows nothing but the rectified trajectory; then it takes steps that are rectified already,
        and gives its JSON text as bytes where these are wanted.
    """

    name: str
    columns: Callable[[Source, str], Columns]
    render: Callable[[Any], Row]
    schema: Callable[[str, str], str]
    submits: tuple[str, ...]
    to_trajectory: Callable[[Row], Trajectory] | None = None
    has_json_leaves: bool = False
    rectified: bool = False

    @property
    def trains(self) -> bool:
        """Whether trainers take its rows as they are."""
        return self.to_trajectory is not None


_WAYS = ("call", "answer")

VIEWS: dict[str, View] = {
    "rectified": View("rectified", rectified.columns, rectified.render, rectified.schema, ("answer",), rectified=True),
    "native": View("native", native.columns, native.render, native.schema, ()),
    "openai": View(
        "openai", openai.columns, openai.render, openai.schema, _WAYS, openai.to_trajectory, has_json_leaves=True
    ),
    "hermes": View("hermes", hermes.columns, hermes.render, hermes.schema, _WAYS, hermes.to_trajectory),
    "sharegpt": View("sharegpt", sharegpt.columns, sharegpt.render, sharegpt.schema, _WAYS, sharegpt.to_trajectory),
}
"""Every view by name."""
