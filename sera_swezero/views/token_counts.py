"""How many tokens the parts of a rollout have: in SERA's form, or as a chat template writes them for a trainer.

Either way the parts add up: what comes before all turns, each turn of the model, and what came back to it. So a row of
some of the turns has the tokens of its parts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from msgspec.structs import replace

from sera_swezero.core.trajectory import Step, Trajectory
from sera_swezero.errors import RowError
from sera_swezero.views.tokenizer import count

if TYPE_CHECKING:
    from sera_swezero.views.chat_template import ChatTemplate

Chat = tuple[list[dict[str, Any]], list[dict[str, Any]] | None]
"""The messages and the tools that a trainer hands to a chat template."""

_NEXT = Step("", "The next turn.")
"""Stands behind a turn that others follow, because a view may leave out what came back to the last turn of a row."""


class TurnTokens(NamedTuple):
    """The tokens of a turn, and of what came back."""

    said: int
    back: int


class RolloutTokens(NamedTuple):
    """The tokens of a rollout by its parts."""

    begun: int
    """Those of what comes before all turns."""
    turns: list[TurnTokens]

    def of(self, start: int = 0, stop: int | None = None) -> int:
        """The tokens of a row that shows these turns and what came back to them."""
        return self.begun + sum(map(sum, self.turns[start:stop]))


def count_tagged(trajectory: Trajectory, messages: Sequence[tuple[str, str]], tokenizer: str) -> RolloutTokens:
    """Count in SERA's form: every message in a ChatML wrapper.

    Args:
        trajectory: the rollout.
        messages: its messages as (ChatML role, text): system, task, then every turn and observation in order.
        tokenizer: hub id, folder or `tokenizer.json`.

    Raises:
        ConfigError: the tokenizer cannot be loaded.
    """
    counts = count(tokenizer, [f"<|im_start|>{role}\n{text}<|im_end|>\n" for role, text in messages])
    first = at = len(counts) - sum(map(messages_of, trajectory.steps))
    turns = []
    for step in trajectory.steps:
        end = at + messages_of(step)
        turns.append(TurnTokens(counts[at], sum(counts[at + 1 : end])))
        at = end
    return RolloutTokens(sum(counts[:first]), turns)


def count_rendered(
    trajectory: Trajectory, show: Callable[[Trajectory], Chat], template: str, tokenizer: str
) -> RolloutTokens:
    """Count as a chat template writes the rollout.

    Every turn is rendered by itself, behind the system and task messages. A template that strips the reasoning of
    earlier turns keeps it there, so that a row never has more tokens than its parts.

    Args:
        trajectory: the rollout.
        show: writes some turns of it down as a view does.
        template: the name or the path of the chat template.
        tokenizer: hub id, folder or `tokenizer.json`.

    Raises:
        ConfigError: the tokenizer or the template cannot be loaded.
        RowError: `template`: the template does not render a turn.
    """
    opening, pieces = "", list[str]()
    for index, step in enumerate(trajectory.steps):
        followed = messages_of(step) > 1 and index + 1 < len(trajectory.steps)
        messages, tools = show(replace(trajectory, steps=(step, _NEXT) if followed else (step,)))
        turn = next(at for at, message in enumerate(messages) if message["role"] == "assistant")
        ends = (turn, turn + 1, len(messages) - followed)
        opening, said, back = (_render(template, tokenizer, messages[:end], tools, index) for end in ends)
        pieces += (*_added(opening, said), *_added(said, back))
    begun, *counts = count(tokenizer, [opening, *pieces])
    turns = [
        TurnTokens(said - opening_again, back - said_again)
        for said, opening_again, back, said_again in zip(*(counts[at::4] for at in range(4)), strict=True)
    ]
    return RolloutTokens(begun, turns)


def messages_of(step: Step) -> int:
    """How many messages a step has: the turn, what its calls gave, and the reply."""
    return 1 + any(call.observation is not None for call in step.calls) + (step.reply is not None)


def _render(
    template: str, tokenizer: str, messages: list[dict[str, Any]], tools: list[dict[str, Any]] | None, turn: int
) -> str:
    from sera_swezero.views.chat_template import FAILURES

    try:
        return _load(template, tokenizer).render(messages, tools).text
    except FAILURES as error:
        problem = f"the chat template {template!r} does not render the turn: {type(error).__name__}: {error}"
        raise RowError("template", problem, f"$.steps[{turn}]") from None


@cache
def _load(template: str, tokenizer: str) -> ChatTemplate:
    from sera_swezero.views.chat_template import load_template  # imports Jinja, which few streams need

    return load_template(template, tokenizer)


def _added(before: str, text: str) -> tuple[str, str]:
    """What a text has more than an earlier one, as a text to count and one to take off."""
    return (text[len(before) :], "") if text.startswith(before) else (text, before)
