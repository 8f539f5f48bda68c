"""What a source is: how records of one raw format are read, reported as events, and shown in the views."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from sera_swezero.core.conversions import ConversionLog
from sera_swezero.core.events import Event
from sera_swezero.core.trajectory import ToolCall, Tools, Trajectory
from sera_swezero.schemas.columns import Column

MESSAGES = Column(
    type="string",
    about="JSON text of a list of {role, content}; the order is the grammar of a rollout.",
    content="rectified-messages",
)
"""The column `messages` of the rectified view. A source puts it where its card has it."""


RECALL = Column(
    type="float64",
    nullable=True,
    about="Share of the target patch's changed lines that the rollout's patch holds; SERA T2 only.",
    rules={"minimum": 0, "maximum": 1},
)
"""The column `line_level_recall` of every view that has it."""


class RecordContext(NamedTuple):
    """What the caller knows of records that do not say it themselves."""

    messages_column: str | None = None
    """The column that holds the messages; None lets the source look for it."""
    tools: Tools = ()
    """The tools that the model could call, for records that name none."""


@dataclass(frozen=True, kw_only=True)
class Source:
    """One raw format."""

    name: str
    """Its key in `SOURCES`."""
    read: Callable[[bytes | dict[str, Any], ConversionLog, RecordContext], Any]
    """Raw line, row or file -> the source's own typed record. Its `instance_id` is "" where the record names none; the
    record is then named after its file. Raises RowError."""
    events: Callable[[Any, ConversionLog], Iterator[Event]]
    """Record -> its events, in order. Raises RowError."""
    tools: Callable[[Any], Tools] = lambda record: record.tools
    """Record -> the tools that the model could call."""
    system_text: Callable[[Trajectory, str], str] = lambda trajectory, _submit: trajectory.system or ""
    """The system text of converted rows, which views put after the description of the tools. It is also given how the
    view shows the end of a rollout: "call" or "answer"."""
    submit_text: Callable[[ToolCall], str]
    """What a submit call says beyond announcing the submission."""
    recall: Callable[[Any, Mapping[str, str]], float | None] = lambda _record, _facts: None
    """The line-level recall of a record, given the facts of its set (`catalog.Origin.facts`). It is None where there
    is no target patch to compare with."""
    rectified_columns: Mapping[str, Column]
    """Columns of the rectified view, in the card's order. An `exit_status` among them holds a status of
    `trajectory.STATUSES`, in any case of letters: reading a row back relies on it."""
    rectified_values: Callable[[Any, Mapping[str, str]], dict[str, Any]]
    """Their values but `messages`, given a record and the facts of its set."""
    native_columns: Mapping[str, Mapping[str, Column]]
    """Upstream columns in the file's order, by shape of the set (`catalog.Origin.shape`); one is `instance_id`."""
    native_values: Callable[[Any], dict[str, Any]]
    """The record's upstream columns; it may return more than those of the set's own shape."""
    blocked: Callable[[str], object] | None = None
    """Whether an observation says that the harness refused to run the command; None where no harness does so."""
    reads_all_columns: bool = False
    """Whether its Parquet files are read with whatever columns they have. Otherwise only the columns of their shape are
    read, and they are checked before the first row."""
    takes: tuple[str, ...] = ()
    """The arguments of a config that it alone understands: fields of `RecordContext`."""
    counts_unique: bool = False
    """Whether statistics give the share of unique rollouts without being asked, because the set's card does. They need
    a signature of every rollout."""
