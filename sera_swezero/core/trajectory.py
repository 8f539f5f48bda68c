"""What happened in a rollout, whoever recorded it and whatever it will be rendered to.

A Trajectory is the one core type. It knows no source and no view and loses nothing that a view could need.
Everything is immutable. These are structs of msgspec because a row makes some hundred of them, and a named tuple takes
four times as long to make (decision 021). The garbage collector need not look at them (`gc=False`), since they hold
texts and each other, and never a cycle.
"""

from __future__ import annotations

from typing import TypeAlias

import msgspec

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
"""How a rollout ended: status -> meaning. This list is closed."""


Tools: TypeAlias = tuple[str, ...]
"""The tools that a model could call, each as the JSON text of an object of OpenAI's chat API, such as
`{"type": "function", "function": {"name": "bash", "description": "...", "parameters": {...}}}`."""


class ToolCall(msgspec.Struct, frozen=True, gc=False):
    """One call of a tool, and what came back."""

    name: str
    """The tool's name as the model wrote it."""
    arguments: str
    """The model's own JSON text of an object. It was validated but not encoded again, so spacing, the order of keys and
    integers beyond 64 bits survive."""
    id: str | None = None
    """The call's id upstream, None where the source has none."""
    submits: bool = False
    """Whether this call ends the rollout: SERA's `submit`, or the last command of a submitted SWE-ZERO rollout."""
    observation: str | None = None
    """The tool's output; None where the record ends before it."""


class Step(msgspec.Struct, frozen=True, gc=False):
    """One turn of the model and what came back.

    As an event it reports a turn with its calls and observations in one piece, which nearly all turns are.
    """

    reasoning: str
    """Thinking text without its tags, "" where there is none."""
    visible: str
    """Text outside the reasoning, "" where there is none."""
    calls: tuple[ToolCall, ...] = ()
    """The tool calls, each with its observation; none for a turn of text alone."""
    reply: str | None = None
    """What the harness or the user said after the turn and its observations; None where the model went on by itself."""

    @property
    def submits(self) -> bool:
        """Whether one of the calls ends the rollout."""
        return any(call.submits for call in self.calls)


class Outcome(msgspec.Struct, frozen=True, gc=False):
    """How the rollout ended."""

    status: str
    """A key of `STATUSES`."""
    detail: str = ""
    """The harness's own words, "" where there are none."""


class Trajectory(msgspec.Struct, frozen=True, gc=False):
    """A whole rollout."""

    system: str | None
    """The system message; None only where the rollout failed before its first message."""
    task: str | None
    """What the model was asked to do; None only where the rollout failed before that."""
    steps: tuple[Step, ...]
    """The model's turns, in order."""
    outcome: Outcome
    """How the rollout ended."""

    @property
    def submitted(self) -> bool:
        """Whether the rollout ended in a submission."""
        return self.outcome.status == SUBMITTED
