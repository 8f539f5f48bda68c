"""The machine: the sequences of events that it takes, random legal walks, and the way back."""

from __future__ import annotations

import itertools
import pickle
import re
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

LETTERS: dict[str, type] = {"s": System, "t": Task, "m": Said, "c": Called, "o": Observed, "p": Step, "e": Ended}
ROLLOUT = re.compile("e|st(p|m(c?o)?)*(mc)?e")
"""The rules of order as a grammar of the letters: words or a call may be observed, and a call that is not is the last.

A Step is a call with its observation. A rollout that failed before its first message is nothing but its end.
"""


@pytest.mark.parametrize("length", range(7))
def test_the_machine_takes_exactly_the_sequences_of_the_grammar(length: int) -> None:
    for letters in map("".join, itertools.product(LETTERS, repeat=length)):
        events = [ONE[LETTERS[letter]] for letter in letters]
        try:
            taken = fold(events).outcome == Outcome(INCOMPLETE)
        except RowError:
            taken = False
        assert taken == bool(ROLLOUT.fullmatch(letters)), letters


def test_every_state_and_every_kind_of_event_is_in_the_table() -> None:
    reached = {State.EMPTY} | {to for row in TRANSITIONS.values() for to in row.values()}
    assert set(TRANSITIONS) == reached == set(State)
    assert {kind for row in TRANSITIONS.values() for kind in row} == set(KINDS) == set(ONE)


@pytest.mark.parametrize(
    ("call_id", "answers", "fits"),
    [("c1", "c1", True), ("c1", None, True), (None, "c1", True), (None, None, True), ("c1", "c2", False)],
)
def test_an_observation_answers_the_open_call(call_id: str | None, answers: str | None, fits: bool) -> None:
    events = [System(""), Task(""), Said("", ""), Called(CALL._replace(id=call_id)), Observed("", answers)]
    if fits:
        assert len(fold([*events, Ended(Outcome(INCOMPLETE))]).steps) == 1
    else:
        with pytest.raises(RowError, match=r"wrong_order: event 4 observes call 'c2' while call 'c1' is open"):
            fold([*events, Ended(Outcome(INCOMPLETE))])


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
    events: list[Event] = []
    state, open_call = State.EMPTY, None
    while state is not State.OVER:
        # The end comes first: hypothesis shrinks towards it.
        kind = draw(st.sampled_from(sorted(TRANSITIONS[state], key=lambda kind: kind is not Ended)))
        if kind is Called:
            open_call = draw(calls)
            events.append(Called(open_call))
        elif kind is Observed:
            events.append(Observed(draw(texts), open_call.id if open_call else None))
            open_call = None
        elif kind is Step:
            events.append(Step(draw(texts), draw(texts), draw(calls), draw(texts)))
            open_call = None
        elif kind is Ended:
            events.append(Ended(draw(outcomes)))
        else:
            events.append(kind(*(draw(texts) for _ in kind._fields)))
        state = TRANSITIONS[state][kind]
    return events


def pieces(event: Event) -> list[Event]:
    """Return the events that an event stands for: a Step is three."""
    if not isinstance(event, Step) or event.call is None or event.observation is None:
        return [event]
    return [Said(event.reasoning, event.visible), Called(event.call), Observed(event.observation, event.call.id)]


@given(walks())
def test_every_legal_walk_folds_and_is_replayed(events: list[Event]) -> None:
    trajectory = fold(events)
    assert list(replay(trajectory)) == [piece for event in events for piece in pieces(event)]
    assert fold(replay(trajectory)) == trajectory
    assert len(trajectory.steps) == sum(isinstance(event, Said | Step) for event in events)


@given(walks(), st.data())
def test_a_walk_with_a_wrong_step_names_it(events: list[Event], data: st.DataObject) -> None:
    """Cut a legal walk anywhere and go on with an event that the table does not allow there."""
    cut = data.draw(st.integers(0, len(events) - 1))
    state = State.EMPTY
    for event in events[:cut]:
        state = TRANSITIONS[state][type(event)]
    wrong = [kind for kind in KINDS if kind not in TRANSITIONS[state]]
    kind = data.draw(st.sampled_from(wrong))
    with pytest.raises(RowError) as caught:
        fold([*events[:cut], ONE[kind], *events[cut:]])
    number, found = sum(len(pieces(event)) for event in events[:cut]), "Said" if kind is Step else kind.__name__
    allowed = ", ".join(allowed.__name__ for allowed in TRANSITIONS[state] if allowed is not Step) or "nothing"
    assert caught.value.problem == f"event {number} is {found} in state {state.name}; allowed: {allowed}"


@given(walks(), st.data())
def test_a_walk_that_stops_before_its_end_says_where(events: list[Event], data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(events) - 1))
    number = sum(len(pieces(event)) for event in events[:cut])
    with pytest.raises(RowError, match=f"event {number} is the end of the record in state"):
        fold(events[:cut])
