"""What the generator puts into a row, and what a converter must therefore count: the source of `expected.json`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

Message = dict[str, Any]
NO_OUTPUT = "Your last command ran successfully and did not produce any output."


def observe(output: str) -> str:
    """A SERA observation of `output`: behind the harness's prefix, or its fixed text where nothing was printed."""
    return f"OBSERVATION:\n{output}" if output.strip() else NO_OUTPUT


@dataclass
class Turn:
    """One turn of the model and the environment's reply."""

    reasoning: str = ""
    visible: str = ""
    tool: str | None = "bash"
    """The tool that the turn calls; None: the turn is text alone."""
    arguments: Any = field(default_factory=dict)
    """The call's arguments: an object, or a text that is written as it is (broken or empty arguments)."""
    observation: str | None = None
    """The reply as the environment gives it, prefix and all; None: nothing follows."""
    tally: Mapping[str, int] = field(default_factory=dict)
    """Conversions that this turn causes in the rectified view, without `observation_prefix`."""
    text: str | None = None
    """The model's raw text where it is not the usual `<think>reasoning</think>` and the visible text on a new line."""
    reply: str = "tool"
    """The role of the reply."""
    edit: Callable[[Message, Message], None] | None = None
    """A change to the raw messages of the turn and of its reply ({} where there is none)."""

    def conversions(self) -> Counter[str]:
        """The turn's tally, with the prefix that its observation loses."""
        counts = Counter(self.tally)
        observed = self.observation is not None and "harness_exit" not in counts and "dropped_nudge" not in counts
        if observed and self.observation.startswith(("OBSERVATION:\n", "Observation: ")):  # type: ignore[union-attr]
            counts["observation_prefix"] += 1
        return counts


@dataclass
class Plan:
    """One raw row: its columns, its turns, and what comes of it."""

    columns: dict[str, Any]
    """The row without `messages`, in the order of the file."""
    task: str
    """The text of the first user message."""
    body: list[Turn] = field(default_factory=list)
    ending: list[Turn] = field(default_factory=list)
    tally: Counter[str] = field(default_factory=Counter)
    """Conversions that belong to the row and not to one turn."""
    rejected: str | None = None
    """Why the row is rejected, where it is."""
    answer: str | None = None
    """The text of the answer in a submitted row; None where the converter has to use its fixed sentence."""
    recall: float | None = None
    """The share of the target patch's lines that the rollout patch has."""
    edge: str | None = None
    """The oddity that the row was made for."""
    edit_messages: Callable[[list[Message]], Any] | None = None
    """A change to the raw list of messages; what it returns, if not None, is written in place of the list."""
    edit_row: Callable[[dict[str, Any]], None] | None = None
    """A change to the raw row."""
    ascii: bool = True
    """Whether the row's JSON escapes all that is not ASCII, as upstream does."""
    line: str | None = None
    """The whole line, where it is not the row's JSON."""

    @property
    def turns(self) -> list[Turn]:
        """All turns in order."""
        return self.body + self.ending

    def put(self, rng: Random, *turns: Turn) -> None:
        """Put the turns together somewhere into the body."""
        at = rng.randrange(len(self.body) + 1)
        self.body[at:at] = turns

    def conversions(self) -> Counter[str]:
        """What converting the row counts in the rectified view."""
        return sum((turn.conversions() for turn in self.turns), Counter(self.tally))

    def calls(self) -> int:
        """Tool calls of the rectified row: submits are none."""
        return sum(turn.tool not in (None, "submit") for turn in self.turns)
