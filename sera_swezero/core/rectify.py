"""What the rectified SERA card describes, Trajectory in, Trajectory out: merge, trim, fold, fill.

* merge: the visible text of a step joins its reasoning, unless it only repeats it;
* trim: of back-to-back submits the first is kept;
* fold: an earlier submit, or a turn without a call, becomes part of the next step's reasoning, however often in a row;
* split and fill, only for the card's own view: a step with several calls becomes one step per call, and empty reasoning
  gets a stock sentence.

In the result only the last step of a submitted rollout has visible text: the answer, without a call. So a view needs no
rule of its own: every step is reasoning, followed by its call and observation or by the answer.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence

from msgspec.structs import replace

from sera_swezero.core.conversions import ConversionLog
from sera_swezero.core.text import JOIN, join
from sera_swezero.core.trajectory import Step, ToolCall, Trajectory

ANSWER = "I have finished the work on this task and submitted my changes."
"""The answer where the model said nothing visible when it submitted."""

SubmitText = Callable[[ToolCall], str]
"""Returns what a submit call says beyond announcing the submission, "" where it says no more."""

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
"""Stock sentences for empty reasoning. The rectified card has a pool of twelve; these are in our own words."""


def rectify(  # noqa: C901, PLR0912 (one loop over the steps: the hot path)
    trajectory: Trajectory,
    conversions: ConversionLog,
    *,
    submit_text: SubmitText | None = None,
    key: str = "",
    fill: bool = True,
) -> Trajectory:
    """Merge, trim, fold, split and fill.

    Args:
        trajectory: as the machine built it.
        conversions: gets every conversion, with the text that it left out or moved.
        submit_text: what a submit call says beyond announcing, which joins the reasoning; None: it never says more.
        key: stable name of the row (its instance id); with the step's number it chooses the stock sentence.
        fill: whether every step becomes one reasoning, one call and one observation, as on the card: steps of several
            calls are split, empty reasoning is filled, and what the harness said after an observation is left out.
    """
    steps = _submits_alone(trajectory.steps, conversions)
    ending = _ending(steps, submitted=trajectory.submitted)
    body = _trim(steps[: len(steps) - len(ending)], conversions)
    answer, answering = _answer(body, ending)
    carried: list[str] = []  # texts of folded steps, which wait for the next step's reasoning
    done: list[Step] = []
    for index, step in enumerate(body):
        reasoning, visible, calls = step.reasoning, step.visible, step.calls
        if visible and index != answering:
            reasoning = merge(reasoning, visible, conversions)
        if calls and not calls[0].submits:
            if carried:
                reasoning = join(*carried, reasoning)
                carried.clear()
            # Most steps have words and nothing to merge: they stay as they are.
            if reasoning is not step.reasoning or visible:
                step = Step(reasoning, "", calls, step.reply)  # noqa: PLW2901
            if fill and (not reasoning or step.reply is not None or calls[1:]):
                done += _on_the_card(step, key, len(done), conversions)
            else:
                done.append(step)
        else:
            if ending or index < len(body) - 1:
                conversions.add("folded_submit" if calls else "folded_text", reasoning)
            carried += [reasoning, _more_than_announced(step, submit_text, conversions)]
            _drop_what_came_back(step, conversions)
    if ending:
        carried += _finish(ending, submit_text, conversions)
        if answering is not None:
            conversions.add("answer_from_folded", answer)
        elif not answer:
            conversions.add("filled_answer")
        reasoning = join(*carried)
        if not reasoning and fill:
            calls = ending[0].calls
            reasoning = filler(key, len(done), calls[0].arguments if calls else "")
            conversions.add("filled_reasoning")
        done.append(Step(reasoning, answer or ANSWER))
    elif any(carried):
        done.append(Step(join(*carried), ""))
    return replace(trajectory, steps=tuple(done))


def merge(reasoning: str, visible: str, conversions: ConversionLog) -> str:
    """The reasoning of a step with its visible text, which is not ""."""
    if reasoning.endswith(visible):
        conversions.append(("repeated_visible", visible))
        return reasoning
    conversions.append(("merged_visible", visible))
    return f"{reasoning}{JOIN}{visible}" if reasoning else visible


def filler(key: str, step: int, arguments: str) -> str:
    """The stock sentence of a step without reasoning: chosen by the row's name, the step's number and its arguments."""
    name = "\0".join((key, str(step), arguments)).encode("utf-8", "replace")
    return FILLERS[zlib.crc32(name) % len(FILLERS)]


def _submits_alone(steps: Sequence[Step], conversions: ConversionLog) -> Sequence[Step]:
    """The steps. A submit that shares a turn with other calls gets a step of its own after theirs."""
    if not any(step.submits for step in steps if step.calls[1:]):
        return steps
    alone: list[Step] = []
    for step in steps:
        if len(step.calls) < 2 or not step.submits:
            alone.append(step)
            continue
        others = tuple(_observed(call, conversions) for call in step.calls if not call.submits)
        submits = [Step("", "", (call,)) for call in step.calls if call.submits]
        submits[0] = replace(submits[0], visible=step.visible)  # what is said beside a submission belongs to it
        parts = [Step("", "", others), *submits] if others else submits
        parts[0] = replace(parts[0], reasoning=step.reasoning)
        parts[-1] = replace(parts[-1], reply=step.reply)
        conversions.add("split_calls", times=len(parts) - 1)
        alone += parts
    return alone


def _observed(call: ToolCall, conversions: ConversionLog) -> ToolCall:
    """The call with an observation: mini-swe-agent runs all calls of a turn that submits, but records no output."""
    if call.observation is not None:
        return call
    conversions.add("empty_observation")
    return replace(call, observation="")


def _on_the_card(step: Step, key: str, number: int, conversions: ConversionLog) -> list[Step]:
    """One step per call, each with reasoning and with nothing after its observation."""
    if step.reply is not None:
        conversions.add("dropped_nudge", step.reply)
    fillers = [filler(key, number + index, call.arguments) for index, call in enumerate(step.calls)]
    if step.reasoning:
        fillers[0] = step.reasoning
    else:
        conversions.add("filled_reasoning")
    if len(fillers) > 1:
        conversions.add("split_calls", times=len(fillers) - 1)
    return [Step(reasoning, "", (call,)) for reasoning, call in zip(fillers, step.calls, strict=True)]


def _ending(steps: Sequence[Step], *, submitted: bool) -> Sequence[Step]:
    """The final run of submits, or the final turn without a call; empty where the rollout was not submitted."""
    if not submitted:
        return ()
    start = len(steps) - 1
    while start > 0 and steps[start].submits and steps[start - 1].submits:
        start -= 1
    return steps[start:]


def _trim(steps: Sequence[Step], conversions: ConversionLog) -> Sequence[Step]:
    """Only the first of each run of back-to-back submits."""
    submits = [step.calls != () and step.calls[0].submits for step in steps]
    if True not in submits:
        return steps
    kept: list[Step] = []
    for index, step in enumerate(steps):
        if index and submits[index] and submits[index - 1]:
            _drop_submit(step, conversions)
        else:
            kept.append(step)
    return kept


def _answer(body: Sequence[Step], ending: Sequence[Step]) -> tuple[str, int | None]:
    """The answer, and the index of the folded submit that it was taken from, None where it was not taken from one."""
    for step in ending:
        if step.visible:
            return step.visible, None
    if ending:
        for index in reversed(range(len(body))):
            if body[index].submits and body[index].visible:
                return body[index].visible, index
    return "", None


def _finish(ending: Sequence[Step], submit_text: SubmitText | None, conversions: ConversionLog) -> list[str]:
    """The texts that the ending adds to the last reasoning; what it leaves out is logged."""
    final, *trimmed = ending
    answering = next((step for step in ending if step.visible), None)
    texts = [final.reasoning, _more_than_announced(final, submit_text, conversions)]
    _drop_what_came_back(final, conversions)
    for step in trimmed:
        _drop_submit(step, conversions, answers=step is answering)
    return texts


def _more_than_announced(step: Step, submit_text: SubmitText | None, conversions: ConversionLog) -> str:
    if not step.calls or submit_text is None:
        return ""
    text = submit_text(step.calls[0])
    if text:
        conversions.add("submit_text", text)
    return text


def _drop_what_came_back(step: Step, conversions: ConversionLog) -> None:
    for call in step.calls:
        if call.observation is not None:
            conversions.add("dropped_review", call.observation)
    if step.reply is not None:
        conversions.add("dropped_nudge", step.reply)


def _drop_submit(step: Step, conversions: ConversionLog, *, answers: bool = False) -> None:
    visible = "" if answers else step.visible
    conversions.add("trimmed_submit", join(step.reasoning, visible, *(call.arguments for call in step.calls)))
    _drop_what_came_back(step, conversions)
