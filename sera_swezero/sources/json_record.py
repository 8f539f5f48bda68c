"""What chats in OpenAI's form and ATIF share: records as JSON bytes, texts in parts, tools, and how a rollout ended."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import msgspec
from msgspec.structs import replace

from sera_swezero.core.conversions import ConversionLog
from sera_swezero.core.text import mend_json, split_thinking
from sera_swezero.core.trajectory import INCOMPLETE, SUBMITTED, ToolCall, Tools
from sera_swezero.errors import RowError
from sera_swezero.schemas.columns import Column
from sera_swezero.schemas.validate import faults
from sera_swezero.sources.bash_block import announces, command_of
from sera_swezero.sources.decoding import as_utf8, decode

FINISHING = frozenset({"finish", "mark_task_complete", "submit"})
"""Tools by which a model says that it is done: those of OpenHands, Terminus and SWE-agent."""

Members = dict[str, msgspec.Raw]
"""The members of a JSON object, each as its own JSON text."""

_MEMBERS = msgspec.json.Decoder(Members)
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


class ContentPart(msgspec.Struct, gc=False):
    """One part of a list content."""

    type: str = "text"
    text: str | None = None


Content = str | list[ContentPart | str] | None


def members_of(raw: bytes | dict[str, Any], conversions: ConversionLog) -> Members:
    """The members of a record. Lone surrogates become U+FFFD, counted. Raises RowError `not_json`."""
    line = as_utf8(raw if isinstance(raw, bytes) else _as_json(raw), conversions)
    if _SURROGATE.search(line):
        line, count = mend_json(line)
        conversions.extend([("mended_surrogate", "")] * count)
    return decode(_MEMBERS, line, conversions, wrong="not_json", where="$")


def _as_json(row: dict[str, Any]) -> bytes:
    """A row of Parquet as JSON. Members that are null are left out: a struct of Arrow has every key in every row."""
    row = without_nulls(row)
    try:
        return msgspec.json.encode(row)
    except UnicodeEncodeError:  # the reader of Parquet turns bytes that are not UTF-8 into halves of surrogate pairs
        return json.dumps(row, default=str).encode()


def without_nulls(value: Any) -> Any:
    """The value without the null members of its objects, at any depth."""
    if isinstance(value, dict):
        return {key: without_nulls(one) for key, one in value.items() if one is not None}
    return [without_nulls(one) for one in value] if isinstance(value, list) else value


def value_for(column: Column, value: Any, name: str) -> Any:
    """A value as a column holds it: a column of text holds other values as JSON, one of numbers holds true as 1.

    Raises:
        RowError: `bad_record`: the column holds numbers, and the value is not a whole number.
    """
    if value is None:
        return None
    if column.type == "string":
        return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    if isinstance(value, int | float) and value == int(value):
        return int(value)
    raise RowError("bad_record", f"{value!r} is not a whole number; one was expected", f"$.{name}")


def text_of(content: Content, where: str) -> str:
    """The text of a content, "" where there is none. Each of several parts has a line of its own.

    Raises:
        RowError: `bad_messages`: a part is not text.
    """
    if content is None or isinstance(content, str):
        return content or ""
    texts = []
    for number, part in enumerate(content):
        text = part if isinstance(part, str) else part.text
        if text is None:
            kind = "" if isinstance(part, str) else part.type
            raise RowError("bad_messages", f"a part of type {kind!r}; expected text", f"{where}[{number}]")
        texts.append(text)
    return "\n".join(texts)


def reasoning_and_visible(reasoning: str | None, text: str) -> tuple[str, str]:
    """A turn's reasoning and visible text: the text is split at its think tags unless the reasoning is given."""
    return split_thinking(text) if reasoning is None else (reasoning, text)


def tools_of(text: msgspec.Raw | None, otherwise: Tools, where: str) -> Tools:
    """The tools of a record, or `otherwise` where it names none.

    Args:
        text: a list of objects, a list of their JSON texts, or the JSON text of such a list.
        otherwise: the tools of a record that names none.
        where: the path of `text`.

    Raises:
        RowError: `bad_record`: `text` is anything else.
    """
    try:
        return (_tools(bytes(text)) if text else ()) or otherwise
    except (ValueError, TypeError, RecursionError) as error:
        problem = f"not a list of tools ({error}); expected objects as OpenAI's chat API has them, or their JSON texts"
        raise RowError("bad_record", problem, where) from None


@lru_cache(maxsize=64)
def _tools(text: bytes) -> Tools:
    """Cached, because the rows of a set share one list or a few."""
    listed = msgspec.json.decode(text)
    if isinstance(listed, str):
        listed = msgspec.json.decode(listed)
    return as_tools(listed or [])


def as_tools(listed: Sequence[Any]) -> Tools:
    """Each tool as the JSON text of OpenAI's object. A bare function is put into one, and its null members go.

    Raises:
        ValueError: a text is not JSON, or a tool breaks `openai-tool.schema.json`; the message names the place.
    """
    made = []
    for number, one in enumerate(listed):
        tool = msgspec.json.decode(one) if isinstance(one, str) else one
        if isinstance(tool, dict):
            tool = {"type": "function", **(tool if "function" in tool else {"function": tool})}
            if isinstance(tool["function"], dict):
                tool["function"] = {name: value for name, value in tool["function"].items() if value is not None}
        if problems := faults("openai-tool", tool, f"$[{number}]"):
            raise ValueError(str(problems[0]))
        made.append(json.dumps(tool, ensure_ascii=False))
    return tuple(made)


def finishes(call: ToolCall) -> bool:
    """Whether a call says that the model is done: a tool for it, or the command that mini-swe-agent looks for."""
    return call.name in FINISHING or announces(command_of(call.arguments))


def status_of(calls: Sequence[ToolCall], *, words_last: bool) -> str:
    """The status of a rollout that records none, judged by the calls of its last turn.

    It was submitted if one of the calls says so, or if the last message is a turn without a call (`words_last`).
    """
    return SUBMITTED if words_last or any(map(finishes, calls)) else INCOMPLETE


def with_submission(calls: Sequence[ToolCall], *, submitted: bool) -> tuple[ToolCall, ...]:
    """The calls of a turn, with each call of `submit` marked as a submission.

    The last turn of a submitted rollout (`submitted`) may not call `submit`; then its last call is marked.
    """
    marked = [replace(call, submits=True) if call.name == "submit" else call for call in calls]
    if submitted and marked and not any(call.submits for call in marked):
        marked[-1] = replace(marked[-1], submits=True)
    return tuple(marked)


def submit_text(call: ToolCall) -> str:
    """What a submitting call says beyond submitting: the message of a `finish`, else all of its arguments."""
    if announces(command_of(call.arguments)):
        return ""
    arguments = json.loads(call.arguments)
    message = arguments.pop("message", "") if call.name in FINISHING else ""
    arguments.pop("task_completed", None)
    return call.arguments if arguments else str(message)
