"""What the rectified SERA card describes, Trajectory in, Trajectory out: merge, trim, fold, fill.

* merge: the visible text of a step joins its reasoning, unless it only repeats it;
* trim: of back-to-back submits the first is kept;
* fold: an earlier submit, or a turn of words alone, becomes part of the next step's reasoning, however deep that nests;
* fill: empty reasoning gets a stock sentence (only for the card's own view).

In the result `visible` is empty everywhere but in the last step of a submitted rollout, where it is the answer and
there
is no call. So a view needs no rule of its own: every step is reasoning, then its call and observation, or the answer.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from typing import NamedTuple

from sera_swezero.core.conversions import Notes
from sera_swezero.core.text import JOIN, join
from sera_swezero.core.trajectory import Step, ToolCall, Trajectory

ANSWER = "I have finished the work on this task and submitted my changes."
"""The answer where the model said nothing visible when it submitted."""

SubmitText = Callable[[ToolCall], str]
"""Gives what a submit call says beyond announcing, "" for nothing."""

FILLERS: tuple[str, ...] = (
    "I will take the next step on what I know so far.",
    "The last result tells me what to do next.",
    "I continue with the next action of my plan.",
    "Let me go one step further and look at what comes back.",
    "The next call should bring the task forward.",
    "I have enough to act on, so I act now.",
    "I proceed from where the last step left me.",
    "This is the next thing to do here.",
    "I keep working on the task with one more call.",
    "Given what I have seen, this step follows.",
    "I carry on and check the result afterwards.",
    "One more step is needed, and this is it.",
)
"""Stock sentences for empty reasoning; the rectified card has a pool of twelve, these are our own words."""


class Begun(NamedTuple):
    """The first steps of a rollout, rectified already, and the conversions that this took."""

    steps: Sequence[Step]
    notes: Notes


NOTHING = Begun((), Notes())
"""Where rectifying usually begins."""


def nothing(_call: ToolCall) -> str:
    """A source whose submit call never says more than that it submits."""
    return ""


def rectify(  # noqa: C901 (one loop over the steps: the hot path)
    trajectory: Trajectory,
    notes: Notes,
    *,
    key: str = "",
    fill: bool = True,
    submit_text: SubmitText = nothing,
    begun: Begun = NOTHING,
) -> Trajectory:
    """Merge, trim, fold and fill.

    Args:
        trajectory: as the machine built it.
        notes: gets every conversion, with the text it left out or moved.
        key: stable name of the row (its instance id); with the step it chooses the stock sentence.
        fill: whether empty reasoning is filled.
        submit_text: what a submit call says beyond announcing; it joins the reasoning.
        begun: what comes before the trajectory's steps.
    """
    ending = _ending(trajectory)
    body = _trim(trajectory.steps[: len(trajectory.steps) - len(ending)], notes)
    answer, answering = _answer(body, ending)
    carried: list[str] = []  # texts of folded steps, waiting for the next step's reasoning
    notes += begun.notes
    done = list(begun.steps)

    def filled(reasoning: str, step: Step) -> str:
        if reasoning or not fill:
            return reasoning
        return filler(key, len(done), step.call.arguments if step.call else "", notes)

    for index, step in enumerate(body):
        said = step.reasoning if not step.visible or index == answering else merge(step.reasoning, step.visible, notes)
        if step.call is not None and not step.call.submits:
            if carried:
                said = join(*carried, said)
                carried.clear()
            done.append(Step(filled(said, step), "", step.call, step.observation))
        else:
            if ending or index < len(body) - 1:
                notes.add("folded_submit" if step.call else "folded_text", said)
            carried += [said, _more_than_announced(step, submit_text, notes)]
            _drop_observation(step, notes)
    if ending:
        carried += _finish(ending, submit_text, notes)
        if answering is not None:
            notes.add("answer_from_folded", answer)
        elif not answer:
            notes.add("filled_answer")
        done.append(Step(filled(join(*carried), ending[0]), answer or ANSWER, None, None))
    elif any(carried):
        done.append(Step(join(*carried), "", None, None))
    return trajectory._replace(steps=tuple(done))


def merge(reasoning: str, visible: str, notes: Notes) -> str:
    """The reasoning of a step with its visible text, which is not ""."""
    if reasoning.endswith(visible):
        notes.append(("repeated_visible", visible))
        return reasoning
    notes.append(("merged_visible", visible))
    return f"{reasoning}{JOIN}{visible}" if reasoning else visible


def filler(key: str, step: int, arguments: str, notes: Notes) -> str:
    """The stock sentence of a step without reasoning: chosen by the row's name, the step's number and its arguments."""
    notes.add("filled_reasoning")
    told = "\0".join((key, str(step), arguments)).encode("utf-8", "replace")
    return FILLERS[zlib.crc32(told) % len(FILLERS)]


def _ending(trajectory: Trajectory) -> Sequence[Step]:
    """The final run of submits, or the final turn of words alone; empty where the rollout was not submitted."""
    if not trajectory.submitted:
        return ()
    steps = trajectory.steps
    start = len(steps) - 1
    while start > 0 and _submits(steps[start]) and _submits(steps[start - 1]):
        start -= 1
    return steps[start:]


def _trim(steps: Sequence[Step], notes: Notes) -> list[Step]:
    """Only the first of each run of back-to-back submits."""
    kept: list[Step] = []
    submitting = False
    for step in steps:
        if submitting and _submits(step):
            _drop_submit(step, notes)
        else:
            kept.append(step)
            submitting = _submits(step)
    return kept


def _answer(body: Sequence[Step], ending: Sequence[Step]) -> tuple[str, int | None]:
    """The answer, and the index of the folded submit that it was taken from (None: the ending, or nowhere)."""
    for step in ending:
        if step.visible:
            return step.visible, None
    if ending:
        for index in reversed(range(len(body))):
            if _submits(body[index]) and body[index].visible:
                return body[index].visible, index
    return "", None


def _finish(ending: Sequence[Step], submit_text: SubmitText, notes: Notes) -> list[str]:
    """The texts that the ending adds to the last reasoning; what it leaves out is noted."""
    final, *trimmed = ending
    answering = next((step for step in ending if step.visible), None)
    texts = [final.reasoning, _more_than_announced(final, submit_text, notes)]
    _drop_observation(final, notes)
    for step in trimmed:
        _drop_submit(step, notes, answers=step is answering)
    return texts


def _submits(step: Step) -> bool:
    return step.call is not None and step.call.submits


def _more_than_announced(step: Step, submit_text: SubmitText, notes: Notes) -> str:
    if step.call is None:
        return ""
    text = submit_text(step.call)
    if text:
        notes.add("submit_text", text)
    return text


def _drop_observation(step: Step, notes: Notes) -> None:
    if step.observation is not None:
        notes.add("dropped_review" if step.call else "dropped_nudge", step.observation)


def _drop_submit(step: Step, notes: Notes, *, answers: bool = False) -> None:
    visible = "" if answers else step.visible
    notes.add("trimmed_submit", join(step.reasoning, visible, step.call.arguments if step.call else ""))
    _drop_observation(step, notes)
