r"""Chats in the form of OpenAI's API, JSONL or Parquet: those of OpenHands and of anybody who stores what was sent.

    {"role": "system", "content": "..."}
    {"role": "user", "content": "the task"}
    {"role": "assistant", "content": "words", "reasoning_content": "...", "tool_calls": [
        {"id": "call_1", "type": "function", "function": {"name": "bash", "arguments": "{\"command\": \"ls\"}"}}]}
    {"role": "tool", "tool_call_id": "call_1", "content": "output"}

The list is in the column `messages`, `trajectory` or `conversations`, or in the one that `messages_column` names, as a
list or as its JSON text. The sets differ, and all of this is read:
* ids are missing in the calls, in the results or in both; then results belong to the open calls in their order;
* a turn has several calls, whose results follow one another;
* `arguments` are a string of JSON, "", null or an object;
* a content is a text, null or a list of texts;
* the reasoning is in `reasoning_content`, in `reasoning` or in think tags;
* `tools` are objects, JSON texts or one JSON text, in the row, in the argument `tools`, in the catalog or nowhere;
* the user speaks several times before the model does, which is the task, or after a turn or its results, a reply;
* there is no system message: then the system text is empty.

The row's `exit_status` says how a rollout ended: it was submitted or finished, met an error, or is incomplete. Without
that column it was submitted if the last turn calls a tool such as `finish` or `submit`, or if the last message is a
turn without a call.
`resolved` does not count: tests may pass on the work of a rollout that ran into its cap.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from typing import Any

import msgspec

from sera_swezero.core.conversions import ConversionLog
from sera_swezero.core.events import Called, Ended, Event, Observed, Replied, Said, System, Task
from sera_swezero.core.text import join
from sera_swezero.core.trajectory import ERRORED, INCOMPLETE, SUBMITTED, Outcome, ToolCall, Tools
from sera_swezero.errors import RowError
from sera_swezero.sources.decoding import decode, inner_json, refuse_many
from sera_swezero.sources.json_record import (
    Content,
    members_of,
    reasoning_and_visible,
    status_of,
    submit_text,
    text_of,
    tools_of,
    value_for,
    with_submission,
)
from sera_swezero.sources.openai_chat_columns import NATIVE_COLUMNS, RECTIFIED_COLUMNS
from sera_swezero.sources.source import RecordContext, Source
from sera_swezero.sources.tool_arguments import ChatCall, checked_calls

USUAL_COLUMNS = ("messages", "trajectory", "conversations")
"""The columns in which the messages are looked for, in this order."""

_SYSTEM = frozenset({"system", "developer"})
_IDS = ("instance_id", "trajectory_id", "id")
"""The columns that may name a row; the first that is there does."""


class OpenAIMessage(msgspec.Struct, gc=False):
    """One message; what no rule reads is skipped."""

    role: str
    content: Content = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    tool_calls: list[ChatCall] | None = None
    tool_call_id: str | None = None


class ChatRecord(msgspec.Struct):
    """One row."""

    instance_id: str
    messages: list[OpenAIMessage]
    messages_text: str
    tools: Tools
    columns: dict[str, Any]
    """All other columns."""

    @property
    def repo(self) -> str | None:
        """Owner and repository, where the row names them."""
        return self._text("repo")

    @property
    def trajectory_id(self) -> str | None:
        """The rollout's own id, where the row has one."""
        return self._text("trajectory_id")

    def _text(self, name: str) -> str | None:
        value = self.columns.get(name)
        return value if isinstance(value, str) else None


_MESSAGES = msgspec.json.Decoder(list[OpenAIMessage])


def read(raw: bytes | dict[str, Any], conversions: ConversionLog, context: RecordContext) -> ChatRecord:
    """Read one row. Raises RowError `not_json`, `bad_record`, `bad_messages`."""
    members = members_of(raw, conversions)
    wanted = (context.messages_column,) if context.messages_column else USUAL_COLUMNS
    column = next((name for name in wanted if name in members and bytes(members[name]) != b"null"), None)
    if column is None:
        problem = f"no column {' or '.join(map(repr, wanted))}; it has {', '.join(members) or 'none'}"
        raise RowError("bad_record", f"{problem}; expected the messages, or messages_column= with their column")
    where = f"$.{column}"
    text = inner_json(bytes(members.pop(column)), conversions, "bad_messages", where)
    messages = decode(_MESSAGES, text, conversions, wrong="bad_messages", where=where)
    refuse_many(messages)
    tools = tools_of(members.pop("tools", None), context.tools, "$.tools")
    columns = {name: msgspec.json.decode(value) for name, value in members.items()}
    named = next((columns[name] for name in _IDS if columns.get(name)), "")
    if not isinstance(named, str | int):
        raise RowError("bad_record", f"the id is a {type(named).__name__}; expected text", "$.instance_id")
    return ChatRecord(str(named), messages, text.decode(), tools, columns)


