"""The transition table itself: every cell of it, random legal walks, and the way back."""

from __future__ import annotations

import pickle
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sera_swezero.core import trajectory
from sera_swezero.core.machine import TRANSITIONS, State, fold
from sera_swezero.core.trajectory import (
    INCOMPLETE,
    STATUSES,
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
from tests.support.replay import replay

KINDS: tuple[type, ...] = get_args(trajectory.Event)
CALL = ToolCall("bash", '{"command": "ls"}', "c1")
ONE: dict[type, Event] = {
    System: System("rules"),
    Task: Task("do it"),
    Said: Said("hm", "well"),
    Called: Called(CALL),
    Observed: Observed("out", "c1"),
    Ended: Ended(Outcome(INCOMPLETE)),
    Step: Step("hm", "well", CALL, "out"),
}

REACHED: dict[State, tuple[type, ...]] = {
    State.EMPTY: (),
    State.BRIEFED: (System,),
    State.TASKED: (System, Task),
    State.SPOKEN: (System, Task, Said),
    State.CALLING: (System, Task, Said, Called),
    State.OBSERVED: (System, Task, Said, Called, Observed),
    State.OVER: (System, Task, Said, Called, Observed, Ended),
}
"""One way to each state."""

LEGAL = {
    (State.EMPTY, System): State.BRIEFED,
    (State.EMPTY, Ended): State.OVER,
    (State.BRIEFED, Task): State.TASKED,
    (State.TASKED, Said): State.SPOKEN,
    (State.TASKED, Step): State.OBSERVED,
    (State.TASKED, Ended): State.OVER,
    (State.SPOKEN, Called): State.CALLING,
    (State.SPOKEN, Observed): State.OBSERVED,
    (State.SPOKEN, Said): State.SPOKEN,
    (State.SPOKEN, Step): State.OBSERVED,
    (State.SPOKEN, Ended): State.OVER,
    (State.CALLING, Observed): State.OBSERVED,
    (State.CALLING, Ended): State.OVER,
    (State.OBSERVED, Said): State.SPOKEN,
    (State.OBSERVED, Step): State.OBSERVED,
    (State.OBSERVED, Ended): State.OVER,
}
"""The rules of order, written down once more by hand: a change of the table has to be made here too."""

CELLS = [(state, kind) for state in State for kind in KINDS]


def test_the_table_is_the_rules_of_order() -> None:
    assert {(state, kind): to for state, row in TRANSITIONS.items() for kind, to in row.items()} == LEGAL
    assert set(TRANSITIONS) == set(State)
    assert set(REACHED) == set(State)
    assert set(ONE) == set(KINDS)


@pytest.mark.parametrize(("state", "kind"), CELLS, ids=[f"{state.name}-{kind.__name__}" for state, kind in CELLS])
def test_every_cell(state: State, kind: type) -> None:
    told = [ONE[before] for before in REACHED[state]] + [ONE[kind]]
    following = LEGAL.get((state, kind))
    if following is None:
        with pytest.raises(RowError) as caught:
            fold(told)
        assert caught.value.reason == "wrong_order"
        allowed = ", ".join(k.__name__ for k in TRANSITIONS[state] if k is not Step) or "nothing"
        number, found = len(REACHED[state]), "Said" if kind is Step else kind.__name__
        assert caught.value.problem == f"event {number} is {found} in state {state.name}; allowed: {allowed}"
    elif following is State.OVER:
        assert fold(told).outcome == Outcome(INCOMPLETE)
    else:
        # The record just stops there, and the error names the state that the event led to.
        with pytest.raises(RowError) as caught:
            fold(told)
        assert f"is the end of the record in state {following.name};" in caught.value.problem


def test_a_trajectory_is_built_from_its_events() -> None:
    told: list[Event] = [
        System("rules"),
        Task("do it"),
        Said("a", ""),
        Called(CALL),
        Observed("out"),
        Said("", "b"),
        Said("c", "d"),
        Observed("call a tool"),
        Said("e", "f"),
        Called(CALL._replace(submits=True)),
        Ended(Outcome(SUBMITTED, "x")),
    ]
    assert fold(told) == Trajectory(
        "rules",
        "do it",
        (
            Step("a", "", CALL, "out"),
            Step("", "b", None, None),
            Step("c", "d", None, "call a tool"),
            Step("e", "f", CALL._replace(submits=True), None),
        ),
        Outcome(SUBMITTED, "x"),
    )


@pytest.mark.parametrize(
    ("call_id", "answers", "fits"),
    [("c1", "c1", True), ("c1", None, True), (None, "c1", True), (None, None, True), ("c1", "c2", False)],
)
def test_an_observation_answers_the_open_call(call_id: str | None, answers: str | None, fits: bool) -> None:
    told = [System(""), Task(""), Said("", ""), Called(CALL._replace(id=call_id)), Observed("", answers)]
    if fits:
        assert len(fold([*told, Ended(Outcome(INCOMPLETE))]).steps) == 1
    else:
        with pytest.raises(RowError, match=r"wrong_order: event 4 observes call 'c2' while call 'c1' is open"):
            fold([*told, Ended(Outcome(INCOMPLETE))])


def test_no_submission_without_a_turn() -> None:
    with pytest.raises(RowError, match="never spoke"):
        fold([System(""), Task(""), Ended(Outcome(SUBMITTED))])


def test_a_row_error_keeps_all_it_says_on_its_way_between_processes() -> None:
    error = RowError("wrong_order", "what", "$.where").located("owner/repo", "file.jsonl", 7)
    copy = pickle.loads(pickle.dumps(error))
    assert str(copy) == str(error) == "owner/repo/file.jsonl at 7: wrong_order: what ($.where)"
    assert vars(copy) == vars(error)
    with pytest.raises(AssertionError, match="closed list"):
        RowError("because", "no such reason")


# --- walks

texts = st.text(max_size=8)
calls = st.builds(ToolCall, texts, st.just("{}"), st.none() | st.sampled_from(["c1", "c2"]), st.booleans())
outcomes = st.builds(Outcome, st.sampled_from([status for status in STATUSES if status != SUBMITTED]), texts)


@st.composite
def walks(draw: st.DrawFn) -> list[Event]:
    """A random way through the table to its end, of events with random texts."""
    told: list[Event] = []
    state, open_call = State.EMPTY, None
    while state is not State.OVER:
        # The end comes first: hypothesis shrinks towards it.
        kind = draw(st.sampled_from(sorted(TRANSITIONS[state], key=lambda kind: kind is not Ended)))
        if kind is Called:
            open_call = draw(calls)
            told.append(Called(open_call))
        elif kind is Observed:
            told.append(Observed(draw(texts), open_call.id if open_call else None))
            open_call = None
        elif kind is Step:
            told.append(Step(draw(texts), draw(texts), draw(calls), draw(texts)))
            open_call = None
        elif kind is Ended:
            told.append(Ended(draw(outcomes)))
        else:
            told.append(kind(*(draw(texts) for _ in kind._fields)))
        state = TRANSITIONS[state][kind]
    return told


def pieces(event: Event) -> list[Event]:
    """The events that an event stands for: a Step is three."""
    if not isinstance(event, Step) or event.call is None or event.observation is None:
        return [event]
    return [Said(event.reasoning, event.visible), Called(event.call), Observed(event.observation, event.call.id)]


@given(walks())
def test_every_legal_walk_folds_and_is_told_again(told: list[Event]) -> None:
    trajectory = fold(told)
    assert [part for event in told for part in pieces(event)] == list(replay(trajectory))
    assert fold(replay(trajectory)) == trajectory
    assert len(trajectory.steps) == sum(isinstance(event, Said | Step) for event in told)


@given(walks(), st.data())
def test_a_walk_with_a_wrong_step_names_it(told: list[Event], data: st.DataObject) -> None:
    """Cut a legal walk anywhere and go on with an event that the table does not allow there."""
    cut = data.draw(st.integers(0, len(told) - 1))
    state = State.EMPTY
    for event in told[:cut]:
        state = LEGAL[state, type(event)]
    wrong = [kind for kind in KINDS if (state, kind) not in LEGAL]
    kind = data.draw(st.sampled_from(wrong))
    with pytest.raises(RowError) as caught:
        fold([*told[:cut], ONE[kind], *told[cut:]])
    number, found = sum(len(pieces(event)) for event in told[:cut]), "Said" if kind is Step else kind.__name__
    assert caught.value.problem.startswith(f"event {number} is {found} in state {state.name};")
