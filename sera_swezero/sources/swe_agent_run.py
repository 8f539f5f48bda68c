"""The messages of SWE-agent's own files, as the history of one run that `History` reads.

The files say more than SERA's rows. What is not of the run is left out and logged. What older versions and text parsers
wrote in another form is brought into SERA's.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from sera_swezero.core.conversions import ConversionLog
from sera_swezero.core.events import Event
from sera_swezero.core.text import BLANKS, END_THINK, THINK, join
from sera_swezero.core.trajectory import ERRORED, EXITED, INCOMPLETE, OTHER, SUBMITTED, Outcome, ToolCall, Tools
from sera_swezero.errors import RowError
from sera_swezero.sources.bash_block import as_arguments, command_of
from sera_swezero.sources.swe_agent_history import EXITS, SUBMIT, History
from sera_swezero.sources.swe_agent_messages import Call, Function, Message, Part
from sera_swezero.sources.tool_arguments import ChatCall, written

_BASH = "bash"
_SUBMIT_LINE = re.compile(r"submit(?!\S)")
_FENCES = re.compile(r"```\S*|</?command>")
_CALLS = msgspec.json.Decoder(list[ChatCall])


class RunMessage(msgspec.Struct, gc=False, omit_defaults=True):
    """One message of a history."""

    role: str
    content: str | list[Part] | None = None
    thought: str | None = None
    action: str | None = None
    agent: str | None = None
    is_demo: bool | None = None
    message_type: str | None = None
    tool_calls: list[ChatCall] | str | None = None
    tool_call_ids: list[str] | None = None
    thinking_blocks: list[dict[str, Any]] | None = None

    @property
    def text(self) -> str:
        """Its content as one text."""
        return "".join(part.text for part in self.content) if isinstance(self.content, list) else self.content or ""

    @property
    def shell_line(self) -> str:
        """What a text parser found to run, "" where there is nothing."""
        return "" if self.tool_calls else (self.action or "").strip(BLANKS)

    @property
    def ends_run(self) -> bool:
        """Whether the model hands in its work here, or the harness gives up."""
        return _SUBMIT_LINE.match(self.action or "") is not None or (self.thought or self.text).startswith(EXITS)


HISTORY = msgspec.json.Decoder(list[RunMessage])
"""Decodes the messages of a history."""


def run_events(messages: Sequence[RunMessage], tools: Tools, conversions: ConversionLog, where: str) -> Iterator[Event]:
    """The events of one run; `where` is the path of its messages, for errors.

    Raises:
        RowError: while iterating, `bad_messages` or `bad_arguments`.
    """
    places: list[int] = []
    mine: list[Message] = []
    agent = messages[0].agent if messages else None
    for index, message in enumerate(messages):
        if message.is_demo or message.message_type == "demonstration":
            conversions.add("demonstration", message.text)
        elif message.agent not in (None, agent):
            conversions.add("other_run", message.text)
        else:
            places.append(index)
            mine.append(_plain(message, f"{where}[{index}]", conversions))
    try:
        yield from History(mine, "", tools, conversions, submits)
    except RowError as error:
        raise RowError(error.reason, error.problem, _moved(error.where, places, where)) from None


def submits(name: str, arguments: str) -> bool:
    """Whether a call hands in the work: of the tool `submit`, or of the shell where a text parser runs it."""
    return name == SUBMIT or (name == _BASH and _SUBMIT_LINE.match(command_of(arguments) or "") is not None)


def submit_text(call: ToolCall) -> str:
    """What a model said beyond submitting: arguments of `submit`, which takes none; or the rest of a shell line."""
    if call.name == SUBMIT:
        return call.arguments if call.arguments.strip("{} \t\r\n") else ""
    line = (command_of(call.arguments) or "") if call.name == _BASH else call.arguments
    return "" if line.strip(BLANKS) == SUBMIT else line


_STATUSES = {
    "exit_command": INCOMPLETE,
    "exit_forfeit": INCOMPLETE,
    "skipped": INCOMPLETE,
    "exit_api": ERRORED,
    "exit_environment_error": ERRORED,
    "exit_error": ERRORED,
    "early_exit": ERRORED,
}
"""`exit_status` -> how a run ended that the model did not submit. By any other `exit_...` the harness ended it."""


def outcome_of(exit_status: str | None, seen: Outcome) -> Outcome:
    """How the run ended, as the file says; `seen` is what its messages show, for a file that does not say it."""
    if not exit_status:
        return seen
    if exit_status == "submitted":
        return Outcome(SUBMITTED)
    why = exit_status.removeprefix("submitted (").removesuffix(")")
    status = _STATUSES.get(why) or (EXITED if why.startswith("exit_") else OTHER)
    return Outcome(status, seen.detail or exit_status)


def _moved(path: str, places: Sequence[int], where: str) -> str:
    """The path in the file of what `path` names among the messages of the run."""
    found = re.match(r"\$\.messages\[(\d+)\]", path)
    return f"{where}[{places[int(found[1])]}]{path[found.end() :]}" if found else where


def _plain(message: RunMessage, where: str, conversions: ConversionLog) -> Message:
    """A message in SERA's form."""
    if message.role != "assistant":
        return Message(message.role, message.content, tool_call_ids=message.tool_call_ids)
    calls, content, thought = _calls(message, where), message.content, message.thought or ""
    if message.shell_line:
        if thought.startswith(EXITS):  # version 0.x: the line, such as `exit_cost`, is the harness's
            return Message("assistant", thought)
        calls = [Call(Function(_BASH, as_arguments(message.shell_line)))]
        if _says_more(message.text, thought, message.shell_line):
            conversions.add("content_differs", message.text)
        content = None
    blocks = (block.get("thinking") for block in message.thinking_blocks or ())
    thinking = join(*(text for text in blocks if isinstance(text, str)))
    if thinking:
        if thought and content and message.text != thought:
            conversions.add("content_differs", message.text)
        content, thought = None, f"{THINK}{thinking}{END_THINK}{thought or message.text}"
    return Message("assistant", content, thought, calls)


def _says_more(content: str, thought: str, line: str) -> bool:
    """Whether a turn's text holds more than its thought and a fenced line to run."""
    at = content.rfind(line)
    rest = content[:at] + content[at + len(line) :] if at >= 0 else content
    return "".join(_FENCES.sub("", rest).split()) != "".join(_FENCES.sub("", thought).split())


def _calls(message: RunMessage, where: str) -> list[Call]:
    calls = message.tool_calls or []
    if isinstance(calls, str):
        calls = _parsed(calls, f"{where}.tool_calls")
    return [Call(Function(call.function.name, written(call.function.arguments)), call.id) for call in calls]


def _parsed(text: str, where: str) -> list[ChatCall]:
    """Calls that are a string: of JSON, or of Python."""
    try:
        return _CALLS.decode(text)
    except (msgspec.DecodeError, UnicodeError):
        pass
    try:
        return _CALLS.decode(json.dumps(ast.literal_eval(text)))
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        problem = f"calls are the string {text[:40]!r}; expected a list, or a string of JSON or Python with one"
        raise RowError("bad_messages", problem, where) from None
