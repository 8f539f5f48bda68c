r"""SWE-ZERO: mini-swe-agent chats of AlienKevin/SWE-ZERO-*, Parquet, `messages` a list of {role, content}.

    system     the scaffold's rules (one ```bash block per turn)
    user       the issue
    assistant  "THOUGHT: words\n\n```bash\ncommand\n```" (the label is often absent)
    user       "Observation: output"; exactly "Observation: " where there is none
    user       "Please always provide EXACTLY ONE action in triple backticks." after a turn without a block

Oddities, from the generator's code and from real rows:
* the generator runs the FIRST block that its pattern finds and ignores the rest; an unclosed block, another fence label
  or a fence on the command's own line is no block;
* a submitted rollout ends on the assistant (the loop breaks before the observation); any other ends on the user;
* an errored rollout may have no messages at all;
* `exit_status` alone says whether a rollout was submitted; many rollouts share an `instance_id`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any

import msgspec

from sera_swezero.core.conversions import Notes
from sera_swezero.core.rectify import Begun, filler
from sera_swezero.core.text import mend_text, strip_prefix
from sera_swezero.core.trajectory import (
    ERRORED,
    INCOMPLETE,
    OTHER,
    SUBMITTED,
    Called,
    Ended,
    Event,
    Observed,
    Outcome,
    Said,
    Step,
    System,
    Task,
    ToolCall,
    Trajectory,
)
from sera_swezero.errors import RowError
from sera_swezero.sources.bash_block import announces, as_arguments, split_turn
from sera_swezero.sources.decoding import decode, told

TOOLS = "tools-swe-zero"

_LIST = "messages"  # list of {role, content}
_TEN = {
    "instance_id": "string",
    "messages": _LIST,
    "repo": "string",
    "exit_status": "string?",
    "exit_status_detail": "string?",
    "n_turns": "int64?",
    "n_messages": "int64?",
    "prompt_tokens": "int64?",
    "completion_tokens": "int64?",
    "duration_sec": "float64?",
}
CARD_COLUMNS = {**_TEN, "messages": "string"}
"""Columns of the rectified view, in the card's order; `?` marks one that may be null."""

NATIVE_COLUMNS = {
    "swe-zero-1k": _TEN,
    "swe-zero-12m": {
        "instance_id": "string",
        "repo": "string",
        "messages": _LIST,
        "trajectory_format": "string?",
        "exit_status": "string?",
        "duration_sec": "float64?",
    },
}
"""Columns of the native view by shape of the upstream set, in the file's order."""

_TEXTS = ("instance_id", "repo", "exit_status", "exit_status_detail", "trajectory_format")
_STATUSES = {"submitted": SUBMITTED, "incomplete": INCOMPLETE, "errored": ERRORED}


class Message(msgspec.Struct):
    """One message of the chat."""

    role: str
    content: str


class Record(msgspec.Struct):
    """One row of the file; a set lacks some of the columns."""

    instance_id: str
    repo: str
    messages: list[Message]
    exit_status: str | None = None
    exit_status_detail: str | None = None
    n_turns: int | None = None
    n_messages: int | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    duration_sec: float | None = None
    trajectory_format: str | None = None


_ROW = msgspec.json.Decoder(dict[str, Any])


def read(raw: bytes | dict[str, Any], notes: Notes) -> Record:
    """Read one row (a dict of the Parquet columns, or a JSON line). Raises RowError `not_json`, `bad_*`."""
    row = decode(_ROW, raw, notes, broken="not_json", wrong="not_json", where="$") if isinstance(raw, bytes) else raw
    try:
        record = msgspec.convert(row, Record)
    except (msgspec.ValidationError, UnicodeError) as error:
        problem, where = told(error, "$")
        raise RowError("bad_messages" if where.startswith("$.messages[") else "bad_record", problem, where) from None
    if not record.instance_id:
        raise RowError("bad_record", "instance_id is empty; expected owner, repository and number", "$.instance_id")
    _mend(record, notes)
    return record


def _mend(record: Record, notes: Notes) -> None:
    """Mend lone surrogates in the texts: Parquet text that is no UTF-8 comes from the reader with halves of pairs."""
    holders: list[tuple[Any, str]] = [(record, name) for name in _TEXTS]
    for message in record.messages:
        if not (message.content.isascii() and message.role.isascii()):
            holders += [(message, "role"), (message, "content")]
    for holder, name in holders:
        text = getattr(holder, name)
        if text and not text.isascii():
            mended, count = mend_text(text)
            notes.extend([("mended_surrogate", "")] * count)
            setattr(holder, name, mended)


def events(record: Record, notes: Notes) -> Iterator[Event]:
    """Tell the chat as events, in order. Raises RowError `bad_messages`."""
    return _events(enumerate(record.messages), record, notes)


