r"""Plain text messages with tags, tools in the system text: for SERA's own recipe, Axolotl, verl, torchtune.

    {"role": "system", "content": "...the tools...", "train": false}
    {"role": "user", "content": "the task", "train": false}
    {"role": "assistant", "train": true,
     "content": "<think>\n...\n</think>\n\n<tool_call>\n{...}\n</tool_call>"}
    {"role": "user", "content": "<tool_response>\n...\n</tool_response>", "train": false}

A turn with several calls has one `<tool_call>` block per call, and one user message holds one `<tool_response>` block
per result, as Qwen's own templates write them.

Nothing is left to a chat template but the frame around a message, so a plain ChatML one is right; Qwen's own would take
the reasoning out of all turns but the last. Strings and a boolean only: every version of `datasets`, pandas and any
other reader of Parquet takes the rows. `train` marks the model's turns for trainers that ask (Axolotl's
`message_field_training`); others ignore it.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from sera_swezero.core.trajectory import Step, Trajectory
from sera_swezero.schemas.columns import Column
from sera_swezero.sources.source import Source
from sera_swezero.views.tagged_text import (
    DIVIDER,
    RESULT,
    check_words,
    mark_turn,
    read_results,
    read_turn,
    with_observations,
    write_results,
)
from sera_swezero.views.text_marks import Marks
from sera_swezero.views.token_counts import Chat
from sera_swezero.views.training import (
    COMMON,
    OPTIONAL,
    WAYS_TO_SUBMIT,
    Shown,
    count_calls,
    read_back,
    render_parts,
    tagged_messages,
    with_tools,
    without_tools,
)
from sera_swezero.views.view import Message, Rendered, Row, View, ViewInput

COLUMNS: Mapping[str, Column] = {
    "messages": Column(
        type="trained_messages",
        about="Messages in order, reasoning, calls and results as tags in the text, tools in the system text.",
        rules={"minItems": 3},
        roles=("system", "user", "assistant"),
    ),
    **COMMON,
}


def render(shown: Shown, view_input: ViewInput) -> Rendered:
    """Write the rollout down as text with tags. Raises RowError `literal_tags`."""
    trajectory = shown.trajectory
    check_words(trajectory)
    texts = tagged_messages(trajectory, with_tools(shown.system, view_input.tools))
    messages = [{"role": role, "content": content, "train": role == "assistant"} for role, content in texts]
    if shown.context:
        turns = [message for message in messages if message["train"]]
        for message in turns[: shown.context]:
            message["train"] = False
    return Rendered({"messages": messages, **shown.common}, len(messages), count_calls(trajectory))


def to_trajectory(row: Row, _source: Source) -> Trajectory:
    """The Trajectory of a row."""
    system, task, *messages = row["messages"]
    steps: list[Step] = []
    for message in messages:
        content = message["content"]
        if message["role"] == "assistant":
            steps.append(read_turn(content))
        else:
            step, answered = steps[-1], any(call.observation is not None for call in steps[-1].calls)
            if step.calls and not answered:
                steps[-1] = with_observations(step, read_results(content, len(step.calls)))
            else:
                steps[-1] = replace(step, reply=content)
    return read_back(row, without_tools(system["content"]), task["content"], steps)


def chat(row: Row) -> Chat:
    """The chat of a row, whose system text has the tools."""
    return row["messages"], None


def mark(message: Message, marks: Marks) -> Message:
    """The message with its texts between marks."""
    role, content = message["role"], message["content"]
    if role == "assistant":
        return {**message, "content": mark_turn(content, marks)}
    if role == "user" and content.startswith(RESULT):
        results = [marks.mark(text, "observations") for text in read_results(content, content.count(DIVIDER) + 1)]
        return {**message, "content": write_results(results)}
    return message


VIEW = View(
    name="hermes",
    columns=lambda source, shape: COLUMNS,
    render=lambda view_input: render_parts(view_input, render, chat),
    to_trajectory=to_trajectory,
    schema=lambda source, shape: "hermes",
    submits=WAYS_TO_SUBMIT,
    trains=True,
    marks_training=True,
    optional=OPTIONAL,
    chat=chat,
    mark=mark,
)
