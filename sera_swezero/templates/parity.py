"""Whether a model is trained on what it meets when it is served, turn by turn.

A model is served one turn at a time: the serving template writes the messages so far and a generation prompt, and the
model continues. So training is right if the training text up to each turn is exactly that prompt, and if the loss
covers exactly what the model is to write after it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from sera_swezero.templates.turn_parity import Found, RowParity, TrainingText
from sera_swezero.views.chat_template import ChatTemplate

CAUSES = {
    "refused": "a template refuses the messages",
    "tools": "the prompt: the tools are written differently",
    "generation_prompt": "the prompt: its end, the generation prompt, is another",
    "reasoning": "the prompt: earlier reasoning is left out or written differently",
    "calls": "the prompt: earlier calls are left out or written differently",
    "whitespace": "the prompt: other whitespace",
    "text": "the prompt: other text",
    "tokens": "the prompt: the same text, but other tokens",
    "lost_call": "the target: the call is not in the training text",
    "target": "the target: the serving template writes the turn differently",
    "trained_not_generated": "the target: text is trained that the model never generates",
    "generated_not_trained": "the target: text that the model generates is not trained",
}
"""Why a turn is not in parity -> what that means. A turn may have several causes."""


class Mismatch(NamedTuple):
    """One cause, as it was first met."""

    cause: str
    """A key of `CAUSES`."""
    row: int
    """Number of the row, from 0."""
    message: int
    """Number of the turn's message in its row, from 0."""
    training: str
    """The training text around the difference."""
    serving: str
    """What serving has in its place, or the error."""


@dataclass
class ParityCounts:
    """How many turns are in parity, and why the others are not."""

    rows: int = 0
    rows_in_parity: int = 0
    turns: int = 0
    """Turns of the model."""
    turns_in_parity: int = 0
    causes: Counter[str] = field(default_factory=Counter)
    """Key of `CAUSES` -> turns."""
    examples: dict[str, Mismatch] = field(default_factory=dict)
    """Key of `CAUSES` -> its first difference."""
    amounts: Counter[str] = field(default_factory=Counter)
    """`trained_not_generated` and `generated_not_trained` -> tokens, or characters where there is no tokenizer."""

    @property
    def whole(self) -> bool:
        """Whether there were turns, and all of them are in parity."""
        return 0 < self.turns == self.turns_in_parity


@dataclass
class ParityCheck:
    """Compares training with serving."""

    training: ChatTemplate
    """The template that writes the training text."""
    serving: ChatTemplate
    """The template that writes the prompts."""
    tokenizer: str | None = None
    """The tokenizer of the served model; None compares only the text."""
    counts: ParityCounts = field(default_factory=ParityCounts, init=False)

    def refuse(self, turns: Sequence[int], error: str) -> None:
        """Count the turns of a row that the training template refuses."""
        self.count({turn: [("refused", "", error)] for turn in turns})

    def add(self, trained: TrainingText, turns: Sequence[int]) -> None:
        """Compare some turns of a row, given by the numbers of their messages."""
        row = RowParity(self.training, self.serving, self.tokenizer, trained)
        self.count({turn: list(row.differences(turn)) for turn in turns})
        self.counts.amounts += row.amounts

    def count(self, turns: dict[int, list[Found]]) -> None:
        """Count what was found of each turn of a row."""
        counts = self.counts
        for turn, found in turns.items():
            counts.causes.update({cause for cause, _, _ in found})
            for cause, training, serving in found:
                counts.examples.setdefault(cause, Mismatch(cause, counts.rows, turn, training, serving))
        counts.rows += 1
        counts.rows_in_parity += not any(turns.values())
        counts.turns += len(turns)
        counts.turns_in_parity += sum(not found for found in turns.values())
