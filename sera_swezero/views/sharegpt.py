r"""Conversations as LLaMA-Factory's `sharegpt` format has them.

    {"from": "human", "value": "the task"}
    {"from": "function_call", "value": "<think>\n...\n</think>\n\n<tool_call>\n{...}\n</tool_call>"}
    {"from": "observation", "value": "setup.py"}
    {"from": "gpt", "value": "<think>\n...\n</think>\n\nDone."}

next to `system` and `tools` (a JSON text). The client takes the call out of the text by its tags and writes it anew in
the form of the model that is trained, so that visible text may accompany a call and any of its templates fits.

The client counts turns: human or observation, then gpt or function_call, an even number of them; anything else it drops
with a warning. So an observation that no turn follows is left out, and two turns of the model in a row become one; both
are counted. What it would misread is rejected (`literal_tags`): think and call tags in the model's own words, the
placeholders of its media loaders, and `{{idx}}` in what a human says, which it fills in.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache

from sera_swezero import schemas
from sera_swezero.core.conversions import ConversionLog
from sera_swezero.core.text import join
from sera_swezero.core.trajectory import Step, Trajectory
from sera_swezero.errors import RowError
from sera_swezero.schemas.columns import Column
from sera_swezero.sources.source import Source
from sera_swezero.views.tagged_text import check_words, mark_turn, read_turn, write_turn
from sera_swezero.views.training import COMMON, OPTIONAL, WAYS_TO_SUBMIT, count_calls, read_back, show_rollout
from sera_swezero.views.view import Message, Rendered, Row, TextMarks, View, ViewInput

COLUMNS: Mapping[str, Column] = {
    "conversations": Column(
        type="conversations",
        about="Turns in strict alternation: human or observation, then gpt or function_call.",
        rules={"minItems": 2},
        roles=("human", "gpt", "function_call", "observation"),
    ),
    "system": Column(type="string", about="The environment's and the finishing rules."),
    "tools": Column(type="string", about="JSON text of the tools that the model could call.", content="sharegpt-tools"),
    **COMMON,
}

MEDIA = ("<image>", "<video>", "<audio>")
"""LLaMA-Factory 0.9.5, `mm_plugin._validate_messages`: the template of a vision model stops at one without a file."""

_ANY_MEDIA = re.compile("|".join(MEDIA))
_INDEX = "{{idx}}"


def render(view_input: ViewInput) -> Rendered:
    """Write the rollout down as a conversation. Raises RowError `literal_tags`, or as `training.show_rollout`."""
    trajectory, system, common = show_rollout(view_input)
    check_words(trajectory)
    turns = [{"from": "human", "value": trajectory.task or ""}]
    for step in _alternating(trajectory.steps, view_input.conversions):
        turns.append({"from": "function_call" if step.call else "gpt", "value": write_turn(step)})
        if step.observation is not None:
            turns.append({"from": "observation" if step.call else "human", "value": step.observation})
    if len(turns) % 2:
        view_input.conversions.add("trailing_observation", turns.pop()["value"])
    _check(turns)
    row = {"conversations": turns, "system": system, "tools": _tools(view_input.source.tools), **common}
    return Rendered(row, len(turns), count_calls(trajectory))


def to_trajectory(row: Row, _source: Source) -> Trajectory:
    """The Trajectory of a row."""
    task, *turns = row["conversations"]
    steps: list[Step] = []
    for turn in turns:
        if turn["from"] in _MODEL:
            steps.append(read_turn(turn["value"]))
        else:
            steps[-1] = steps[-1]._replace(observation=turn["value"])
    return read_back(row, row["system"], task["value"], steps)


_ROLES = {"human": "user", "gpt": "assistant", "function_call": "assistant", "observation": "tool"}
_MODEL = ("gpt", "function_call")


def chat(row: Row) -> tuple[list[Message], list[Message] | None]:
    """The conversation as a chat template takes it."""
    turns = [{"role": _ROLES[turn["from"]], "content": turn["value"]} for turn in row["conversations"]]
    wrapped = [{"type": "function", "function": tool} for tool in json.loads(row["tools"])]
    return [{"role": "system", "content": row["system"]}, *turns], wrapped


def mark(message: Message, marks: TextMarks) -> Message:
    """The message of a chat with its texts between marks."""
    if message["role"] == "tool":
        return {**message, "content": marks.mark(message["content"], "observations")}
    if message["role"] == "assistant":
        return {**message, "content": mark_turn(message["content"], marks)}
    return message


def _alternating(steps: tuple[Step, ...], conversions: ConversionLog) -> list[Step]:
    """The steps, with a turn that nobody answered joined to the next."""
    joined: list[Step] = []
    for step in steps:
        before = joined[-1] if joined else None
        if before is not None and before.observation is None:
            conversions.add("joined_turns")
            joined.pop()
            reasoning, visible = join(before.reasoning, step.reasoning), join(before.visible, step.visible)
            step = step._replace(reasoning=reasoning, visible=visible)  # noqa: PLW2901
        joined.append(step)
    return joined


def _check(turns: list[dict[str, str]]) -> None:
    for index, turn in enumerate(turns):
        said = turn["value"]
        fills_in = turn["from"] == "human" and _INDEX in said
        if fills_in or _ANY_MEDIA.search(said):
            found = [tag for tag in MEDIA if tag in said] + [_INDEX] * fills_in
            problem = f"the text holds {', '.join(found)}, which LLaMA-Factory takes for a placeholder of its own"
            raise RowError("literal_tags", problem, f"$.conversations[{index}].value")


@cache
def _tools(name: str) -> bytes:
    return json.dumps([tool["function"] for tool in schemas.load(name)], ensure_ascii=False).encode()


VIEW = View(
    name="sharegpt",
    columns=lambda source, shape: COLUMNS,
    render=render,
    to_trajectory=to_trajectory,
    schema=lambda source, shape: "sharegpt",
    submits=WAYS_TO_SUBMIT,
    trains=True,
    optional=OPTIONAL,
    messages_column="conversations",
    chat=chat,
    mark=mark,
)
