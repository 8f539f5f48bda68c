r"""SERA: SWE-agent histories of allenai/Sera-4.5A-Full-T1/T2 and allenai/Sera-4.6-Lite-T1/T2, one JSONL file each.

A line is an object of eight columns; `messages` is a JSON string of the history (upstream's card: "apply json.loads"):

    {"role": "system", "content": "...", "agent": "main", "message_type": "system_prompt"}
    {"role": "user", "content": [{"type": "text", "text": "..."}], ...}
    {"role": "assistant", "content": "<think>A</think>\nB", "thought": "<think>A</think>\nB", "action": "...",
     "tool_calls": [{"index": -1, "id": "call_...", "type": "function",
                     "function": {"name": "bash", "arguments": "{\"command\": \"ls\"}"}}], ...}
    {"role": "tool", "content": [{"type": "text", "text": "OBSERVATION:\n..."}], "tool_call_ids": ["call_..."], ...}

Oddities, all seen or known from SWE-agent's code:
* `submit` happens twice by design (`review_on_submit_m`: the first shows a review, the second submits), up to five
times; * a harness that gives up writes an assistant turn `Exit due to ...` without a tool call, then a user message;
* content is a string, or a list of one text part where the cache-control processor passed;
* `action` repeats the call in shell form; unknown keys occur; both are ignored.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any

import msgspec

from sera_swezero.core.conversions import Notes
from sera_swezero.core.recall import line_level_recall
from sera_swezero.core.rectify import Begun, filler, merge
from sera_swezero.core.text import join, mend_json, split_thinking, strip_prefix
from sera_swezero.core.trajectory import (
    EXITED,
    INCOMPLETE,
    SUBMITTED,
    Called,
    Ended,
    Event,
    Observed,
    Outcome,
    Said,
    Step,
    System,
    Task,
    ToolCall,
    Trajectory,
)
from sera_swezero.errors import RowError
from sera_swezero.sources.decoding import decode
from sera_swezero.sources.swe_agent_messages import (
    Message,
    arguments_of,
    call_of,
    content_of,
    messages_of,
    no_role,
    turn_text,
)
from sera_swezero.sources.tool_arguments import typed

TOOLS = "tools-sera"
SUBMIT = "submit"
EXIT = "Exit due to "

CARD_COLUMNS = {
    "messages": "string",
    "instance_id": "string",
    "teacher": "string",
    "scale": "string",
    "rollout": "string",
    "func_name": "string",
    "func_path": "string",
    "line_level_recall": "float64?",
}
"""Columns of the rectified view, in the card's order; `?` marks one that may be null."""

NATIVE_COLUMNS = {
    "sera": {
        "messages": "string",
        "instance_id": "string",
        "rollout_patch": "string?",
        "func_name": "string",
        "func_path": "string",
        "problem_statement": "string?",
        "target_patch": "string?",
        "docker_image": "string?",
    }
}
"""Columns of the native view by shape of the upstream set, in the file's order."""


class Record(msgspec.Struct):
    """One line of the file. `messages` is the history's JSON text, whichever way the line holds it."""

    messages: str
    instance_id: str
    func_name: str
    func_path: str
    rollout_patch: str | None = None
    problem_statement: str | None = None
    target_patch: str | None = None
    docker_image: str | None = None


class _ListRecord(Record):
    """A line whose history is no string."""

    messages: msgspec.Raw  # type: ignore[assignment]


_BEGINNING: dict[str, type[System | Task]] = {"system": System, "user": Task}
_RECORD = msgspec.json.Decoder(Record)
_LIST_RECORD = msgspec.json.Decoder(_ListRecord)
_STRING = msgspec.json.Decoder(str)


def read(raw: bytes | dict[str, Any], notes: Notes) -> Record:
    """Decode one line. Raises RowError `not_json` or `bad_record`."""
    line = raw if isinstance(raw, bytes) else json.dumps(raw).encode()
    try:
        record = _RECORD.decode(line)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        record = _odd_record(line, notes)
    if not record.instance_id:
        raise RowError("bad_record", "instance_id is empty; expected the repository and a number", "$.instance_id")
    return record


def events(record: Record, notes: Notes) -> Iterator[Event]:
    """Tell the history as events, in order. Raises RowError `bad_messages`, `many_calls`, `bad_arguments`."""
    return _events(enumerate(messages_of(record.messages, notes)), record.messages, notes)