def events(record: ChatRecord, conversions: ConversionLog) -> Iterator[Event]:
    """Report the chat as events, in order. Raises RowError `bad_messages`, `bad_arguments`."""
    outcome, last = outcome_of(record), _last_turn(record)
    begins = yield from _beginning(record)
    for index, message in enumerate(record.messages[begins:], begins):
        content = _content(record, index)
        if message.role == "assistant":
            yield Said(*reasoning_and_visible(message.reasoning_content or message.reasoning or None, content))
            submitted = index == last and outcome.status == SUBMITTED
            for call in with_submission(_calls(record, index, conversions), submitted=submitted):
                yield Called(call)
        elif message.role == "tool":
            yield Observed(content, message.tool_call_id or None)
        elif message.role == "user":
            yield Replied(content)
        elif message.role in _SYSTEM:
            yield System(content)
        else:
            problem = f"role {message.role!r}; expected system, developer, user, assistant or tool"
            raise RowError("bad_messages", problem, f"$.messages[{index}].role")
    yield Ended(outcome)


def _beginning(record: ChatRecord) -> Generator[Event, None, int]:
    """Report what comes before the first turn; returns the index of the first message after it."""
    messages = record.messages
    if not messages:
        return 0
    at = int(messages[0].role in _SYSTEM)
    yield System(_content(record, 0) if at else "")
    behind = next((index for index in range(at, len(messages)) if messages[index].role != "user"), len(messages))
    if behind > at:
        yield Task(join(*(_content(record, index) for index in range(at, behind))))
    return behind


def outcome_of(record: ChatRecord) -> Outcome:
    """How the rollout ended: see the module's docstring. Raises RowError `bad_arguments`."""
    said = record.columns.get("exit_status")
    if isinstance(said, str) and said:
        words = said.lower()
        submitted = words.startswith(("submit", "finish"))
        return Outcome(SUBMITTED if submitted else ERRORED if "error" in words else INCOMPLETE, said)
    last = _last_turn(record)
    if last is None:
        return Outcome(INCOMPLETE)
    calls = _calls(record, last, ConversionLog())
    return Outcome(status_of(calls, words_last=not calls and last == len(record.messages) - 1))


def _last_turn(record: ChatRecord) -> int | None:
    """The index of the model's last turn."""
    return next((at for at in reversed(range(len(record.messages))) if record.messages[at].role == "assistant"), None)


def _content(record: ChatRecord, index: int) -> str:
    return text_of(record.messages[index].content, f"$.messages[{index}].content")


def _calls(record: ChatRecord, index: int, conversions: ConversionLog) -> list[ToolCall]:
    return checked_calls(record.messages[index].tool_calls or (), record.tools, conversions, f"$.messages[{index}]")


def rectified_values(record: ChatRecord, _facts: Mapping[str, str]) -> dict[str, Any]:
    """The rectified view's columns but `messages`."""
    outcome = outcome_of(record)
    values = {name: value_for(column, record.columns.get(name), name) for name, column in RECTIFIED_COLUMNS.items()}
    ended = {"exit_status": outcome.status, "exit_status_detail": outcome.detail}
    return {**values, **ended, "instance_id": record.instance_id}


def native_values(record: ChatRecord) -> dict[str, Any]:
    """Every column that any set has; a value that is not text where text was expected becomes its JSON text."""
    columns = {name: column for shape in NATIVE_COLUMNS.values() for name, column in shape.items()}
    values = {name: value_for(column, record.columns.get(name), name) for name, column in columns.items()}
    tools = f"[{', '.join(record.tools)}]" if record.tools else None
    return {**values, "instance_id": record.instance_id, "messages": record.messages_text, "tools": tools}


SOURCE = Source(
    name="openai_chat",
    read=read,
    events=events,
    submit_text=submit_text,
    rectified_columns=RECTIFIED_COLUMNS,
    rectified_values=rectified_values,
    native_columns=NATIVE_COLUMNS,
    native_values=native_values,
    reads_all_columns=True,
    takes=("messages_column", "tools"),
)
