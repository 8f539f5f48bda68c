r"""Conversations as LLaMA-Factory's `sharegpt` format has them.

    {"from": "human", "value": "the task"}
    {"from": "function_call", "value": "<think>\n...\n</think>\n\n<tool_call>\n{...}\n</tool_call>"}
    {"from": "observation", "value": "setup.py"}
    {"from": "gpt", "value": "<think>\n...\n</think>\n\nDone."}

beside the columns `system` and `tools` (a JSON text). The client takes the call out of the text by its tags and writes
it in the form of the model that is trained, so visible text may accompany a call, and any of its templates fits. A turn
with several calls has one block with a list of them, and one observation with their results, divided as the client's
own converter divides them.

The client counts turns: human or observation, then gpt or function_call, an even number of them; anything else it drops
with a warning. So an observation that no turn follows is left out, and two turns of the model in a row become one; both
are counted. What it would misread is rejected (`literal_tags`): think and call tags in the model's own words, the
placeholders of its media loaders, and `{{idx}}` in what a human says, which it fills in.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import lru_cache

from msgspec.structs import replace

from sera_swezero.core.conversions import ConversionLog
from sera_swezero.core.text import join
from sera_swezero.core.trajectory import Step, Tools, Trajectory
from sera_swezero.errors import RowError
from sera_swezero.schemas.columns import Column
from sera_swezero.sources.source import Source
from sera_swezero.views.tagged_text import (
    DIVIDER,
    check_words,
    divided,
    mark_turn,
    observations,
    read_turn,
    with_observations,
    write_turn,
)
from sera_swezero.views.text_marks import Marks
from sera_swezero.views.token_counts import Chat
from sera_swezero.views.training import COMMON, OPTIONAL, WAYS_TO_SUBMIT, Shown, count_calls, read_back, render_parts
from sera_swezero.views.view import Message, Rendered, Row, View, ViewInput

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


def render(shown: Shown, view_input: ViewInput) -> Rendered:
    """Write the rollout down as a conversation. Raises RowError `literal_tags`."""
    trajectory, system, common, _ = shown
    check_words(trajectory)
    turns = [{"from": "human", "value": trajectory.task or ""}]
    for step, results in _alternating(trajectory.steps, view_input.conversions):
        turns.append({"from": "function_call" if step.calls else "gpt", "value": write_turn(step, one_block=True)})
        if results:
            turns.append({"from": "observation", "value": DIVIDER.join(results)})
        elif step.reply is not None:
            turns.append({"from": "human", "value": step.reply})
    if len(turns) % 2:
        view_input.conversions.add("trailing_observation", turns.pop()["value"])
    _check(turns)
    row = {"conversations": turns, "system": system, "tools": _tools_text(view_input.tools), **common}
    return Rendered(row, len(turns), count_calls(trajectory))


def to_trajectory(row: Row, _source: Source) -> Trajectory:
    """The Trajectory of a row."""
    task, *turns = row["conversations"]
    steps: list[Step] = []
    for turn in turns:
        if turn["from"] in _MODEL:
            steps.append(read_turn(turn["value"]))
        elif turn["from"] == "observation":
            steps[-1] = with_observations(steps[-1], divided(turn["value"], len(steps[-1].calls)))
        else:
            steps[-1] = replace(steps[-1], reply=turn["value"])
    return read_back(row, row["system"], task["value"], steps)


_ROLES = {"human": "user", "gpt": "assistant", "function_call": "assistant", "observation": "tool"}
_MODEL = ("gpt", "function_call")


def chat(row: Row) -> Chat:
    """The conversation as a chat template takes it."""
    turns = [{"role": _ROLES[turn["from"]], "content": turn["value"]} for turn in row["conversations"]]
    wrapped = [{"type": "function", "function": tool} for tool in json.loads(row["tools"])]
    return [{"role": "system", "content": row["system"]}, *turns], wrapped


def mark(message: Message, marks: Marks) -> Message:
    """The message of a chat with its texts between marks."""
    if message["role"] == "tool":
        return {**message, "content": marks.mark(message["content"], "observations")}
    if message["role"] == "assistant":
        return {**message, "content": mark_turn(message["content"], marks)}
    return message


def _alternating(steps: tuple[Step, ...], conversions: ConversionLog) -> list[tuple[Step, list[str]]]:
    """The steps in alternation, each with its results.

    A turn that nothing answers joins the next one, and a reply after results joins the last of them.
    """
    joined: list[tuple[Step, list[str]]] = []
    unanswered: Step | None = None
    for step in steps:
        results = observations(step)
        if unanswered is not None:
            conversions.add("joined_turns")
            joined.pop()
            reasoning = join(unanswered.reasoning, step.reasoning)
            step = replace(step, reasoning=reasoning, visible=join(unanswered.visible, step.visible))  # noqa: PLW2901
        if results and step.reply is not None:
            conversions.add("joined_turns")
            results[-1] = join(results[-1], step.reply)
        unanswered = step if step.reply is None and not results else None
        joined.append((step, results))
    return joined


def _check(turns: list[dict[str, str]]) -> None:
    for index, turn in enumerate(turns):
        said = turn["value"]
        fills_in = turn["from"] == "human" and _INDEX in said
        if fills_in or ("<" in said and _ANY_MEDIA.search(said)):
            found = [tag for tag in MEDIA if tag in said] + [_INDEX] * fills_in
            problem = f"the text holds {', '.join(found)}, which LLaMA-Factory takes for a placeholder of its own"
            raise RowError("literal_tags", problem, f"$.conversations[{index}].value")


@lru_cache(maxsize=64)
def _tools_text(tools: Tools) -> bytes:
    return json.dumps([json.loads(tool)["function"] for tool in tools], ensure_ascii=False).encode()


VIEW = View(
    name="sharegpt",
    columns=lambda source, shape: COLUMNS,
    render=lambda view_input: render_parts(view_input, render, chat),
    to_trajectory=to_trajectory,
    schema=lambda source, shape: "sharegpt",
    submits=WAYS_TO_SUBMIT,
    trains=True,
    optional=OPTIONAL,
    messages_columns=("conversations",),
    chat=chat,
    mark=mark,
)
