"""The one lossless core: what happened in a rollout, whoever recorded it and whatever it will be rendered to.

Knows no source and no view. Everything is immutable; tuples rather than dataclasses because a row makes some hundred of
them and a named tuple costs a third as much to make.
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

SUBMITTED = "submitted"
INCOMPLETE = "incomplete"
EXITED = "exited"
ERRORED = "errored"
OTHER = "other"

STATUSES: dict[str, str] = {
    SUBMITTED: "the model ended the rollout itself: it submitted, or ended on words alone (SERA)",
    INCOMPLETE: "the rollout stopped before a submission: turn cap, token budget, or the record just ends",
    EXITED: "the harness cut in (`Exit due to ...`) before a submission",
    ERRORED: "the rollout failed outside the model, such as an API or worktree error",
    OTHER: "upstream gives a status that none of these names",
}
"""How a rollout ended: status -> meaning. Closed."""


class ToolCall(NamedTuple):
    """One call of a tool.

    name: the tool's name as the model wrote it.
    arguments: the model's own JSON text of an object, validated but not re-encoded (spacing, key order and integers
        beyond 64 bits survive).
    id: the call's id upstream, None where the source has none.
    submits: whether this call ends the rollout (SERA's `submit`; the last command of a submitted SWE-ZERO rollout).
    """

    name: str
    arguments: str
    id: str | None = None
    submits: bool = False


class Step(NamedTuple):
    """One turn of the model and what came back.

    reasoning: thinking text without tags, "" where there is none.
    visible: text beside the reasoning, "" where there is none.
    call: the tool call, None for a turn of text alone.
    observation: the tool's output, or the harness's message after a turn of text alone; None where the record ends.
    """

    reasoning: str
    visible: str
    call: ToolCall | None
    observation: str | None


class Outcome(NamedTuple):
    """How the rollout ended: a status of `STATUSES` and the harness's own words, "" where there are none."""

    status: str
    detail: str = ""


class Trajectory(NamedTuple):
    """A whole rollout. `system` and `task` are None only where a rollout failed before its first message."""

    system: str | None
    task: str | None
    steps: tuple[Step, ...]
    outcome: Outcome

    @property
    def submitted(self) -> bool:
        """Whether the rollout ended in a submission."""
        return self.outcome.status == SUBMITTED


class System(NamedTuple):
    """The system message."""

    text: str


class Task(NamedTuple):
    """The first user message: what the model was asked to do."""

    text: str


class Said(NamedTuple):
    """A turn of the model begins: its reasoning and its visible text, either may be ""."""

    reasoning: str
    visible: str


class Called(NamedTuple):
    """The turn's tool call."""

    call: ToolCall


class Observed(NamedTuple):
    """What came back. `answers` is the id of the call it names, None where the record names none."""

    text: str
    answers: str | None = None


class Ended(NamedTuple):
    """The record is over."""

    outcome: Outcome


Event: TypeAlias = System | Task | Said | Called | Observed | Ended
