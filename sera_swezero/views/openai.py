"""Messages and tools as the OpenAI chat API and today's chat templates have them: for TRL, Axolotl, marin, Unsloth.

    {"role": "system", "content": "..."}
    {"role": "user", "content": "the task"}
    {"role": "assistant", "content": "visible text or ''", "reasoning_content": "...", "tool_calls": [
        {"id": "call_0", "type": "function", "function": {"name": "bash", "arguments": {"command": "ls"}}}]}
    {"role": "tool", "name": "bash", "tool_call_id": "call_0", "content": "setup.py"}

* Arguments are objects: GLM's and Qwen's newer templates take nothing else, and text would be encoded twice by others.
* Results have the role `tool`, in SWE-ZERO too: templates drop earlier reasoning at every later `user`.
* `reasoning_content` and `tool_calls` are absent where a turn has none. Every message is a Json leaf of its own: a
  struct would hold each key in every message, as null, and templates ask whether a key is there.
* A turn with several calls is one message with several `tool_calls`, and one `tool` message follows per result.
* A source without call ids (SWE-ZERO) gets `call_0`, `call_1` and so on, by the number of the call in the rollout.

A row of this view holds the leaves as JSON text, which is what Arrow stores; `datasets` returns them as objects. They
are not objects from the start, because `datasets` would round the floats of an object to ten digits.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Annotated, TypeAlias

import msgspec
from msgspec.structs import replace

from sera_swezero.core.text import END_THINK
from sera_swezero.core.trajectory import Step, ToolCall, Trajectory
from sera_swezero.errors import RowError
from sera_swezero.schemas.columns import Column
from sera_swezero.sources.source import Source
from sera_swezero.views.text_marks import Marks
from sera_swezero.views.token_counts import Chat
from sera_swezero.views.training import COMMON, OPTIONAL, WAYS_TO_SUBMIT, Shown, count_calls, read_back, render_parts
from sera_swezero.views.view import Message, Rendered, Row, View, ViewInput, json_values

COLUMNS: Mapping[str, Column] = {
    "messages": Column(
        type="json",
        about="Chat messages in order, each a Json leaf: stored as JSON text, an object to readers with datasets.",
        rules={"minItems": 3},
        content="openai-message",
    ),
    "tools": Column(
        type="json",
        about="The tools that the model could call, each a Json leaf; none where nobody names them.",
        content="openai-tool",
    ),
    **COMMON,
}

_encode = msgspec.json.Encoder().encode
_CALLING = b'{"role": "assistant", "content": %b%b, "tool_calls": [%b]}'
_SAYING = b'{"role": "assistant", "content": %b%b}'
_CALL = b'{"id": %b, "type": "function", "function": {"name": %b, "arguments": %b}}'
_RESULT = b'{"role": "tool", "name": %b, "tool_call_id": %b, "content": %b}'
_SYSTEM = b'{"role": "system", "content": %b}'
_USER = b'{"role": "user", "content": %b}'
_LONG = re.compile(r"\d{19}")
# Nearly all arguments decode as this and so hold no wide integer; looking for digits takes ten times as long.
_VALUE: TypeAlias = str | bool | Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)] | None
_NARROW = msgspec.json.Decoder(dict[str, _VALUE | list[_VALUE]])
_WIDEST = range(-(2**63), 2**64)
"""The integers that `datasets` reads: signed or unsigned ones of 64 bits."""


def render(shown: Shown, view_input: ViewInput) -> Rendered:
    """Write the rollout down as chat messages. Raises RowError `wide_integer`."""
    messages = write_opening(shown)
    for turn, back in write_steps(shown.trajectory):
        messages.append(turn)
        messages += back
    row = {"messages": messages, "tools": [tool.encode() for tool in view_input.tools], **shown.common}
    return Rendered(row, len(messages), count_calls(shown.trajectory))


def to_trajectory(row: Row, _source: Source) -> Trajectory:
    """The Trajectory of a row."""
    return read_messages(row, VIEW.messages(row))


def read_messages(row: Row, chat: Sequence[Message]) -> Trajectory:
    """The Trajectory of a row with these messages."""
    system, task, *messages = chat
    steps: list[Step] = []
    for message in messages:
        if message["role"] == "assistant":
            calls = tuple(_read_call(call) for call in message.get("tool_calls", ()))
            steps.append(Step(message.get("reasoning_content", ""), message["content"], calls))
        elif message["role"] == "tool":
            steps[-1] = _with_result(steps[-1], message)
        else:
            steps[-1] = replace(steps[-1], reply=message["content"])
    return read_back(row, system["content"], task["content"], steps)


def chat(row: Row) -> Chat:
    """The chat of a row."""
    return json_values(row["messages"]), json_values(row["tools"])


def mark(message: Message, marks: Marks) -> Message:
    """The message with its texts between marks."""
    if message["role"] == "tool":
        return {**message, "content": marks.mark(message["content"], "observations")}
    if message["role"] != "assistant":
        return message
    marked = {**message, "content": marks.mark(message["content"], "answers")}
    if "reasoning_content" in message:
        marked["reasoning_content"] = marks.mark(message["reasoning_content"], "reasoning")
    if "tool_calls" in message:
        marked["tool_calls"] = []
        for call in message["tool_calls"]:
            marks.group("calls")
            function = {key: marks.values(value) for key, value in call["function"].items()}
            marked["tool_calls"].append({**call, "function": function})
    return marked


def write_opening(shown: Shown) -> list[bytes]:
    """The messages before the first turn, each as JSON text."""
    return [_SYSTEM % _encode(shown.system), _USER % _encode(shown.trajectory.task or "")]


def write_steps(trajectory: Trajectory) -> Iterator[tuple[bytes, list[bytes]]]:
    """Each step as (the turn, what came back), every message as JSON text.

    They are put together from encoded strings: the arguments stay the model's own text. Raises RowError `wide_integer`.
    """
    calls = 0
    for index, step in enumerate(trajectory.steps):
        reasoning, visible = step.reasoning, step.visible
        # A turn without the key makes templates look for think tags in the content.
        thought = b', "reasoning_content": ' + _encode(reasoning) if reasoning or END_THINK in visible else b""
        content = _encode(visible) if visible else b'""'
        called, back = b"", []
        for call in step.calls:
            _check_integers(call, index)
            name, identity = _name(call.name), _encode(call.id) if call.id else b'"call_%d"' % calls
            calls += 1
            called += (b", " if called else b"") + _CALL % (identity, name, call.arguments.encode())
            if call.observation is not None:
                back.append(_RESULT % (name, identity, _encode(call.observation)))
        if step.reply is not None:
            back.append(_USER % _encode(step.reply))
        yield _CALLING % (content, thought, called) if step.calls else _SAYING % (content, thought), back


@lru_cache(maxsize=64)
def _name(name: str) -> bytes:
    return _encode(name)


def _check_integers(call: ToolCall, index: int) -> None:
    """Raises RowError `wide_integer`."""
    try:
        _NARROW.decode(call.arguments)
    except msgspec.ValidationError:
        if not _LONG.search(call.arguments):
            return
        integers: list[str] = []
        json.loads(call.arguments, parse_int=integers.append)
        for digits in filter(is_wide, integers):
            problem = f"{digits[:40]} is an integer beyond 64 bits, which a Json leaf cannot hold; another view can"
            raise RowError("wide_integer", problem, f"$.steps[{index}].calls") from None


def is_wide(digits: str) -> bool:
    """Whether an integer is beyond 64 bits, for which `datasets` refuses to read it."""
    return len(digits) > 20 or int(digits) not in _WIDEST  # Python refuses to convert thousands of digits


def _with_result(step: Step, message: Message) -> Step:
    """The step with a result: that of the first open call with its id."""
    calls = list(step.calls)
    open_calls = [index for index, call in enumerate(calls) if call.observation is None]
    answered = next(index for index in open_calls if calls[index].id == message["tool_call_id"])
    calls[answered] = replace(calls[answered], observation=message["content"])
    return replace(step, calls=tuple(calls))


def _read_call(call: Message) -> ToolCall:
    function = call["function"]
    return ToolCall(function["name"], json.dumps(function["arguments"], ensure_ascii=False), call["id"])


VIEW = View(
    name="openai",
    columns=lambda source, shape: COLUMNS,
    render=lambda view_input: render_parts(view_input, render, chat),
    to_trajectory=to_trajectory,
    schema=lambda source, shape: "openai",
    submits=WAYS_TO_SUBMIT,
    trains=True,
    has_json_leaves=True,
    optional=OPTIONAL,
    chat=chat,
    mark=mark,
)
