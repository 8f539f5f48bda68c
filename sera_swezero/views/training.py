"""What the three training views share: which rollout they show, their common columns, and the way back.

A row shows the rollout verbatim (`submit="call"`: every step, submits included, nothing merged or filled, because a
model that never saw a submit call never submits in its harness), or rectified without filling (`submit="answer"`).
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING

from sera_swezero import schemas
from sera_swezero.core.rectify import rectify
from sera_swezero.core.trajectory import SUBMITTED, Outcome, Step, ToolCall, Trajectory
from sera_swezero.errors import RowError
from sera_swezero.sources import SOURCES
from sera_swezero.views.tagged_text import write_result, write_turn
from sera_swezero.views.token_limit import fit

if TYPE_CHECKING:
    from sera_swezero.views import Columns, Rollout, Row

COMMON: Columns = {"instance_id": "string", "config": "string", "outcome": "string", "line_level_recall": "float64?"}
"""Columns of every training view behind its payload, the same for every source so that configs interleave: upstream's
id (SWE-ZERO's repeat), the set's own config name, a status of `trajectory.STATUSES`, SERA's recall (null elsewhere)."""

KEPT_SHARE = "kept_share"
"""The column that `overlong="truncate"` adds: the share of the row's messages that was kept, 1.0 for a whole row."""


def shown(rollout: Rollout) -> tuple[Trajectory, str, Row]:
    """What a training view shows of a rollout: (its steps, the system text, the row's common columns).

    Raises:
        RowError: `no_turns` where the model never spoke; `overlong`; `wrong_order` (see `rectify`).
    """
    trajectory, source, notes = rollout.trajectory, rollout.source, rollout.notes
    if not trajectory.steps:
        raise RowError("no_turns", "the model never spoke; a training view needs at least one turn")
    answer = rollout.submit == "answer"
    if answer:
        trajectory = rectify(trajectory, notes, fill=False, submit_text=source.submit_text)
    system = source.briefing(trajectory, answer=answer)
    row = {
        "instance_id": rollout.record.instance_id,
        "config": rollout.config,
        "outcome": trajectory.outcome.status,
        "line_level_recall": source.recall(rollout.record, rollout.facts),
    }
    if rollout.limit is not None:
        texts = tagged_messages(trajectory, with_tools(system, source.tools))
        trajectory, row[KEPT_SHARE] = fit(trajectory, texts, rollout.limit, notes)
    return trajectory, system, row


def tagged_messages(trajectory: Trajectory, system: str) -> list[tuple[str, str]]:
    """The rollout as (system, user or assistant, text) with its reasoning, calls and results as tags."""
    messages = [("system", system), ("user", trajectory.task or "")]
    for step in trajectory.steps:
        messages.append(("assistant", write_turn(step)))
        if step.observation is not None:
            messages.append(("user", write_result(step.observation) if step.call else step.observation))
    return messages


def with_tools(system: str, tools: str) -> str:
    """The system text with the tools and the way to call them behind it; `tools` names a list in `schemas`."""
    return f"{system}\n\n{_tools_text(tools)}" if system else _tools_text(tools)


@cache
def _tools_text(tools: str) -> str:
    lines = "\n".join(json.dumps(tool, ensure_ascii=False) for tool in schemas.load(tools))
    return f"""\
# Tools

These tools are there, each with a JSON Schema of its arguments:
<tools>
{lines}
</tools>

To use one, end your turn with a JSON object of its name and arguments:
<tool_call>
{{"name": "...", "arguments": {{...}}}}
</tool_call>

Its result comes back between <tool_response> and </tool_response>."""


@cache
def without_tools(text: str) -> str:
    """The system text that `with_tools` was given."""
    for source in SOURCES.values():
        tools = _tools_text(source.tools)
        if text == tools:
            return ""
        if text.endswith(f"\n\n{tools}"):
            return text.removesuffix(f"\n\n{tools}")
    return text


def back(row: Row, system: str, task: str, turns: Iterable[tuple[str, str, ToolCall | None, str | None]]) -> Trajectory:
    """The Trajectory of a row whose turns are (reasoning, visible, call, observation), in order.

    What a row does not hold cannot come back: the harness's own words on the outcome, for one.
    """
    status = row["outcome"]
    whole = row.get(KEPT_SHARE, 1.0) == 1.0
    steps = [Step(*turn) for turn in turns]
    for index, step in enumerate(steps):
        last = index == len(steps) - 1
        # SERA has a tool for it; without one, the last call of a submitted rollout is the submission.
        if step.call is not None and (step.call.name == "submit" or (last and whole and status == SUBMITTED)):
            steps[index] = step._replace(call=step.call._replace(submits=True))
    return Trajectory(system, task, tuple(steps), Outcome(status))
