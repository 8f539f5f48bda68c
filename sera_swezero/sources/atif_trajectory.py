"""ATIF, Harbor's Agent Trajectory Interchange Format: one trajectory per JSON file, JSON line or Parquet row.

    {"schema_version": "ATIF-v1.7", "agent": {"name": "...", "version": "...", "tool_definitions": [...]}, "steps": [
        {"step_id": 1, "source": "system", "message": "..."},
        {"step_id": 2, "source": "user", "message": "the task"},
        {"step_id": 3, "source": "agent", "message": "words", "reasoning_content": "...", "tool_calls": [
            {"tool_call_id": "call_1", "function_name": "bash", "arguments": {"command": "ls"}}],
         "observation": {"results": [{"source_call_id": "call_1", "content": "output"}]}}]}

The trajectory is the whole record, or it is in the column `trajectory`, or in the one that `messages_column` names: as
an object or as its JSON text, which is how the view `atif` writes it. `atif_steps` says how steps are read.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from sera_swezero.core.conversions import ConversionLog
from sera_swezero.core.trajectory import Tools
from sera_swezero.errors import RowError
from sera_swezero.schemas.columns import Column, filled_text, optional_text
from sera_swezero.sources.atif_steps import AtifFile, events_of, outcome_of
from sera_swezero.sources.decoding import decode, inner_json
from sera_swezero.sources.json_record import members_of, submit_text, tools_of
from sera_swezero.sources.source import MESSAGES, RecordContext, Source

INSTANCE_ID = filled_text(
    "`extra.instance_id`, else the id of the trajectory or of the session, else the name of the file."
)


RECTIFIED_COLUMNS = {
    "messages": MESSAGES,
    "instance_id": INSTANCE_ID,
    "exit_status": optional_text("How the rollout ended."),
    "agent": optional_text("The program that made it, and its version."),
    "model": optional_text("The model, as far as the trajectory names it."),
}
NATIVE_COLUMNS = {
    "instance_id": INSTANCE_ID,
    "trajectory": Column(type="string", about="JSON text of the trajectory."),
}


class AtifRecord(msgspec.Struct):
    """One trajectory."""

    instance_id: str
    trajectory_id: str | None
    file: AtifFile
    text: str
    tools: Tools


_FILE = msgspec.json.Decoder(AtifFile)


def read(raw: bytes | dict[str, Any], conversions: ConversionLog, context: RecordContext) -> AtifRecord:
    """Read one trajectory. Raises RowError `not_json`, `bad_record`."""
    members = members_of(raw, conversions)
    column = context.messages_column or "trajectory"
    if column in members:
        where = f"$.{column}"
        text = inner_json(bytes(members[column]), conversions, "bad_record", where)
    elif "steps" in members and not context.messages_column:
        text, where = msgspec.json.encode(members), "$"
    else:
        problem = f"neither a trajectory nor a column {column!r}; it has {', '.join(members) or 'nothing'}"
        raise RowError("bad_record", f"{problem}; expected `steps`, or messages_column= with the column")
    file = decode(_FILE, text, conversions, wrong="bad_record", where=where)
    if not file.schema_version.startswith("ATIF-v1."):
        problem = f"schema_version {file.schema_version!r}; expected ATIF-v1.0 to ATIF-v1.8"
        raise RowError("bad_record", problem, "$.schema_version")
    named = (file.extra or {}).get("instance_id")
    name = named if isinstance(named, str) and named else file.trajectory_id or file.session_id or ""
    tools = tools_of(file.agent.tool_definitions, context.tools, "$.agent.tool_definitions")
    return AtifRecord(name, file.trajectory_id, file, text.decode(), tools)


def rectified_values(record: AtifRecord, _facts: Mapping[str, str]) -> dict[str, Any]:
    """The rectified view's columns but `messages`."""
    agent = record.file.agent
    return {
        "instance_id": record.instance_id,
        "exit_status": outcome_of(record.file, record.tools).status,
        "agent": f"{agent.name} {agent.version}".strip() or None,
        "model": agent.model_name,
    }


SOURCE = Source(
    name="atif_trajectory",
    read=read,
    events=lambda record, conversions: events_of(record.file, record.tools, conversions),
    submit_text=submit_text,
    rectified_columns=RECTIFIED_COLUMNS,
    rectified_values=rectified_values,
    native_columns={"atif": NATIVE_COLUMNS},
    native_values=lambda record: {"instance_id": record.instance_id, "trajectory": record.text},
    reads_all_columns=True,
    takes=("messages_column", "tools"),
)
