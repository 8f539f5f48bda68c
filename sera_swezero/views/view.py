"""What a view is: how a trajectory is written down as a row, read back, and looked at."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from sera_swezero.catalog import Origin
from sera_swezero.core.conversions import ConversionLog
from sera_swezero.core.trajectory import Tools, Trajectory
from sera_swezero.errors import RowError
from sera_swezero.schemas.columns import Column, filled_text
from sera_swezero.schemas.validate import Fault
from sera_swezero.sources.source import Source
from sera_swezero.views.text_marks import Marks
from sera_swezero.views.token_counts import Chat
from sera_swezero.views.token_limit import Limit

Row = dict[str, Any]
"""Column name -> value.

Inside the package a column of JSON text (`Column.content`) holds UTF-8 bytes, or a list of them, which `build` writes
as they are: decoding and encoding 150 kB beyond ASCII would take half as long as converting them. `text_row` turns the
bytes into text for everybody else."""
Message = dict[str, Any]
Columns = dict[str, str]
"""Column name -> type, as `str(schemas.columns.Column)` writes it: a key of `schemas.columns.FEATURES`, `?` after it
where a value may be null."""


LINEAGE: Mapping[str, Column] = {
    "source_repo": filled_text("Upstream repo id."),
    "source_revision": Column(type="string", about="Its commit; empty below a root."),
    "source_file": filled_text("Path inside the repo."),
    "source_offset": Column(
        type="int64", about="Byte offset of the line (JSONL) or row number (Parquet).", rules={"minimum": 0}
    ),
    "conversions": Column(type="counts", about="How often each kind of conversion was needed."),
}
"""The columns that `lineage=True` adds to a row of any view: where it came from, and what was done to it."""


@dataclass(kw_only=True, slots=True)
class ViewInput:
    """One record, read and folded: what a view renders."""

    record: Any
    """The source's own typed record."""
    trajectory: Trajectory
    """What happened in it."""
    tools: Tools
    """The tools that the model could call."""
    source: Source
    origin: Origin
    """The set that the record is of."""
    submit: str
    """How a training view shows the end of a rollout: "call" or "answer"."""
    limit: Limit | None
    """The most tokens of a row, None for any number."""
    history: int | None
    """How many of the last observations a row of one turn shows in full; None for all."""
    record_conversions: ConversionLog
    """The conversions that reading the record needed."""
    conversions: ConversionLog
    """All other conversions. A view that leaves text out adds to them."""


class Rendered(NamedTuple):
    """A row and what a count of rows needs to know of it."""

    row: Row
    messages: int
    """How many messages it shows."""
    calls: int
    """How many tool calls it shows."""


def text_row(row: Row) -> Row:
    """The row with its JSON text as str."""
    return {name: _text(value) for name, value in row.items()}


def _text(value: Any) -> Any:
    if type(value) is list and value and type(value[0]) is bytes:
        return [text.decode() for text in value]
    return value.decode() if type(value) is bytes else value


@dataclass(frozen=True, kw_only=True)
class View:
    """One way to write a Trajectory down."""

    name: str
    """Its key in `VIEWS`, and the suffix of config names."""
    columns: Callable[[Source, str], Mapping[str, Column]]
    """Source and shape of the set -> the view's columns, in order."""
    render: Callable[[ViewInput], Iterable[Rendered | RowError]]
    """Writes the rows of a record: nearly always one. An error among them stands for a row that is left out.

    It raises RowError where the record gives no row, and does so before it returns: no record is rejected after its
    first row."""
    to_trajectory: Callable[[Row, Source], Trajectory]
    """Reads a row back, as it is rendered or as `datasets` returns it."""
    schema: Callable[[Source, str], str]
    """Source and shape of the set -> the name of the row's JSON Schema."""
    submits: tuple[str, ...] = ()
    """The values of `submit` that the view takes, its default first; empty where it takes none."""
    trains: bool = False
    """Whether trainers take its rows as they are. Such a view has the columns of `training.COMMON`, and its rows may be
    held to a length."""
    for_statistics: bool = False
    """Whether statistics and near-duplicates are taken of its rows, which then show whole rollouts."""
    has_json_leaves: bool = False
    """Whether its columns need the feature `Json`, which came with `datasets` 4.8."""
    optional: Mapping[str, Column] | None = None
    """Columns that its rows have only with some arguments: see `Limit.columns`."""
    messages_columns: tuple[str, ...] = ("messages",)
    """The columns that hold the trajectory, in order."""
    one_turn: bool = False
    """Whether a row trains one turn of the model, its last, and a record gives a row per turn. Such a view takes
    `history`, and no other `overlong` than "drop"."""
    marks_training: bool = False
    """Whether its messages say which of them are trained, so that a window may begin with turns that are not."""
    chat: Callable[[Row], Chat] | None = None
    """The messages and tools that a trainer hands to a chat template; None where the view holds no chat."""
    as_messages: Callable[[Row], list[Message]] | None = None
    """The messages of a row, where its column does not hold them as such."""
    mark: Callable[[Message, Marks], Message] | None = None
    """Puts marks around the reasoning, calls, observations and answers in a message of the chat."""
    order_faults: Callable[[Source, Row, Mapping[str, Any]], Iterator[Fault]] | None = None
    """What no JSON Schema can say of a row, given also the decoded values of its columns of JSON text."""

    def __reduce__(self) -> tuple[Callable[[str], View], tuple[str]]:
        """Pickle by name, because functions of a view need not have names of their own."""
        return _by_name, (self.name,)

    def messages(self, row: Row) -> list[Message]:
        """The messages of a row, whether its columns hold them as lists, as JSON texts, or as one JSON text."""
        if self.as_messages is not None:
            return self.as_messages(row)
        messages: list[Any] = []
        for column in self.messages_columns:
            value = row.get(column) or []
            messages += json.loads(value) if isinstance(value, str | bytes) else value
        return json_values(messages)


def json_values(leaves: Iterable[Any]) -> list[Any]:
    """The values of Json leaves, which a row holds as JSON text and `datasets` as values."""
    return [json.loads(leaf) if isinstance(leaf, str | bytes) else leaf for leaf in leaves]


def _by_name(name: str) -> View:
    from sera_swezero.plugins import load_installed
    from sera_swezero.views import VIEWS

    load_installed()
    return VIEWS[name]
