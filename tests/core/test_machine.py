"""The machine: the sequences of events that it takes, random legal walks, and the way back."""

from __future__ import annotations

import itertools
import pickle
import re
from collections import Counter
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from sera_swezero.core.events import Called, Ended, Event, Observed, Replied, Said, System, Task
from sera_swezero.core.machine import TRANSITIONS, State, fold
from sera_swezero.core.trajectory import INCOMPLETE, STATUSES, SUBMITTED, Outcome, Step, ToolCall, Trajectory
from sera_swezero.errors import RowError
from tests.support.replay import replay

KINDS: tuple[type, ...] = get_args(Event)
CALL = ToolCall("bash", '{"command": "ls"}', "c1")
ONE: dict[type, Event] = {
    System: System("rules"),
    Task: Task("do it"),
    Said: Said("hm", "well"),
    Called: Called(CALL),
    Observed: Observed("out", "c1"),
    Ended: Ended(Outcome(INCOMPLETE)),
    Replied: Replied("go on"),
    Step: Step("hm", "well", (replace(CALL, observation="out"),)),
}

LETTERS: dict[str, type] = dict(
    zip("stmcorpe", (System, Task, Said, Called, Observed, Replied, Step, Ended), strict=True)
)
ANSWERED = "c(co)*o"
"""Calls that are all observed, as deep as the sequences here can nest them."""
ROLLOUT = re.compile(f"e|st(pr*|m(([or]|{ANSWERED})r*)?)*(mc({ANSWERED}|c)*)?e")
"""The rules of order as a grammar of the letters: words may be answered, and calls that are not observed are the last.

A Step is calls with their observations. A rollout that failed before its first message is nothing but its end.
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
    events = [System(""), Task(""), Said("", ""), Called(replace(CALL, id=call_id)), Observed("", answers)]
    if fits:
        assert len(fold([*events, Ended(Outcome(INCOMPLETE))]).steps) == 1
    else:
        with pytest.raises(RowError, match=r"wrong_order: event 4 observes call 'c2' while call 'c1' is open"):
            fold([*events, Ended(Outcome(INCOMPLETE))])


def test_observations_of_several_calls_find_their_call_by_its_id_or_else_by_their_order() -> None:
    said = [System(""), Task(""), Said("both", ""), *(Called(replace(CALL, id=name)) for name in ("c1", "c2"))]
    swapped = [Observed("second", "c2"), Observed("first", "c1"), Ended(Outcome(INCOMPLETE))]
    in_order = [Observed("first"), Observed("second"), Ended(Outcome(INCOMPLETE))]
    for events in (swapped, in_order):
        (step,) = fold([*said, *events]).steps
        assert [(call.id, call.observation) for call in step.calls] == [("c1", "first"), ("c2", "second")]
    with pytest.raises(RowError, match=r"event 5 observes call 'c3' while calls 'c1' and 'c2' are open"):
        fold([*said, Observed("third", "c3")])
    with pytest.raises(RowError, match=r"event 6 is Said in state CALLING"):
        fold([*said, Observed("first"), Said("", "")])


def test_what_is_said_behind_an_observation_is_a_reply_and_several_replies_are_one() -> None:
    events = [System(""), Task(""), ONE[Step], Replied("one"), Replied("two"), Ended(Outcome(INCOMPLETE))]
    (step,) = fold(events).steps
    assert (step.calls[0].observation, step.reply) == ("out", "one\n\ntwo")


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
ids = st.none() | st.sampled_from(["c1", "c2"])
calls = st.builds(ToolCall, texts, st.just("{}"), ids, st.booleans(), st.none())
outcomes = st.builds(Outcome, st.sampled_from([status for status in STATUSES if status != SUBMITTED]), texts)


@st.composite
def walks(draw: st.DrawFn) -> list[Event]:
    """A random way through the table to its end, of events with random texts."""
    events: list[Event] = []
    state, open_calls = State.EMPTY, list[ToolCall]()
    while state is not State.OVER:
        # The end comes first: hypothesis shrinks towards it.
        kind = draw(st.sampled_from(sorted(TRANSITIONS[state], key=lambda kind: kind is not Ended)))
        if kind is Called:
            open_calls.append(draw(calls))
            events.append(Called(open_calls[-1]))
        elif kind is Observed:
            # A call without an id takes any observation, so only calls that all have one may be answered in any order.
            any_order = open_calls and all(call.id for call in open_calls)
            answered = draw(st.sampled_from(open_calls)) if any_order else next(iter(open_calls), None)
            events.append(Observed(draw(texts), answered and answered.id))
            if answered is not None:
                open_calls.remove(answered)
        elif kind is Step:
            made = draw(st.lists(calls, min_size=1, max_size=5))
            observed = tuple(replace(call, observation=draw(texts)) for call in made)
            events.append(Step(draw(texts), draw(texts), observed))
        elif kind is Ended:
            events.append(Ended(draw(outcomes)))
        else:
            events.append(kind(*(draw(texts) for _ in kind.__struct_fields__)))
        state = State.CALLING if kind is Observed and open_calls else TRANSITIONS[state][kind]
    return events


def state_after(events: list[Event]) -> State:
    """Where events leave the machine."""
    state, waiting = State.EMPTY, 0
    for event in events:
        waiting += isinstance(event, Called) - (isinstance(event, Observed) and waiting > 0)
        state = State.CALLING if isinstance(event, Observed) and waiting else TRANSITIONS[state][type(event)]
    return state


def pieces(event: Event) -> list[Event]:
    """Return the events that an event stands for: a Step is several."""
    if not isinstance(event, Step):
        return [event]
    alone = Trajectory("", "", (event,), Outcome(INCOMPLETE))
    return list(replay(alone))[2:-1]


def said_of(event: Event) -> Event:
    """The event, whichever way it says that the harness spoke."""
    return Observed(event.text) if isinstance(event, Replied) else event


@given(walks())
def test_every_legal_walk_folds_and_is_replayed(events: list[Event]) -> None:
    trajectory = fold(events)
    assert fold(replay(trajectory)) == trajectory
    if not any(isinstance(event, Replied) for event in events):  # several are joined
        assert Counter(map(said_of, replay(trajectory))) == Counter(
            said_of(piece) for event in events for piece in pieces(event)
        )
    assert len(trajectory.steps) == sum(isinstance(event, Said | Step) for event in events)


@given(walks(), st.data())
def test_a_walk_with_a_wrong_step_names_it(events: list[Event], data: st.DataObject) -> None:
    """Cut a legal walk anywhere and go on with an event that the table does not allow there."""
    cut = data.draw(st.integers(0, len(events) - 1))
    state = state_after(events[:cut])
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
