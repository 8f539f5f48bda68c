"""What holds of every row, on rows generated from a list of turns: nothing lost, nothing doubled, the order kept.

The raw rows are built by tests/support/raw.py and what must come of them is computed here from the same turns, by
code that follows the rules' own words and shares nothing with the package.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from sera_swezero.core.conversions import ConversionLog
from sera_swezero.core.machine import fold
from sera_swezero.core.rectify import ANSWER, FILLERS, rectify
from sera_swezero.request.settle import settle
from sera_swezero.sources import SOURCES
from tests.support.raw import (
    NUDGE,
    T2,
    ZERO,
    Converted,
    Turn,
    chat,
    convert_as,
    history,
    line,
    problems,
    said,
    sera,
    swe_zero,
    trajectory_of,
)
from tests.support.raw import user as user_message
from tests.support.replay import replay

# --- turns

HOSTILE = (
    *"\x00\x1b[\u2028\u2029\x85\x0c\u00a0\ufeff\uffff\U0001f680\u00e9\"'\\/{}",
    *("<tool_call>", "</tool_call>", "</tool_response>", "<answer>", "</answer>", "<|im_end|>", "\\ud800", "```"),
    *("THOUGHT:", "OBSERVATION:\n", "Observation: ", "Exit due to ", "\n", "\r\n", "\t", " ", "ab"),
)
"""Pieces of text that a converter may trip over; think tags and bash blocks have tests of their own (test_text.py)."""

hostile = st.lists(st.sampled_from(HOSTILE), max_size=5).map("".join)
present = st.sampled_from([True, True, True, False])


FENCES = re.compile("`{3,}")
MARKED = re.compile(r"\[([rvoa]\d+):.*?:\1\]", re.DOTALL)


def marked(name: str, body: str) -> str:
    """A text that occurs once in a row, whatever is in it."""
    return f"[{name}:{body}:{name}]"


@st.composite
def arguments(draw: st.DrawFn, name: str) -> str:
    """An object's text with odd spacing, order, escapes and numbers."""
    body = json.dumps({"command": marked(name, draw(hostile))}, ensure_ascii=draw(st.booleans()))
    extra = draw(
        st.sampled_from(["", ', "n": 1.50', ', "n" :340282366920938463463374607431768211456', ',"a":[{}, null]'])
    )
    return draw(st.sampled_from(["", " "])) + body[:-1] + extra + draw(st.sampled_from(["}", " }\n"]))


@st.composite
def sera_turns(draw: st.DrawFn) -> list[Turn]:
    """Turns of a SERA rollout: calls, submits, words alone, with or without each kind of text."""
    turns = []
    for at in range(draw(st.integers(0, 9))):
        reasoning = marked(f"r{at}", draw(hostile)) if draw(present) else ""
        visible = marked(f"v{at}", draw(hostile)) if draw(present) else ""
        match draw(st.integers(0, 7)) if visible and reasoning else None:
            case 0:
                reasoning += " " + visible  # the visible text is the reasoning's tail
            case 1:
                reasoning = visible + " " + reasoning  # its head, which is not a repeat to leave out
        kind = draw(st.sampled_from(["call", "call", "submit", "submit", "words"]))
        output = marked(f"o{at}", draw(hostile))
        if kind == "call":
            turns.append(
                Turn(reasoning, visible, draw(st.sampled_from(["bash", "other"])), draw(arguments(f"a{at}")), output)
            )
        elif kind == "submit":
            turns.append(Turn(reasoning, visible, "submit", "{}", output))
        else:
            turns.append(
                Turn(reasoning or marked(f"r{at}", ""), visible, None, None, output if draw(present) else None)
            )
    if draw(st.booleans()):  # upstream's last submit often says nothing visible
        turns.append(Turn(marked("r99", ""), "", "submit", "{}", marked("o99", "")))
    if turns and draw(st.integers(0, 3)) == 0:
        turns[-1] = replace(turns[-1], output=None)
    return turns


@st.composite
def zero_turns(draw: st.DrawFn) -> list[Turn]:
    """Turns of a SWE-ZERO rollout; a turn without a block may go without its nudge."""
    turns = []
    for at in range(draw(st.integers(1, 9))):
        words = marked(f"r{at}", FENCES.sub("``", draw(hostile))) if draw(present) else ""
        if draw(st.integers(0, 3)):
            command = marked(f"a{at}", FENCES.sub("``", draw(hostile)))
            turns.append(Turn(words, "", "bash", command, marked(f"o{at}", draw(hostile))))
        else:
            turns.append(Turn(words or marked(f"r{at}", ""), "", None, None, NUDGE if draw(present) else None))
    if draw(st.booleans()):
        turns[-1] = replace(turns[-1], output=None)
    return turns


