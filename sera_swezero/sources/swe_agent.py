r"""SWE-agent: the `.traj` files of `sweagent run` and `run-batch`, of versions 0.x and 1.x; and lines as SERA's.

A file is one JSON object. What is read of it:

    {"history": [messages as SERA's, see `sera`],
     "trajectory": [{"response", "thought", "action", "observation", "query"}],
     "info": {"exit_status": "submitted", "submission": "diff ..."},
     "replay_config": "the run's configuration as JSON text", "environment": "swe_main",
     "attempts": [{"history", "trajectory", "info"}]}

A line of JSON Lines has `messages` in place of `history`, as a list or as JSON text, and may have `instance_id`,
`exit_status`, `model` and `patch` (or `rollout_patch`) of its own.

Oddities, from SWE-agent's code and from real files:
* `history` is all that old files have, or it lacks the submission that ended the run, or it is absent; `trajectory`
  then says what is missing;
* text parsers (thought_action, xml, backticks) record no `tool_calls`: the call is the shell line in `action`;
* `tool_calls` may be a string of Python; arguments may be an object;
* demonstrations stand between the system message and the task: they are not of this run;
* a history may hold messages of other agents; of several attempts the chosen one is repeated at the top of the file,
  once it is chosen;
* `exit_status` is `submitted`, `submitted (exit_cost)` where the harness submitted what there was, `exit_context`,
  `exit_format` and so on, or null; version 0.x submits without an observation;
* the model's own reasoning may be in `thinking_blocks`;
* the file does not name its instance: its name does.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import msgspec

from sera_swezero import schemas
from sera_swezero.core.conversions import ConversionLog
from sera_swezero.core.events import Ended, Event
from sera_swezero.schemas.columns import Column, optional_text
from sera_swezero.sources.decoding import refuse_many
from sera_swezero.sources.run_files import (
    ABSENT,
    INSTANCE_ID,
    RECTIFIED_COLUMNS,
    RunRecord,
    native_values,
    nested,
    read_file,
    rectified_values,
)
from sera_swezero.sources.source import RecordContext, Source
from sera_swezero.sources.swe_agent_run import HISTORY, RunMessage, outcome_of, run_events, submit_text
from sera_swezero.sources.swe_agent_steps import WHERE, from_steps, submission

ENVIRONMENT = optional_text("The environment's name.")

NATIVE_COLUMNS = {
    "instance_id": INSTANCE_ID,
    "messages": Column(type="string", about="The history; JSON text of the list."),
    "info": optional_text("Exit status, submission, cost and so on; JSON text."),
    "environment": ENVIRONMENT,
    "replay_config": optional_text("The run's configuration; JSON text."),
}
"""The file's own columns. `trajectory` and `attempts`, which repeat the history, are left out."""


class _TrajInfo(msgspec.Struct):
    exit_status: str | int | None = None
    submission: str | None = None


class _TrajFile(msgspec.Struct):
    history: msgspec.Raw = ABSENT
    messages: msgspec.Raw = ABSENT
    trajectory: msgspec.Raw = ABSENT
    info: msgspec.Raw = ABSENT
    replay_config: msgspec.Raw = ABSENT
    attempts: msgspec.Raw = ABSENT
    environment: str | None = None
    instance_id: str | None = None
    exit_status: str | int | None = None
    model: str | None = None
    patch: str | None = None
    rollout_patch: str | None = None


class SweAgentRecord(RunRecord, kw_only=True):
    """One run."""

    messages: list[RunMessage]
    other_attempts: int
    """How many attempts the file holds beside this one."""
    environment: str | None
    replay_config: str | None


_FILE = msgspec.json.Decoder(_TrajFile)
_ATTEMPTS = msgspec.json.Decoder(list[_TrajFile])
_INFO = msgspec.json.Decoder(_TrajInfo)
_ANY: msgspec.json.Decoder[Any] = msgspec.json.Decoder()


