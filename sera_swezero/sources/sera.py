r"""SERA: SWE-agent histories of thirteen sets such as allenai/Sera-4.6-Lite-T2, one JSONL file each.

A line is an object of eight columns; `messages` is a JSON string of the history (upstream's card: "apply json.loads"):

    {"role": "system", "content": "...", "agent": "main", "message_type": "system_prompt"}
    {"role": "user", "content": [{"type": "text", "text": "..."}], ...}
    {"role": "assistant", "content": "<think>A</think>\nB", "thought": "<think>A</think>\nB", "action": "...",
     "tool_calls": [{"index": -1, "id": "call_...", "type": "function",
                     "function": {"name": "bash", "arguments": "{\"command\": \"ls\"}"}}], ...}
    {"role": "tool", "content": [{"type": "text", "text": "OBSERVATION:\n..."}], "tool_call_ids": ["call_..."], ...}

Oddities, all seen or known from SWE-agent's code:
* `submit` happens twice by design (`review_on_submit_m`: the first shows a review, the second submits), or up to five
  times;
* a harness that gives up writes an assistant turn `Exit due to ...` without a tool call, then a user message;
* a turn may hold several calls, which SWE-agent's own parser refuses; a message that answers several names all of them;
* content is a string, or a list of one text part where the cache-control processor passed;
* the Best Subset joins rows of both rollouts; its further column `source` names the set that a row was taken from;
* `action` repeats the call in shell form; unknown keys occur; both are ignored.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

import msgspec

from sera_swezero import schemas
from sera_swezero.catalog import fact_values
from sera_swezero.core.conversions import ConversionLog
from sera_swezero.core.events import Event
from sera_swezero.core.recall import line_level_recall
from sera_swezero.errors import RowError
from sera_swezero.schemas.columns import Column, filled_text, optional_text
from sera_swezero.sources.decoding import decode
from sera_swezero.sources.source import MESSAGES, RECALL, RecordContext, Source
from sera_swezero.sources.swe_agent_history import History
from sera_swezero.sources.swe_agent_messages import history_text, messages_of
from sera_swezero.sources.swe_agent_run import submit_text

INSTANCE_ID = filled_text("Repository and number; unique within one set only.")
FUNC_NAME = Column(type="string", about="The function that the task is about.")
FUNC_PATH = Column(type="string", about="Its file inside the repository.")

RECTIFIED_COLUMNS = {
    "messages": MESSAGES,
    "instance_id": INSTANCE_ID,
    "teacher": Column(type="string", about="The model that rolled out.", choices=partial(fact_values, "teacher")),
    "scale": Column(type="string", about="Size of the set.", choices=partial(fact_values, "scale")),
    "rollout": Column(
        type="string",
        nullable=True,
        about="First (T1) or second (T2) rollout of an instance; null where a set has both and the row does not say.",
        choices=partial(fact_values, "rollout"),
    ),
    "func_name": FUNC_NAME,
    "func_path": FUNC_PATH,
    "line_level_recall": RECALL,
}

NATIVE_COLUMNS = {
    "messages": Column(
        type="string",
        about="SWE-agent's history; on the hub a JSON string of the list.",
        content="raw-sera-messages",
    ),
    "instance_id": INSTANCE_ID,
    "rollout_patch": optional_text("Diff that this rollout made; may be empty."),
    "func_name": FUNC_NAME,
    "func_path": FUNC_PATH,
    "problem_statement": optional_text("The text inside <pr_description>."),
    "target_patch": optional_text("T2: the diff of the T1 rollout that this one repeats; T1: empty."),
    "docker_image": optional_text("The sandbox's image."),
}


class SeraRecord(msgspec.Struct):
    """One line of the file. `messages` is the history's JSON text, whichever way the line holds it."""

    messages: str
    instance_id: str
    func_name: str
    func_path: str
    rollout_patch: str | None
    problem_statement: str | None
    target_patch: str | None
    docker_image: str | None
    source: Any = None

    def rollout(self, facts: Mapping[str, str]) -> str | None:
        """The rollout of the set, else the one that the row's own `source` names, such as "Sera-4.6-Lite-T1"."""
        named = _ROLLOUT.search(self.source) if isinstance(self.source, str) else None
        return facts.get("rollout") or (named and named.group().upper())


class _ListRecord(SeraRecord):
    """A line whose history is not a string."""

    messages: msgspec.Raw  # type: ignore[assignment]


_TOOLS = "tools-sera"
"""The tools of SWE-agent's default configuration, which all rows share."""
_ROLLOUT = re.compile(r"(?<![a-z0-9])t[12](?![a-z0-9])", re.IGNORECASE)
_RECORD = msgspec.json.Decoder(SeraRecord)
_LIST_RECORD = msgspec.json.Decoder(_ListRecord)


def read(raw: bytes | dict[str, Any], conversions: ConversionLog, _context: RecordContext) -> SeraRecord:
    """Decode one line. Raises RowError `not_json` or `bad_record`."""
    line = raw if isinstance(raw, bytes) else json.dumps(raw).encode()
    try:
        record = _RECORD.decode(line)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        record = _odd_record(line, conversions)
    if not record.instance_id:
        raise RowError("bad_record", "instance_id is empty; expected the repository and a number", "$.instance_id")
    return record


def events(record: SeraRecord, conversions: ConversionLog) -> Iterator[Event]:
    """Report the history as events, in order. Raises RowError `bad_messages`, `bad_arguments`."""
    messages = messages_of(record.messages, conversions)
    return iter(History(messages, record.messages, schemas.tools(_TOOLS), conversions))


def recall(record: SeraRecord, facts: Mapping[str, str]) -> float | None:
    """Line-level recall of a T2 rollout against its T1 target; None for T1 and where the target has no lines."""
    return line_level_recall(record.target_patch, record.rollout_patch) if record.rollout(facts) == "T2" else None


def rectified_values(record: SeraRecord, facts: Mapping[str, str]) -> dict[str, Any]:
    """The rectified view's columns but `messages`."""
    own = {name: getattr(record, name) for name in ("instance_id", "func_name", "func_path")}
    derived = {"rollout": record.rollout(facts), "line_level_recall": recall(record, facts)}
    return {**own, **facts, **derived}


def native_values(record: SeraRecord) -> dict[str, Any]:
    """The upstream columns as they are; a `messages` that is a list already becomes the JSON string it should be."""
    return {name: getattr(record, name) for name in NATIVE_COLUMNS}


def _odd_record(line: bytes, conversions: ConversionLog) -> SeraRecord:
    """Decode a line that is not of the usual type: with lone surrogates, with a list for its history, or wrong."""
    wrong = "bad_record" if line.lstrip()[:1] == b"{" else "not_json"
    record = decode(_LIST_RECORD, line, conversions, wrong=wrong, where="$", broken="not_json")
    history = history_text(bytes(record.messages), conversions)
    return SeraRecord(**{**msgspec.structs.asdict(record), "messages": history})


SOURCE = Source(
    name="sera",
    read=read,
    events=events,
    tools=lambda record: schemas.tools(_TOOLS),
    submit_text=submit_text,
    recall=recall,
    rectified_columns=RECTIFIED_COLUMNS,
    rectified_values=rectified_values,
    native_columns={"sera": NATIVE_COLUMNS},
    native_values=native_values,
)
