r"""The card's own format: `messages`, a JSON string of {role, content} in six roles, beside the card's columns.

    [{"role": "system", "content": "..."}, {"role": "user", ...},
     {"role": "reasoning", "content": "<think>...</think>"},
     {"role": "tool_call", "content": "<tool_call>{\"name\": ..., \"arguments\": {...}}</tool_call>"},
     {"role": "tool_output", "content": "<tool_response>...</tool_response>"}, ..., {"role": "answer", ...}]

Bytes as the card's: separators ", " and ": ", key order role, content, and no escaping of non-ASCII.

Trainers: today's chat templates drop these roles in silence, so a model fed with this view trains on nothing. It is for
publishing, validating and looking; train on one of the training views.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from sera_swezero import grammar
from sera_swezero.errors import RowError
from sera_swezero.protocol import system_text
from sera_swezero.rectify import rectify
from sera_swezero.trajectory import Trajectory

if TYPE_CHECKING:
    from sera_swezero.sources import Source
    from sera_swezero.views import Columns, Rollout, Row

_encode = msgspec.json.Encoder().encode


def columns(source: Source, shape: str) -> Columns:
    r"""The card's columns of the source; every set of a source has the same."""
    del shape
    return source.card_columns


def schema(source: str, shape: str) -> str:
    """Name of the row's JSON Schema."""
    del shape
    return f"rectified-{source.replace('_', '-')}"


def render(rollout: Rollout) -> Row:
    """Rectify, fill and write down.

    Raises:
        RowError: `wrong_order` where the result is no rectified rollout.
    """
    source = rollout.source
    card = source.card(rollout.record, rollout.facts)
    rectified = rectify(
        rollout.trajectory, rollout.notes, key=card["instance_id"], fill=True, submit_text=source.submit_text
    )
    messages = render_messages(rectified, system_text(source.tools, source.briefing(rectified, answer=True)))
    _check(messages, submitted=rectified.submitted)
    values: dict[str, Any] = {**card, "messages": encode_messages(messages)}
    return {name: values[name] for name in source.card_columns}


def render_messages(rectified: Trajectory, system: str) -> list[tuple[str, str]]:
    """A rectified Trajectory as (role, content) pairs; [] where the rollout never began."""
    if rectified.system is None:
        return []
    messages = [("system", system)]
    if rectified.task is not None:
        messages.append(("user", rectified.task))
    for reasoning, visible, call, observation in rectified.steps:
        messages.append(("reasoning", f"<think>{reasoning}</think>"))
        if call is not None:
            name = '"bash"' if call.name == "bash" else _encode(call.name).decode()
            messages.append(("tool_call", f'<tool_call>{{"name": {name}, "arguments": {call.arguments}}}</tool_call>'))
            if observation is not None:
                messages.append(("tool_output", f"<tool_response>{observation}</tool_response>"))
        elif visible:
            messages.append(("answer", f"<answer>{visible}</answer>"))
    return messages


def encode_messages(messages: list[tuple[str, str]]) -> str:
    r"""The card's bytes: equal to `json.dumps` of the {role, content} objects with ensure_ascii=False, but faster."""
    pieces = [b'{"role": "%b", "content": %b}' % (role.encode(), _encode(content)) for role, content in messages]
    return (b"[" + b", ".join(pieces) + b"]").decode()


def _check(messages: list[tuple[str, str]], *, submitted: bool) -> None:
    """Hold the row to the grammar and the wrappers before anybody sees it; tests prove this equal to the schema."""
    roles = [role for role, _ in messages]
    if grammar.follows(roles, submitted=submitted) and all(grammar.wrapped(*message) for message in messages):
        return
    problems = grammar.faults(roles, submitted=submitted)
    index, problem = problems[0] if problems else (0, "a content lacks its role's wrapper")
    raise RowError("wrong_order", problem, f"$.messages[{index}]")
