"""SERA's own oddities: what the golden files do not show at a glance, or show only once."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sera_swezero.core.trajectory import EXITED, INCOMPLETE, SUBMITTED, Outcome, Trajectory
from sera_swezero.sources.sera import NATIVE_COLUMNS
from tests.support.raw import (
    DIFF,
    LS,
    REVIEW,
    T2,
    Turn,
    convert_one,
    history,
    line,
    observed,
    said,
    sera,
    system,
    trajectory_of,
    user,
)

EXITS = (
    "Exit due to cost limit",
    "Exit due to context window",
    "Exit due to total execution time exceeded",
    "Exit due to multiple consecutive command timeouts",
    "Exit due to retry error: no answer",
    "Exit due to environment error: gone",
    "Exit due to runtime error: pipe",
    "Exit due to unknown error: 1",
    "Exit due to repeated format/blocklist/bash syntax errors",
)
# What hostile and ordinary texts are made of: escapes, tags, labels, blanks of JSON and of Unicode.
PIECES = (
    *("a", "n", "t", "u", "b", "001", "\\", "\\\\", "/", '"', "\n", "\t", "\r", " ", "\b", "\f", "\0", "\x1b", "\x7f"),
    *("\u00e9", "\u2713", "\u2028", "\u00a0", "\u0085", "\U0001f600", "\ufffd", "<think>", "</think>", "think>", "<"),
    *("</tool_call>", "OBSERVATION:\n", "Observation: ", "Exit due to ", "{}", "{", "[", "NaN"),
)
TEXTS = st.lists(st.sampled_from(PIECES), max_size=12).map("".join)
WORK = Turn("Look first.")
REVIEWED = Turn("Ready.", "Done.", "submit", "{}", REVIEW)
SUBMITTED_AT_LAST = Turn("Again.", "", "submit", "{}", DIFF)


def trajectory(messages: list[dict[str, Any]]) -> Trajectory:
    return trajectory_of(line(sera(messages)), T2)


def leave(words: str) -> list[dict[str, Any]]:
    return [said(words, None), user("OBSERVATION:\nExited (autosubmitted)")]


# --- how a rollout ended


@pytest.mark.parametrize("words", EXITS)
def test_every_exit_of_the_harness_is_taken_out_and_sets_the_outcome(words: str) -> None:
    exited = trajectory(history([WORK]) + leave(words))
    assert exited.outcome == Outcome(EXITED, words)
    assert [call.name for step in exited.steps for call in step.calls] == ["bash"]
    assert len(exited.steps) == 1

    done = convert_one(line(sera(history([WORK]) + leave(words))))
    assert done.error is not None
    assert done.error.reason == "no_submission"
    assert words in done.error.problem


@pytest.mark.parametrize(
    ("turns", "outcome"),
    [
        ([], Outcome(INCOMPLETE)),
        ([WORK], Outcome(INCOMPLETE)),
        ([WORK, REVIEWED], Outcome(SUBMITTED)),
        ([REVIEWED, WORK], Outcome(INCOMPLETE)),
        ([REVIEWED, WORK, SUBMITTED_AT_LAST], Outcome(SUBMITTED)),
        ([WORK, Turn("", "All done.", None, output=None)], Outcome(SUBMITTED)),
        ([WORK, Turn("All done.", "", None, output="nudge")], Outcome(SUBMITTED)),
        ([WORK, Turn("", "", None, output=None)], Outcome(INCOMPLETE)),
        ([REVIEWED, Turn("", "", None, output=None)], Outcome(SUBMITTED)),
        ([WORK, Turn("x", output=None)], Outcome(INCOMPLETE)),
        ([WORK, Turn("x", "", "submit", "{}", None)], Outcome(SUBMITTED)),
    ],
)
def test_the_last_turn_of_the_model_decides(turns: list[Turn], outcome: Outcome) -> None:
    assert trajectory(history(turns)).outcome == outcome
    # A harness turn behind it changes nothing but the detail, and `incomplete` to `exited`.
    left = trajectory(history(turns) + leave(EXITS[0]))
    assert left.outcome.detail == EXITS[0]
    assert left.submitted == (outcome.status == SUBMITTED)
    assert left.steps == trajectory(history(turns)).steps


@pytest.mark.parametrize(
    "places", [(0, 1, 3, 4, 2), (0, 4, 1, 3, 2), (1, 3, 4, 0, 2), (4, 0, 1, 3, 2), (0, 2, 1, 3, 4)]
)
def test_steps_before_the_task_are_out_of_order_also_beside_a_turn_of_the_harness(places: tuple[int, ...]) -> None:
    """A turn of the harness is not an event, so that without the steps before the task all would seem right."""
    parts = [system(), said("look", call_id="c"), user(), observed("seen", "c"), said(EXITS[0], None)]
    done = convert_one(line(sera([parts[place] for place in places])), incomplete="keep")
    assert (done.error is None) == (places == (0, 2, 1, 3, 4))
    assert done.error is None or done.error.reason == "wrong_order"


# --- arguments


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        " { } ",
        '{"command":"ls"}',
        '{"command": "ls", "command": "pwd"}',
        '{"b": 1, "a": 2, "command": ""}',
        '{"command": "\\u00e9 é \\/ \\ud83d\\ude80"}',
        '{"n": 123456789012345678901234567890, "m": -0.0, "k": 1E5, "j": 1.50}',
        '\n{\t"command"\r\n:"a"}\n',
        '{"command": "</tool_call>"}',
        '{"deep": ' + "[" * 127 + "]" * 127 + "}",
    ],
)
def test_arguments_are_the_models_own_text_to_the_byte(text: str) -> None:
    done = convert_one(line(sera(history([Turn("x", "", "bash", text), REVIEWED]))))
    content = dict(done.messages)["tool_call"]
    assert content == f'<tool_call>{{"name": "bash", "arguments": {text}}}</tool_call>'
    assert json.loads(content[11:-12])["arguments"] == json.loads(text)


@pytest.mark.parametrize("text", ['{"command":"ls","n":1.50}', '{ "b":1 ,"a":123456789012345678901234567890}'])
def test_arguments_that_are_an_object_keep_the_text_that_they_have_in_the_file(text: str) -> None:
    mark = '"(arguments)"'
    messages = json.dumps(history([Turn("x", "", "bash", "(arguments)"), REVIEWED])).replace(mark, text)
    done = convert_one(line(sera(messages)))
    assert dict(done.messages)["tool_call"] == f'<tool_call>{{"name": "bash", "arguments": {text}}}</tool_call>'


@pytest.mark.parametrize(
    "given",
    [
        "null", "true", "5", '"x"', "[]", "{", '{"a": NaN}', '{"a": Infinity}', '{"a": -Infinity}', '{"a": 1e400}', " ",
        "{'a': 1}", '{"a": 1}x', '{"a": 01}', '{"a": "\n"}', '{"a": ' + "9" * 5000 + "}", [], 5, True, ["ls"],
        '{"a": ' + "[" * 128 + "]" * 128 + "}", '{"a": ' + "[" * 100_000,
    ],
)  # fmt: skip
def test_arguments_that_are_no_object_reject_the_row(given: Any) -> None:
    done = convert_one(line(sera(history([Turn("x", "", "bash", given), REVIEWED]))))
    assert done.error is not None
    assert done.error.reason == "bad_arguments"
    assert done.error.where.startswith("$.messages[2].tool_calls[0].function.arguments")


@pytest.mark.parametrize(
    ("tool", "arguments", "kind"),
    [
        ("bash", LS, None),
        ("bash", '{"command": "ls", "more": [1]}', None),
        ("bash", '{"cmd": "ls"}', "off_schema"),
        ("bash", '{"command": 5}', "off_schema"),
        ("str_replace_editor", '{"command": "undo_edit", "path": "/a"}', None),
        ("str_replace_editor", '{"command": "view", "path": "/a", "view_range": [1, -1]}', None),
        ("str_replace_editor", '{"command": "view", "path": "/a", "view_range": [1.5]}', "off_schema"),
        ("str_replace_editor", '{"command": "open", "path": "/a"}', "off_schema"),
        ("str_replace_editor", '{"command": "view"}', "off_schema"),
        ("Bash", LS, "unknown_tool"),
        ("", LS, "unknown_tool"),
        ("näme\n", LS, "unknown_tool"),
    ],
)
def test_calls_off_the_schema_and_unknown_tools_stay_counted(tool: str, arguments: str, kind: str | None) -> None:
    messages = [system(), user(), said("<think>x</think>", tool or "(none)", arguments), observed("y")]
    messages[2]["tool_calls"][0]["function"]["name"] = tool
    done = convert_one(line(sera([*messages, *history([REVIEWED])[2:]])))
    call = json.loads(dict(done.messages)["tool_call"][11:-12])
    assert call == {"name": tool, "arguments": json.loads(arguments)}
    assert {one: done.counts[one] for one in ("off_schema", "unknown_tool") if done.counts[one]} == (
        {kind: 1} if kind else {}
    )


# --- the bytes of a row


def spelled(value: Any, spelling: int) -> str:
    """Write a value as JSON in one of the ways that encoders have."""
    text = json.dumps(value, ensure_ascii=spelling % 2 == 1)
    if spelling >= 2:
        text = text.replace("/", r"\/").replace("<", r"\u003C")
        text = re.sub(r"\\u[0-9a-fA-F]{4}|\\.|x", lambda piece: r"\u0078" if piece[0] == "x" else piece[0], text)
    return text


@given(
    st.lists(st.tuples(TEXTS, TEXTS, TEXTS, st.sampled_from(["bash", "bash", "submit", "\u2713\n"])), max_size=5),
    TEXTS,
    st.integers(0, 3),
)
def test_the_spelling_of_the_json_around_a_record_changes_no_row(
    turns: list[tuple[str, str, str, str]], last: str, spelling: int
) -> None:
    messages = history(
        [
            *(Turn("", text, name, json.dumps({"command": command}), output) for text, command, output, name in turns),
            Turn("", last, "submit", "{}", None),
        ],
        task=f"task {last}",
    )
    other = spelled({**sera(messages), "messages": spelled(messages, spelling)}, spelling).encode()
    assert convert_one(other).row == convert_one(line(sera(messages))).row


@pytest.mark.parametrize(
    ("config", "facts"),
    [
        ("glm-4.5-air-full-t1", ("GLM-4.5-Air", "full", "T1")),
        ("glm-4.5-air-full-t2", ("GLM-4.5-Air", "full", "T2")),
        ("glm-4.6-lite-t1", ("GLM-4.6", "lite", "T1")),
        ("glm-4.6-lite-t2", ("GLM-4.6", "lite", "T2")),
    ],
)
def test_teacher_scale_and_rollout_are_the_cards_words(config: str, facts: tuple[str, str, str]) -> None:
    row = convert_one(line(sera(history([REVIEWED]))), config).row
    assert row is not None
    assert (row["teacher"], row["scale"], row["rollout"]) == facts
    assert list(row) == [
        "messages", "instance_id", "teacher", "scale", "rollout", "func_name", "func_path", "line_level_recall",
    ]  # fmt: skip


def test_columns_beyond_the_known_ones_are_ignored() -> None:
    plain = sera(history([Turn(tool="submit", arguments="{}")]))
    assert convert_one(line({**plain, "score": 0.5})).row == convert_one(line(plain)).row is not None


@pytest.mark.parametrize("column", NATIVE_COLUMNS)
def test_a_missing_column_is_named(column: str) -> None:
    record = sera(history([Turn(tool="submit", arguments="{}")]))
    del record[column]
    done = convert_one(line(record))
    assert done.error is not None
    assert (done.error.reason, done.error.problem) == ("bad_record", f"Object missing required field `{column}`")
