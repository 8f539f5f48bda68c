"""What the rectified card describes: merge, trim, fold, fill; on trajectories, whatever their source."""

from __future__ import annotations

from collections import Counter

import pytest
from msgspec.structs import replace

from sera_swezero.core.conversions import ConversionLog
from sera_swezero.core.rectify import ANSWER, FILLERS, rectify
from sera_swezero.core.trajectory import INCOMPLETE, SUBMITTED, Outcome, Step, ToolCall, Trajectory
from tests.support.steps import step

LS = ToolCall("bash", '{"command": "ls"}', "c1")
SUBMIT = ToolCall("submit", "{}", "c2", submits=True)


def trajectory(*steps: Step, status: str = SUBMITTED) -> Trajectory:
    return Trajectory("rules", "do it", steps, Outcome(status))


def rectified(*steps: Step, status: str = SUBMITTED, fill: bool = False) -> tuple[tuple[Step, ...], Counter[str]]:
    notes = ConversionLog()
    done = rectify(trajectory(*steps, status=status), notes, key="row", fill=fill)
    assert done.outcome == Outcome(status)
    assert (done.system, done.task) == ("rules", "do it")
    return done.steps, Counter(kind for kind, _ in notes)


def test_else_of_the_last_folded_submit_that_has_one_and_then_not_in_the_reasoning_too() -> None:
    steps, counts = rectified(
        step("a", "one", SUBMIT, "review"),
        step("b", "", LS, "out"),
        step("c", "two", SUBMIT, "review"),
        step("d", "", SUBMIT, "review"),
        step("e", "", LS, "out"),
        step("f", "", SUBMIT, "review"),
        step("g", "", LS, "out"),
        step("h", "", SUBMIT, "diff"),
    )
    assert steps == (
        step("a\n\none\n\nb", "", LS, "out"),
        step("c\n\ne", "", LS, "out"),
        step("f\n\ng", "", LS, "out"),
        step("h", "two", None, None),
    )
    assert counts["answer_from_folded"] == 1
    assert counts["folded_submit"] == 3
    assert counts["trimmed_submit"] == 1


@pytest.mark.parametrize("depth", [1, 3, 50])
def test_however_deep_submits_and_words_nest_no_row_is_lost(depth: int) -> None:
    nest = [one for i in range(depth) for one in (step(f"s{i}", f"v{i}", SUBMIT, "r"), step(f"t{i}", "", None, "n"))]
    steps, counts = rectified(*nest, step("work", "", LS, "out"), step("end", "", SUBMIT, "diff"))
    carried = "\n\n".join(
        part for i in range(depth) for part in ((f"s{i}", f"v{i}", f"t{i}") if i < depth - 1 else (f"s{i}", f"t{i}"))
    )
    assert steps == (step(f"{carried}\n\nwork", "", LS, "out"), step("end", f"v{depth - 1}", None, None))
    assert counts["folded_submit"] == counts["folded_text"] == depth


def test_what_a_submit_says_beyond_announcing_joins_the_reasoning() -> None:
    notes = ConversionLog()
    first, last = (ToolCall("bash", f'{{"command": "{word}"}}', None, submits=True) for word in ("one", "two"))
    done = rectify(
        trajectory(step("a", "", first, "review"), step("b", "", LS, "out"), step("c", "", last, None)),
        notes,
        fill=False,
        submit_text=lambda call: call.arguments[13:-2],
    )
    assert done.steps == (step("a\n\none\n\nb", "", LS, "out"), step("c\n\ntwo", ANSWER, None, None))
    assert [kind for kind, _ in notes].count("submit_text") == 2


