"""The arguments of a tool call: the model's own JSON text, validated as an object, compared with its schema."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, Literal

import jsonschema_rs
import msgspec

from sera_swezero import schemas
from sera_swezero.core.conversions import ConversionLog
from sera_swezero.core.text import mend_json
from sera_swezero.errors import RowError
from sera_swezero.sources.decoding import decode

DEPTH = 128
"""Levels of objects and arrays that arguments may nest; the tools' schemas ask for 2.

Readers of JSON give up at a depth of their own, and Python's depends on its caller: a bound of ours keeps a row's fate
the same everywhere.
"""

_ANY: msgspec.json.Decoder[Any] = msgspec.json.Decoder()


def arguments_text(name: str, text: str, tools: str, conversions: ConversionLog) -> str:
    """The arguments of a call as JSON text: as the model wrote it, never re-encoded; "" is {}.

    What breaks the tool's schema, or names no tool, stays and is noted.

    Args:
        name: the tool's name.
        text: what upstream has for arguments.
        tools: name of the tool list in `schemas`.
        conversions: gets `empty_arguments`, `off_schema`, `unknown_tool`, `mended_surrogate`.

    Raises:
        RowError: `bad_arguments`: no JSON object, NaN or an infinity inside, or nested deeper than `DEPTH`.
    """
    try:
        typed(tools)[name](text)
    except (KeyError, msgspec.DecodeError, UnicodeError, RecursionError):
        return _odd_arguments(name, text, tools, conversions)
    return text


def _odd_arguments(name: str, text: str, tools: str, conversions: ConversionLog) -> str:
    """The same for whatever is not plainly what the tool asks for."""
    value: Any = {}
    if text == "":
        conversions.add("empty_arguments")
        text = "{}"
    else:
        mended = len(conversions)
        value = decode(_ANY, text, conversions, broken="bad_arguments", wrong="bad_arguments", where="$")
        if len(conversions) > mended:
            text = mend_json(text.encode())[0].decode()
        if not isinstance(value, dict):
            problem = f"arguments are JSON of type {type(value).__name__}; expected an object"
            raise RowError("bad_arguments", problem)
        if text.count("{") + text.count("[") > DEPTH and _depth(value) > DEPTH:
            raise RowError("bad_arguments", f"nested deeper than {DEPTH} levels; a few were expected")
    check = _checks(tools).get(name)
    if check is None:
        conversions.add("unknown_tool", name)
    elif not check(value):
        conversions.add("off_schema", text)
    return text


def _depth(value: Any) -> int:
    """How deep objects and arrays are nested, without recursion."""
    depth, level = 0, [value]
    while level := [one for one in level if isinstance(one, dict | list)]:
        depth += 1
        level = [inner for one in level for inner in (one.values() if isinstance(one, dict) else one)]
    return depth


@cache
def _checks(tools: str) -> dict[str, Any]:
    """Tool name -> is this value what the tool's schema asks for?"""
    return {
        tool["function"]["name"]: jsonschema_rs.validator_for(tool["function"]["parameters"]).is_valid
        for tool in schemas.load(tools)
    }


_TYPES: dict[str, Any] = {"string": str, "integer": int, "boolean": bool}


@cache
def typed(tools: str) -> dict[str, Callable[[str], Any]]:
    """Tool name -> decode arguments as exactly what its schema asks for.

    Made from the schema. What decodes is right by the schema as well; what does not may still be (an unknown key, say),
    so that the schema itself decides then.
    """
    made: dict[str, Callable[[str], Any]] = {}
    for tool in schemas.load(tools):
        asked = tool["function"]["parameters"]
        fields = [
            (name, _type(about)) if name in asked["required"] else (name, _type(about), msgspec.UNSET)
            for name, about in asked["properties"].items()
        ]
        struct = msgspec.defstruct("Arguments", fields, forbid_unknown_fields=True, kw_only=True, gc=False)
        made[tool["function"]["name"]] = msgspec.json.Decoder(struct).decode
    return made


def _type(about: dict[str, Any]) -> Any:
    if "enum" in about:
        return Literal[tuple(about["enum"])]
    return list[_type(about["items"])] if about["type"] == "array" else _TYPES[about["type"]]  # type: ignore[misc]
