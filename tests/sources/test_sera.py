"""SERA's own oddities: what the golden files do not show at a glance, or show only once."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sera_swezero.core.conversions import ConversionLog
from sera_swezero.core.machine import fold
from sera_swezero.core.trajectory import EXITED, INCOMPLETE, SUBMITTED, Outcome, Trajectory
from sera_swezero.sources import sera as source
from tests.support.raw import DIFF, LS, REVIEW, Turn, convert_one, history, line, observed, said, sera, system, user

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
WORK = Turn("Look first.")
REVIEWED = Turn("Ready.", "Done.", "submit", "{}", REVIEW)
SUBMITTED_AT_LAST = Turn("Again.", "", "submit", "{}", DIFF)


def trajectory(messages: list[dict[str, Any]]) -> Trajectory:
    notes = ConversionLog()
    return fold(source.events(source.read(line(sera(messages)), notes), notes))


def leave(words: str) -> list[dict[str, Any]]:
    return [said(words, None), user("OBSERVATION:\nExited (autosubmitted)")]


# --- how a rollout ended


@pytest.mark.parametrize("words", EXITS)
def test_every_exit_of_the_harness_is_taken_out_and_sets_the_outcome(words: str) -> None:
    exited = trajectory(history([WORK]) + leave(words))
    assert exited.outcome == Outcome(EXITED, words)
    assert [step.call.name for step in exited.steps if step.call] == ["bash"]
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


def test_an_exit_with_a_call_is_the_models_own() -> None:
    told = trajectory([*history([]), said(EXITS[0]), observed("OBSERVATION:\nx")])
    assert told.outcome == Outcome(INCOMPLETE)
    assert told.steps[0].visible == EXITS[0]


def test_the_exits_note_holds_its_reply() -> None:
    done = convert_one(line(sera(history([WORK, REVIEWED]) + leave(EXITS[0]))))
    assert [text for kind, text in done.notes if kind == "harness_exit"] == [
        "Exit due to cost limit\n\nExited (autosubmitted)"
    ]


def test_rows_that_were_not_submitted_are_a_policy_and_never_raise() -> None:
    raw = line(sera(history([WORK])))
    kept = convert_one(raw, incomplete="keep")
    assert kept.roles == ["system", "user", "reasoning", "tool_call", "tool_output"]
    assert convert_one(raw, incomplete="reject").error is not None


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


@pytest.mark.parametrize(("given", "empty"), [("", 1), (None, 1), ("{}", 0), ({}, 0)])
def test_empty_and_null_arguments_are_an_empty_object(given: Any, empty: int) -> None:
    done = convert_one(line(sera(history([Turn("x", "", "bash", given), REVIEWED]))))
    assert dict(done.messages)["tool_call"] == '<tool_call>{"name": "bash", "arguments": {}}</tool_call>'
    assert done.counts["empty_arguments"] == empty
    assert done.counts["off_schema"] == 1  # bash requires a command


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


def test_a_row_is_the_bytes_that_json_dumps_would_write() -> None:
    every = "".join(map(chr, (*range(0x20), *range(0x7F, 0xA1), 0xE9, 0x2028, 0x2029, 0xFEFF, 0xFFFF, 0x1F680)))
    raw = line(sera(history([Turn(f"a{every}b", "", every + "x", json.dumps({every: every}), every), REVIEWED])))
    row = convert_one(raw).row
    assert row is not None
    assert row["messages"] == json.dumps(json.loads(row["messages"]), ensure_ascii=False)
    assert f"<think>a{every}b</think>" in [message["content"] for message in json.loads(row["messages"])]


def test_the_system_text_is_the_protocol_the_three_tools_and_upstreams_line() -> None:
    text = dict(convert_one(line(sera(history([REVIEWED], system_text="Upstream's line.")))).messages)["system"]
    assert text.startswith("## Tool-Use Protocol\n\n1. ")
    for tag in ("<think>", "<tool_call>", "<tool_response>", "<answer>"):
        assert tag in text.partition("## Available Tools")[0]
    tools = [json.loads(one) for one in text.splitlines() if one.startswith("{")]
    assert [tool["name"] for tool in tools] == ["bash", "str_replace_editor", "submit"]
    assert text.endswith("\n\nUpstream's line.")


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
