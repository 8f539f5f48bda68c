"""The view `steps`: one row per turn of the model, with the prompt that it is served."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sera_swezero.core.trajectory import INCOMPLETE, Outcome, Step, ToolCall, Trajectory
from sera_swezero.request.settle import settle
from tests.support.characters import framed, tokenizer
from tests.support.raw import T2, ZERO, Turn, convert_one, history, line, render, sample_records, sera

__all__ = ["tokenizer"]  # a fixture

Message = dict[str, Any]


def messages(row: dict[str, Any], *columns: str) -> list[Message]:
    return [json.loads(text) for column in columns for text in row[column]]


@pytest.mark.parametrize("config", [T2, ZERO])
def test_every_turn_of_every_row_is_the_target_once_behind_what_came_before_it(config: str) -> None:
    turns = 0
    for raw in sample_records(config):
        if not raw.data:
            continue
        whole, steps = (convert_one(raw.data, config, view=view, incomplete="keep") for view in ("openai", "steps"))
        assert (whole.error and whole.error.reason) == (steps.error and steps.error.reason)
        chat = messages(whole.row, "messages") if whole.row else []
        targets = [number for number, message in enumerate(chat) if message["role"] == "assistant"]
        assert [len(row["prompt"]) for row in steps.rows] == targets
        for number, row in enumerate(steps.rows):
            assert messages(row, "prompt", "completion") == chat[: targets[number] + 1]
            assert (row["step"], row["steps"], row["tools"]) == (number, len(targets), whole.row["tools"])
            assert row["outcome"] == whole.row["outcome"]
        turns += len(targets)
    assert turns > 300


# --- history


def last_n_observations(chat: list[Message], kept: int) -> list[Message]:
    """SWE-agent's processor by its documented rule: all but the last n observations are elided.

    The first observation is the task, which never is. Every message that is not the model's or the system's is one.
    """
    observed = [number for number, message in enumerate(chat) if message["role"] in {"user", "tool"}]
    old = set(observed[1 : max(0, len(observed) - kept)])
    shown = []
    for number, message in enumerate(chat):
        lines = len(message["content"].splitlines())
        omitted = {**message, "content": f"Old environment output: ({lines} lines omitted)"}
        shown.append(omitted if number in old else message)
    return shown


texts = st.sampled_from(["", "one", "a\nb", "a\r\nb\n", "x\u2028y", "line\n" * 7, '"content": "nested"}'])
calls = st.builds(ToolCall, st.just("bash"), st.just('{"command": "ls"}'), st.just("c"), st.just(value=False), texts)
steps = st.builds(Step, st.just("hm"), st.just(""), st.lists(calls, max_size=3).map(tuple), st.none() | texts)


@given(st.lists(steps, min_size=1, max_size=12), st.integers(1, 6))
def test_history_is_what_swe_agent_shows(turns: list[Step], kept: int) -> None:
    trajectory = Trajectory("rules", "the task\nin lines", tuple(turns), Outcome(INCOMPLETE))
    full = render(trajectory, settle(T2, view="steps", history="full")).rows
    rows = render(trajectory, settle(T2, view="steps", history=f"last-{kept}-observations")).rows
    assert len(rows) == len(full) == len(turns)
    for row, whole in zip(rows, full, strict=True):
        assert messages(row, "prompt") == last_n_observations(messages(whole, "prompt"), kept)
        assert row["completion"] == whole["completion"]


# --- max_tokens

TURNS = [Turn(f"thought {n}", output=f"line {n}\n" * 40) for n in range(9)]
LONG = line(sera(history([*TURNS, Turn("done", tool="submit", arguments="{}", output="diff")])))


def test_a_turn_whose_prompt_is_too_long_is_left_out_by_itself_and_history_makes_it_fit(tokenizer: str) -> None:
    unlimited = convert_one(LONG, view="steps").rows
    sizes = [tokens(number, None) for number in range(len(unlimited))]
    limit = {"max_tokens": sizes[7], "tokenizer": tokenizer}
    done = convert_one(LONG, view="steps", **limit)
    assert [row["step"] for row in done.rows] == [0, 1, 2, 3, 4, 5, 6, 7]
    assert done.rows == unlimited[:8]
    assert Counter(error.reason for error in done.left_out) == {"overlong": len(unlimited) - 8}
    assert done.left_out[0].where == "$.steps[8]"
    assert done.left_out[0].problem == (
        f"turn 8 and its prompt have {sizes[8]} tokens; at most {sizes[7]} were asked for"
    )
    short = convert_one(LONG, view="steps", history="last-2-observations", **limit)
    assert [row["step"] for row in short.rows] == list(range(len(unlimited)))
    assert max(tokens(number, 2) for number in range(len(unlimited))) <= sizes[7]


def tokens(turn: int, kept: int | None) -> int:
    """Characters of a turn and its prompt as the hermes row has them, in ChatML."""
    row = convert_one(LONG, view="hermes").row
    assert row is not None
    chat = row["messages"][: 3 + 2 * turn]
    old = range(3, 3 + 2 * max(0, turn - kept), 2) if kept is not None else range(0)
    total = 0
    for number, message in enumerate(chat):
        text = message["content"]
        if number in old:
            inner = text.removeprefix("<tool_response>\n").removesuffix("\n</tool_response>")
            omitted = f"Old environment output: ({len(inner.splitlines())} lines omitted)"
            text = f"<tool_response>\n{omitted}\n</tool_response>"
        total += len(framed({**message, "content": text}))
    return total
