"""Tool calls, and their arguments: the model's own JSON text, checked to be an object and compared with its schema."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import lru_cache
from typing import Any, Literal

import jsonschema_rs
import msgspec

from sera_swezero.core.conversions import ConversionLog
from sera_swezero.core.text import mend_json
from sera_swezero.core.trajectory import ToolCall, Tools
from sera_swezero.errors import RowError
from sera_swezero.sources.decoding import decode

DEPTH = 128
"""Levels of objects and arrays that arguments may nest; the tools' schemas ask for 2.

Readers of JSON give up at different depths, and Python's limit depends on its caller. A limit of our own makes every
row convert everywhere or nowhere.
"""

_STRING = msgspec.json.Decoder(str)
_ANY: msgspec.json.Decoder[Any] = msgspec.json.Decoder()


class ChatFunction(msgspec.Struct, gc=False):
    """What a tool call calls. Its arguments are a string of JSON, an object or null."""

    name: str
    arguments: msgspec.Raw = msgspec.Raw(b"null")


class ChatCall(msgspec.Struct, gc=False):
    """One entry of `tool_calls`, in the form of OpenAI's chat API."""

    function: ChatFunction
    id: str | None = None


def checked_calls(given: Iterable[ChatCall], tools: Tools, conversions: ConversionLog, where: str) -> list[ToolCall]:
    """The calls of a message, with their arguments as checked JSON text; `where` is the path of the message.

    Raises:
        RowError: `bad_arguments`.
    """
    calls = []
    for number, call in enumerate(given):
        name, place = call.function.name, f"{where}.tool_calls[{number}].function.arguments"
        arguments = arguments_of(name, call.function.arguments, tools, conversions, place)
        calls.append(ToolCall(name, arguments, call.id or None))
    return calls


def arguments_text(name: str, text: str, tools: Tools, conversions: ConversionLog) -> str:
    """The arguments of a call as the JSON text that the model wrote, checked but never encoded again; "" becomes {}.

    A call that breaks its tool's schema or names an unknown tool is kept and logged.

    Args:
        name: the tool's name.
        text: the arguments, as upstream has them.
        tools: the tools that the model could call.
        conversions: gets `empty_arguments`, `off_schema`, `unknown_tool`, `mended_surrogate`.

    Raises:
        RowError: `bad_arguments`: they are not a JSON object, hold NaN or an infinity, or nest deeper than `DEPTH`.
    """
    try:
        typed(tools)[name](text)
    except (KeyError, msgspec.DecodeError, UnicodeError, RecursionError):
        return _odd_arguments(name, text, tools, conversions)
    return text


def arguments_of(name: str, given: msgspec.Raw, tools: Tools, conversions: ConversionLog, where: str) -> str:
    """As `arguments_text`, for arguments in any of the forms that `written` takes; `where` is their path.

    Raises:
        RowError: `bad_arguments`.
    """
    try:
        return arguments_text(name, written(given), tools, conversions)
    except RowError as error:
        raise RowError(error.reason, error.problem, f"{where}{error.where.removeprefix('$')}") from None


def written(given: msgspec.Raw) -> str:
    """The JSON text of arguments, which are a string of JSON or any other value; "" for null."""
    raw = bytes(given)
    if raw[:1] == b'"':
        return _STRING.decode(raw)
    return "" if raw == b"null" else raw.decode()


def _odd_arguments(name: str, text: str, tools: Tools, conversions: ConversionLog) -> str:
    """As `arguments_text`, for arguments that are not plainly what the tool asks for."""
    value: Any = {}
    if text == "":
        conversions.add("empty_arguments")
        text = "{}"
    else:
        mended = len(conversions)
        value = decode(_ANY, text, conversions, wrong="bad_arguments", where="$")
        if len(conversions) > mended:
            text = mend_json(text.encode())[0].decode()
        if not isinstance(value, dict):
            problem = f"arguments are JSON of type {type(value).__name__}; expected an object"
            raise RowError("bad_arguments", problem)
        if text.count("{") + text.count("[") > DEPTH and _depth(value) > DEPTH:
            raise RowError("bad_arguments", f"nested deeper than {DEPTH} levels; a few were expected")
    checks = _checks(tools)
    if name not in checks:
        if tools:  # otherwise nobody says which tools there are
            conversions.add("unknown_tool", name)
    elif not checks[name](value):
        conversions.add("off_schema", text)
    return text


def _depth(value: Any) -> int:
    """How deep objects and arrays are nested, without recursion."""
    depth, level = 0, [value]
    while level := [one for one in level if isinstance(one, dict | list)]:
        depth += 1
        level = [inner for one in level for inner in (one.values() if isinstance(one, dict) else one)]
    return depth


@lru_cache(maxsize=64)
def _checks(tools: Tools) -> dict[str, Callable[[Any], bool]]:
    """Tool name -> is this value what the tool's schema asks for?"""
    return {name: _validator(asked) for name, asked in _asked(tools)}


def _asked(tools: Tools) -> Iterator[tuple[str, Any]]:
    """The name of each tool, and the schema of its arguments, which is empty where the tool has none."""
    for tool in tools:
        function = json.loads(tool)["function"]
        yield function["name"], function.get("parameters") or {}


def _validator(asked: Any) -> Callable[[Any], bool]:
    try:
        return jsonschema_rs.validator_for(asked).is_valid
    except (ValueError, jsonschema_rs.ValidationError):
        return lambda _: True  # what is not a valid schema refuses nothing


_TYPES: dict[str, Any] = {"string": str, "integer": int, "boolean": bool}
_PLAIN = {"type", "properties", "required", "description", "title", "additionalProperties"}
_PLAIN_PROPERTY = {"type", "description", "title", "enum", "items", "default"}


@lru_cache(maxsize=64)
def typed(tools: Tools) -> dict[str, Callable[[str], Any]]:
    """Tool name -> a decoder of the arguments that the tool's schema asks for. Only plain schemas have one.

    What a decoder accepts is right by the schema, too. What it refuses may still be right, such as an unknown key; then
    the schema itself decides.
    """
    made: dict[str, Callable[[str], Any]] = {}
    for name, asked in _asked(tools):
        with suppress(KeyError, TypeError, AttributeError, ValueError):
            made[name] = msgspec.json.Decoder(_struct(asked)).decode
    return made


def _struct(asked: dict[str, Any]) -> Any:
    """The type of a tool's arguments. Raises KeyError for a schema that says more than names and plain types."""
    if not _PLAIN.issuperset(asked):
        raise KeyError
    required = asked.get("required", ())
    fields = [
        (name, _type(about)) if name in required else (name, _type(about), msgspec.UNSET)
        for name, about in asked["properties"].items()
    ]
    return msgspec.defstruct("Arguments", fields, forbid_unknown_fields=True, kw_only=True, gc=False)


def _type(about: dict[str, Any]) -> Any:
    if not _PLAIN_PROPERTY.issuperset(about):
        raise KeyError
    if "enum" in about:
        return Literal[tuple(about["enum"])]
    return list[_type(about["items"])] if about["type"] == "array" else _TYPES[about["type"]]  # type: ignore[misc]
