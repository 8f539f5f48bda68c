"""The arguments of a tool call: the model's own JSON text, validated as an object and held beside the tool's schema."""

from __future__ import annotations

from functools import cache
from typing import Any

import jsonschema_rs
import msgspec

from sera_swezero import schemas
from sera_swezero.errors import RowError
from sera_swezero.notes import Notes
from sera_swezero.sources.decode import decode
from sera_swezero.text import mend_json

DEPTH = 128
"""Levels of objects and arrays that arguments may nest; the tools' schemas ask for 2.

Readers of JSON give up at a depth of their own, and Python's depends on its caller: a bound of ours keeps a row's fate
the same everywhere.
"""

_STRING = msgspec.json.Decoder(str)
_ANY: msgspec.json.Decoder[Any] = msgspec.json.Decoder()


def arguments_text(name: str, given: msgspec.Raw, tools: str, notes: Notes, where: str) -> str:
    """The arguments of a call as JSON text: as the model wrote it, never re-encoded.

    A string holds the text; an object is its own text; null and "" are {}. What breaks the tool's schema, or names no
    tool, stays and is noted.

    Args:
        name: the tool's name.
        given: the raw JSON of the value: a string, an object or null.
        tools: name of the tool list in `schemas`.
        notes: gets `empty_arguments`, `off_schema`, `unknown_tool`, `mended_surrogate`.
        where: path of the value inside the record.

    Raises:
        RowError: `bad_arguments`: no JSON object, NaN or an infinity inside, or nested deeper than `DEPTH`.
    """
    raw = bytes(given)
    text = _STRING.decode(given) if raw[:1] == b'"' else raw.decode()
    value: Any = {}
    if text == "" or raw == b"null":
        notes.add("empty_arguments")
        text = "{}"
    else:
        mended = len(notes)
        value = decode(_ANY, text, notes, broken="bad_arguments", wrong="bad_arguments", where=where)
        if len(notes) > mended:
            text = mend_json(text.encode())[0].decode()
        if not isinstance(value, dict):
            problem = f"arguments are JSON of type {type(value).__name__}; expected an object"
            raise RowError("bad_arguments", problem, where)
        if text.count("{") + text.count("[") > DEPTH and _depth(value) > DEPTH:
            raise RowError("bad_arguments", f"nested deeper than {DEPTH} levels; a few were expected", where)
    check = _checks(tools).get(name)
    if check is None:
        notes.add("unknown_tool", name)
    elif not check(value):
        notes.add("off_schema", text)
    return text


def _depth(value: Any) -> int:
    """How many objects and arrays stand inside each other at most, without recursion."""
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
