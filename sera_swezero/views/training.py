"""What the three training views share: which rollout they show, their common columns, and the way back.

A row shows the rollout verbatim (`submit="call"`: every step, submits included, nothing merged or filled, because a
model that never saw a submit call never submits in its harness), or rectified without filling (`submit="answer"`).
"""

from __future__ import annotations

from sera_swezero.core.rectify import rectify
from sera_swezero.core.trajectory import STATUSES, SUBMITTED, Outcome, Step, Tools, Trajectory
from sera_swezero.errors import RowError
from sera_swezero.schemas.columns import Column
from sera_swezero.sources.source import RECALL
from sera_swezero.views.tagged_text import observations, write_results, write_turn
from sera_swezero.views.token_limit import fit
from sera_swezero.views.view import Row, ViewInput

WAYS_TO_SUBMIT = ("call", "answer")
"""The ways in which a training view can show the end of a rollout, its default first."""

COMMON: dict[str, Column] = {
    "instance_id": Column(
        type="string",
        about="Upstream's id: repository and number. SWE-ZERO has many rows of one id.",
        rules={"minLength": 1},
    ),
    "config": Column(
        type="string",
        about="The config name of the set that the row is of, such as glm-4.6-lite-t2.",
        rules={"minLength": 1},
    ),
    "outcome": Column(type="string", about="How the rollout ended.", choices=lambda: STATUSES),
    "line_level_recall": RECALL,
}
"""Columns of every training view behind its messages. They are the same for all sources, so that configs interleave."""

KEPT_SHARE = "kept_share"
"""The column that `overlong="truncate"` adds."""

OPTIONAL: dict[str, Column] = {
    KEPT_SHARE: Column(
        type="float64",
        about='Share of the row\'s messages that overlong="truncate" kept; the column needs that argument.',
        rules={"exclusiveMinimum": 0, "maximum": 1},
    )
}


def show_rollout(view_input: ViewInput) -> tuple[Trajectory, str, Row]:
    """What a training view shows of a rollout: (its trajectory, the system text, the row's common columns).

    Raises:
        RowError: `no_turns` where the model never spoke; `overlong`; `wrong_order` (see `rectify`).
    """
    trajectory, source = view_input.trajectory, view_input.source
    if not trajectory.steps:
        raise RowError("no_turns", "the model never spoke; a training view needs at least one turn")
    if view_input.submit == "answer":
        trajectory = rectify(trajectory, view_input.conversions, fill=False, submit_text=source.submit_text)
    system = source.system_text(trajectory, view_input.submit)
    row = {
        "instance_id": view_input.record.instance_id,
        "config": view_input.origin.name,
        "outcome": trajectory.outcome.status,
        "line_level_recall": source.recall(view_input.record, view_input.origin.facts),
    }
    if view_input.limit is not None:
        texts = tagged_messages(trajectory, with_tools(system, view_input.tools))
        trajectory, row[KEPT_SHARE] = fit(trajectory, texts, view_input.limit, view_input.conversions)
    return trajectory, system, row


def count_calls(trajectory: Trajectory) -> int:
    """How many tool calls the trajectory has."""
    return sum(len(step.calls) for step in trajectory.steps)


def tagged_messages(trajectory: Trajectory, system: str) -> list[tuple[str, str]]:
    """The rollout as (system, user or assistant, text) with its reasoning, calls and results as tags."""
    messages = [("system", system), ("user", trajectory.task or "")]
    for step in trajectory.steps:
        messages.append(("assistant", write_turn(step)))
        if results := observations(step):
            messages.append(("user", write_results(results)))
        if step.reply is not None:
            messages.append(("user", step.reply))
    return messages


_TOOLS = """\
# Tools

These tools are there, each with a JSON Schema of its arguments:
<tools>
"""
_CALLING = """
</tools>

To use one, end your turn with a JSON object of its name and arguments:
<tool_call>
{"name": "...", "arguments": {...}}
</tool_call>

Its result comes back between <tool_response> and </tool_response>."""


def with_tools(system: str, tools: Tools) -> str:
    """The system text with the tools and the way to call them behind it; as it is where there are no tools."""
    if not tools:
        return system
    text = _TOOLS + "\n".join(tools) + _CALLING
    return f"{system}\n\n{text}" if system else text


def without_tools(text: str) -> str:
    """The system text that `with_tools` was given."""
    before, tools, _ = text.rpartition(_TOOLS)
    return before.removesuffix("\n\n") if tools else text


def read_back(row: Row, system: str, task: str, steps: list[Step]) -> Trajectory:
    """The Trajectory of a row with these steps.

    What a row does not hold cannot come back: the harness's own words on the outcome, for one.
    """
    status = row["outcome"]
    whole = row.get(KEPT_SHARE, 1.0) == 1.0
    for index, step in enumerate(steps):
        ends = index == len(steps) - 1 and whole and status == SUBMITTED
        # SERA has a tool for it; without one, the last call of a submitted rollout is the submission.
        calls = [call._replace(submits=call.name == "submit") for call in step.calls]
        if ends and calls and not step.submits:
            calls[-1] = calls[-1]._replace(submits=True)
        steps[index] = step._replace(calls=tuple(calls))
    return Trajectory(system, task, tuple(steps), Outcome(status))
