"""Which event may follow which, and the fold that turns a legal sequence of events into a Trajectory.

Two rules hold in this file. Every rule of order is a cell of `TRANSITIONS`, and no source or view is known here.
A sequence that the table does not allow is a `RowError("wrong_order")` that names the event, the state and what was
allowed.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum

from sera_swezero.core.trajectory import (
    SUBMITTED,
    Called,
    Ended,
    Event,
    Observed,
    Outcome,
    Said,
    Step,
    System,
    Task,
    ToolCall,
    Trajectory,
)
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
    # Words alone may be answered by the harness (Observed), by nobody (Said), or be the last ones (Ended).
    State.SPOKEN: {
        Step: State.OBSERVED,
        Called: State.CALLING,
        Observed: State.OBSERVED,
        Said: State.SPOKEN,
        Ended: State.OVER,
    },
    # A call left hanging is legal only as the last thing: SWE-ZERO stops before the observation of a submission.
    State.CALLING: {Observed: State.OBSERVED, Ended: State.OVER},
    State.OBSERVED: {Step: State.OBSERVED, Said: State.SPOKEN, Ended: State.OVER},
    State.OVER: {},
}

_EVENTS_PER_STEP = 3
"""A Step counts as the three events that it stands for, so that errors number events alike either way."""


def fold(events: Iterable[Event]) -> Trajectory:  # noqa: C901, PLR0912 (one loop, one branch per event)
    """Build the Trajectory from its events, and check their order in the same pass.

    Raises:
        RowError: reason `wrong_order`: an event that `TRANSITIONS` does not allow, an observation that answers another
            call than the open one, events that stop before `Ended`, or a submission without a turn of the model.
    """
    state, allowed = State.EMPTY, TRANSITIONS[State.EMPTY]
    system: str | None = None
    task: str | None = None
    steps: list[Step] = []
    said: Said | None = None  # the turn whose call or observation may still come
    call: ToolCall | None = None  # its call
    outcome: Outcome | None = None
    number = 0
    for event in events:
        kind = type(event)
        following = allowed.get(kind)
        if following is None:
            raise _out_of_order(number, kind, state)
        if following is not state:
            state, allowed = following, TRANSITIONS[following]
        if isinstance(event, Step):
            if said is not None:
                steps.append(Step(said.reasoning, said.visible, None, None))
                said = None
            steps.append(event)
            number += _EVENTS_PER_STEP
            continue
        if isinstance(event, Said):
            if said is not None:
                steps.append(Step(said.reasoning, said.visible, None, None))
            said = event
        elif isinstance(event, Called):
            call = event.call
        elif isinstance(event, Observed):
            if call is not None and event.answers is not None and call.id not in (None, event.answers):
                raise _wrong_call(number, call, event.answers)
            if said is not None:  # always: the table says so
                steps.append(Step(said.reasoning, said.visible, call, event.text))
            said = call = None
        elif isinstance(event, Ended):
            if said is not None:
                steps.append(Step(said.reasoning, said.visible, call, None))
            outcome = event.outcome
        elif isinstance(event, System):
            system = event.text
        else:
            task = event.text
        number += 1
    if outcome is None:
        raise _out_of_order(number, None, state)
    if outcome.status == SUBMITTED and not steps:
        raise RowError("wrong_order", "submitted, but the model never spoke; at least one turn was expected")
    return Trajectory(system, task, tuple(steps), outcome)


def _out_of_order(number: int, kind: type | None, state: State) -> RowError:
    found = "the end of the record" if kind is None else (Said if kind is Step else kind).__name__
    allowed = ", ".join(kind.__name__ for kind in TRANSITIONS[state] if kind is not Step) or "nothing"
    return RowError("wrong_order", f"event {number} is {found} in state {state.name}; allowed: {allowed}")


def _wrong_call(number: int, call: ToolCall, answers: str) -> RowError:
    return RowError("wrong_order", f"event {number} observes call {answers!r} while call {call.id!r} is open")
