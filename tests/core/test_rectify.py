"""What the rectified card describes: merge, trim, fold, fill; on trajectories, whatever their source."""

from __future__ import annotations

from collections import Counter

import pytest

from sera_swezero.core.conversions import ConversionLog
from sera_swezero.core.rectify import ANSWER, FILLERS, rectify
from sera_swezero.core.trajectory import INCOMPLETE, SUBMITTED, Outcome, Step, ToolCall, Trajectory

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
        Step("a", "one", SUBMIT, "review"),
        Step("b", "", LS, "out"),
        Step("c", "two", SUBMIT, "review"),
        Step("d", "", SUBMIT, "review"),
        Step("e", "", LS, "out"),
        Step("f", "", SUBMIT, "review"),
        Step("g", "", LS, "out"),
        Step("h", "", SUBMIT, "diff"),
    )
    assert steps == (
        Step("a\n\none\n\nb", "", LS, "out"),
        Step("c\n\ne", "", LS, "out"),
        Step("f\n\ng", "", LS, "out"),
        Step("h", "two", None, None),
    )
    assert counts["answer_from_folded"] == 1
    assert counts["folded_submit"] == 3
    assert counts["trimmed_submit"] == 1


@pytest.mark.parametrize("depth", [1, 3, 50])
def test_however_deep_submits_and_words_nest_no_row_is_lost(depth: int) -> None:
    nest = [step for i in range(depth) for step in (Step(f"s{i}", f"v{i}", SUBMIT, "r"), Step(f"t{i}", "", None, "n"))]
    steps, counts = rectified(*nest, Step("work", "", LS, "out"), Step("end", "", SUBMIT, "diff"))
    carried = "\n\n".join(
        part for i in range(depth) for part in ((f"s{i}", f"v{i}", f"t{i}") if i < depth - 1 else (f"s{i}", f"t{i}"))
    )
    assert steps == (Step(f"{carried}\n\nwork", "", LS, "out"), Step("end", f"v{depth - 1}", None, None))
    assert counts["folded_submit"] == counts["folded_text"] == depth


def test_what_a_submit_says_beyond_announcing_joins_the_reasoning() -> None:
    notes = ConversionLog()
    first, last = (ToolCall("bash", f'{{"command": "{word}"}}', None, submits=True) for word in ("one", "two"))
    done = rectify(
        trajectory(Step("a", "", first, "review"), Step("b", "", LS, "out"), Step("c", "", last, None)),
        notes,
        fill=False,
        submit_text=lambda call: call.arguments[13:-2],
    )
    assert done.steps == (Step("a\n\none\n\nb", "", LS, "out"), Step("c\n\ntwo", ANSWER, None, None))
    assert [kind for kind, _ in notes].count("submit_text") == 2


# --- rollouts that were not submitted


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ([], []),
        ([Step("a", "", LS, "out")], [Step("a", "", LS, "out")]),
        ([Step("a", "", LS, None)], [Step("a", "", LS, None)]),
        ([Step("a", "b", None, "nudge")], [Step("a\n\nb", "", None, None)]),
        ([Step("a", "", None, "nudge"), Step("b", "", None, None)], [Step("a\n\nb", "", None, None)]),
        ([Step("a", "", LS, "out"), Step("", "", None, "nudge")], [Step("a", "", LS, "out")]),
        ([Step("a", "b", SUBMIT, "review"), Step("c", "", LS, "out")], [Step("a\n\nb\n\nc", "", LS, "out")]),
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
    steps, counts = rectified(*(Step("", "", LS, "out") for _ in range(60)), Step("", "", SUBMIT, "diff"), fill=True)
    assert {step.reasoning for step in steps} == set(FILLERS)
    assert counts["filled_reasoning"] == 61


def test_the_sentence_depends_on_the_row_and_the_step_alone() -> None:
    def sentence(key: str, before: int) -> str:
        steps = [Step("x", "", LS, "out")] * before + [Step("", "", LS, "out")]
        return rectify(trajectory(*steps, status=INCOMPLETE), ConversionLog(), key=key).steps[-1].reasoning

    # Fixed for good: other sentences would make other bytes of the same upstream rows.
    assert [sentence(f"calc_{n}", 0) for n in (10001, 10002, 10003)] == [FILLERS[n] for n in FIXED]
    assert len({sentence("calc_10001", before) for before in range(12)}) > 1


FIXED = (5, 6, 8)


def test_nothing_is_filled_where_words_were_folded_in_or_filling_is_off() -> None:
    folded = (Step("a", "", None, "nudge"), Step("", "", LS, "out"))
    steps, counts = rectified(*folded, status=INCOMPLETE, fill=True)
    assert steps == (Step("a", "", LS, "out"),)
    assert "filled_reasoning" not in counts
    steps, counts = rectified(Step("", "", LS, "out"), Step("", "", SUBMIT, "diff"))
    assert steps == (Step("", "", LS, "out"), Step("", ANSWER, None, None))
    assert counts == {"dropped_review": 1, "filled_answer": 1}
