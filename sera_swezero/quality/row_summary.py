"""What the statistics see of one row, whichever its view and source.

Two views hold whole rollouts in the columns of the cards: rectified and native. Their rows are read as they are
published, so a figure says what a user of the data gets.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import msgspec

from sera_swezero.core.conversions import ConversionLog
from sera_swezero.core.trajectory import ToolCall, Trajectory
from sera_swezero.sources import RecordContext, Source
from sera_swezero.sources.bash_block import command_of
from sera_swezero.sources.decoding import decode
from sera_swezero.views import VIEWS, Row

EDITOR = "str_replace_editor"
"""The tool whose calls are also counted by their `command`."""


@dataclass(frozen=True)
class RowKind:
    """The source, view and set of some rows."""

    source: Source
    view: str
    facts: dict[str, str] = field(default_factory=dict)
    """Teacher, scale and rollout of their set, where it has these."""


@dataclass(kw_only=True)
class RowSummary:
    """One row as the statistics see it."""

    row: Row
    instance_id: str
    trajectory: Trajectory
    texts: list[tuple[str, str]]
    """Role and text of every message, wrappers included."""
    turns: int
    """The model's turns: the set's own `n_turns` where it has one, as the SWE-ZERO card counts them."""
    bare_turns: int | None
    """Turns without a tool call; None where the view folds such turns away."""
    recall: float | None
    """Line-level recall; None where there is none."""
    observations: int
    """Observations of tool calls."""
    blocked: int | None
    """Observations by which the harness refused to run a command; None where no harness does (`Source.blocked`)."""

    @property
    def outcome(self) -> str:
        """How the rollout ended: a key of `trajectory.STATUSES`."""
        return self.trajectory.outcome.status

    @property
    def calls(self) -> list[ToolCall]:
        """The tool calls, in order."""
        return [call for step in self.trajectory.steps for call in step.calls]

    @property
    def commands(self) -> str:
        """The commands, joined by newlines, by which near-duplicates are found; see `command_text`."""
        return "\n".join(command_text(call) for call in self.calls)


def summarise(row: Row, kind: RowKind) -> RowSummary:
    """Read one row. Raises RowError where a native row does not convert."""
    view = VIEWS[kind.view]
    # The native view takes no `submit`. The rectified view folds turns without a call.
    is_native = not view.submits
    trajectory = view.to_trajectory(row, kind.source)
    texts = _texts(row.get(view.messages_columns[0]) or [])
    turns = row.get("n_turns")
    if turns is None:
        turns = sum(role == "assistant" for role, _ in texts) if is_native else len(trajectory.steps)
    recall = row.get("line_level_recall")
    if is_native and kind.facts:
        recall = kind.source.recall(kind.source.read(row, ConversionLog(), RecordContext()), kind.facts)
    observations = [
        call.observation for step in trajectory.steps for call in step.calls if call.observation is not None
    ]
    blocked = kind.source.blocked
    return RowSummary(
        row=row,
        instance_id=row["instance_id"],
        trajectory=trajectory,
        texts=texts,
        turns=int(turns),
        bare_turns=sum(not step.calls for step in trajectory.steps) if is_native else None,
        recall=recall,
        observations=len(observations),
        blocked=None if blocked is None else sum(1 for text in observations if blocked(text)),
    )


class _Message(msgspec.Struct):
    role: str
    content: str | list[Any] | None = None


_MESSAGES = msgspec.json.Decoder(list[_Message])


def command_text(call: ToolCall) -> str:
    """A call as a command: a shell's command as it is; of any other tool, the name and the arguments."""
    command = command_of(call.arguments) if call.name == "bash" else None
    return f"{call.name} {call.arguments}" if command is None else command


def _texts(messages: str | list[dict[str, Any]]) -> list[tuple[str, str]]:
    if isinstance(messages, str):
        parsed = decode(_MESSAGES, messages, ConversionLog(), wrong="bad_messages", where="$.messages")
        return [(message.role, _plain(message.content)) for message in parsed]
    return [(message["role"], message["content"]) for message in messages]


def _plain(content: str | list[Any] | None) -> str:
    """The text of a message, which SWE-agent's histories may also hold as a list of one part."""
    if isinstance(content, list):
        return "".join(part.get("text", "") for part in content if isinstance(part, dict))
    return content or ""
