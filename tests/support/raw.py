"""Raw rows in the shapes of the upstream files, made from a list of turns, and one row's way through the converter.

The builders know the raw formats alone (SWE-agent's history, mini-swe-agent's chat) and share no code with the package.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from sera_swezero.catalog import CONFIGS
from sera_swezero.check import contracts
from sera_swezero.convert import Converted as ConvertedRow
from sera_swezero.convert import Reject, convert_window, render_rows
from sera_swezero.core.conversions import ConversionLog
from sera_swezero.core.machine import fold
from sera_swezero.core.trajectory import Trajectory
from sera_swezero.errors import RowError
from sera_swezero.readings import Reading, context_of
from sera_swezero.report import Report
from sera_swezero.request.row_columns import raw_columns
from sera_swezero.request.settle import Request, settle
from sera_swezero.sources import SOURCES, RecordContext
from sera_swezero.upstream import Raw, Shard, Snapshot, plan_shards, shard_reader, take_snapshot
from sera_swezero.upstream.window_reader import WindowReader
from sera_swezero.upstream.windows import Record, Window
from sera_swezero.views import ViewInput, text_row

T2 = "glm-4.6-lite-t2"
ZERO = "swe-zero-1k-32k"
SYSTEM = "You are a helper at a computer."
TASK = "Make `double` return twice its argument."
NUDGE = "Please always provide EXACTLY ONE action in triple backticks."
DIFF = (
    "diff --git a/calc.py b/calc.py\n--- a/calc.py\n+++ b/calc.py\n@@ -1,2 +1,2 @@\n-    return x\n+    return x * 2\n"
)
REVIEW = f"Please look at your changes once more, then submit again.\n\n<diff>\n{DIFF}</diff>\n\n"
LS = '{"command": "ls"}'

Message = dict[str, Any]


@dataclass(frozen=True)
class Turn:
    """One turn of the model and the reply. tool None: words alone. output None: nothing follows."""

    reasoning: str = ""
    visible: str = ""
    tool: str | None = "bash"
    arguments: Any = LS
    output: str | None = "calc.py\n"


def thinking(reasoning: str, visible: str) -> str:
    """A SERA turn's text as the model writes it."""
    text = f"<think>{reasoning}</think>" if reasoning else ""
    return f"{text}\n{visible}" if text and visible else text or visible


def system(text: str = SYSTEM) -> Message:
    return {"role": "system", "content": text, "agent": "main", "message_type": "system_prompt"}


def user(text: str = TASK) -> Message:
    return {
        "role": "user",
        "content": [{"type": "text", "text": text}],
        "agent": "main",
        "message_type": "observation",
    }


def said(text: str, tool: str | None = "bash", arguments: Any = LS, call_id: str = "call_1") -> Message:
    """An assistant message; without a tool it is one of the harness's own, or of words alone."""
    call = {"index": -1, "function": {"arguments": arguments, "name": tool}, "id": call_id, "type": "function"}
    return {
        "role": "assistant",
        "content": text,
        "thought": text,
        "action": f"({tool})",
        "agent": "main",
        "tool_calls": [call] if tool else None,
        "message_type": "action",
    }


def observed(text: str, call_id: str = "call_1") -> Message:
    return {**user(text), "role": "tool", "tool_call_ids": [call_id]}


def history(turns: Sequence[Turn], system_text: str = SYSTEM, task: str = TASK) -> list[Message]:
    """The SWE-agent history of the turns, each with a call id of its own; outputs get the usual prefix."""
    messages = [system(system_text), user(task)]
    for at, turn in enumerate(turns):
        call_id = f"call_{at:024x}"
        messages.append(said(thinking(turn.reasoning, turn.visible), turn.tool, turn.arguments, call_id))
        if turn.output is not None:
            text = f"OBSERVATION:\n{turn.output}"
            messages.append(observed(text, call_id) if turn.tool else user(text))
    return messages


def sera(messages: Any, **columns: Any) -> dict[str, Any]:
    """A SERA row, its columns in the file's order."""
    return {
        "messages": messages if isinstance(messages, str) else json.dumps(messages),
        "instance_id": "calc_10001",
        "rollout_patch": DIFF + " \n",
        "func_name": "double",
        "func_path": "calc.py",
        "problem_statement": TASK,
        "target_patch": DIFF + " \n",
        "docker_image": "images/calc.0001",
        **columns,
    }


