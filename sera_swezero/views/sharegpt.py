r"""Conversations as LLaMA-Factory's `sharegpt` format has them.

    {"from": "human", "value": "the task"}
    {"from": "function_call", "value": "<think>\n...\n</think>\n\n<tool_call>\n{...}\n</tool_call>"}
    {"from": "observation", "value": "setup.py"}
    {"from": "gpt", "value": "<think>\n...\n</think>\n\nDone."}

beside `system` and `tools` (a JSON text). The client takes the call out of the text by its tags and writes it anew in
the form of the model that is trained, so that visible text may stand beside a call and any of its templates fits.

The client counts turns: human or observation, then gpt or function_call, an even number of them; anything else it drops
with a warning. So an observation that no turn follows is left out, and two turns of the model in a row become one; both
are counted. What it would misread is rejected (`literal_tags`): think and call tags in the model's own words, the
placeholders of its media loaders, and `{{idx}}` in what a human says, which it fills in.
"""

from __future__ import annotations

import json
import re
from functools import cache
from typing import TYPE_CHECKING

from sera_swezero import schemas
from sera_swezero.core.conversions import Notes
from sera_swezero.core.text import join
from sera_swezero.core.trajectory import Step, ToolCall, Trajectory
from sera_swezero.errors import RowError
from sera_swezero.views.tagged_text import check_words, read_turn, write_turn
from sera_swezero.views.training import COMMON, back, shown

if TYPE_CHECKING:
    from sera_swezero.sources import Source
    from sera_swezero.views import Columns, Rollout, Row

MEDIA = ("<image>", "<video>", "<audio>")
"""LLaMA-Factory 0.9.5, `mm_plugin._validate_messages`: the template of a vision model stops at one without a file."""

_ANY_MEDIA = re.compile("|".join(MEDIA))
_INDEX = "{{idx}}"


def columns(source: Source, shape: str) -> Columns:
    """The same columns for every source."""
    del source, shape
    return {"conversations": "conversations", "system": "string", "tools": "string", **COMMON}


def schema(source: str, shape: str) -> str:
    """Name of the row's JSON Schema."""
    del source, shape
    return "sharegpt"


def render(rollout: Rollout) -> Row:
    """Write the rollout down as a conversation.

    Raises:
        RowError: `literal_tags`; `no_turns`, `overlong` (see `training.shown`).
    """
    trajectory, system, common = shown(rollout)
    check_words(trajectory)
    turns = [{"from": "human", "value": trajectory.task or ""}]
    for step in _alternating(trajectory.steps, rollout.notes):
        turns.append({"from": "function_call" if step.call else "gpt", "value": write_turn(step)})
        if step.observation is not None:
            turns.append({"from": "observation" if step.call else "human", "value": step.observation})
    if len(turns) % 2:
        rollout.notes.add("trailing_observation", turns.pop()["value"])
    _check(turns)
    return {"conversations": turns, "system": system, "tools": _tools(rollout.source.tools), **common}


def to_trajectory(row: Row) -> Trajectory:
    """The Trajectory of a row."""
    conversations = row["conversations"]
    turns: list[tuple[str, str, ToolCall | None, str | None]] = []
    for turn in conversations[1:]:
        if turn["from"] in ("gpt", "function_call"):
            turns.append((*read_turn(turn["value"]), None))
        else:
            turns[-1] = (*turns[-1][:3], turn["value"])
    return back(row, row["system"], conversations[0]["value"], turns)


def _alternating(steps: tuple[Step, ...], notes: Notes) -> list[Step]:
    """The steps, with a turn that nobody answered joined to the next."""
    joined: list[Step] = []
    for step in steps:
        before = joined[-1] if joined else None
        if before is not None and before.observation is None:
            notes.add("joined_turns")
            joined.pop()
            step = Step(join(before.reasoning, step.reasoning), join(before.visible, step.visible), *step[2:])  # noqa: PLW2901
        joined.append(step)
    return joined


def _check(turns: list[dict[str, str]]) -> None:
    for index, turn in enumerate(turns):
        said = turn["value"]
        asked = turn["from"] == "human" and _INDEX in said
        if asked or _ANY_MEDIA.search(said):
            found = [tag for tag in MEDIA if tag in said] + [_INDEX] * asked
            problem = f"the text holds {', '.join(found)}, which LLaMA-Factory takes for a placeholder of its own"
            raise RowError("literal_tags", problem, f"$.conversations[{index}].value")


@cache
def _tools(name: str) -> str:
    return json.dumps([tool["function"] for tool in schemas.load(name)], ensure_ascii=False)
