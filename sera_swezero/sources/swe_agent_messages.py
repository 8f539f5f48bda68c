"""The messages of a SERA history, typed: what no rule reads is skipped, everything else must have its type."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from sera_swezero.core.conversions import ConversionLog
from sera_swezero.core.text import mend_json
from sera_swezero.core.trajectory import Tools
from sera_swezero.errors import RowError
from sera_swezero.sources.decoding import decode, refuse_many
from sera_swezero.sources.tool_arguments import ChatCall, arguments_text

# None of these holds a cycle, so the garbage collector need not look at them: it halves the time of decoding.


class Part(msgspec.Struct, gc=False):
    """One part of a list content; upstream lists hold exactly one, a text."""

    text: str


class Function(msgspec.Struct, gc=False):
    """What a tool call calls; the arguments are a string of JSON upstream, an object or nothing in hand-made rows."""

    name: str
    arguments: Any = None


class Call(msgspec.Struct, gc=False):
    """One entry of `tool_calls`."""

    function: Function
    id: str | None = None


class Message(msgspec.Struct, gc=False):
    """One message. The model's turns have the role assistant; what comes back has tool, or user without a call."""

    role: str
    content: str | list[Part] | None = None
    thought: str | None = None
    tool_calls: list[Call] | None = None
    tool_call_ids: list[str] | None = None


class _RawMessage(msgspec.Struct):
    tool_calls: list[ChatCall] | None = None


_STRING = msgspec.json.Decoder(str)
_MESSAGES = msgspec.json.Decoder(list[Message])
_RAW_MESSAGES = msgspec.json.Decoder(list[_RawMessage])


def history_text(raw: bytes, conversions: ConversionLog) -> str:
    """The JSON text of a history that a record holds as a string of JSON or as a list. Raises RowError `bad_record`."""
    if raw[:1] == b'"':
        return decode(_STRING, raw, conversions, wrong="bad_record", where="$.messages")
    if raw[:1] != b"[":
        raise RowError("bad_record", f"messages are {raw[:20]!r}; expected a string of JSON or a list", "$.messages")
    mended, count = mend_json(raw)
    if count:
        conversions.add("mended_surrogate", times=count)
    return mended.decode()


def messages_of(history: str, conversions: ConversionLog) -> list[Message]:
    """Decode a history. Raises RowError `bad_messages`."""
    messages = decode(_MESSAGES, history, conversions, wrong="bad_messages", where="$.messages")
    refuse_many(messages)
    return messages


def content_of(message: Message, index: int) -> str:
    """The text of a content, whichever form it has; "" for none. Raises RowError `bad_messages`."""
    text = _text(message.content)
    if text is None:
        problem = f"{len(message.content or ())} content parts; expected one text"
        raise RowError("bad_messages", problem, f"$.messages[{index}].content")
    return text


def observation_of(messages: Sequence[Message], index: int, call_id: str | None) -> str | None:
    """The text of the message at `index` if it plainly answers this call; None where it must be looked at by itself."""
    if index >= len(messages):
        return None
    reply = messages[index]
    ids = reply.tool_call_ids
    if reply.role != "tool" or reply.tool_calls or (ids and ids[0] != call_id):
        return None
    return _text(reply.content)


def _text(content: str | list[Part] | None) -> str | None:
    """The text of a content, "" for none; None for a list of more or fewer than one part."""
    if isinstance(content, list):
        return content[0].text if len(content) == 1 else None
    return content or ""


def turn_text(turn: Message, index: int, conversions: ConversionLog) -> str:
    """The text of a turn: `thought`, which the card calls authoritative, else `content`."""
    if turn.thought and turn.thought == turn.content:
        return turn.thought
    content = content_of(turn, index)
    if turn.thought and content and content != turn.thought:
        conversions.add("content_differs", content)
    return turn.thought or content


def check_unread(calls: Sequence[Call], index: int) -> None:
    """Check the types of calls in a message that is not the model's, although nobody reads them.

    Raises:
        RowError: `bad_messages`: the arguments of such a call have another type.
    """
    for number, call in enumerate(calls):
        arguments = call.function.arguments
        if not isinstance(arguments, str | dict | None):
            problem = f"arguments are a {type(arguments).__name__}; expected a string of JSON, an object or null"
            where = f"$.messages[{index}].tool_calls[{number}].function.arguments"
            raise RowError("bad_messages", problem, where)


def arguments_of(history: str, index: int, number: int, call: Call, tools: Tools, conversions: ConversionLog) -> str:
    """The arguments of a message's call as checked JSON text: see `arguments_text`. Raises RowError `bad_arguments`."""
    given = call.function.arguments
    if given is not None and not isinstance(given, str):
        # The text of an object is its own: decoding it would lose its spacing and its large integers.
        raw = decode(_RAW_MESSAGES, history, ConversionLog(), wrong="bad_messages", where="$.messages")
        given = bytes((raw[index].tool_calls or [])[number].function.arguments).decode()
    try:
        return arguments_text(call.function.name, given or "", tools, conversions)
    except RowError as error:
        where = f"$.messages[{index}].tool_calls[{number}].function.arguments{error.where.removeprefix('$')}"
        raise RowError(error.reason, error.problem, where) from None
