r"""Plain text messages with tags, tools in the system text: for SERA's own recipe, Axolotl, verl, torchtune.

    {"role": "system", "content": "...the tools...", "train": false}
    {"role": "user", "content": "the task", "train": false}
    {"role": "assistant", "train": true,
     "content": "<think>\n...\n</think>\n\n<tool_call>\n{...}\n</tool_call>"}
    {"role": "user", "content": "<tool_response>\n...\n</tool_response>", "train": false}

Nothing is left to a chat template but the frame around a message, so a plain ChatML one is right; Qwen's own would take
the reasoning out of all turns but the last. Strings and a boolean only: every version of `datasets`, pandas and any
other reader of Parquet takes the rows. `train` marks the model's turns for trainers that ask (Axolotl's
`message_field_training`); others ignore it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sera_swezero.core.trajectory import ToolCall, Trajectory
from sera_swezero.views.tagged_text import check_words, read_result, read_turn
from sera_swezero.views.training import COMMON, back, shown, tagged_messages, with_tools, without_tools

if TYPE_CHECKING:
    from sera_swezero.sources import Source
    from sera_swezero.views import Columns, Rollout, Row


def columns(source: Source, shape: str) -> Columns:
    """The same columns for every source."""
    del source, shape
    return {"messages": "trained_messages", **COMMON}


def schema(source: str, shape: str) -> str:
    """Name of the row's JSON Schema."""
    del source, shape
    return "hermes"


def render(rollout: Rollout) -> Row:
    """Write the rollout down as text with tags.

    Raises:
        RowError: `literal_tags`; `no_turns`, `overlong` (see `training.shown`).
    """
    trajectory, system, common = shown(rollout)
    check_words(trajectory)
    messages = tagged_messages(trajectory, with_tools(system, rollout.source.tools))
    rows = [{"role": role, "content": content, "train": role == "assistant"} for role, content in messages]
    return {"messages": rows, **common}


def to_trajectory(row: Row) -> Trajectory:
    """The Trajectory of a row."""
    messages = row["messages"]
    turns: list[tuple[str, str, ToolCall | None, str | None]] = []
    for message in messages[2:]:
        content = message["content"]
        if message["role"] == "assistant":
            turns.append((*read_turn(content), None))
        else:
            turns[-1] = (*turns[-1][:3], read_result(content) if turns[-1][2] else content)
    return back(row, without_tools(messages[0]["content"]), messages[1]["content"], turns)
