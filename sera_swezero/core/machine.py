"""Which event may follow which, and the fold that turns a legal sequence of events into a Trajectory.

Two rules hold in this file. Every rule of order is a cell of `TRANSITIONS`, and no source or view is known here.
A sequence that the table does not allow is a `RowError("wrong_order")` that names the event, the state and what was
allowed.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum

from msgspec.structs import replace

from sera_swezero.core.events import Called, Ended, Event, Observed, Replied, Said, System, Task
from sera_swezero.core.text import join
from sera_swezero.core.trajectory import SUBMITTED, Outcome, Step, ToolCall, Trajectory
from sera_swezero.errors import RowError


class State(Enum):
    """Where in a rollout the last event left us."""

    EMPTY = "empty"
    BRIEFED = "briefed"
    TASKED = "tasked"
    SPOKEN = "spoken"
    CALLING = "calling"
    OBSERVED = "observed"
    OVER = "over"

    # Identity hash: the fold looks a state up for each event, and Enum's own __hash__ is a Python function.
    __hash__ = object.__hash__


TRANSITIONS: dict[State, dict[type, State]] = {
    # A rollout that failed before its first message has no events but its end (SWE-ZERO, errored).
    State.EMPTY: {System: State.BRIEFED, Ended: State.OVER},
    State.BRIEFED: {Task: State.TASKED},
    # A Step is Said, Called and Observed in one piece, so it may come wherever Said may.
    State.TASKED: {Step: State.OBSERVED, Said: State.SPOKEN, Ended: State.OVER},
    # Words alone may be answered by the harness (Observed, Replied), by nobody (Said), or be the last ones (Ended).
    State.SPOKEN: {
        Step: State.OBSERVED,
        Called: State.CALLING,
        Observed: State.OBSERVED,
        Replied: State.OBSERVED,
        Said: State.SPOKEN,
        Ended: State.OVER,
    },
    # While a call is open, Observed leaves the state as it is. A call left open is legal only at the end: SWE-ZERO
    # stops before the observation of a submission.
    State.CALLING: {Called: State.CALLING, Observed: State.OBSERVED, Ended: State.OVER},
    State.OBSERVED: {Step: State.OBSERVED, Replied: State.OBSERVED, Said: State.SPOKEN, Ended: State.OVER},
    State.OVER: {},
}


class _Turn:
    """The turn of the model whose calls, observations or reply may still come."""

    def __init__(self, said: Said) -> None:
        self._said = said
        self.calls: list[ToolCall] = []
        self.open: list[int] = []  # the indices of the calls without an observation

    def call(self, call: ToolCall) -> None:
        self.open.append(len(self.calls))
        self.calls.append(call)

    def observe(self, event: Observed, number: int) -> None:
        """Give the observation to the call that it names, or else to the first open one."""
        for index in self.open:
            call = self.calls[index]
            if event.answers is None or call.id in (None, event.answers):
                self.calls[index] = replace(call, observation=event.text)
                self.open.remove(index)
                return
        names = " and ".join(repr(self.calls[index].id) for index in self.open)
        waiting = f"call {names} is open" if len(self.open) == 1 else f"calls {names} are open"
        raise RowError("wrong_order", f"event {number} observes call {event.answers!r} while {waiting}")

    def step(self, reply: str | None = None) -> Step:
        """The turn as it is so far."""
        return Step(self._said.reasoning, self._said.visible, tuple(self.calls), reply)


class _Fold:
    """Builds a Trajectory from events that are in a right order."""

    def __init__(self) -> None:
        self.system: str | None = None
        self.task: str | None = None
        self.steps: list[Step] = []
        self.turn: _Turn | None = None
        self.outcome: Outcome | None = None

    def end_turn(self, reply: str | None = None) -> None:
        """Nothing more comes for the turn, if there is one."""
        if self.turn is not None:
            self.steps.append(self.turn.step(reply))
            self.turn = None

    def take(self, event: Event, number: int) -> None:
        """Take any event but a Step."""
        turn = self.turn
        if isinstance(event, Said):
            self.end_turn()
            self.turn = _Turn(event)
        elif isinstance(event, Called) and turn is not None:  # it never is None: the table says so, here and below
            turn.call(event.call)
        elif isinstance(event, Observed) and turn is not None:
            if turn.open:
                turn.observe(event, number)
            if not turn.open:
                self.end_turn(None if turn.calls else event.text)
        elif isinstance(event, Replied):
            self.end_turn()
            before = self.steps.pop()
            self.steps.append(replace(before, reply=join(before.reply or "", event.text)))
        elif isinstance(event, Ended):
            self.end_turn()
            self.outcome = event.outcome
        elif isinstance(event, System):
            self.system = event.text
        elif isinstance(event, Task):
            self.task = event.text


def fold(events: Iterable[Event]) -> Trajectory:
    """Build the Trajectory from its events, and check their order in the same pass.

    Raises:
        RowError: reason `wrong_order`: an event that `TRANSITIONS` does not allow, an observation that answers no open
            call, events that stop before `Ended`, or a submission without a turn of the model.
    """
    state, allowed = State.EMPTY, TRANSITIONS[State.EMPTY]
    made, number = _Fold(), 0
    steps = made.steps
    for event in events:
        kind = type(event)
        following = allowed.get(kind)
        if following is None:
            raise _out_of_order(number, kind, state)
        if isinstance(event, Step):  # nearly all of them
            if made.turn is not None:
                made.end_turn()
            steps.append(event)
            number += 1 + 2 * len(event.calls)  # errors count its parts as one event each
        else:
            if kind is Observed and made.turn is not None and len(made.turn.open) > 1:
                following = state
            made.take(event, number)
            number += 1
        if following is not state:
            state, allowed = following, TRANSITIONS[following]
    if made.outcome is None:
        raise _out_of_order(number, None, state)
    if made.outcome.status == SUBMITTED and not steps:
        raise RowError("wrong_order", "submitted, but the model never spoke; at least one turn was expected")
    return Trajectory(made.system, made.task, tuple(steps), made.outcome)


def _out_of_order(number: int, kind: type | None, state: State) -> RowError:
    found = "the end of the record" if kind is None else (Said if kind is Step else kind).__name__
    allowed = ", ".join(kind.__name__ for kind in TRANSITIONS[state] if kind is not Step) or "nothing"
    return RowError("wrong_order", f"event {number} is {found} in state {state.name}; allowed: {allowed}")
