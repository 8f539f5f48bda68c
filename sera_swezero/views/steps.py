"""One row per turn of the model, as it is served: TRL's prompt-completion format.

    {"prompt": [system, user, assistant, tool, ...], "completion": [assistant], "tools": [...], "step": 3, "steps": 27}

The messages are those of the view `openai`. A trainer renders the prompt with the generation prompt after it, as a
server does, and the loss covers the completion alone. So training equals serving under any chat template, also one that
strips earlier reasoning, and every turn is a target exactly once.

`history="last-5-observations"` shows the observations before the last five as SWE-agent's history processor
`last_n_observations` does. The student then sees what its harness will show it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate

from msgspec.structs import replace

from sera_swezero.core.trajectory import Trajectory
from sera_swezero.errors import RowError
from sera_swezero.schemas.columns import Column
from sera_swezero.sources.source import Source
from sera_swezero.views import openai
from sera_swezero.views.tagged_text import observations
from sera_swezero.views.token_limit import Limit
from sera_swezero.views.training import COMMON, WAYS_TO_SUBMIT, Shown, count_tokens, show_rollout
from sera_swezero.views.view import Rendered, Row, View, ViewInput, json_values

COLUMNS: Mapping[str, Column] = {
    "prompt": Column(
        type="json",
        about="The chat messages before the turn, each a Json leaf.",
        rules={"minItems": 2},
        content="openai-message",
    ),
    "completion": Column(
        type="json",
        about="The turn: one assistant message, a Json leaf.",
        rules={"minItems": 1, "maxItems": 1},
        content="openai-message",
    ),
    "tools": openai.COLUMNS["tools"],
    "step": Column(type="int64", about="Which turn of the rollout it is, counted from 0.", rules={"minimum": 0}),
    "steps": Column(type="int64", about="How many turns the rollout has.", rules={"minimum": 1}),
    **COMMON,
}


def elided(text: str) -> str:
    """What SWE-agent shows of an older observation."""
    return f"Old environment output: ({len(text.splitlines())} lines omitted)"


def render(view_input: ViewInput) -> Iterator[Rendered | RowError]:
    """Write every turn down with what comes before it. Raises RowError `wide_integer`, or as `show_rollout`."""
    shown = show_rollout(view_input)
    written = list(openai.write_steps(shown.trajectory))
    short = None if view_input.history is None else _elided(shown.trajectory)
    old = [] if short is None else [back for _, back in openai.write_steps(short)]
    tokens = [] if view_input.limit is None else _tokens(shown, short, view_input, view_input.limit)
    return _rows(shown, view_input, written, old, tokens)


def _rows(
    shown: Shown,
    view_input: ViewInput,
    written: Sequence[tuple[bytes, list[bytes]]],
    old: Sequence[list[bytes]],
    tokens: Sequence[int],
) -> Iterator[Rendered | RowError]:
    """The rows. They are made one by one, because together they repeat every message for each later turn."""
    limit, history, steps = view_input.limit, view_input.history, shown.trajectory.steps
    tools = [tool.encode() for tool in view_input.tools]
    prompt = openai.write_opening(shown)
    waiting: list[tuple[int, bytes]] = []  # place in the prompt and elided form of what is still shown in full
    for number, (turn, back) in enumerate(written):
        if limit is not None and tokens[number] > limit.max_tokens:
            too_long = f"turn {number} and its prompt have {tokens[number]} tokens"
            yield RowError("overlong", f"{too_long}; at most {limit.max_tokens} were asked for", f"$.steps[{number}]")
        else:
            row = {"prompt": list(prompt), "completion": [turn], "tools": tools, "step": number, "steps": len(steps)}
            yield Rendered({**row, **shown.common}, len(prompt) + 1, len(steps[number].calls))
        if history is not None:
            waiting += zip(range(len(prompt) + 1, len(prompt) + 1 + len(back)), old[number], strict=True)
        prompt += [turn, *back]
        while history is not None and len(waiting) > history:
            place, message = waiting.pop(0)
            prompt[place] = message


def _elided(trajectory: Trajectory) -> Trajectory:
    """The trajectory with every observation elided; SWE-agent's history takes a reply for one, too."""
    steps = [
        replace(
            step,
            calls=tuple(
                call if call.observation is None else replace(call, observation=elided(call.observation))
                for call in step.calls
            ),
            reply=None if step.reply is None else elided(step.reply),
        )
        for step in trajectory.steps
    ]
    return replace(trajectory, steps=tuple(steps))


def _tokens(shown: Shown, short: Trajectory | None, view_input: ViewInput, limit: Limit) -> list[int]:
    """The tokens of each turn with its prompt; for the errors see `render_parts`.

    Where only some observations of a turn are elided, all of them count as they are.
    """
    whole = count_tokens(shown, view_input, limit, openai.render, openai.chat)
    if short is None or view_input.history is None:
        return [whole.of(0, number) + turn.said for number, turn in enumerate(whole.turns)]
    old = count_tokens(shown._replace(trajectory=short), view_input, limit, openai.render, openai.chat)
    ends = list(accumulate(len(observations(step)) + (step.reply is not None) for step in shown.trajectory.steps))
    totals = []
    for number, turn in enumerate(whole.turns):
        kept_from = (ends[number - 1] if number else 0) - view_input.history
        before = [(old if ends[at] <= kept_from else whole).turns[at].back for at in range(number)]
        totals.append(whole.begun + sum(said for said, _ in whole.turns[:number]) + sum(before) + turn.said)
    return totals


def to_trajectory(row: Row, _source: Source) -> Trajectory:
    """The rollout up to the row's turn and with it."""
    return openai.read_messages(row, VIEW.messages(row))


VIEW = View(
    name="steps",
    columns=lambda source, shape: COLUMNS,
    render=render,
    to_trajectory=to_trajectory,
    schema=lambda source, shape: "steps",
    submits=WAYS_TO_SUBMIT,
    trains=True,
    has_json_leaves=True,
    messages_columns=("prompt", "completion"),
    one_turn=True,
    chat=lambda row: (json_values([*row["prompt"], *row["completion"]]), json_values(row["tools"])),
    mark=openai.mark,
)
