"""The view `atif`, and that its rows, as files or in Parquet, are runs that the config `atif` reads."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import sera_swezero
from sera_swezero.check import contracts
from sera_swezero.core.trajectory import SUBMITTED, Outcome, Step, ToolCall, Trajectory
from sera_swezero.request.settle import settle
from tests.support.raw import T2, convert_root, render
from tests.support.sample import SETS

CALLS = (
    ToolCall("bash", '{"n":  12345678901234567890123}', None, observation="a"),
    ToolCall("submit", "{}", "c9", submits=True),
)
ROLLOUT = Trajectory(
    "You help.",
    "Do it.",
    (Step("", "<think> is a tag", (), "Go on."), Step("I see.", "Done.", CALLS)),
    Outcome(SUBMITTED, "by itself"),
)


def test_a_row_is_the_rollout_as_it_was() -> None:
    row = render(ROLLOUT, settle(T2, view="atif")).row
    assert row is not None
    trajectory = json.loads(row["trajectory"])
    assert row["trajectory_id"] == trajectory["trajectory_id"]
    assert trajectory["trajectory_id"].startswith(f"{row['instance_id']}.")
    assert trajectory["schema_version"] == "ATIF-v1.7"
    tools = trajectory["agent"].pop("tool_definitions")
    assert [tool["function"]["name"] for tool in tools] == ["bash", "str_replace_editor", "submit"]
    assert trajectory["agent"] == {"name": "SWE-agent", "version": "unknown", "model_name": "GLM-4.6"}
    assert trajectory["steps"] == [
        {"step_id": 1, "source": "system", "message": "You help."},
        {"step_id": 2, "source": "user", "message": "Do it."},
        {"step_id": 3, "source": "agent", "message": "<think> is a tag", "reasoning_content": "", "llm_call_count": 1},
        {"step_id": 4, "source": "user", "message": "Go on."},
        {
            "step_id": 5,
            "source": "agent",
            "message": "Done.",
            "reasoning_content": "I see.",
            "llm_call_count": 1,
            "tool_calls": [
                {"tool_call_id": "call_0", "function_name": "bash", "arguments": {"n": 12345678901234567890123}},
                {"tool_call_id": "c9", "function_name": "submit", "arguments": {}},
            ],
            "observation": {"results": [{"source_call_id": "call_0", "content": "a"}]},
        },
    ]
    assert '{"n":  12345678901234567890123}' in row["trajectory"], "the model's own text"
    assert trajectory["extra"] == {
        "instance_id": row["instance_id"],
        "config": T2,
        "repo": "allenai/Sera-4.6-Lite-T2",
        "outcome": {"status": "submitted", "detail": "by itself"},
        "line_level_recall": 1.0,
    }


def test_check_finds_steps_out_of_order_and_results_of_no_call() -> None:
    row = render(ROLLOUT, settle(T2, view="atif")).row
    assert row is not None
    contract = contracts()["atif"]
    assert contract.faults(row) == []
    trajectory = json.loads(row["trajectory"])
    trajectory["steps"][3]["step_id"] = 9
    trajectory["steps"][4]["observation"]["results"][0]["source_call_id"] = "x"
    found = [str(fault) for fault in contract.faults({**row, "trajectory": json.dumps(trajectory)})]
    assert found == [
        "$.trajectory.steps[3].step_id: 9; expected 4",
        "$.trajectory.steps[4].observation.results: the call 'x'; expected a call of the step",
    ]


def test_a_rollout_has_one_id_and_rollouts_of_an_instance_have_their_own() -> None:
    rows, _ = convert_root("sample", "swe-zero-1k-32k", view="atif")
    assert len({row["trajectory_id"] for row in rows}) == len(rows) > len({row["instance_id"] for row in rows})
    again, _ = convert_root("sample", "swe-zero-1k-32k", view="atif")
    assert [row["trajectory_id"] for row in again] == [row["trajectory_id"] for row in rows]


@pytest.mark.parametrize("config", SETS)
@pytest.mark.parametrize("kind", ["files", "lines", "parquet"])
def test_rows_are_runs_that_come_back_the_same(config: str, kind: str, tmp_path: Path) -> None:
    rows, _ = convert_root("sample", config, view="atif")
    texts = [row["trajectory"] for row in rows]
    if kind == "parquet":
        pq.write_table(pa.Table.from_pylist(rows), tmp_path / "rows.parquet")
    elif kind == "lines":
        (tmp_path / "rows.jsonl").write_text("".join(f"{text}\n" for text in texts), encoding="utf-8")
    else:
        for number, text in enumerate(texts):
            (tmp_path / f"{number:04}").mkdir()
            (tmp_path / f"{number:04}" / "trajectory.json").write_text(text, encoding="utf-8")
    again = list(sera_swezero.iter_rows("atif", view="atif", upstream=tmp_path, incomplete="keep", on_error="raise"))
    assert len(again) == len(rows)
    for row, back in zip(rows, again, strict=True):
        before, after = json.loads(row["trajectory"]), json.loads(back["trajectory"])
        assert after["steps"] == before["steps"]
        assert after["extra"]["outcome"] == before["extra"]["outcome"]
        assert after["agent"].get("tool_definitions") == before["agent"].get("tool_definitions")
        assert (back["instance_id"], back["trajectory_id"]) == (row["instance_id"], row["trajectory_id"])


def test_a_folder_of_harbor_has_other_files_which_are_counted(tmp_path: Path) -> None:
    trajectory = render(ROLLOUT, settle(T2, view="atif")).row
    assert trajectory is not None
    for path, text in {
        "job/trial/agent/trajectory.json": trajectory["trajectory"],
        "job/trial/result.json": '{"reward": 1.0}',
        "job/trial/agent/log.txt": "text",
    }.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text, encoding="utf-8")
    rows = sera_swezero.iter_rows("atif", upstream=tmp_path)
    assert len(list(rows)) == 1
    assert rows.report.rejected == {"bad_record": 1}
