r"""SWE-ZERO: mini-swe-agent chats of AlienKevin/SWE-ZERO-*, Parquet, `messages` a list of {role, content}.

    system     the scaffold's rules (one ```bash block per turn)
    user       the issue
    assistant  "THOUGHT: words\n\n```bash\ncommand\n```" (the label is often absent)
    user       "Observation: output"; exactly "Observation: " where there is none
    user       "Please always provide EXACTLY ONE action in triple backticks." after a turn without a block

Oddities, from the generator's code and from real rows:
* the generator runs the FIRST block that its pattern finds and ignores the rest; an unclosed block, another fence label
  or a fence on the command's own line is not a block;
* a submitted rollout ends on the assistant (the loop breaks before the observation); any other ends on the user;
* the harness of the 8k set refuses some commands, such as tests or the network, and says so in the observation;
* an errored rollout may have no messages at all;
* `exit_status` alone says whether a rollout was submitted; many rollouts share an `instance_id`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from sera_swezero import schemas
from sera_swezero.core.conversions import ConversionLog
from sera_swezero.core.events import Called, Ended, Event, Observed, Said, System, Task
from sera_swezero.core.trajectory import ERRORED, INCOMPLETE, OTHER, SUBMITTED, Outcome, Step, ToolCall, Trajectory
from sera_swezero.errors import RowError
from sera_swezero.schemas.columns import Column, filled_text, optional_text
from sera_swezero.sources.bash_block import as_arguments, beyond_announcing, split_turn
from sera_swezero.sources.decoding import decode, explain, mend_fields, refuse_many, without_prefix
from sera_swezero.sources.source import MESSAGES, RecordContext, Source

CHAT = Column(type="messages", about="mini-swe-agent's chat.", roles=("system", "user", "assistant"))
INSTANCE_ID = filled_text("Owner, repository and pull request; many rollouts share one.")
REPO = Column(type="string", about="Owner and repository.")
EXIT_STATUS = optional_text("How the rollout ended, in upstream's words: Submitted, incomplete, errored, ...")
DURATION = Column(type="float64", nullable=True, about="Wall time of the rollout in seconds.")


def _count(about: str) -> Column:
    return Column(type="int64", nullable=True, about=about, rules={"minimum": 0})


NATIVE_1K = {
    "instance_id": INSTANCE_ID,
    "messages": CHAT,
    "repo": REPO,
    "exit_status": EXIT_STATUS,
    "exit_status_detail": optional_text("The first 200 characters of an error."),
    "n_turns": _count("Turns of the model."),
    "n_messages": _count("Messages."),
    "prompt_tokens": _count("Prompt tokens, summed over the turns."),
    "completion_tokens": _count("Completion tokens, summed over the turns."),
    "duration_sec": DURATION,
}
NATIVE_12M = {
    "instance_id": INSTANCE_ID,
    "repo": REPO,
    "messages": CHAT,
    "trajectory_format": optional_text("The recorder, such as mini-swe-agent-1."),
    "exit_status": EXIT_STATUS,
    "duration_sec": DURATION,
}

_TEXTS = ("instance_id", "repo", "exit_status", "exit_status_detail", "trajectory_format")
_STATUSES = {"submitted": SUBMITTED, "incomplete": INCOMPLETE, "errored": ERRORED}


class ChatMessage(msgspec.Struct, gc=False):  # it holds no cycle: see core/trajectory.py
    """One message of the chat."""

    role: str
    content: str


class SweZeroRecord(msgspec.Struct):
    """One row of the file; a set lacks some of the columns."""

    instance_id: str
    repo: str
    messages: list[ChatMessage]
    exit_status: str | None = None
    exit_status_detail: str | None = None
    n_turns: int | None = None
    n_messages: int | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    duration_sec: float | None = None
    trajectory_format: str | None = None


_ROW = msgspec.json.Decoder(dict[str, Any])


def read(raw: bytes | dict[str, Any], conversions: ConversionLog, _context: RecordContext) -> SweZeroRecord:
    """Read one row (a dict of the Parquet columns, or a JSON line). Raises RowError `not_json`, `bad_*`."""
    if isinstance(raw, bytes):
        raw = decode(_ROW, raw, conversions, wrong="not_json", where="$")
    try:
        record = msgspec.convert(raw, SweZeroRecord)
    except (msgspec.ValidationError, UnicodeError) as error:
        problem, where = explain(error, "$")
        raise RowError("bad_messages" if where.startswith("$.messages[") else "bad_record", problem, where) from None
    if not record.instance_id:
        raise RowError("bad_record", "instance_id is empty; expected owner, repository and number", "$.instance_id")
    _mend(record, conversions)
    return record


def _mend(record: SweZeroRecord, conversions: ConversionLog) -> None:
    """Mend lone surrogates: the reader of Parquet returns text that is not UTF-8 with halves of surrogate pairs."""
    mend_fields(record, _TEXTS, conversions)
    for message in record.messages:
        if not (message.content.isascii() and message.role.isascii()):
            mend_fields(message, ("role", "content"), conversions)


def events(record: SweZeroRecord, conversions: ConversionLog) -> Iterator[Event]:
    """Report the chat as events, in order. Raises RowError `bad_messages`."""
    refuse_many(record.messages)
    messages, submitting = record.messages, _submitting(record)
    tasked = False
    numbered = enumerate(messages)
    for index, message in numbered:
        role, content = message.role, message.content
        if role == "assistant":
            words, command = split_turn(content, conversions)
            if command is None:
                yield Said(words, "")
                continue
            arguments, submits = as_arguments(command), index == submitting
            reply = messages[index + 1] if index + 1 < len(messages) else None
            if tasked and reply is not None and reply.role == "user":
                observation = without_prefix(reply.content, conversions)
                yield Step(words, "", (ToolCall("bash", arguments, None, submits, observation),))
                next(numbered)
            else:
                yield Said(words, "")
                yield Called(ToolCall("bash", arguments, None, submits))
        elif role == "user" and tasked:
            yield Observed(without_prefix(content, conversions))
        elif role == "user":
            tasked = True
            yield Task(content)
        elif role == "system":
            yield System(content)
        else:
            raise RowError("bad_messages", f"role {role!r}; expected system, user or assistant", f"$.messages[{index}]")
    yield Ended(Outcome(_status(record), record.exit_status_detail or ""))


def _status(record: SweZeroRecord) -> str:
    return _STATUSES.get((record.exit_status or "").lower(), OTHER)


def _submitting(record: SweZeroRecord) -> int | None:
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
    "answer": "When the issue is solved, give your final answer.",
    "call": "When the issue is solved, run `echo COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT` as a command of its own.",
}


def system_text(_trajectory: Trajectory, submit: str) -> str:
    """The environment's and the finishing rules in our words.

    The upstream system text is left to the native view: it demands a bash block in every turn, which contradicts the
    tool calls of a converted row.
    """
    return f"{_ENVIRONMENT}\n\n## Finishing\n\n- {_FINISH[submit]}"


def rectified_values(record: SweZeroRecord, _facts: Mapping[str, str]) -> dict[str, Any]:
    """The rectified view's columns but `messages`; what a set lacks is computed, or null where it cannot be."""
    values = {name: getattr(record, name) for name in NATIVE_1K if name != "messages"}
    if record.n_turns is None:
        values["n_turns"] = sum(message.role == "assistant" for message in record.messages)
    if record.n_messages is None:
        values["n_messages"] = len(record.messages)
    return values


def native_values(record: SweZeroRecord) -> dict[str, Any]:
    """Every column that any SWE-ZERO set has, as it is; the view keeps those of its own set."""
    return msgspec.to_builtins(record)  # type: ignore[no-any-return]


SOURCE = Source(
    name="swe_zero",
    read=read,
    events=events,
    tools=lambda record: schemas.tools("tools-swe-zero"),
    system_text=system_text,
    submit_text=beyond_announcing,
    rectified_columns={**NATIVE_1K, "messages": MESSAGES},
    rectified_values=rectified_values,
    native_columns={"swe-zero-1k": NATIVE_1K, "swe-zero-12m": NATIVE_12M},
    native_values=native_values,
    # As `experiments/swe_zero/safe_exec.py` of marin words it.
    blocked=re.compile(r"command blocked: .+: this is the SWE-ZERO execution-free environment\s*").fullmatch,
    counts_unique=True,
)
