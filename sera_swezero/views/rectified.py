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

from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

import msgspec

from sera_swezero import grammar
from sera_swezero.errors import RowError
from sera_swezero.escaped import ESCAPED
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
    key, submit_text, dialect = card["instance_id"], source.submit_text, rollout.dialect
    rectified = rectify(rollout.trajectory, rollout.notes, key=key, submit_text=submit_text, dialect=dialect)
    briefing = source.briefing(rectified, answer=True)
    if dialect is ESCAPED:
        roles, written = write_escaped(rectified, _escaped_system(source.tools, briefing))
        _check_order(roles, submitted=rectified.submitted)
    else:
        messages = render_messages(rectified, system_text(source.tools, briefing))
        _check(messages, submitted=rectified.submitted)
        written = _encoded(messages)
    values: dict[str, Any] = {**card, "messages": written if rollout.encoded else written.decode()}
    return {name: values[name] for name in source.card_columns}


def write_escaped(rectified: Trajectory, system: str) -> tuple[list[str], bytes]:
    """The roles of a rectified Trajectory's messages, and their bytes: its texts and `system` are escaped already.

    Equal to `encode_messages(render_messages(...))` of the plain texts; the wrappers are literals here and need no
    check.
    """
    if rectified.system is None:
        return [], b"[]"
    roles, pieces = ["system"], [f'[{{"role": "system", "content": "{system}']
    if rectified.task is not None:
        roles.append("user")
        pieces.append(f'"}}, {{"role": "user", "content": "{rectified.task}')
    for reasoning, visible, call, observation in rectified.steps:
        roles.append("reasoning")
        pieces.append(f'"}}, {{"role": "reasoning", "content": "<think>{reasoning}</think>')
        if call is not None:
            roles.append("tool_call")
            pieces.append(
                '"}, {"role": "tool_call", "content": "<tool_call>{'
                rf"\"name\": {_escaped_name(call.name)}, \"arguments\": {call.arguments}}}</tool_call>"
            )
            if observation is not None:
                roles.append("tool_output")
                pieces.append(f'"}}, {{"role": "tool_output", "content": "<tool_response>{observation}</tool_response>')
        elif visible:
            roles.append("answer")
            pieces.append(f'"}}, {{"role": "answer", "content": "<answer>{visible}</answer>')
    pieces.append('"}]')
    return roles, "".join(pieces).encode("latin-1")


def _escaped_system(tools: str, briefing: str) -> str:
    return ESCAPED.join(_escaped_preamble(tools), briefing)


@cache
def _escaped_preamble(tools: str) -> str:
    return ESCAPED.of(system_text(tools, ""))


@lru_cache(maxsize=64)
def _escaped_name(name: str) -> str:
    """A tool's name as a JSON string inside a JSON string; upstream has three, and a few that models made up."""
    return ESCAPED.of(_encode(name).decode())


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
    return _encoded(messages).decode()


def _encoded(messages: list[tuple[str, str]]) -> bytes:
    pieces = [b'{"role": "%b", "content": %b}' % (role.encode(), _encode(content)) for role, content in messages]
    return b"[" + b", ".join(pieces) + b"]"


def _check(messages: list[tuple[str, str]], *, submitted: bool) -> None:
    """Hold the row to the grammar and the wrappers before anybody sees it; tests prove this equal to the schema."""
    _check_order([role for role, _ in messages], submitted=submitted)
    if not all(grammar.wrapped(*message) for message in messages):
        raise RowError("wrong_order", "a content lacks its role's wrapper", "$.messages[0]")


def _check_order(roles: list[str], *, submitted: bool) -> None:
    if not grammar.follows(roles, submitted=submitted):
        index, problem = grammar.faults(roles, submitted=submitted)[0]
        raise RowError("wrong_order", problem, f"$.messages[{index}]")
