"""Which event may follow which, and the fold that turns a legal sequence of events into a Trajectory.

The rules of this file: every rule of order is a cell of `TRANSITIONS`, and no source or view is known here. A sequence
that the table does not allow is a `RowError("wrong_order")` that names the event, the state and what was allowed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
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

    # Identity hash: the fold looks a state up per event, and Enum's own __hash__ is a Python function.
    __hash__ = object.__hash__


TRANSITIONS: dict[State, dict[type, State]] = {
    # A rollout that failed before its first message has no events but its end (SWE-ZERO, errored).
    State.EMPTY: {System: State.BRIEFED, Ended: State.OVER},
    State.BRIEFED: {Task: State.TASKED},
    State.TASKED: {Said: State.SPOKEN, Ended: State.OVER},
    # Words alone may be answered by the harness (Observed), by nobody (Said), or be the last ones (Ended).
    State.SPOKEN: {Called: State.CALLING, Observed: State.OBSERVED, Said: State.SPOKEN, Ended: State.OVER},
    # A call left hanging is legal only as the last thing: SWE-ZERO stops before the observation of a submission.
    State.CALLING: {Observed: State.OBSERVED, Ended: State.OVER},
    State.OBSERVED: {Said: State.SPOKEN, Ended: State.OVER},
    State.OVER: {},
}


def fold(events: Iterable[Event]) -> Trajectory:  # noqa: C901 (one loop, one branch an event: the hot path)
    """Build the Trajectory that the events tell, checking the order at once.

    Raises:
        RowError: reason `wrong_order`: an event that `TRANSITIONS` does not allow, an observation that answers another
            call than the open one, events that stop before `Ended`, or a submission without a turn of the model.
    """
    state = State.EMPTY
    system: str | None = None
    task: str | None = None
    steps: list[Step] = []
    said: Said | None = None
    call: ToolCall | None = None
    outcome: Outcome | None = None
    number = -1
    for number, event in enumerate(events):
        kind = type(event)
        following = TRANSITIONS[state].get(kind)
        if following is None:
            raise _out_of_order(number, kind.__name__, state)
        state = following
        if kind is Observed:
            if call is not None and event.answers is not None and call.id not in (None, event.answers):  # type: ignore[union-attr]
                raise _wrong_call(number, call, event.answers)  # type: ignore[union-attr]
            steps.append(Step(said.reasoning, said.visible, call, event.text))  # type: ignore[union-attr]
            said = call = None
        elif kind is Called:
            call = event.call  # type: ignore[union-attr]
        elif kind is Said:
            if said is not None:
                steps.append(Step(said.reasoning, said.visible, None, None))
            said = event  # type: ignore[assignment]
        elif kind is Ended:
            if said is not None:
                steps.append(Step(said.reasoning, said.visible, call, None))
            outcome = event.outcome  # type: ignore[union-attr]
        elif kind is System:
            system = event.text  # type: ignore[union-attr]
        else:
            task = event.text  # type: ignore[union-attr]
    if outcome is None:
        raise _out_of_order(number + 1, "the end of the record", state)
    _check_spoken(outcome, steps)
    return Trajectory(system, task, tuple(steps), outcome)


def replay(trajectory: Trajectory) -> Iterator[Event]:
    """Tell a Trajectory as events again: `fold(replay(t)) == t` for every t that `fold` can make."""
    if trajectory.system is not None:
        yield System(trajectory.system)
    if trajectory.task is not None:
        yield Task(trajectory.task)
    for step in trajectory.steps:
        yield Said(step.reasoning, step.visible)
        if step.call is not None:
            yield Called(step.call)
        if step.observation is not None:
            yield Observed(step.observation, step.call.id if step.call else None)
    yield Ended(trajectory.outcome)


def _check_spoken(outcome: Outcome, steps: list[Step]) -> None:
    if outcome.status == SUBMITTED and not steps:
        raise RowError("wrong_order", "submitted, but the model never spoke; at least one turn was expected")


def _out_of_order(number: int, found: str, state: State) -> RowError:
    allowed = ", ".join(kind.__name__ for kind in TRANSITIONS[state]) or "nothing"
    return RowError("wrong_order", f"event {number} is {found} in state {state.name}; allowed: {allowed}")


def _wrong_call(number: int, call: ToolCall, answers: str) -> RowError:
    return RowError("wrong_order", f"event {number} observes call {answers!r} while call {call.id!r} is open")
