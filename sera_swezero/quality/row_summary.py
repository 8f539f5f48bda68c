"""What the statistics see of one row, whichever view and source it is of.

Two views hold whole rollouts in the cards' own columns, rectified and native, and those are what is read here: the rows
as they are published, so that a figure says what a user of the data gets.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from sera_swezero.core.conversions import ConversionLog
from sera_swezero.core.machine import fold
from sera_swezero.core.trajectory import INCOMPLETE, OTHER, STATUSES, SUBMITTED, Outcome, Step, ToolCall, Trajectory
from sera_swezero.sources import Source
from sera_swezero.sources.decoding import decode
from sera_swezero.views import Row

EDITOR = "str_replace_editor"
"""The tool whose calls are also counted by their `command`."""

VIEWS_READ = ("rectified", "native")


@dataclass(frozen=True)
class Shape:
    """Which rows: their source, view, and whatever else of them is not in the row itself."""

    source: Source
    view: str
    facts: dict[str, str] = field(default_factory=dict)


@dataclass
class Looked:
    """One row as the statistics see it.

    texts: (role, text) of every message, wrappers included. turns: the model's (SWE-ZERO's `n_turns`); bare: those of
    them without a tool call, None where the view folds such turns away. recall: None where there is none.
    """

    row: Row
    instance_id: str
    trajectory: Trajectory
    texts: list[tuple[str, str]]
    turns: int
    bare: int | None
    recall: float | None

    @property
    def status(self) -> str:
        """How the rollout ended: a key of `trajectory.STATUSES`."""
        return self.trajectory.outcome.status

    @property
    def calls(self) -> list[ToolCall]:
        """The tool calls, in order."""
        return [step.call for step in self.trajectory.steps if step.call is not None]

    @property
    def commands(self) -> str:
        """What near-duplicates are found by: the commands, joined by newlines; see `command_text`."""
        return "\n".join(command_text(call) for call in self.calls)


class _Message(msgspec.Struct):
    role: str
    content: str | list[Any] | None = None


class _Arguments(msgspec.Struct):
    command: str | None = None


_MESSAGES = msgspec.json.Decoder(list[_Message])
_arguments = msgspec.json.Decoder(_Arguments).decode
_call = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def look(row: Row, shape: Shape) -> Looked:
    """Read one row. Raises RowError where a native row is none."""
    return _LOOKS[shape.view](row, shape)


def command_of(call: ToolCall) -> str | None:
    """The argument `command` of a call, None where it has none."""
    try:
        return _arguments(call.arguments).command
    except (msgspec.DecodeError, UnicodeError):
        return None


def command_text(call: ToolCall) -> str:
    """A call as a command: a shell's command as it is; of any other tool, the name and the arguments."""
    command = command_of(call) if call.name == "bash" else None
    return f"{call.name} {call.arguments}" if command is None else command


def _look_native(row: Row, shape: Shape) -> Looked:
    notes = ConversionLog()
    record = shape.source.read(row, notes)
    trajectory = fold(shape.source.events(record, notes))
    texts = _texts(row["messages"])
    return Looked(
        row=row,
        instance_id=record.instance_id,
        trajectory=trajectory,
        texts=texts,
        turns=_turns(row, sum(role == "assistant" for role, _ in texts)),
        bare=sum(step.call is None for step in trajectory.steps),
        recall=shape.source.recall(record, shape.facts) if shape.facts else None,
    )


def _look_rectified(row: Row, _shape: Shape) -> Looked:
    texts = _texts(row["messages"])
    steps: list[Step] = []
    opening: dict[str, str] = {}
    for role, content in texts:
        text = _unwrapped(content)
        if role == "reasoning":
            steps.append(Step(text, "", None, None))
        elif role == "tool_call":
            call = _call(text)
            name = msgspec.json.decode(call["name"], type=str)
            steps[-1] = steps[-1]._replace(call=ToolCall(name, bytes(call["arguments"]).decode()))
        elif role == "tool_output":
            steps[-1] = steps[-1]._replace(observation=text)
        elif role == "answer":
            steps[-1] = steps[-1]._replace(visible=text)
        else:
            opening[role] = content
    status = _status(row, texts)
    trajectory = Trajectory(opening.get("system"), opening.get("user"), tuple(steps), Outcome(status))
    return Looked(
        row=row,
        instance_id=row["instance_id"],
        trajectory=trajectory,
        texts=texts,
        turns=_turns(row, len(steps)),
        bare=None,
        recall=row.get("line_level_recall"),
    )


def _turns(row: Row, counted: int) -> int:
    """The model's turns: the set's own number where it has one, as the SWE-ZERO card takes it."""
    said = row.get("n_turns")
    return counted if said is None else int(said)


def _status(row: Row, texts: list[tuple[str, str]]) -> str:
    """How a rectified row ended: what it says, else whether it ends in an answer."""
    if "exit_status" in row:
        status = (row["exit_status"] or "").lower()
        return status if status in STATUSES else OTHER
    return SUBMITTED if texts and texts[-1][0] == "answer" else INCOMPLETE


def _unwrapped(content: str) -> str:
    """The text between a message's wrapper tags."""
    start, end = content.find(">"), content.rfind("</")
    return content[start + 1 : end] if content.startswith("<") and end > start else content


def _texts(messages: str | list[dict[str, Any]]) -> list[tuple[str, str]]:
    if isinstance(messages, str):
        wrong = "bad_messages"
        parsed = decode(_MESSAGES, messages, ConversionLog(), broken=wrong, wrong=wrong, where="$.messages")
        return [(message.role, _plain(message.content)) for message in parsed]
    return [(message["role"], message["content"]) for message in messages]


def _plain(content: str | list[Any] | None) -> str:
    """A message's text: SWE-agent's histories also have it as a list of one part."""
    if isinstance(content, list):
        return "".join(part.get("text", "") for part in content if isinstance(part, dict))
    return content or ""


_LOOKS: dict[str, Callable[[Row, Shape], Looked]] = {"rectified": _look_rectified, "native": _look_native}