def line(row: Any) -> bytes:
    """A row as a line of a JSONL file."""
    return json.dumps(row).encode() + b"\n"


def block(words: str, command: str | None) -> str:
    """A SWE-ZERO turn's text."""
    return words if command is None else f"{words}\n\n```bash\n{command}\n```" if words else f"```bash\n{command}\n```"


def chat(turns: Sequence[Turn], system_text: str = SYSTEM, task: str = TASK) -> list[Message]:
    """The mini-swe-agent chat of the turns: `arguments` is the command, `tool` None a turn without a block."""
    messages = [{"role": "system", "content": system_text}, {"role": "user", "content": task}]
    for turn in turns:
        content = block(turn.reasoning, turn.arguments if turn.tool else None)
        messages.append({"role": "assistant", "content": content})
        if turn.output is not None:
            messages.append({"role": "user", "content": f"Observation: {turn.output}" if turn.tool else NUDGE})
    return messages


def swe_zero(messages: Any, status: str | None = "Submitted", **columns: Any) -> dict[str, Any]:
    """A SWE-ZERO row of the 1k sets, its columns in the file's order."""
    return {
        "instance_id": "acme__calc-17",
        "messages": messages,
        "repo": "acme/calc",
        "exit_status": status,
        "exit_status_detail": "",
        "n_turns": 3,
        "n_messages": 7,
        "prompt_tokens": 900,
        "completion_tokens": 60,
        "duration_sec": 12.5,
        **columns,
    }


@dataclass(frozen=True)
class Converted:
    """What became of one raw record: its rows, or the error; and its notes."""

    rows: list[dict[str, Any]]
    error: RowError | None
    notes: ConversionLog
    left_out: Sequence[RowError] = ()
    """Why single rows of a record that gives several were left out."""

    @property
    def row(self) -> dict[str, Any] | None:
        """The first row."""
        return self.rows[0] if self.rows else None

    @property
    def counts(self) -> Counter[str]:
        return Counter(kind for kind, _ in self.notes)

    @property
    def messages(self) -> list[tuple[str, str]]:
        """The rectified messages as (role, content)."""
        assert self.row is not None, self.error
        return [(message["role"], message["content"]) for message in json.loads(self.row["messages"])]

    @property
    def roles(self) -> list[str]:
        return [role for role, _ in self.messages]


def convert_one(raw: bytes | dict[str, Any], config: str = T2, **arguments: Any) -> Converted:
    """Convert one record as the config would; `view` is rectified unless it is given."""
    return convert_as(raw, settle(config, **{"view": "rectified", **arguments}))


# The next five functions are the only ones in the tests that call the converter below the level of a shard.


def convert_as(raw: bytes | dict[str, Any], request: Request, file: str = "") -> Converted:
    """Convert one record of a file for a request with one origin. Any error but a RowError is raised."""
    view_input = reading_of(Raw(0, raw), request, file).view_input(request)
    if isinstance(view_input, RowError):
        return Converted([], view_input, ConversionLog())
    try:
        made = list(render_rows(view_input, request))
    except RowError as error:
        return Converted([], error, ConversionLog())
    return _converted(made, ConversionLog([*view_input.record_conversions, *view_input.conversions]))


def reading_of(raw: Raw, request: Request, file: str = "") -> Reading:
    """A record of a file of the request's one origin, to be read."""
    origin = request.origins[0]
    record = Record(shard=Shard(repo=origin.repo, file=file, start=0, stop=0, size=0), raw=raw, before=0, mark=0)
    return Reading(record, origin, context_of(origin, request))


def _converted(made: Iterable[Any], log: ConversionLog) -> Converted:
    """The rows among them, and the first error."""
    made = list(made)
    errors = [one for one in made if isinstance(one, RowError)]
    rows = [text_row(one.row) for one in made if not isinstance(one, RowError)]
    return Converted(rows, None if rows else errors[0], log, errors)


