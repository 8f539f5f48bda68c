r"""The card's own format: `messages`, a JSON string of {role, content} in six roles, and the card's columns.

    [{"role": "system", "content": "..."}, {"role": "user", ...},
     {"role": "reasoning", "content": "<think>...</think>"},
     {"role": "tool_call", "content": "<tool_call>{\"name\": ..., \"arguments\": {...}}</tool_call>"},
     {"role": "tool_output", "content": "<tool_response>...</tool_response>"}, ..., {"role": "answer", ...}]

The bytes are those of the card: separators ", " and ": ", the keys role and content in this order, and no escapes of
characters beyond ASCII.

Today's chat templates drop these roles silently, so a model that is fed with this view trains on nothing. The view is
for publishing, validating and looking; train on one of the training views.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

import msgspec
from msgspec.structs import replace

from sera_swezero.core import message_order
from sera_swezero.core.rectify import rectify
from sera_swezero.core.system_prompt import system_text
from sera_swezero.core.trajectory import INCOMPLETE, OTHER, STATUSES, SUBMITTED, Outcome, Step, Tools, Trajectory
from sera_swezero.errors import RowError
from sera_swezero.schemas.validate import Fault, brief, decode, faults
from sera_swezero.sources.source import Source
from sera_swezero.views.tagged_text import read_call, with_observations
from sera_swezero.views.text_marks import Marks
from sera_swezero.views.view import Message, Rendered, Row, View, ViewInput

_encode = msgspec.json.Encoder().encode
_USER, _REASONING, _TOOL_CALL, _TOOL_OUTPUT, _ANSWER = [
    b'}, {"role": "%b", "content": ' % role for role in (b"user", b"reasoning", b"tool_call", b"tool_output", b"answer")
]


def render(view_input: ViewInput) -> tuple[Rendered]:
    """Rectify, fill and write down. Raises RowError `wrong_order` where the result is not a rectified rollout."""
    source = view_input.source
    values = source.rectified_values(view_input.record, view_input.origin.facts)
    rectified = rectify(
        view_input.trajectory,
        view_input.conversions,
        submit_text=source.submit_text,
        key=values["instance_id"],
    )
    roles, values["messages"] = write(rectified, view_input.tools, source.system_text(rectified, "answer"))
    for position, found, expected in message_order.faults(roles, submitted=rectified.submitted):
        raise RowError("wrong_order", f"{found}; expected {expected}", f"$.messages[{position}]")
    row = {name: values[name] for name in source.rectified_columns}
    return (Rendered(row, len(roles), roles.count("tool_call")),)


def write(rectified: Trajectory, tools: Tools, instructions: str) -> tuple[list[str], bytes]:
    r"""The roles of a rectified Trajectory's messages, and these as JSON; none where the rollout never began.

    Equal to `json.dumps` of the {role, content} objects with ensure_ascii=False, but faster. The wrappers are the
    literals below, so nothing looks for them afterwards but the tests.
    """
    if rectified.system is None:
        return [], b"[]"
    roles, pieces = ["system"], [_encoded_system(tools, instructions)]
    if rectified.task is not None:
        roles.append("user")
        pieces += (_USER, _encode(rectified.task))
    for step in rectified.steps:
        roles.append("reasoning")
        pieces += (_REASONING, _encode(f"<think>{step.reasoning}</think>"))
        for call in step.calls:
            quoted = '"bash"' if call.name == "bash" else _encode(call.name).decode()
            roles.append("tool_call")
            called = f'<tool_call>{{"name": {quoted}, "arguments": {call.arguments}}}</tool_call>'
            pieces += (_TOOL_CALL, _encode(called))
            if call.observation is not None:
                roles.append("tool_output")
                pieces += (_TOOL_OUTPUT, _encode(f"<tool_response>{call.observation}</tool_response>"))
        if step.visible:
            roles.append("answer")
            pieces += (_ANSWER, _encode(f"<answer>{step.visible}</answer>"))
    pieces.append(b"}]")
    return roles, b"".join(pieces)


@lru_cache(maxsize=64)
def _encoded_system(tools: Tools, instructions: str) -> bytes:
    """The beginning of a row. It is cached, because the rows of a set share one or a few."""
    return b'[{"role": "system", "content": ' + _encode(system_text(tools, instructions))


def to_trajectory(row: Row, _source: Source) -> Trajectory:
    """The rectified Trajectory of a row."""
    opening: dict[str, str] = {}
    steps: list[Step] = []
    role = ""
    for message in json.loads(row["messages"]):
        role = message["role"]
        text = unwrapped(role, message["content"])
        if role == "reasoning":
            steps.append(Step(text, ""))
        elif role == "tool_call":
            steps[-1] = replace(steps[-1], calls=(read_call(text),))
        elif role == "tool_output":
            steps[-1] = with_observations(steps[-1], [text])
        elif role == "answer":
            steps[-1] = replace(steps[-1], visible=text)
        else:
            opening[role] = text
    return Trajectory(opening.get("system"), opening.get("user"), tuple(steps), Outcome(_status(row, role)))


def unwrapped(role: str, content: str) -> str:
    """A message's text without its role's wrapper."""
    opening, closing = message_order.WRAPPERS[role]
    return content[len(opening) : len(content) - len(closing)]


def _status(row: Row, last_role: str) -> str:
    """How the rollout ended: as the row says, or else by whether it ends in an answer."""
    if "exit_status" in row:
        status = (row["exit_status"] or "").lower()
        return status if status in STATUSES else OTHER
    return SUBMITTED if last_role == "answer" else INCOMPLETE


_KINDS = {"reasoning": "reasoning", "tool_call": "calls", "tool_output": "observations", "answer": "answers"}


def mark(message: Message, marks: Marks) -> Message:
    """The message with its text between marks."""
    kind = _KINDS.get(message["role"])
    return {**message, "content": marks.mark(message["content"], kind)} if kind else message


def order_faults(_source: Source, row: Row, decoded: Mapping[str, Any]) -> Iterator[Fault]:
    """Faults in the order of a rollout's messages, and tool calls that hold no JSON object of name and arguments."""
    messages = decoded.get("messages")
    if not isinstance(messages, list):
        return
    roles = [str(message.get("role", "")) if isinstance(message, dict) else "" for message in messages]
    # SERA's rows do not say whether they were submitted.
    submitted = str(row["exit_status"]).lower() == "submitted" if "exit_status" in row else None
    for position, found, expected in message_order.faults(roles, submitted=submitted):
        # The schema already reports a role that does not exist.
        if not roles or roles[position] in message_order.WRAPPERS:
            yield Fault(f"$.messages[{position}]", found, expected)
    for index, message in enumerate(messages):
        content = message.get("content") if roles[index] == "tool_call" else None
        if isinstance(content, str) and message_order.wrapped("tool_call", content):
            yield from _call_faults(unwrapped("tool_call", content), f"$.messages[{index}].content")


def _call_faults(text: str, path: str) -> Iterator[Fault]:
    try:
        call = decode(text)
    except ValueError as error:
        expected = 'an object {"name": ..., "arguments": {...}}'
        yield Fault(path, f"{brief(text)}, which is not JSON ({error})", expected)
        return
    yield from faults("rectified-tool-call", call, path)


VIEW = View(
    name="rectified",
    columns=lambda source, shape: source.rectified_columns,
    render=render,
    to_trajectory=to_trajectory,
    schema=lambda source, shape: f"rectified-{source.name.replace('_', '-')}",
    submits=("answer",),
    chat=lambda row: (json.loads(row["messages"]), None),
    mark=mark,
    for_statistics=True,
    order_faults=order_faults,
)
