"""SWE-ZERO's own oddities: what the golden files do not show at a glance, or show only once."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sera_swezero.core.conversions import ConversionLog
from sera_swezero.core.machine import fold
from sera_swezero.core.rectify import ANSWER
from sera_swezero.core.trajectory import ERRORED, INCOMPLETE, OTHER, SUBMITTED, Outcome, Trajectory
from sera_swezero.sources import swe_zero as source
from tests.support.raw import NUDGE, ZERO, Turn, chat, convert_one, convert_root, swe_zero

WORK = Turn("Look first.", "", "bash", "ls", "calc.py\n")
ANNOUNCE = Turn("Done.", "", "bash", "echo COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT", None)


def trajectory(messages: list[dict[str, str]], status: str | None = "Submitted") -> Trajectory:
    notes = ConversionLog()
    return fold(source.events(source.read(swe_zero(messages, status), notes), notes))


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        ("Submitted", SUBMITTED),
        ("submitted", SUBMITTED),
        ("incomplete", INCOMPLETE),
        ("errored", ERRORED),
        ("API error at turn 3: 500", OTHER),
        ("", OTHER),
        (None, OTHER),
    ],
)
def test_exit_status_alone_says_how_it_ended(status: str | None, outcome: str) -> None:
    for turns in ([WORK, ANNOUNCE], [WORK]):
        assert trajectory(chat(turns), status).outcome.status == outcome
    done = convert_one(swe_zero(chat([WORK, ANNOUNCE]), status), ZERO)
    assert (done.roles[-1] == "answer") == (outcome == SUBMITTED)


def test_the_detail_is_kept() -> None:
    notes = ConversionLog()
    record = source.read(swe_zero([], "errored", exit_status_detail="API error"), notes)
    assert fold(source.events(record, notes)) == Trajectory(None, None, (), Outcome(ERRORED, "API error"))


@pytest.mark.parametrize(
    ("command", "more"),
    [
        ("echo COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT", False),
        ("echo MINI_SWE_AGENT_FINAL_OUTPUT", False),
        ('echo "COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT"', False),
        ("echo  'COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT' ;", False),
        ("echo \"COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT'", True),
        ("echo COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT && git diff", True),
        ("echo COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT; echo x", True),
        ("printf COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT", True),
        ("cat <<EOF\nCOMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT\nEOF", True),
        ("git diff", True),
        ("", True),
    ],
)
def test_a_last_command_that_does_more_than_announce_joins_the_reasoning(command: str, more: bool) -> None:
    done = convert_one(swe_zero(chat([WORK, Turn("Done.", "", "bash", command, None)])), ZERO)
    joined = more and command != ""
    assert done.messages[-2:] == [
        ("reasoning", f"<think>Done.\n\n{command}</think>" if joined else "<think>Done.</think>"),
        ("answer", f"<answer>{ANSWER}</answer>"),
    ]
    assert done.counts["submit_text"] == joined
    assert done.counts["filled_answer"] == 1


@pytest.mark.parametrize("command", ["ls", "a\nb", "é \u2028 \x00 \x1b", "\"\\'`$", "x" * 100_000])
def test_a_command_is_a_bash_call(command: str) -> None:
    done = convert_one(swe_zero(chat([Turn("x", "", "bash", command, "y"), ANNOUNCE])), ZERO)
    call = dict(done.messages)["tool_call"][11:-12]
    assert json.loads(call) == {"name": "bash", "arguments": {"command": command}}
    assert call == json.dumps(json.loads(call), ensure_ascii=False)


def test_unfinished_rows_are_kept_by_default_and_have_no_answer() -> None:
    done = convert_one(swe_zero(chat([WORK]), "incomplete"), ZERO)
    assert done.roles == ["system", "user", "reasoning", "tool_call", "tool_output"]


def test_turns_without_a_block_fold_and_their_nudges_go() -> None:
    words = Turn("I think.", tool=None)
    done = convert_one(swe_zero(chat([words, words, WORK, words, ANNOUNCE])), ZERO)
    assert [content for role, content in done.messages if role == "reasoning"] == [
        "<think>I think.\n\nI think.\n\nLook first.</think>",
        "<think>I think.\n\nDone.</think>",
    ]
    assert [text for kind, text in done.notes if kind == "dropped_nudge"] == [NUDGE] * 3


def test_the_converted_system_text_is_ours_and_native_keeps_upstreams() -> None:
    raw = swe_zero(chat([WORK, ANNOUNCE], system_text="Give EXACTLY ONE bash code block."))
    text = dict(convert_one(raw, ZERO).messages)["system"]
    assert "EXACTLY ONE" not in text
    assert "```" not in text
    assert [json.loads(one)["name"] for one in text.splitlines() if one.startswith("{")] == ["bash"]
    assert "final answer" in text
    native = convert_one(raw, ZERO, view="native").row
    assert native is not None
    assert native["messages"][0]["content"] == "Give EXACTLY ONE bash code block."
    assert native == raw


def test_a_json_line_is_read_like_a_row() -> None:
    raw = swe_zero(chat([WORK, ANNOUNCE]))
    assert convert_one(json.dumps(raw).encode(), ZERO).row == convert_one(raw, ZERO).row


def test_the_twelve_million_set_has_the_same_columns_once_rectified() -> None:
    raw = swe_zero(chat([WORK, ANNOUNCE]))
    whole = convert_one(raw, ZERO).row
    six = {name: raw[name] for name in ("instance_id", "repo", "messages", "exit_status", "duration_sec")}
    row = convert_one({**six, "trajectory_format": "mini-swe-agent-1"}, "swe-zero-12m").row
    assert whole is not None
    assert row is not None
    assert list(row) == list(whole)
    assert (row["n_turns"], row["n_messages"], row["prompt_tokens"], row["exit_status_detail"]) == (2, 5, None, None)


@pytest.mark.parametrize(
    ("spoilt", "read"),
    [(b"A\xed\xa0\x80", "A\ufffd"), (b"A\xff\xfeB", "A\ufffd\ufffdB"), (b"A\xed\xa0\xff", "A\ufffd\ufffd\ufffd")],
)
@pytest.mark.parametrize("view", ["native", "rectified"])
def test_parquet_text_that_is_no_utf8_is_mended_and_counted(
    tmp_path: Path, spoilt: bytes, read: str, view: str
) -> None:
    """Arrow writes and reads such bytes without a word, and fails where they become Python text."""
    turns = [Turn("A1XX", "", "bash", "ls", "out"), ANNOUNCE]
    folder = tmp_path / "AlienKevin/SWE-ZERO-1k-trajectories-32k/data"
    folder.mkdir(parents=True)
    sink = pa.BufferOutputStream()
    pq.write_table(
        pa.Table.from_pylist([swe_zero(chat(turns)), swe_zero(chat([WORK, ANNOUNCE]))]),
        sink,
        compression="none",
        use_dictionary=False,
    )
    (folder / "rows.parquet").write_bytes(sink.getvalue().to_pybytes().replace(b"A1XX", spoilt))
    rows, report = convert_root(tmp_path, ZERO, view=view)
    assert report.conversions["mended_surrogate"] == read.count("\ufffd")
    assert [read in str(row["messages"]) for row in rows] == [True, False]
