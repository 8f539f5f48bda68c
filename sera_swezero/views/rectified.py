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

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import msgspec

from sera_swezero.core import message_order
from sera_swezero.core.rectify import rectify
from sera_swezero.core.system_prompt import system_text
from sera_swezero.core.trajectory import Trajectory
from sera_swezero.errors import RowError

if TYPE_CHECKING:
    from sera_swezero.sources import Source
    from sera_swezero.views import Columns, Rollout, Row

_encode = msgspec.json.Encoder().encode
_USER, _REASONING, _TOOL_CALL, _TOOL_OUTPUT, _ANSWER = [
    b'}, {"role": "%b", "content": ' % role for role in (b"user", b"reasoning", b"tool_call", b"tool_output", b"answer")
]


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
        rollout.trajectory,
        rollout.notes,
        key=card["instance_id"],
        submit_text=source.submit_text,
        begun=rollout.begun,
    )
    roles, written = write(rectified, source.tools, source.briefing(rectified, answer=True))
    _check_order(roles, submitted=rectified.submitted)
    values: dict[str, Any] = {**card, "messages": written if rollout.encoded else written.decode()}
    return {name: values[name] for name in source.card_columns}


def write(rectified: Trajectory, tools: str, briefing: str) -> tuple[list[str], bytes]:
    r"""The roles of a rectified Trajectory's messages, and these as JSON; none where the rollout never began.

    Equal to `json.dumps` of the {role, content} objects with ensure_ascii=False, but faster. The wrappers are the
    literals below, so that nobody need look for them afterwards; tests do.
    """
    if rectified.system is None:
        return [], b"[]"
    roles, pieces = ["system"], [_encoded_system(tools, briefing)]
    if rectified.task is not None:
        roles.append("user")
        pieces += (_USER, _encode(rectified.task))
    for reasoning, visible, call, observation in rectified.steps:
        roles.append("reasoning")
        pieces += (_REASONING, _encode(f"<think>{reasoning}</think>"))
        if call is not None:
            name = '"bash"' if call.name == "bash" else _encode(call.name).decode()
            called = f'<tool_call>{{"name": {name}, "arguments": {call.arguments}}}</tool_call>'
            roles.append("tool_call")
            pieces += (_TOOL_CALL, _encode(called))
            if observation is not None:
                roles.append("tool_output")
                pieces += (_TOOL_OUTPUT, _encode(f"<tool_response>{observation}</tool_response>"))
        elif visible:
            roles.append("answer")
            pieces += (_ANSWER, _encode(f"<answer>{visible}</answer>"))
    pieces.append(b"}]")
    return roles, b"".join(pieces)


@lru_cache(maxsize=64)
def _encoded_system(tools: str, briefing: str) -> bytes:
    """The beginning of a row: a set has one briefing, or a few."""
    return b'[{"role": "system", "content": ' + _encode(system_text(tools, briefing))


def _check_order(roles: list[str], *, submitted: bool) -> None:
    if not message_order.follows(roles, submitted=submitted):
        index, problem = message_order.faults(roles, submitted=submitted)[0]
        raise RowError("wrong_order", problem, f"$.messages[{index}]")