def read(raw: bytes | dict[str, Any], conversions: ConversionLog, context: RecordContext) -> SweAgentRecord:
    """Decode one file, line or row. Raises RowError `not_json`, `bad_record`, `bad_messages`."""
    whole = read_file(raw, _FILE, conversions)
    attempts = nested(whole.attempts, _ATTEMPTS, conversions, wrong="bad_record", where="$.attempts").value or []
    file, root = _chosen(whole, attempts)
    info = nested(file.info, _INFO, conversions, wrong="bad_record", where=f"{root}.info")
    said = info.value or _TrajInfo(file.exit_status, file.patch or file.rollout_patch)
    exit_status = None if said.exit_status is None else str(said.exit_status)
    messages, text, place = _messages(file, root, exit_status or "", conversions)
    config = nested(whole.replay_config, _ANY, conversions, wrong="bad_record", where="$.replay_config")
    tools = schemas.tools("tools-sera")
    return SweAgentRecord(
        instance_id=whole.instance_id or "",
        messages=messages,
        text=text,
        place=place,
        other_attempts=max(len(attempts) - 1, 0),
        # With a text parser the model has the shell alone; the other tools are commands in it.
        tools=context.tools or (tools if any(one.tool_calls for one in messages) else tools[:1]),
        exit_status=exit_status,
        submission=said.submission,
        model=whole.model or _model(config.value),
        info=info.text,
        environment=file.environment or whole.environment,
        replay_config=config.text,
    )


def _chosen(whole: _TrajFile, attempts: list[_TrajFile]) -> tuple[_TrajFile, str]:
    """The attempt that counts, and its path: the top of the file once one was chosen, else the last that submitted."""
    if whole.history != ABSENT or not attempts:
        return whole, "$"
    numbered = list(enumerate(attempts))
    submitted = [pair for pair in numbered if b'"submitted' in bytes(pair[1].info)]
    number, file = (submitted or numbered)[-1]
    return file, f"$.attempts[{number}]"


def _messages(
    file: _TrajFile, root: str, exit_status: str, conversions: ConversionLog
) -> tuple[list[RunMessage], str, str]:
    """The messages of a run, their JSON text, and their path."""
    name = "messages" if file.history == ABSENT else "history"
    place = f"{root}.{name}"
    text, messages = nested(getattr(file, name), HISTORY, conversions, wrong="bad_messages", where=place)
    if text is None or not messages:
        messages = from_steps(file.trajectory, conversions)
        return messages, msgspec.json.encode(messages).decode(), WHERE
    refuse_many(messages)
    if exit_status == "submitted":
        messages += submission(messages, file.trajectory, conversions)
    return messages, text, place


def _model(config: Any) -> str | None:
    """The model that a run's configuration names."""
    with suppress(LookupError, TypeError):
        name = config["agent"]["model"]["name"]
        return name if isinstance(name, str) else None
    return None


def events(record: SweAgentRecord, conversions: ConversionLog) -> Iterator[Event]:
    """Report the run as events, in order. Raises RowError `bad_messages`, `bad_arguments`."""
    if record.other_attempts:
        conversions.add("other_run", times=record.other_attempts)
    for event in run_events(record.messages, record.tools, conversions, record.place):
        if isinstance(event, Ended):
            record.outcome = outcome_of(record.exit_status, event.outcome)
            yield Ended(record.outcome)
        else:
            yield event


SOURCE = Source(
    name="swe_agent",
    read=read,
    events=events,
    submit_text=submit_text,
    rectified_columns={**RECTIFIED_COLUMNS, "environment": ENVIRONMENT},
    rectified_values=lambda record, facts: {**rectified_values(record), "environment": record.environment},
    native_columns={"swe-agent": NATIVE_COLUMNS},
    native_values=lambda record: {
        **native_values(record),
        "environment": record.environment,
        "replay_config": record.replay_config,
    },
)