# --- what must come of them


Messages = list[tuple[str, str | None]]
"""Messages behind system and user: (role, text inside the wrapper), None for a stock sentence."""


def joined(*parts: str) -> str:
    return "\n\n".join(part for part in parts if part)


def reasoned(turn: Turn) -> str:
    """Visible text joins the reasoning, unless it is exactly the reasoning or its tail."""
    return turn.reasoning if turn.reasoning.endswith(turn.visible) else joined(turn.reasoning, turn.visible)


def expected(turns: list[Turn], *, submitted: bool, submits: Any) -> Messages:
    """The rules of merging, trimming and folding, one after the other as they are written."""
    # "collapse each run of back-to-back submits to its first"; the last run's first visible text answers
    runs: list[list[Turn]] = []
    for turn in turns:
        if runs and submits(turn) and submits(runs[-1][0]):
            runs[-1].append(turn)
        else:
            runs.append([turn])
    answer, answering = "", -1
    if submitted:
        answer = next((turn.visible for turn in runs[-1] if turn.visible), "")
        folded = [at for at, run in enumerate(runs[:-1]) if submits(run[0]) and run[0].visible]
        if not answer and folded:
            answering = folded[-1]
            answer = runs[answering][0].visible
    messages: Messages = []
    carried = ""
    for at, run in enumerate(runs):
        turn = run[0]
        last = submitted and at == len(runs) - 1
        carried = joined(carried, turn.reasoning if last or at == answering else reasoned(turn))
        if last:
            messages += [("reasoning", carried or None), ("answer", answer or ANSWER)]
        elif turn.tool is not None and not submits(turn):
            messages += [("reasoning", carried or None), ("tool_call", json.dumps([turn.tool, turn.arguments]))]
            messages += [("tool_output", turn.output)] if turn.output is not None else []
            carried = ""
    if carried and not submitted:
        messages.append(("reasoning", carried))
    return messages


def found_messages(done: Converted) -> Messages:
    """The row's messages in the same form, a call as JSON of [name, arguments text]."""
    found: Messages = []
    for role, content in done.messages[2:]:
        inner: str | None = content.split(">", 1)[1].rsplit("<", 1)[0]
        if role == "reasoning" and inner in FILLERS:
            inner = None
        if role == "tool_call" and inner is not None:
            name, text = inner.removeprefix('{"name": "').removesuffix("}").split('", "arguments": ', 1)
            inner = json.dumps([name, text])
        found.append((role, inner))
    return found


def is_submit(turn: Turn) -> bool:
    return turn.tool == "submit"


KEPT = settle(T2, view="rectified", incomplete="keep")
KEPT_ZERO = settle(ZERO, view="rectified", incomplete="keep")


def with_exits(turns: list[Turn], where: list[int]) -> list[dict[str, Any]]:
    """The history of the turns with turns of the harness in between."""
    messages = history(turns)
    for at in sorted((at % (len(messages) - 1) + 2 for at in where), reverse=True):
        # Between a call and its result the harness writes nothing.
        if at >= len(messages) or messages[at]["role"] == "assistant":
            messages[at:at] = [
                said("Exit due to cost limit", None),
                user_message("OBSERVATION:\nExited (autosubmitted)"),
            ]
    return messages


@given(sera_turns())
def test_a_sera_row_is_what_the_rules_say(turns: list[Turn]) -> None:
    done = convert_as(line(sera(history(turns))), KEPT)
    submitted = bool(turns) and turns[-1].tool in (None, "submit")
    assert found_messages(done) == expected(turns, submitted=submitted, submits=is_submit)
    assert done.row is not None
    assert problems(done.row, KEPT) == []


@given(sera_turns(), st.lists(st.integers(0, 30), max_size=3))
def test_turns_of_the_harness_leave_no_trace_but_their_note(turns: list[Turn], where: list[int]) -> None:
    messages = with_exits(turns, where)
    done, plain = convert_as(line(sera(messages)), KEPT), convert_as(line(sera(history(turns))), KEPT)
    assert done.row == plain.row
    assert [note for note in done.notes if note[0] != "harness_exit"] == list(plain.notes)
    assert done.counts["harness_exit"] == sum(m.get("thought") == "Exit due to cost limit" for m in messages)