def _events(numbered: Iterable[tuple[int, Message]], record: Record, notes: Notes) -> Iterator[Event]:
    submitting = _submitting(record)
    tasked = False
    for index, message in numbered:
        role, content = message.role, message.content
        if role == "assistant":
            words, command = split_turn(content, notes)
            yield Said(words, "")
            if command is not None:
                yield Called(ToolCall("bash", as_arguments(command), None, index == submitting))
        elif role == "user" and tasked:
            text, prefix = strip_prefix(content)
            if prefix:
                notes.add("observation_prefix", prefix)
            yield Observed(text)
        elif role == "user":
            tasked = True
            yield Task(content)
        elif role == "system":
            yield System(content)
        else:
            raise RowError("bad_messages", f"role {role!r}; expected system, user or assistant", f"$.messages[{index}]")
    yield Ended(Outcome(_status(record), record.exit_status_detail or ""))


def ordinary(record: Record, notes: Notes) -> tuple[Begun, Iterator[Event]]:
    """The steps that the chat begins with as long as they are ordinary, rectified; and the other messages' events.

    Ordinary is a turn with a command that does not submit, and its observation; see `sera.ordinary`.
    """
    messages, submitting = record.messages, _submitting(record)
    steps: list[Step] = []
    begun = Begun(steps, Notes())
    usual = [message.role for message in messages[:2]] == ["system", "user"]
    pairs = iter(messages[2 : submitting if submitting is not None else None] if usual else ())
    for turn, reply in zip(pairs, pairs, strict=False):
        if turn.role != "assistant" or reply.role != "user":
            break
        said, command = split_turn(turn.content, notes)
        if command is None:
            break
        arguments = as_arguments(command)
        if not said:
            said = filler(record.instance_id, len(steps), arguments, begun.notes)
        seen, prefix = strip_prefix(reply.content)
        if prefix:
            notes.append(("observation_prefix", prefix))
        steps.append(Step(said, "", ToolCall("bash", arguments), seen))
    following = 2 + 2 * len(steps)
    return begun, _events(chain(enumerate(messages[:2]), enumerate(messages[following:], following)), record, notes)


def _status(record: Record) -> str:
    return _STATUSES.get((record.exit_status or "").lower(), OTHER)


def _submitting(record: Record) -> int | None:
    """The index of the turn that submits: the last one of a submitted rollout."""
    if _status(record) != SUBMITTED:
        return None
    turns = (index for index in reversed(range(len(record.messages))) if record.messages[index].role == "assistant")
    return next(turns, None)


_ENVIRONMENT = """\
You are an engineer who solves an issue in a software repository by running shell commands.

## Environment

- Every command runs in a new subshell at the root of the repository; a change of folder does not last.
- There are no interpreters, compilers, build tools or test runners. Reason from the source instead of running it.
- The usual file and text tools are there: to list, read, search, compare, edit in place, copy, move and remove files, \
and to read the history of the repository with git.
- Long output is cut in its middle; an empty result means that the command printed nothing."""

_FINISH = {
    True: "When the issue is solved, give your final answer.",
    False: "When the issue is solved, run `echo COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT` as a command of its own.",
}


def briefing(trajectory: Trajectory, *, answer: bool) -> str:
    """The environment's and the finishing rules in our words.

    The upstream system text is left to the native view: it demands a bash block in every turn, which contradicts the
    tool calls of a converted row.
    """
    del trajectory
    return f"{_ENVIRONMENT}\n\n## Finishing\n\n- {_FINISH[answer]}"


def submit_text(call: ToolCall) -> str:
    """The final command where it does more than announce the submission, else ""."""
    command: str = msgspec.json.decode(call.arguments)["command"]
    return "" if announces(command) else command


def recall(record: Record, facts: dict[str, str]) -> float | None:
    """SWE-ZERO records no patch, so there is nothing to recall."""
    del record, facts
    return None


def card(record: Record, facts: dict[str, str]) -> dict[str, Any]:
    """The rectified view's columns but `messages`; what a set lacks is computed, or null where it cannot be."""
    del facts
    turns, count = record.n_turns, record.n_messages
    return {
        "instance_id": record.instance_id,
        "repo": record.repo,
        "exit_status": record.exit_status,
        "exit_status_detail": record.exit_status_detail,
        "n_turns": sum(m.role == "assistant" for m in record.messages) if turns is None else turns,
        "n_messages": len(record.messages) if count is None else count,
        "prompt_tokens": record.prompt_tokens,
        "completion_tokens": record.completion_tokens,
        "duration_sec": record.duration_sec,
    }


def native(record: Record) -> dict[str, Any]:
    """Every column that any SWE-ZERO set has, as it is; the view keeps those of its own set."""
    return msgspec.to_builtins(record)  # type: ignore[no-any-return]
