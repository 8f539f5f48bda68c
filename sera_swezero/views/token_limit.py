"""How many tokens a row has, and what becomes of one that has too many (`max_tokens`, `tokenizer`, `overlong`).

The count is that of SERA's own recipe, every message of the tagged form in a ChatML wrapper, or that of the row as a
chat template writes it: see `token_counts`.

Truncating is SERA's too: a row ends after the last turn of the model that fits, whole and with its call, so that no
turn is ever cut and the last thing in the row is something to train on. Its kept share is messages kept over messages
there were.

Splitting loses no turn: a row becomes windows, each of the system and task messages and then of consecutive whole
turns, as many as fit. What came back to the last turn of a window stays where it fits.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from msgspec.structs import replace

from sera_swezero.core.conversions import ConversionLog
from sera_swezero.core.text import join
from sera_swezero.core.trajectory import Step, Trajectory
from sera_swezero.errors import RowError
from sera_swezero.views.token_counts import RolloutTokens, TurnTokens, messages_of

DROP, TRUNCATE, SPLIT = "drop", "truncate", "split"


class Limit(NamedTuple):
    """The most that a row may hold."""

    max_tokens: int
    tokenizer: str
    """Hub id, folder or `tokenizer.json`."""
    overlong: str
    """`DROP` (reject, reason `overlong`), `TRUNCATE` or `SPLIT`."""
    context: int = 0
    """How many turns before its own a window begins with, to show and not to train; fewer where they do not fit."""
    chat_template: str | None = None
    """The name or the path of the chat template with which to count; None counts in SERA's form."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that the limit adds to a row."""
        return ("window", "windows") if self.overlong == SPLIT else ("kept_share",)


class RolloutPart(NamedTuple):
    """What one row shows of a rollout."""

    trajectory: Trajectory
    columns: dict[str, Any]
    """The values of `Limit.columns`."""
    context: int = 0
    """How many of its first turns are there to be seen only."""


def fit(
    trajectory: Trajectory,
    messages: Sequence[tuple[str, str]],
    tokens: RolloutTokens,
    limit: Limit,
    conversions: ConversionLog,
) -> list[RolloutPart | RowError]:
    """Hold a trajectory to the limit: the rows that it becomes, with an error in place of each turn that is too long.

    Args:
        trajectory: with at least one step.
        messages: its messages as (ChatML role, text): system, task, then every turn and observation in order.
        tokens: how many it has.
        limit: what to hold it to.
        conversions: gets `truncated` with the text that was left out.

    Raises:
        RowError: reason `overlong`: too long and to be dropped, or not even the first turn fits.
    """
    total, most = tokens.of(), limit.max_tokens
    if total <= most:
        whole = (0, 1) if limit.overlong == SPLIT else (1.0,)
        return [RolloutPart(trajectory, dict(zip(limit.columns, whole, strict=True)))]
    too_long = f"{total} tokens; at most {most} were asked for"
    if limit.overlong == DROP:
        raise RowError("overlong", too_long)
    if limit.overlong == SPLIT:
        return _split(trajectory, tokens, limit, conversions)
    kept = fitting(tokens.turns, tokens.begun, most)
    if not kept:
        raise RowError("overlong", f"{too_long}, and the first turn of the model ends behind that")
    shown = sum(map(messages_of, trajectory.steps[: kept - 1])) + 1
    end = len(messages) - sum(map(messages_of, trajectory.steps)) + shown
    conversions.add("truncated", join(*(text for _, text in messages[end:])))
    steps = (*trajectory.steps[: kept - 1], _unanswered(trajectory.steps[kept - 1]))
    return [RolloutPart(replace(trajectory, steps=steps), {"kept_share": end / len(messages)})]


def fitting(turns: Sequence[TurnTokens], used: int, most: int) -> int:
    """How many turns fit after what is used already; what came back to the last of them need not."""
    for number, turn in enumerate(turns):
        if used + turn.said > most:
            return number
        used += sum(turn)
    return len(turns)


def _split(
    trajectory: Trajectory, tokens: RolloutTokens, limit: Limit, conversions: ConversionLog
) -> list[RolloutPart | RowError]:
    """The windows of a trajectory."""
    made: list[RolloutPart | RowError] = []
    begun, turns = tokens
    first = 0
    while first < len(turns):
        context = min(limit.context, first)
        while context and not fitting(turns[first:], tokens.of(first - context, first), limit.max_tokens):
            context -= 1
        after = first + fitting(turns[first:], tokens.of(first - context, first), limit.max_tokens)
        if after == first:
            problem = (
                f"turn {first} has {turns[first].said} tokens and what comes before all turns {begun}; "
                f"at most {limit.max_tokens} were asked for"
            )
            made.append(RowError("overlong", problem, f"$.steps[{first}]"))
            first += 1
            continue
        steps = list(trajectory.steps[first - context : after])
        if tokens.of(first - context, after) > limit.max_tokens:
            texts = [call.observation or "" for call in steps[-1].calls]
            conversions.add("truncated", join(*texts, steps[-1].reply or ""))
            steps[-1] = _unanswered(steps[-1])
        made.append(RolloutPart(replace(trajectory, steps=tuple(steps)), {"window": 0, "windows": 0}, context))
        first = after
    windows = [part for part in made if isinstance(part, RolloutPart)]
    for number, part in enumerate(windows):
        part.columns.update(window=number, windows=len(windows))
    return made


def _unanswered(step: Step) -> Step:
    """The step without what came back."""
    return replace(step, calls=tuple(replace(call, observation=None) for call in step.calls), reply=None)
