"""What no JSON Schema can say about a row: the order of its messages, and the JSON inside the text of a tool call.

One function a view, `(contract's source and shape, row, what its JSON columns hold) -> faults`; a view that is not in
`ORDERS` has nothing beyond its schema.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from sera_swezero.core import message_order
from sera_swezero.core.conversions import Notes
from sera_swezero.core.machine import fold
from sera_swezero.errors import RowError
from sera_swezero.schemas.validate import Fault, accepts, brief, decode, faults
from sera_swezero.sources import Source

Order = Callable[[Source, Mapping[str, Any], Mapping[str, Any]], Iterator[Fault]]
"""Gets the source, the row and column -> decoded value for its JSON columns."""

_TOOL_CALL = "rectified-tool-call"


def rectified(_source: Source, row: Mapping[str, Any], decoded: Mapping[str, Any]) -> Iterator[Fault]:
    """The grammar of a rollout, and a JSON object of name and arguments in every tool call."""
    messages = decoded.get("messages")
    if not isinstance(messages, list):
        return
    roles = [str(message.get("role", "")) if isinstance(message, dict) else "" for message in messages]
    submitted = _submitted(row)
    if not message_order.follows(roles, submitted=submitted):
        for index, problem in message_order.faults(roles, submitted=submitted):
            # A role that there is not is the schema's to tell.
            if not roles or roles[index] in message_order.WRAPPERS:
                found, _, expected = problem.partition("; ")
                yield Fault(f"$.messages[{index}]", found, expected.removeprefix("allowed: "))
    for index, message in enumerate(messages):
        if roles[index] == "tool_call":
            yield from _tool_call(message.get("content"), f"$.messages[{index}].content")


def native(source: Source, row: Mapping[str, Any], _decoded: Mapping[str, Any]) -> Iterator[Fault]:
    """Whether the record converts: what the source and the machine would say when it is loaded."""
    try:
        record = source.read(dict(row), Notes())
        fold(source.events(record, Notes()))
    except RowError as error:
        found, _, expected = error.problem.partition("; ")
        yield Fault(error.where, found, expected or "a record that converts")


def _submitted(row: Mapping[str, Any]) -> bool | None:
    """Whether the row says that its rollout was submitted; None where it does not say (SERA)."""
    if "exit_status" not in row:
        return None
    return str(row["exit_status"]).lower() == "submitted"


def _tool_call(content: Any, path: str) -> Iterator[Fault]:
    if not isinstance(content, str) or not message_order.wrapped("tool_call", content):
        return  # the schema's to tell
    opening, closing = message_order.WRAPPERS["tool_call"]
    text = content[len(opening) : -len(closing)]
    try:
        call = decode(text)
    except ValueError as error:
        yield Fault(path, f"{brief(text)}, which is no JSON ({error})", 'an object {"name": ..., "arguments": {...}}')
        return
    if not accepts(_TOOL_CALL, call):
        yield from faults(_TOOL_CALL, call, path)


ORDERS: dict[str, Order] = {"rectified": rectified, "native": native}
"""View -> its check. A new view adds one row, or none."""
