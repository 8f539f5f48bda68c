"""ATIF-v1.7, the interchange format of Harbor, as JSON text: for other tools, and for files (`sera-swezero export`).

    {"schema_version": "ATIF-v1.7", "trajectory_id": "...", "agent": {"name", "version", "model_name",
     "tool_definitions": [...]}, "steps": [
        {"step_id": 1, "source": "system", "message": "..."}, {"step_id": 2, "source": "user", "message": "the task"},
        {"step_id": 3, "source": "agent", "message": "words", "reasoning_content": "...", "llm_call_count": 1,
         "tool_calls": [{"tool_call_id", "function_name", "arguments": {...}}],
         "observation": {"results": [{"source_call_id", "content"}]}}],
     "extra": {"instance_id", "config", "repo", "outcome": {"status", "detail"}, "line_level_recall"}}

A row is the rollout as it was: every step, nothing merged, filled or folded, and the system text that the model saw.
The tools are in `agent.tool_definitions`, and what the harness or the user said after a turn is a step of the user.
The version is 1.7, because 1.8 only added sound. Optional members are left out, not null.

The text is one line, so a line break between the arguments of a call is a blank.
A call without an id gets `call_0`, `call_1` and so on, by its number in the rollout. Reasoning is there as "" where a
reader would otherwise split the message at think tags or strip its blanks.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from msgspec.structs import asdict

from sera_swezero.core.conversions import ConversionLog
from sera_swezero.core.machine import fold
from sera_swezero.core.text import BLANKS, END_THINK, THINK
from sera_swezero.core.trajectory import Step, Trajectory
from sera_swezero.errors import RowError
from sera_swezero.schemas.columns import Column, filled_text
from sera_swezero.schemas.validate import Fault
from sera_swezero.sources.atif_steps import AtifFile, events_of
from sera_swezero.sources.source import Source
from sera_swezero.views.training import COMMON, count_calls
from sera_swezero.views.view import Message, Rendered, Row, View, ViewInput

VERSION = "ATIF-v1.7"
COLUMNS: Mapping[str, Column] = {
    "trajectory": Column(type="string", about="JSON text of a trajectory of ATIF-v1.7.", content="atif-trajectory"),
    "trajectory_id": filled_text("Upstream's id of the rollout; else instance_id and a hash of the steps."),
    **COMMON,
}

_encode = msgspec.json.Encoder().encode
_READ = msgspec.json.Decoder(AtifFile)
_ONE_LINE = bytes.maketrans(b"\r\n", b"  ")
"""In JSON text a line break is never inside a string."""
_STEP = b'{"step_id": %d, "source": "%b", "message": %b%b}'
_CALL = b'{"tool_call_id": %b, "function_name": %b, "arguments": %b}'
_RESULT = b'{"source_call_id": %b, "content": %b}'


def render(view_input: ViewInput) -> tuple[Rendered]:
    """Write the rollout down. Raises RowError `no_turns` where the model never spoke."""
    trajectory, record, origin = view_input.trajectory, view_input.record, view_input.origin
    if not trajectory.steps:
        raise RowError("no_turns", "the model never spoke; a trajectory of ATIF needs at least one turn")
    steps = _steps(trajectory)
    joined = b", ".join(steps)
    own = getattr(record, "trajectory_id", None)
    name = own or f"{record.instance_id}.{hashlib.sha256(joined).hexdigest()[:12]}"
    recall = view_input.source.recall(record, origin.facts)
    agent: dict[str, Any] = {"name": origin.agent, "version": "unknown"}
    if "teacher" in origin.facts:
        agent["model_name"] = origin.facts["teacher"]
    if view_input.tools:
        agent["tool_definitions"] = [msgspec.Raw(tool.encode()) for tool in view_input.tools]
    extra = {
        "instance_id": record.instance_id,
        "config": origin.name,
        **({"repo": origin.repo} if origin.repo else {}),
        "outcome": asdict(trajectory.outcome),
        **({} if recall is None else {"line_level_recall": recall}),
    }
    head = {"schema_version": VERSION, "trajectory_id": name, "agent": agent}
    row = {
        "trajectory": b'%b, "steps": [%b], "extra": %b}' % (_encode(head)[:-1], joined, _encode(extra)),
        "trajectory_id": name,
        "instance_id": record.instance_id,
        "config": origin.name,
        "outcome": trajectory.outcome.status,
        "line_level_recall": recall,
    }
    results = sum(call.observation is not None for step in trajectory.steps for call in step.calls)
    return (Rendered(row, len(steps) + results, count_calls(trajectory)),)


def _steps(trajectory: Trajectory) -> list[bytes]:
    """The steps, each as JSON text: the arguments stay the model's own."""
    steps: list[bytes] = []

    def add(source: bytes, message: str, more: bytes = b"") -> None:
        steps.append(_STEP % (len(steps) + 1, source, _encode(message), more))

    add(b"system", trajectory.system or "")
    add(b"user", trajectory.task or "")
    calls = 0
    for step in trajectory.steps:
        add(b"agent", step.visible, _parts(step, calls))
        calls += len(step.calls)
        if step.reply is not None:
            add(b"user", step.reply)
    return steps


