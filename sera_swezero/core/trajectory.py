"""What happened in a rollout, whoever recorded it and whatever it will be rendered to: trajectories and their events.

A Trajectory is the one core type. It knows no source and no view and loses nothing that a view could need.
An adapter reports a raw record as events, in the record's own order; `machine.fold` makes a Trajectory of them.
Everything is immutable. These are tuples rather than dataclasses because a row makes some hundred of them, and a named
tuple takes a third of the time to make.
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
"""How a rollout ended: status -> meaning. This list is closed."""


Tools: TypeAlias = tuple[str, ...]
"""The tools that a model could call, each as the JSON text of an object of OpenAI's chat API, such as
`{"type": "function", "function": {"name": "bash", "description": "...", "parameters": {...}}}`."""


class ToolCall(NamedTuple):
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


class Step(NamedTuple):
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


class Outcome(NamedTuple):
    """How the rollout ended."""

    status: str
    """A key of `STATUSES`."""
    detail: str = ""
    """The harness's own words, "" where there are none."""


class Trajectory(NamedTuple):
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


class System(NamedTuple):
    """Event: the system message."""

    text: str


class Task(NamedTuple):
    """Event: the first user message, which says what the model was asked to do."""

    text: str


class Said(NamedTuple):
    """Event: a turn of the model begins. Its reasoning and its visible text may each be ""."""

    reasoning: str
    visible: str


class Called(NamedTuple):
    """Event: a tool call of the turn. Its observation is an event of its own."""

    call: ToolCall


class Observed(NamedTuple):
    """Event: the output of a tool call, or what the harness said after a turn without one."""

    text: str
    answers: str | None = None
    """The id of the call that it names, None where the record names none: then it is that of the first open call."""


class Replied(NamedTuple):
    """Event: what the harness or the user said after a turn, where the record tells it from an observation."""

    text: str


class Ended(NamedTuple):
    """Event: the record is over."""

    outcome: Outcome


Event: TypeAlias = System | Task | Said | Called | Observed | Replied | Step | Ended
"""What an adapter may say. It numbers, links, repairs and invents nothing."""