@given(zero_turns(), st.booleans())
def test_a_swe_zero_row_is_what_the_rules_say(turns: list[Turn], submitted: bool) -> None:
    done = convert_as(swe_zero(chat(turns), "Submitted" if submitted else "incomplete"), KEPT_ZERO)
    last = turns[-1]
    as_calls = [
        replace(turn, arguments=json.dumps({"command": turn.arguments}, ensure_ascii=False)) if turn.tool else turn
        for turn in turns
    ]
    if submitted and last.tool:  # its command does more than announce, so it joins the reasoning
        as_calls[-1] = replace(last, reasoning=joined(last.reasoning, last.arguments))
    wanted = expected(as_calls, submitted=submitted, submits=lambda turn: submitted and turn is as_calls[-1])
    assert found_messages(done) == wanted
    assert done.row is not None
    assert problems(done.row, KEPT_ZERO) == []


# --- nothing lost, nothing doubled

DROPS = {"repeated_visible", "trimmed_submit", "dropped_review", "dropped_nudge", "harness_exit", "content_differs"}
"""Conversions whose note holds text that the row has not."""


def assert_accounted(done: Converted, turns: list[Turn], command: Callable[[Any], str]) -> None:
    """Each text is in the row and the notes of what was dropped as often as upstream has it, and in its order."""
    body = "".join(
        json.loads(content[11:-12])["arguments"].get("command", "") if role == "tool_call" else content
        for role, content in done.messages[2:]
    )
    dropped = "\n".join(text for kind, text in done.notes if kind in DROPS)
    upstream = "\n".join(
        "\n".join((turn.reasoning, turn.visible, command(turn.arguments), turn.output or "")) for turn in turns
    )
    answer = done.messages[-1][1] if done.roles[-1] == "answer" else ""
    at = 0
    for piece in [match.group() for match in MARKED.finditer(upstream)]:
        assert body.count(piece) + dropped.count(piece) == upstream.count(piece), piece
        if body.count(piece) == 1 and piece not in answer:  # an answer may come from a step before
            assert body.index(piece) >= at, piece
            at = body.index(piece)


def command_of(arguments: str | None) -> str:
    return str(json.loads(arguments or "{}").get("command", ""))


@given(sera_turns())
def test_every_text_of_a_sera_row_is_in_the_row_or_in_a_counted_drop(turns: list[Turn]) -> None:
    assert_accounted(convert_as(line(sera(history(turns))), KEPT), turns, command_of)


@given(zero_turns(), st.booleans())
def test_every_text_of_a_swe_zero_row_is_in_the_row_or_in_a_counted_drop(turns: list[Turn], submitted: bool) -> None:
    done = convert_as(swe_zero(chat(turns), "Submitted" if submitted else "incomplete"), KEPT_ZERO)
    unmarked = [replace(turn, output="") if turn.output == NUDGE else turn for turn in turns]
    assert_accounted(done, unmarked, lambda command: command or "")
    nudges = [text for kind, text in done.notes if kind == "dropped_nudge"]
    assert nudges == [NUDGE] * sum(turn.output == NUDGE for turn in turns)


anything = st.text(st.characters(codec="utf-8"), max_size=60)
# Hypothesis also draws constants of the package. A think tag inside the thinking splits it (tests/core/test_text.py).
thinking = anything.filter(lambda text: "think>" not in text)


@given(thinking, anything, anything)
def test_any_text_at_all_comes_through_unchanged(thought: str, command: str, output: str) -> None:
    call = json.dumps({"command": command})
    done = convert_as(line(sera(history([Turn(f"[{thought}]", "", "bash", call, output)]))), KEPT)
    assert [content for _, content in done.messages[2:]] == [
        f"<think>[{thought}]</think>",
        f'<tool_call>{{"name": "bash", "arguments": {call}}}</tool_call>',
        f"<tool_response>{output}</tool_response>",
    ]


# --- trajectories


@given(sera_turns(), st.booleans())
def test_trajectories_replay_and_rectify_is_idempotent(turns: list[Turn], fill: bool) -> None:
    trajectory = trajectory_of(line(sera(history(turns))), T2)
    assert fold(replay(trajectory)) == trajectory
    once = rectify(trajectory, ConversionLog(), key="row", fill=fill)
    notes = ConversionLog()
    assert rectify(once, notes, key="row", fill=fill) == once
    assert notes == []
    assert fold(replay(once)) == once


@given(zero_turns(), st.booleans())
def test_the_same_for_swe_zero(turns: list[Turn], submitted: bool) -> None:
    trajectory = trajectory_of(swe_zero(chat(turns), "Submitted" if submitted else "incomplete"), ZERO)
    assert fold(replay(trajectory)) == trajectory
    once = rectify(trajectory, ConversionLog(), fill=True, submit_text=SOURCES["swe_zero"].submit_text)
    notes = ConversionLog()
    assert rectify(once, notes, fill=True, submit_text=SOURCES["swe_zero"].submit_text) == once
    assert notes == []
