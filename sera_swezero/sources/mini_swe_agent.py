r"""mini-swe-agent: its `.traj.json` files of versions 1 and 2; and such messages in JSON Lines or Parquet.

A file is one JSON object, or a bare list of messages:

    {"instance_id": "...", "trajectory_format": "mini-swe-agent-1.1",
     "info": {"exit_status": "Submitted", "submission": "diff ...", "config": {"model": {"model_name": "..."}}},
     "messages": [
       {"role": "system", ...}, {"role": "user", ...},
       {"role": "assistant", "content": "words", "reasoning_content": "...", "tool_calls": [...]},
       {"role": "tool", "tool_call_id": "...", "content": "<returncode>0</returncode>\n<output>\n...</output>"},
       {"role": "exit", "content": "diff ...", "extra": {"exit_status": "Submitted", "submission": "diff ..."}}]}

Oddities, from the program's code and from real files:
* a text model writes its command into a block, ```` ```mswea_bash_command ```` (version 2), ```` ```bash ````
  (version 1), or an XML tag; what comes back is a user message. Any other number of blocks than one runs nothing;
* a model with tools may call several in a turn; the Responses API records a turn as `output`, without a role;
* version 2 leaves a turn without a command out, and keeps the error that it met: user messages follow one another;
* the last message is the harness's: in version 1 a user message that is the submission, or "", without any mark;
* the turn that submits has no observation, or the observations of commands that were not run;
* `exit_status` is `Submitted`, `LimitsExceeded`, `TimeExceeded`, `RepeatedFormatError`, or the name of an exception;
  a bare list has none: then the last command says whether it submitted.
"""

from __future__ import annotations

from typing import Any

import msgspec

from sera_swezero import schemas
from sera_swezero.core.conversions import ConversionLog
from sera_swezero.errors import RowError
from sera_swezero.schemas.columns import Column, optional_text
from sera_swezero.sources.bash_block import beyond_announcing
from sera_swezero.sources.decoding import as_utf8, refuse_many
from sera_swezero.sources.mini_swe_agent_chat import Chat
from sera_swezero.sources.mini_swe_agent_turn import MiniMessage, chat_message
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

FORMAT = optional_text("The file's format, such as mini-swe-agent-1.1.")

NATIVE_COLUMNS = {
    "instance_id": INSTANCE_ID,
    "messages": Column(type="string", about="The messages; JSON text of the list."),
    "info": optional_text("Exit status, submission, configuration, cost; JSON text."),
    "trajectory_format": FORMAT,
}


class _MiniModel(msgspec.Struct):
    model_name: str | None = None


class _MiniConfig(msgspec.Struct):
    model: _MiniModel | None = None


class _MiniInfo(msgspec.Struct):
    exit_status: str | None = None
    submission: str | None = None
    config: _MiniConfig | None = None


class _MiniFile(msgspec.Struct):
    messages: msgspec.Raw = ABSENT
    info: msgspec.Raw = ABSENT
    instance_id: str | None = None
    trajectory_format: str | None = None
    exit_status: str | None = None
    model: str | None = None


class MiniSweAgentRecord(RunRecord, kw_only=True):
    """One run."""

    messages: list[MiniMessage]
    trajectory_format: str | None


_FILE = msgspec.json.Decoder(_MiniFile)
_INFO = msgspec.json.Decoder(_MiniInfo)
_MESSAGES = msgspec.json.Decoder(list[MiniMessage])


def read(raw: bytes | dict[str, Any], conversions: ConversionLog, context: RecordContext) -> MiniSweAgentRecord:
    """Decode one file, line or row. Raises RowError `not_json`, `bad_record`, `bad_messages`."""
    if isinstance(raw, bytes) and raw.lstrip()[:1] == b"[":
        place, file = "$", _MiniFile(msgspec.Raw(as_utf8(raw, conversions)))
    else:
        place, file = "$.messages", read_file(raw, _FILE, conversions)
    text, messages = nested(file.messages, _MESSAGES, conversions, wrong="bad_messages", where=place)
    if text is None:
        raise RowError("bad_record", "there are no messages; expected a list `messages`", place)
    refuse_many(messages)
    info = nested(file.info, _INFO, conversions, wrong="bad_record", where="$.info")
    said = info.value or _MiniInfo(file.exit_status)
    named = said.config.model.model_name if said.config and said.config.model else None
    return MiniSweAgentRecord(
        instance_id=file.instance_id or "",
        messages=[chat_message(message) for message in messages],
        text=text,
        place=place,
        tools=context.tools or schemas.tools("tools-swe-zero"),
        exit_status=said.exit_status,
        submission=said.submission,
        model=file.model or named,
        info=info.text,
        trajectory_format=file.trajectory_format,
    )


SOURCE = Source(
    name="mini_swe_agent",
    read=read,
    events=lambda record, conversions: iter(Chat(record, record.messages, conversions)),
    submit_text=beyond_announcing,
    rectified_columns={**RECTIFIED_COLUMNS, "trajectory_format": FORMAT},
    rectified_values=lambda record, facts: {**rectified_values(record), "trajectory_format": record.trajectory_format},
    native_columns={"mini-swe-agent": NATIVE_COLUMNS},
    native_values=lambda record: {**native_values(record), "trajectory_format": record.trajectory_format},
    reads_all_columns=True,
)