def _events(numbered: Iterable[tuple[int, Message]], history: str, notes: Notes) -> Iterator[Event]:
    status, detail, tasked, exited = INCOMPLETE, "", False, False
    for index, message in numbered:
        role, call = message.role, call_of(message, index)
        if role == "assistant":
            text = turn_text(message, index, notes)
            if text.startswith(EXIT) and call is None:
                exited, detail = True, text
                notes.add("harness_exit", detail)
                continue
            exited = False
            said = Said(*split_thinking(text))
            yield said
            if call is not None:
                submits = call.function.name == SUBMIT
                arguments = arguments_of(history, index, call, TOOLS, notes)
                yield Called(ToolCall(call.function.name, arguments, call.id, submits))
                status = SUBMITTED if submits else INCOMPLETE
            elif said.reasoning or said.visible:
                status = SUBMITTED
        elif role == "tool" or (role == "user" and tasked):
            text, prefix = strip_prefix(content_of(message, index))
            if exited:
                # The turn and the reply to it are one note.
                notes[-1] = ("harness_exit", join(detail, text))
                exited = False
                continue
            if prefix:
                notes.add("observation_prefix", prefix)
            yield Observed(text, message.tool_call_ids[0] if message.tool_call_ids else None)
        elif role in _BEGINNING:
            tasked = tasked or role == "user"
            yield _BEGINNING[role](content_of(message, index))
        else:
            raise no_role(role, index)
    yield Ended(Outcome(EXITED if detail and status == INCOMPLETE else status, detail))


def ordinary(record: Record, notes: Notes) -> tuple[Begun, Iterator[Event]]:
    """The steps that the history begins with as long as they are ordinary, rectified; and the other messages' events.

    Ordinary is a turn with thought, one call that is no submit and its observation: nearly every step. Its neighbours
    change nothing about it and it changes nothing about them, so that a history without it is rectified to the same.
    Going from message to rectified step at once takes a third of the time.
    """
    messages = messages_of(record.messages, notes)
    steps: list[Step] = []
    begun = Begun(steps, Notes())
    checks = typed(TOOLS)
    usual = [message.role for message in messages[:2]] == ["system", "user"]
    pairs = iter(messages[2:] if usual else ())
    for turn, reply in zip(pairs, pairs, strict=False):
        text, calls = turn.thought, turn.tool_calls
        if turn.role != "assistant" or reply.role != "tool" or not text or text != turn.content or not calls:
            break
        call, ids = calls[0], reply.tool_call_ids
        name, arguments = call.function.name, call.function.arguments
        if len(calls) > 1 or name == SUBMIT or (ids and ids[0] != call.id) or reply.tool_calls:
            break
        try:
            checks[name](arguments)
            seen, prefix = strip_prefix(content_of(reply, 0))
        except (KeyError, TypeError, UnicodeError, RecursionError, msgspec.DecodeError):
            break
        said, visible = split_thinking(text)
        if visible:
            said = merge(said, visible, begun.notes)
        elif not said:
            said = filler(record.instance_id, len(steps), arguments, begun.notes)
        if prefix:
            notes.append(("observation_prefix", prefix))
        steps.append(Step(said, "", ToolCall(name, arguments, call.id), seen))
    following = 2 + 2 * len(steps)
    others = chain(enumerate(messages[:2]), enumerate(messages[following:], following))
    return begun, _events(others, record.messages, notes)


def briefing(trajectory: Trajectory, *, answer: bool) -> str:
    """The upstream system line: it fits every view, and neither way of submitting changes it."""
    del answer
    return trajectory.system or ""


def submit_text(call: ToolCall) -> str:
    """`submit` takes no arguments; where a model gave some, they are what it said beyond submitting."""
    return call.arguments if call.arguments.strip("{} \t\r\n") else ""


def recall(record: Record, facts: dict[str, str]) -> float | None:
    """Line-level recall of a T2 rollout against its T1 target; None for T1 and where the target has no lines."""
    return line_level_recall(record.target_patch, record.rollout_patch) if facts["rollout"] == "T2" else None


def card(record: Record, facts: dict[str, str]) -> dict[str, Any]:
    """The rectified view's columns but `messages` and the recall."""
    return {
        "instance_id": record.instance_id,
        "teacher": facts["teacher"],
        "scale": facts["scale"],
        "rollout": facts["rollout"],
        "func_name": record.func_name,
        "func_path": record.func_path,
        "line_level_recall": recall(record, facts),
    }


def native(record: Record) -> dict[str, Any]:
    """The upstream columns as they are; a `messages` that is a list already becomes the JSON string it should be."""
    return {name: getattr(record, name) for name in NATIVE_COLUMNS["sera"]}


def _odd_record(line: bytes, notes: Notes) -> Record:
    """Decode a line that is not of the usual type: with lone surrogates, with a list for its history, or wrong."""
    wrong = "bad_record" if line.lstrip()[:1] == b"{" else "not_json"
    record = decode(_LIST_RECORD, line, notes, broken="not_json", wrong=wrong, where="$")
    raw = bytes(record.messages)
    if raw[:1] == b'"':
        text = decode(_STRING, raw, notes, broken="bad_record", wrong="bad_record", where="$.messages")
    elif raw[:1] == b"[":
        mended, count = mend_json(raw)  # the line was decoded around it
        if count:
            notes.add("mended_surrogate", times=count)
        text = mended.decode()
    else:
        raise RowError("bad_record", f"messages are {raw[:20]!r}; expected a string of JSON or a list", "$.messages")
    return Record(**{**msgspec.structs.asdict(record), "messages": text})
