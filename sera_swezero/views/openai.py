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
* A source without call ids (SWE-ZERO) gets `call_0`, `call_1` and so on, by the number of the call in the rollout.

A row as it leaves here holds the leaves as JSON text, which is what Arrow stores; `datasets` hands them out as objects.
Text, because `datasets` would round the floats of an object to ten digits on the way in.
"""

from __future__ import annotations

import json
import re
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import msgspec

from sera_swezero import schemas
from sera_swezero.core.text import END_THINK
from sera_swezero.core.trajectory import ToolCall, Trajectory
from sera_swezero.errors import RowError
from sera_swezero.views.training import COMMON, back, shown

if TYPE_CHECKING:
    from sera_swezero.sources import Source
    from sera_swezero.views import Columns, Rollout, Row

_encode = msgspec.json.Encoder().encode
_CALLING = (
    b'{"role": "assistant", "content": %b%b, "tool_calls": [{"id": %b, "type": "function", '
    b'"function": {"name": %b, "arguments": %b}}]}'
)
_RESULT = b'{"role": "tool", "name": %b, "tool_call_id": %b, "content": %b}'
_SYSTEM = b'{"role": "system", "content": %b}'
_USER = b'{"role": "user", "content": %b}'
_LONG = re.compile(r"\d{19}")
# What nearly all arguments are, and surely no wide integer: to look for digits takes ten times as long.
_VALUE: TypeAlias = str | bool | Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)] | None
_NARROW = msgspec.json.Decoder(dict[str, _VALUE | list[_VALUE]])
_WIDEST = range(-(2**63), 2**64)
"""The integers that `datasets` reads from a Json leaf: a signed or an unsigned one of 64 bits."""


def columns(source: Source, shape: str) -> Columns:
    """The same columns for every source."""
    del source, shape
    return {"messages": "json", "tools": "json", **COMMON}


def schema(source: str, shape: str) -> str:
    """Name of the row's JSON Schema; `openai-message` is that of a message."""
    del source, shape
    return "openai"


def render(rollout: Rollout) -> Row:
    """Write the rollout down as chat messages.

    Raises:
        RowError: `wide_integer`; `no_turns`, `overlong` (see `training.shown`).
    """
    trajectory, system, common = shown(rollout)
    return {"messages": _messages(trajectory, system), "tools": _tools(rollout.source.tools), **common}


def to_trajectory(row: Row) -> Trajectory:
    """The Trajectory of a row, as it leaves here or as `datasets` hands it out."""
    messages = [json.loads(message) if isinstance(message, str) else message for message in row["messages"]]
    turns: list[tuple[str, str, ToolCall | None, str | None]] = []
    for message in messages[2:]:
        if message["role"] == "assistant":
            calls = message.get("tool_calls")
            turns.append(
                (message.get("reasoning_content", ""), message["content"], _call(calls) if calls else None, None)
            )
        else:
            turns[-1] = (*turns[-1][:3], message["content"])
    return back(row, messages[0]["content"], messages[1]["content"], turns)


def _messages(trajectory: Trajectory, system: str) -> list[str]:
    """The messages, each as JSON text, put together from encoded strings: the arguments stay the model's own text."""
    written = [_SYSTEM % _encode(system), _USER % _encode(trajectory.task or "")]
    calls = 0
    for index, (reasoning, visible, call, observation) in enumerate(trajectory.steps):
        # A turn without the key makes templates look for think tags in the content.
        thought = b', "reasoning_content": ' + _encode(reasoning) if reasoning or END_THINK in visible else b""
        content = _encode(visible) if visible else b'""'
        if call is None:
            written.append(b'{"role": "assistant", "content": %b%b}' % (content, thought))
            if observation is not None:
                written.append(_USER % _encode(observation))
            continue
        _check_integers(call, index)
        name, identity = _name(call.name), _encode(call.id) if call.id else b'"call_%d"' % calls
        calls += 1
        written.append(_CALLING % (content, thought, identity, name, call.arguments.encode()))
        if observation is not None:
            written.append(_RESULT % (name, identity, _encode(observation)))
    return [message.decode() for message in written]


@lru_cache(maxsize=64)
def _name(name: str) -> bytes:
    return _encode(name)


def _check_integers(call: ToolCall, index: int) -> None:
    """Raises RowError `wide_integer`."""
    try:
        _NARROW.decode(call.arguments)
    except msgspec.ValidationError:
        if _LONG.search(call.arguments):
            _find_wide(call, index)


def _find_wide(call: ToolCall, index: int) -> None:
    wide: list[str] = []

    def parse(digits: str) -> int:
        # Digits first: Python refuses to convert thousands of them.
        if len(digits) > 20 or int(digits) not in _WIDEST:
            wide.append(digits)
        return 0

    json.loads(call.arguments, parse_int=parse)
    if wide:
        problem = f"{wide[0][:40]} is an integer beyond 64 bits, which a Json leaf cannot hold; another view can"
        raise RowError("wide_integer", problem, f"$.steps[{index}].call.arguments")


def _tools(name: str) -> list[str]:
    return list(_tool_texts(name))


@cache
def _tool_texts(name: str) -> tuple[str, ...]:
    return tuple(json.dumps(tool, ensure_ascii=False) for tool in schemas.load(name))


def _call(calls: list[dict[str, Any]]) -> ToolCall:
    function = calls[0]["function"]
    return ToolCall(function["name"], json.dumps(function["arguments"], ensure_ascii=False), calls[0]["id"])
