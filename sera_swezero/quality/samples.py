"""Sample rows to look at: a fair choice in one pass, which does not depend on the order of the rows."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from hashlib import blake2b
from typing import Any

import msgspec

from sera_swezero.core.trajectory import ToolCall
from sera_swezero.quality.row_summary import RowSummary
from sera_swezero.request.kept_rows import Place
from sera_swezero.sources.bash_block import command_of


class SampleMessage(msgspec.Struct):
    """One message to show."""

    role: str
    """One of the rectified view's six, or `text` for words next to a tool call."""
    text: str


class Sample(msgspec.Struct):
    """One row to show."""

    set: str
    instance_id: str
    place: str
    status: str
    """How the rollout ended."""
    facts: dict[str, str]
    """What else its columns say, in short."""
    messages: list[SampleMessage]


class Samples:
    """The sample of a set: the rows with the least hashes of their places, so each row is as likely as any other."""

    def __init__(self, wanted: int) -> None:
        self._wanted = wanted
        self._chosen: list[tuple[int, str, Sample]] = []  # a heap, the greatest hash first

    def note(self, name: str, place: Place, summary: RowSummary) -> None:
        """Consider one row."""
        where = f"{place.repo}/{place.file}:{place.offset}".lstrip("/")
        rank = -int.from_bytes(blake2b(where.encode(), digest_size=8).digest(), "big")
        if len(self._chosen) < self._wanted:
            heapq.heappush(self._chosen, (rank, where, _sample(name, where, summary)))
        elif self._wanted and rank > self._chosen[0][0]:
            heapq.heapreplace(self._chosen, (rank, where, _sample(name, where, summary)))

    def chosen(self) -> list[Sample]:
        """The chosen rows, in an order that says nothing."""
        return [sample for _, _, sample in sorted(self._chosen, key=lambda entry: -entry[0])]


_SHOWN = ("repo", "func_name", "func_path", "line_level_recall", "exit_status_detail", "duration_sec")
"""The columns to show with a trajectory."""


def _sample(name: str, place: str, summary: RowSummary) -> Sample:
    facts = {column: str(summary.row[column]) for column in _SHOWN if summary.row.get(column) not in {None, ""}}
    facts["tool calls"] = str(len(summary.calls))
    return Sample(
        set=name,
        instance_id=summary.instance_id,
        place=place,
        status=summary.outcome,
        facts=facts,
        messages=list(_messages(summary)),
    )


def _messages(summary: RowSummary) -> Iterator[SampleMessage]:
    """The trajectory as a person reads it: without wrappers, the arguments of calls as text."""
    trajectory = summary.trajectory
    for role, text in (("system", trajectory.system), ("user", trajectory.task)):
        if text is not None:
            yield SampleMessage(role, text)
    for step in trajectory.steps:
        last = not step.calls
        for role, text in (("reasoning", step.reasoning), ("answer" if last else "text", step.visible)):
            if text:
                yield SampleMessage(role, text)
        for call in step.calls:
            yield SampleMessage("tool_call", call_text(call))
            if call.observation is not None:
                yield SampleMessage("tool_output", call.observation)
        if step.reply is not None:
            yield SampleMessage("user", step.reply)


def call_text(call: ToolCall) -> str:
    """A tool call without JSON's escapes: a shell's command as it is, other arguments by name."""
    command = command_of(call.arguments)
    if call.name == "bash" and command is not None:
        return f"$ {command}"
    try:
        arguments: dict[str, Any] = msgspec.json.decode(call.arguments)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return f"{call.name} {call.arguments}"
    lines = [call.name]
    for key, value in arguments.items():
        text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
        lines.append(f"{key}:\n{text}" if "\n" in text else f"{key}: {text}")
    return "\n".join(lines)