def trajectory_of(raw: bytes | dict[str, Any], asked: str | Request) -> Trajectory:
    """Read one record as a config or a request would. Raises RowError."""
    request = settle(asked, upstream="sample") if isinstance(asked, str) else asked
    (origin,) = request.origins
    source, log = SOURCES[origin.source], ConversionLog()
    return fold(source.events(source.read(raw, log, context_of(origin, request)), log))


def render(trajectory: Trajectory, request: Request) -> Converted:
    """Write a trajectory down in the request's view, with the columns of a record that is usual for the source."""
    origin = request.origins[0]
    source, log = SOURCES[origin.source], ConversionLog()
    record = source.read(line(sera([])) if origin.source == "sera" else swe_zero([]), log, RecordContext())
    view_input = ViewInput(
        record=record,
        trajectory=trajectory,
        tools=source.tools(record),
        source=source,
        origin=origin,
        submit=request.submit,
        limit=request.limit,
        history=request.history,
        record_conversions=ConversionLog(),
        conversions=log,
    )
    try:
        return _converted(request.view.render(view_input), log)
    except RowError as error:
        return Converted([], error, log)


@cache
def sample_records(config: str) -> list[Raw]:
    """Return the raw records of a config with one origin in the embedded sample."""
    (origin,) = CONFIGS[config].origins
    snapshot = take_snapshot((origin,), upstream="sample")
    columns = raw_columns(settle(config, upstream="sample"))(origin.repo)
    return [raw for shard in plan_shards(snapshot.files) for raw in shard_reader(snapshot, shard, columns)]


@cache
def sample_rows(config: str, view: str, incomplete: str | None = None) -> tuple[list[dict[str, Any]], Report]:
    """Return the rows of a config in the embedded sample, shared by all tests, and what became of the records."""
    return convert_root("sample", config, view=view, incomplete=incomplete)


def convert_shard(
    shard: Shard, snapshot: Snapshot, request: Request, report: Report, reject: Reject | None = None
) -> Iterator[tuple[Record, ConvertedRow]]:
    """Convert the records of one shard, in order."""
    window = Window((shard,))
    records = WindowReader(snapshot, window, raw_columns(request))
    return convert_window(window, records, snapshot, request, report, reject)


def convert_root(
    root: Path | str, config: str, reject: Reject | None = None, **arguments: Any
) -> tuple[list[dict[str, Any]], Report]:
    """Convert every file of a config below a root ("sample": the embedded sample), in order.

    Returns:
        The rows, and what became of the records. Rejected records also go to `reject`.
    """
    request = settle(config, upstream=str(root), **arguments)
    snapshot = take_snapshot(request.origins, upstream=request.arguments.upstream)
    report = Report()
    shards = plan_shards(snapshot.files)
    made = [made for shard in shards for _, made in convert_shard(shard, snapshot, request, report, reject)]
    return [one.text_row for one in made], report


def write_lines(root: Path, config: str, *lines: bytes) -> None:
    """Write a JSONL file where the config's one repo is looked for below the root."""
    folder = root / CONFIGS[config].origins[0].repo
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "rows.jsonl").write_bytes(b"".join(lines))


_WHOLE = re.compile(r"system user (reasoning tool_call tool_output )*reasoning answer ")
_PREFIX = re.compile(r"(system (user (reasoning tool_call tool_output )*(reasoning (tool_call )?)?)?)?")


def problems(row: dict[str, Any], request: Request) -> list[str]:
    """Everything that is wrong with a row: what `sera-swezero check` finds (JSON Schema and order), and the grammar
    once more in this file's own words: 4 + 3 x calls messages where there is an answer, else a proper prefix of that.
    """
    schema = request.view.schema(SOURCES[request.config.source], request.origins[0].shape)
    found = [str(fault) for fault in contracts()[schema].faults(row)]
    if request.view.name == "rectified":
        roles = [message["role"] for message in json.loads(row["messages"])]
        whole = "answer" in roles
        if not (_WHOLE if whole else _PREFIX).fullmatch("".join(f"{role} " for role in roles)):
            found.append(f"roles {roles}")
        if whole and len(roles) != 4 + 3 * roles.count("tool_call"):
            found.append(f"{len(roles)} messages for {roles.count('tool_call')} calls")
    return found
