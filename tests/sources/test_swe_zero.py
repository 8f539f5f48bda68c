"""SWE-ZERO's own oddities: what the golden files do not show at a glance, or show only once."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import nullcontext
from functools import reduce
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sera_swezero.core.conversions import ConversionLog
from sera_swezero.core.rectify import ANSWER
from sera_swezero.core.trajectory import ERRORED, INCOMPLETE, OTHER, SUBMITTED, Trajectory
from sera_swezero.errors import RowError, UpstreamError
from sera_swezero.rows import iter_rows
from sera_swezero.sources import RecordContext
from sera_swezero.sources.swe_agent_messages import messages_of
from sera_swezero.sources.swe_zero import SOURCE
from tests.support.planted import write_zero
from tests.support.raw import ZERO, Turn, chat, convert_one, convert_root, swe_zero, trajectory_of

WORK = Turn("Look first.", "", "bash", "ls", "calc.py\n")
ANNOUNCE = Turn("Done.", "", "bash", "echo COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT", None)


def trajectory(messages: list[dict[str, str]], status: str | None = "Submitted") -> Trajectory:
    return trajectory_of(swe_zero(messages, status), ZERO)


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


def test_a_json_line_is_read_like_a_row() -> None:
    raw = swe_zero(chat([WORK, ANNOUNCE]))
    assert convert_one(json.dumps(raw).encode(), ZERO).row == convert_one(raw, ZERO).row


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


def test_a_history_has_a_bound() -> None:
    user = {"role": "user", "content": "x"}
    log = ConversionLog()
    row = {"instance_id": "a", "repo": "b"}
    for count in (10_000, 10_001):
        histories = (
            lambda many: messages_of(json.dumps(many), ConversionLog()),
            lambda many: list(SOURCE.events(SOURCE.read(row | {"messages": many}, log, RecordContext()), log)),
        )
        for history in histories:
            with pytest.raises(RowError, match="10,001 messages") if count > 10_000 else nullcontext():
                history([user] * count)


def write_12m(root: Path, change: Callable[[pa.Table], pa.Table]) -> None:
    """Write a file of the 12M set whose columns were changed."""
    write_zero(root, [swe_zero(chat([Turn("I look.", "ls")]), "incomplete", trajectory_format="text")], "swe-zero-12m")
    (file,) = root.rglob("*.parquet")
    pq.write_table(change(pq.read_table(file)), file)


def test_columns_beyond_the_known_ones_are_ignored(tmp_path: Path) -> None:
    tokens = ("qwen3_tokens", "prompt_tokens", "completion_tokens")  # which the upload script of the 12M set lists
    write_12m(tmp_path, lambda table: reduce(lambda made, name: made.append_column(name, [[7]]), tokens, table))
    (row,) = iter_rows("swe-zero-12m", upstream=str(tmp_path))
    assert list(row) == ["instance_id", "repo", "messages", "trajectory_format", "exit_status", "duration_sec"]


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    write_12m(tmp_path, lambda table: table.drop_columns("repo"))
    with pytest.raises(UpstreamError, match="column 'repo' is none, expected string; expected columns are instance_id"):
        list(iter_rows("swe-zero-12m", upstream=str(tmp_path)))