def _parts(step: Step, before: int) -> bytes:
    """What an agent step has besides its message; `before` is how many calls earlier steps have."""
    made, visible = b"", step.visible
    if step.reasoning or THINK in visible or END_THINK in visible or visible != visible.strip(BLANKS):
        made = b', "reasoning_content": ' + _encode(step.reasoning)
    made += b', "llm_call_count": 1'
    if step.calls:
        names = [_encode(call.id or f"call_{number}") for number, call in enumerate(step.calls, before)]
        named = list(zip(names, step.calls, strict=True))
        calls = [
            _CALL % (name, _encode(call.name), call.arguments.encode().translate(_ONE_LINE)) for name, call in named
        ]
        results = [_RESULT % (name, _encode(call.observation)) for name, call in named if call.observation is not None]
        made += b', "tool_calls": [%b]' % b", ".join(calls)
        if results:
            made += b', "observation": {"results": [%b]}' % b", ".join(results)
    return made


def to_trajectory(row: Row, _source: Source) -> Trajectory:
    """The Trajectory of a row, as the source of ATIF reads any trajectory."""
    return fold(events_of(_READ.decode(row["trajectory"]), (), ConversionLog()))


def messages(row: Row) -> list[Message]:
    """The steps as chat messages, for looking at."""
    shown: list[Message] = []
    for step in json.loads(row["trajectory"])["steps"]:
        calls = [
            {"function": {"name": call["function_name"], "arguments": call["arguments"]}}
            for call in step.get("tool_calls", ())
        ]
        role = "assistant" if step["source"] == "agent" else step["source"]
        said = {"content": step["message"], "reasoning_content": step.get("reasoning_content", "")}
        shown.append({"role": role, **said, "tool_calls": calls})
        results = step.get("observation", {}).get("results", ())
        shown += [{"role": "tool", "content": result["content"]} for result in results]
    return shown


def order_faults(_source: Source, _row: Row, decoded: Mapping[str, Any]) -> Iterator[Fault]:
    """Steps that are not numbered 1, 2, 3, and results that name no call of their step."""
    trajectory = decoded.get("trajectory")
    steps = trajectory.get("steps") if isinstance(trajectory, dict) else None
    for index, step in enumerate(steps if isinstance(steps, list) else ()):
        if not isinstance(step, dict):
            continue
        where = f"$.trajectory.steps[{index}]"
        if step.get("step_id") != index + 1:
            yield Fault(f"{where}.step_id", repr(step.get("step_id")), str(index + 1))
        try:
            calls = [call["tool_call_id"] for call in step.get("tool_calls", ())]
            named = [result["source_call_id"] for result in step.get("observation", {"results": ()})["results"]]
        except (KeyError, TypeError, AttributeError):
            continue  # the schema says so
        for name in named:
            if name not in calls:
                yield Fault(f"{where}.observation.results", f"the call {name!r}", "a call of the step")


VIEW = View(
    name="atif",
    columns=lambda source, shape: COLUMNS,
    render=render,
    to_trajectory=to_trajectory,
    schema=lambda source, shape: "atif",
    messages_columns=("trajectory",),
    as_messages=messages,
    order_faults=order_faults,
)
