"""A source of runs, a set of them and a view, as another package adds them to sera-swezero.

A run is one file, `<name>.traj.json`, in any folder below the set's own:

    {"id": "calc-1", "goal": "Make it work.", "done": true,
     "turns": [{"think": "Look first.", "run": "ls", "saw": "calc.py"}, {"think": "Fixed.", "run": null, "saw": null}]}
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from msgspec.structs import replace

from sera_swezero import schemas
from sera_swezero.catalog import Origin
from sera_swezero.core.conversions import ConversionLog
from sera_swezero.core.events import Called, Ended, Event, Said, System, Task
from sera_swezero.core.trajectory import INCOMPLETE, SUBMITTED, Outcome, Step, ToolCall, Trajectory
from sera_swezero.errors import RowError
from sera_swezero.schemas.columns import Column
from sera_swezero.sources.source import MESSAGES, RecordContext, Source
from sera_swezero.views.view import Rendered, Row, View, ViewInput


class Turn(msgspec.Struct):
    think: str
    run: str | None = None
    saw: str | None = None


class Run(msgspec.Struct):
    instance_id: str = msgspec.field(name="id", default="")
    goal: str = ""
    done: bool = False
    turns: list[Turn] = []


def read(raw: bytes | dict[str, Any], conversions: ConversionLog, context: RecordContext) -> Run:
    try:
        if isinstance(raw, bytes):
            return msgspec.json.decode(raw, type=Run)
        return Run(raw["instance_id"], raw["goal"], raw["done"], msgspec.convert(json.loads(raw["turns"]), list[Turn]))
    except msgspec.DecodeError as error:
        raise RowError("bad_record", str(error)) from None


def events(record: Run, conversions: ConversionLog) -> Iterator[Event]:
    yield System("You work at a shell.")
    yield Task(record.goal)
    for turn in record.turns:
        call = turn.run and ToolCall("bash", json.dumps({"command": turn.run}))
        if call and turn.saw is not None:
            yield Step(turn.think, "", (replace(call, observation=turn.saw),))
        else:
            yield Said(turn.think if call else "", "" if call else turn.think)
            if call:
                yield Called(call)
    yield Ended(Outcome(SUBMITTED if record.done else INCOMPLETE))


ID = Column(type="string", about="The run's own name.", rules={"minLength": 1})

SOURCE = Source(
    name="toy",
    read=read,
    events=events,
    tools=lambda record: schemas.tools("tools-swe-zero"),
    system_text=lambda trajectory, submit: trajectory.system or "",
    submit_text=lambda call: "",
    recall=lambda record, facts: None,
    rectified_columns={"messages": MESSAGES, "instance_id": ID},
    rectified_values=lambda record, facts: {"instance_id": record.instance_id},
    native_columns={
        "toy": {
            "instance_id": ID,
            "goal": Column(type="string", about="What was asked for."),
            "done": Column(type="int64", about="1 where the run was submitted."),
            "turns": Column(type="string", about="The turns, as JSON."),
        }
    },
    native_values=lambda record: {
        "instance_id": record.instance_id,
        "goal": record.goal,
        "done": int(record.done),
        "turns": msgspec.json.encode(record.turns).decode(),
    },
)

SET = Origin(
    name="toy-runs",
    repo="toy/runs",
    source="toy",
    shape="toy",
    patterns=("*.traj.json",),
    rows=3,
    license="mit",
    incomplete="keep",
)


def render(view_input: ViewInput) -> list[Rendered]:
    trajectory = view_input.trajectory
    commands = [call.arguments for step in trajectory.steps for call in step.calls]
    row = {"instance_id": view_input.record.instance_id, "commands": "\n".join(commands)}
    return [Rendered(row, len(commands), len(commands))]


def to_trajectory(row: Row, source: Source) -> Trajectory:
    calls = [ToolCall("bash", line) for line in row["commands"].split("\n") if line]
    steps = tuple(Step("", "", (call,)) for call in calls)
    return Trajectory(None, None, steps, Outcome(INCOMPLETE))


COLUMNS: Mapping[str, Column] = {
    "instance_id": ID,
    "commands": Column(type="string", about="The arguments of every call, one per line."),
}

VIEW = View(
    name="commands",
    columns=lambda source, shape: COLUMNS,
    render=render,
    to_trajectory=to_trajectory,
    schema=lambda source, shape: "commands",
    for_statistics=True,
)

PLUGINS = [SOURCE, SET, VIEW]