# --- rollouts that were not submitted


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ([], []),
        ([step("a", "", LS, "out")], [step("a", "", LS, "out")]),
        ([step("a", "", LS, None)], [step("a", "", LS, None)]),
        ([step("a", "b", None, "nudge")], [step("a\n\nb", "", None, None)]),
        ([step("a", "", None, "nudge"), step("b", "", None, None)], [step("a\n\nb", "", None, None)]),
        ([step("a", "", LS, "out"), step("", "", None, "nudge")], [step("a", "", LS, "out")]),
        ([step("a", "b", SUBMIT, "review"), step("c", "", LS, "out")], [step("a\n\nb\n\nc", "", LS, "out")]),
    ],
)
def test_a_rollout_that_was_not_submitted_ends_where_it_ended(steps: list[Step], expected: list[Step]) -> None:
    """And never on a word of ours, filled or not."""
    for fill in (False, True):
        done, counts = rectified(*steps, status=INCOMPLETE, fill=fill)
        assert list(done) == expected
        assert not counts["filled_answer"]
        assert not counts["filled_reasoning"]


# --- filling


def test_empty_reasoning_is_filled_from_twelve_sentences_of_our_own() -> None:
    assert len(FILLERS) == len(set(FILLERS)) == 12
    steps, counts = rectified(*(step("", "", LS, "out") for _ in range(60)), step("", "", SUBMIT, "diff"), fill=True)
    assert {step.reasoning for step in steps} == set(FILLERS)
    assert counts["filled_reasoning"] == 61


def test_the_sentence_depends_on_the_row_and_the_step_alone() -> None:
    def sentence(key: str, before: int) -> str:
        steps = [step("x", "", LS, "out")] * before + [step("", "", LS, "out")]
        return rectify(trajectory(*steps, status=INCOMPLETE), ConversionLog(), key=key).steps[-1].reasoning

    # Fixed for good: other sentences would make other bytes of the same upstream rows.
    assert [sentence(f"calc_{n}", 0) for n in (10001, 10002, 10003)] == [FILLERS[n] for n in FIXED]
    assert len({sentence("calc_10001", before) for before in range(12)}) > 1


FIXED = (5, 6, 8)


def test_nothing_is_filled_where_words_were_folded_in_or_filling_is_off() -> None:
    folded = (step("a", "", None, "nudge"), step("", "", LS, "out"))
    steps, counts = rectified(*folded, status=INCOMPLETE, fill=True)
    assert steps == (step("a", "", LS, "out"),)
    assert "filled_reasoning" not in counts
    steps, counts = rectified(step("", "", LS, "out"), step("", "", SUBMIT, "diff"))
    assert steps == (step("", "", LS, "out"), step("", ANSWER, None, None))
    assert counts == {"dropped_review": 1, "filled_answer": 1}


def test_on_the_card_every_call_of_a_turn_is_a_step_and_only_there() -> None:
    two = Step("both", "", (replace(LS, observation="a"), replace(LS, id="c3", observation="b")), "go on")
    end = Step("done", "Bye.")
    steps, counts = rectified(two, end, fill=True)
    assert [(one.reasoning, one.calls, one.reply) for one in steps[:1]] == [("both", two.calls[:1], None)]
    assert steps[1].calls == two.calls[1:]
    assert steps[1].reasoning in FILLERS
    assert counts == {"split_calls": 1, "dropped_nudge": 1}
    steps, counts = rectified(two, end)
    assert steps == (two, end)
    assert counts == {}


@pytest.mark.parametrize("fill", [True, False])
def test_a_submit_that_shares_its_turn_with_other_calls_ends_the_rollout_alone(fill: bool) -> None:
    shared = Step("look and leave", "Bye.", (replace(LS, observation="out"), replace(SUBMIT, observation="diff")))
    steps, counts = rectified(shared, fill=fill)
    assert [one.calls for one in steps] == [(replace(LS, observation="out"),), ()]
    assert steps[0].reasoning == "look and leave"
    assert (steps[1].visible, counts["split_calls"], counts["dropped_review"]) == ("Bye.", 1, 1)
    earlier, counts = rectified(shared, step("more", "", LS, "out"), step("end", "", SUBMIT, "diff"), fill=fill)
    assert [len(one.calls) for one in earlier] == [1, 1, 0]
    assert counts["folded_submit"] == 1
