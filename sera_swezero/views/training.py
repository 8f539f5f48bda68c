"""What the training views share: which rollout they show, their common columns, and the way back.

A row shows the rollout verbatim (`submit="call"`: every step, submits included, nothing merged or filled, because a
model that never saw a submit call never submits in its harness), or rectified without filling (`submit="answer"`).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import NamedTuple

from msgspec.structs import replace

from sera_swezero.core.conversions import ConversionLog
from sera_swezero.core.rectify import rectify
from sera_swezero.core.trajectory import STATUSES, SUBMITTED, Outcome, Step, Tools, Trajectory
from sera_swezero.errors import RowError
from sera_swezero.schemas.columns import Column, filled_text
from sera_swezero.sources.source import RECALL
from sera_swezero.views.tagged_text import observations, write_results, write_turn
from sera_swezero.views.token_counts import Chat, RolloutTokens, count_rendered, count_tagged
from sera_swezero.views.token_limit import Limit, fit
from sera_swezero.views.view import Rendered, Row, ViewInput

WAYS_TO_SUBMIT = ("call", "answer")
"""The ways in which a training view can show the end of a rollout, its default first."""

COMMON: dict[str, Column] = {
    "instance_id": filled_text("Upstream's id: repository and number. SWE-ZERO has many rows of one id."),
    "config": filled_text("The config name of the set that the row is of, such as glm-4.6-lite-t2."),
    "outcome": Column(type="string", about="How the rollout ended.", choices=lambda: STATUSES),
    "line_level_recall": RECALL,
}
"""Columns of every training view after its messages. They are the same for all sources, so that configs interleave."""

OPTIONAL: dict[str, Column] = {
    "kept_share": Column(
        type="float64",
        about='Share of the row\'s messages that overlong="truncate" kept; the column needs max_tokens.',
        rules={"exclusiveMinimum": 0, "maximum": 1},
    ),
    "window": Column(
        type="int64",
        about='Which part of the rollout the row is, counted from 0; the column needs overlong="split".',
        rules={"minimum": 0},
    ),
    "windows": Column(
        type="int64",
        about='How many parts the rollout became; the column needs overlong="split".',
        rules={"minimum": 1},
    ),
}
"""The columns that a limit of tokens adds: see `Limit.columns`."""


class Shown(NamedTuple):
    """What a row shows."""

    trajectory: Trajectory
    """All of the rollout, or a part of it."""
    system: str
    """The system text."""
    common: Row
    """The row's columns of `COMMON`, and those that the limit adds."""
    context: int = 0
    """How many of the first turns are there to be seen only."""


Writer = Callable[[Shown, ViewInput], Rendered]
"""Writes a row that shows a rollout. Raises RowError."""

ChatOf = Callable[[Row], Chat]
"""Takes the chat out of such a row."""


def show_rollout(view_input: ViewInput) -> Shown:
    """What a training view shows of a whole rollout.

    Raises:
        RowError: `no_turns` where the model never spoke; `wrong_order` (see `rectify`).
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
    return Shown(trajectory, system, row)


def render_parts(view_input: ViewInput, write: Writer, chat: ChatOf) -> list[Rendered | RowError]:
    """The rows of a record: the rollout, held to the limit of tokens. An error stands for a turn that is too long.

    Args:
        view_input: the record.
        write: writes a row.
        chat: takes the chat out of it.

    Raises:
        RowError: `overlong`, or those of `show_rollout` and `write`.
        ConfigError: the tokenizer or the chat template cannot be loaded.
    """
    whole, limit = show_rollout(view_input), view_input.limit
    if limit is None:
        return [write(whole, view_input)]
    texts = tagged_messages(whole.trajectory, with_tools(whole.system, view_input.tools))
    tokens = count_tokens(whole, view_input, limit, write, chat)
    rows: list[Rendered | RowError] = []
    for part in fit(whole.trajectory, texts, tokens, limit, view_input.conversions):
        if isinstance(part, RowError):
            rows.append(part)
        else:
            shown = Shown(part.trajectory, whole.system, {**whole.common, **part.columns}, part.context)
            rows.append(write(shown, view_input))
    return rows


def count_tokens(shown: Shown, view_input: ViewInput, limit: Limit, write: Writer, chat: ChatOf) -> RolloutTokens:
    """The tokens of a rollout as the limit counts them; for the other arguments and the errors see `render_parts`."""
    if limit.chat_template is None:
        texts = tagged_messages(shown.trajectory, with_tools(shown.system, view_input.tools))
        return count_tagged(shown.trajectory, texts, limit.tokenizer)
    aside = dataclasses.replace(view_input, conversions=ConversionLog())

    def show(trajectory: Trajectory) -> Chat:
        return chat(write(shown._replace(trajectory=trajectory), aside).row)

    return count_rendered(shown.trajectory, show, limit.chat_template, limit.tokenizer)


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
    """The system text with the tools and the way to call them after it; as it is where there are no tools."""
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
    parts = (("window", "windows"), ("step", "steps"))
    whole = row.get("kept_share", 1.0) == 1.0 and all(row.get(one, 0) == row.get(all_, 1) - 1 for one, all_ in parts)
    for index, step in enumerate(steps):
        ends = index == len(steps) - 1 and whole and status == SUBMITTED
        # SERA has a tool for it; without one, the last call of a submitted rollout is the submission.
        calls = [replace(call, submits=call.name == "submit") for call in step.calls]
        if ends and calls and not step.submits:
            calls[-1] = replace(calls[-1], submits=True)
        steps[index] = replace(step, calls=tuple(calls))
    return Trajectory(system, task, tuple(steps), Outcome(status))
