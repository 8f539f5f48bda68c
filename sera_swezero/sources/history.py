"""The messages of a SERA history, typed for speed: what no rule reads is skipped, texts stay undecoded.

A text is decoded when a rule asks for it, in the dialect of the conversion. So a history of other types is
found late; `wrong` then decodes it in full to tell what is wrong and where.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from sera_swezero.dialect import Dialect
from sera_swezero.errors import RowError
from sera_swezero.escaped import read
from sera_swezero.notes import Notes
from sera_swezero.sources.decode import decode

_NULL = msgspec.Raw(b"null")

# None of these holds a cycle, so the garbage collector need not look at them: it halves the time of decoding.


class Part(msgspec.Struct, gc=False):
    """One part of a list content; upstream lists hold exactly one, a text (a JSON string, undecoded)."""

    text: msgspec.Raw


class Function(msgspec.Struct, gc=False):
    """What a tool call calls; the arguments are a string of JSON upstream, an object or nothing in hand-made rows."""

    name: str
    arguments: msgspec.Raw = _NULL


class Call(msgspec.Struct, gc=False):
    """One entry of `tool_calls`."""

    function: Function
    id: str | None = None


class Turn(msgspec.Struct, gc=False, tag_field="role", tag="assistant"):
    """A message of the model; its texts are undecoded, since usually one is the other."""

    content: msgspec.Raw = _NULL
    thought: msgspec.Raw = _NULL
    tool_calls: list[Call] | None = None
    tool_call_ids: list[str] | None = None


class _UnreadFunction(msgspec.Struct, gc=False):
    name: str
    arguments: str | dict[str, Any] | None = None


class _UnreadCall(msgspec.Struct, gc=False):
    function: _UnreadFunction
    id: str | None = None


class Reply(msgspec.Struct, gc=False, tag_field="role", tag="tool"):
    """A message of the harness after a turn. The last two keys are a turn's: not read here, but held to their type."""

    content: str | list[Part] | None = None
    tool_call_ids: list[str] | None = None
    thought: str | None = None
    tool_calls: Annotated[list[_UnreadCall], msgspec.Meta(max_length=1)] | None = None


class User(Reply, gc=False, tag_field="role", tag="user"):
    """The task, or a message of the harness after a turn without a call."""


class Briefing(Reply, gc=False, tag_field="role", tag="system"):
    """The system message."""


class _TextPart(msgspec.Struct):
    text: str


class _Message(msgspec.Struct):
    """Any message, in full: tells what is wrong with a history that is not of the types above."""

    role: str
    content: str | list[_TextPart] | None = None
    thought: str | None = None
    tool_calls: list[_UnreadCall] | None = None
    tool_call_ids: list[str] | None = None


_ROLES = ("system", "user", "assistant", "tool")
_MESSAGES = msgspec.json.Decoder(list[Turn | Reply | User | Briefing])
_IN_FULL = msgspec.json.Decoder(list[_Message])
_PARTS = msgspec.json.Decoder(list[Part])


def messages_of(history: str, notes: Notes) -> list[Any]:
    """Decode a history. Raises RowError `bad_messages`; msgspec.ValidationError where `wrong` tells what is wrong."""
    try:
        return _MESSAGES.decode(history)
    except msgspec.ValidationError:
        raise
    except (msgspec.DecodeError, UnicodeError):
        return decode(_MESSAGES, history, notes, broken="bad_messages", wrong="bad_messages", where="$.messages")


def wrong(history: str) -> RowError:
    """What is wrong with a history that is not of the types of this file."""
    try:
        messages = decode(_IN_FULL, history, Notes(), broken="bad_messages", wrong="bad_messages", where="$.messages")
    except RowError as error:
        return error
    roles = [message.role for message in messages]
    index = next((i for i, role in enumerate(roles) if role not in _ROLES), 0)
    problem = f"role {roles[index]!r}; expected {', '.join(_ROLES[:-1])} or {_ROLES[-1]}"
    return RowError("bad_messages", problem, f"$.messages[{index}].role")


def content_of(content: str | list[Part] | None, index: int, dialect: Dialect) -> str:
    """The text of a content, whichever form it has; "" for none. Raises RowError `bad_messages`."""
    if isinstance(content, list):
        if len(content) != 1:
            raise RowError(
                "bad_messages", f"{len(content)} content parts; expected one text", f"$.messages[{index}].content"
            )
        return read(content[0].text, dialect)
    return dialect.of(content) if content else ""


def turn_text(turn: Turn, index: int, notes: Notes, dialect: Dialect) -> str:
    """`thought`, else `content`: the card calls thought the authoritative one."""
    thought = "" if turn.thought == _NULL else read(turn.thought, dialect)
    if thought and turn.thought == turn.content:
        return thought
    raw = bytes(turn.content)
    if raw[:1] == b"[":
        content = content_of(_PARTS.decode(raw), index, dialect)
    else:
        content = "" if turn.content == _NULL else read(turn.content, dialect)
    if thought and content and content != thought:
        notes.add("content_differs", dialect.plain(content))
    return thought or content
