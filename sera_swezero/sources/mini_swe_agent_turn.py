"""The messages of mini-swe-agent, typed, and a turn of the model in each of the ways in which it is recorded."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from sera_swezero.core.conversions import ConversionLog
from sera_swezero.core.text import BLANKS, join, split_thinking
from sera_swezero.core.trajectory import Step, ToolCall, Tools
from sera_swezero.errors import RowError
from sera_swezero.sources.bash_block import FENCE, as_arguments, find_block, unlabelled
from sera_swezero.sources.swe_agent_messages import Part
from sera_swezero.sources.tool_arguments import ChatCall, ChatFunction, checked_calls

_TAG, _END_TAG = "<mswea_bash_command>", "</mswea_bash_command>"
_OPENINGS = ("```mswea_bash_command", _TAG, FENCE)
"""How a text model opens a command: version 2, version 2 with XML, version 1."""


class RunAction(msgspec.Struct, gc=False):
    """A command that the program found in a turn."""

    command: str = ""


class Extra(msgspec.Struct, gc=False):
    """What the program notes beside a message."""

    exit_status: Any = None
    actions: list[RunAction] | None = None


class OutputItem(msgspec.Struct, gc=False):
    """A part of an answer of OpenAI's Responses API."""

    type: str
    content: list[dict[str, Any]] | None = None
    summary: list[dict[str, Any]] | None = None
    name: str = ""
    arguments: msgspec.Raw = msgspec.Raw(b"null")
    call_id: str | None = None


class MiniMessage(msgspec.Struct, gc=False):
    """One message. Those of OpenAI's Responses API have no role: `chat_message` gives them one."""

    role: str = ""
    content: str | list[Part] | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    tool_calls: list[ChatCall] | None = None
    tool_call_id: str | None = None
    extra: Extra | None = None
    output: str | list[OutputItem] | None = None
    call_id: str | None = None

    def text(self, where: str) -> str:
        """The content. Raises RowError `bad_messages` where it is more than one text."""
        if isinstance(self.content, list):
            if len(self.content) != 1:
                raise RowError("bad_messages", f"{len(self.content)} content parts; expected one text", where)
            return self.content[0].text
        return self.content or ""

    @property
    def is_exit(self) -> bool:
        """Whether the harness says here how the run ended."""
        return self.role == "exit" or (self.role == "user" and self.extra is not None and bool(self.extra.exit_status))


def chat_message(message: MiniMessage) -> MiniMessage:
    """A message of the Responses API as one of the chat API; any other as it is."""
    output = message.output
    if message.role or output is None:
        return message
    if isinstance(output, str):
        return MiniMessage("tool", output, tool_call_id=message.call_id, extra=message.extra)
    called = [item for item in output if item.type == "function_call"]
    return MiniMessage(
        "assistant",
        join(*_texts(item.content for item in output if item.type == "message")),
        reasoning_content=join(*_texts(item.summary or item.content for item in output if item.type == "reasoning")),
        tool_calls=[ChatCall(ChatFunction(item.name, item.arguments), item.call_id) for item in called],
        extra=message.extra,
    )


def _texts(parts: Iterable[list[dict[str, Any]] | None]) -> list[str]:
    return [text for part in parts for one in part or () if isinstance(text := one.get("text"), str)]


def opening_of(messages: Sequence[MiniMessage]) -> str | None:
    """How the run's text model opens a command, "" where that is unknown; None where the model calls tools."""
    turns = [message for message in messages if message.role == "assistant"]
    if any(turn.tool_calls for turn in turns):
        return None
    texts = [turn.content for turn in turns if isinstance(turn.content, str)]
    return next((one for one in _OPENINGS if any(one in text for text in texts)), "")


def turn_of(message: MiniMessage, opening: str | None, tools: Tools, conversions: ConversionLog, where: str) -> Step:
    """Read a turn, without what came back. Raises RowError `bad_messages`, `bad_arguments`.

    The words of a text model are its reasoning, as in SWE-ZERO, unless reasoning is recorded apart from them.
    """
    content = message.text(f"{where}.content")
    thinking = message.reasoning_content or message.reasoning or ""
    if opening is None:
        calls = tuple(checked_calls(message.tool_calls or (), tools, conversions, where))
    else:
        content, command = _split(content, opening, message.extra.actions if message.extra else None)
        calls = () if command is None else (ToolCall("bash", as_arguments(command)),)
    reasoning, visible = split_thinking(content)
    if opening is not None and not thinking and not reasoning:
        reasoning, visible = visible, ""
    return Step(join(thinking.strip(BLANKS), reasoning), visible, calls)


def _split(content: str, opening: str, ran: Sequence[RunAction] | None) -> tuple[str, str | None]:
    """The words of a turn, and its command, or None where there is not exactly one: then the program runs nothing.

    `ran` is what the program found, where it recorded that: users may give it a pattern of their own.
    """
    block = _block(content, opening)
    if ran is not None:
        command = ran[0].command if len(ran) == 1 else None
        if block is None or block[1].strip(BLANKS) != command:
            return unlabelled(content), command
    if block is None or _block(content[block[2] :], opening):
        return unlabelled(content), None
    start, command, end = block
    return join(unlabelled(content[:start]), content[end:].strip(BLANKS)), command.strip(BLANKS)


def _block(content: str, opening: str) -> tuple[int, str, int] | None:
    if opening != _TAG:
        return find_block(content, opening) if opening else None
    start = content.find(_TAG)
    end = content.find(_END_TAG, start)
    return (start, content[start + len(_TAG) : end], end + len(_END_TAG)) if 0 <= start < end else None
