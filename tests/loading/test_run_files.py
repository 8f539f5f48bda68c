"""The files that SWE-agent and mini-swe-agent write, one per run, in folders of any depth: read where they lie."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import sera_swezero
from sera_swezero.check.contracts import contracts, kinds_of, recognise
from tests.hub import LoopbackHub
from tests.support.raw import line
from tests.support.run_files import mini_traj, traj, write_runs
from tests.support.streams import hub, point

__all__ = ["hub", "point"]  # fixtures
pytestmark = pytest.mark.matrix

REPO = "lab/runs"
ON_HUB = f"hf://datasets/{REPO}"


def stream(config: str, upstream: Any, **arguments: Any) -> Any:
    return sera_swezero.load_dataset(config, split="train", streaming=True, upstream=upstream, **arguments)


def trajs(*seeds: int) -> dict[str, Any]:
    """Files as `sweagent run-batch` leaves them: a folder for each instance, below one for the batch."""
    return {f"batch/made_{seed}/made_{seed}.traj": traj(seed) for seed in seeds}


def test_a_folder_of_swe_agents_files_is_a_config(tmp_path: Path) -> None:
    folder = write_runs(tmp_path / "runs", trajs(0, 1, 2))
    (folder / "batch" / "run_batch.config.yaml").write_text("x", encoding="utf-8")
    rows = list(stream("swe-agent", folder, lineage=True))
    assert [(row["instance_id"], row["model"]) for row in rows] == [(f"made_{n}", f"acme/coder-{n}") for n in range(3)]
    assert [row["source_file"] for row in rows] == list(trajs(0, 1, 2))
    assert {(row["exit_status"], row["source_offset"]) for row in rows} == {("submitted", 0)}
    assert "cat 2.py" in rows[2]["messages"]


def test_a_line_of_the_same_run_is_the_same_row(tmp_path: Path) -> None:
    file = traj(5)
    write_runs(tmp_path / "files", {"made_5.traj": file})
    (tmp_path / "lines").mkdir()
    written = {"instance_id": "made_5", "messages": json.dumps(file["history"]), "exit_status": "submitted"}
    (tmp_path / "lines" / "runs.jsonl").write_bytes(line(written))
    (one,), (other,) = (list(stream("swe-agent", tmp_path / name, view="hermes")) for name in ("files", "lines"))
    assert one == other


def test_files_on_the_hub_are_listed_once_and_read_by_one_request_each(hub: LoopbackHub, tmp_path: Path) -> None:
    hub.add_dataset(REPO, write_runs(tmp_path / "runs", trajs(*range(90))))
    hub.request_log.clear()
    rows = stream("swe-agent", ON_HUB)
    assert len(hub.requests()) == 1, "planning takes the listing alone"
    whole = [row["instance_id"] for row in rows]
    assert sorted(whole) == sorted(f"made_{seed}" for seed in range(90))
    assert len(hub.requests("GET", "/resolve/")) == 90

    again = stream("swe-agent", ON_HUB)
    assert [row["instance_id"] for row in itertools.islice(iter(again), 40)] == whole[:40]
    state = again.state_dict()
    resumed = stream("swe-agent", ON_HUB)
    resumed.load_state_dict(state)
    hub.request_log.clear()
    assert [row["instance_id"] for row in resumed] == whole[40:]
    assert len(hub.requests("GET", "/resolve/")) == 50


def test_shuffled_files_are_read_by_one_request_each_however_slowly_the_hub_answers(
    hub: LoopbackHub, tmp_path: Path
) -> None:
    hub.add_dataset(REPO, write_runs(tmp_path / "runs", trajs(*range(40))))
    hub.faults.add("latency", seconds=0.05, times=None)
    rows = stream("swe-agent", ON_HUB, shuffle_seed=1)
    hub.request_log.clear()
    shuffled = [row["instance_id"] for row in rows]
    assert shuffled != sorted(shuffled)
    assert sorted(shuffled) == sorted(f"made_{seed}" for seed in range(40))
    assert len(hub.requests("GET", "/resolve/")) == 40


def test_mini_swe_agents_files_lines_and_tables_give_the_same_rows(tmp_path: Path) -> None:
    files = {f"made_{seed}/made_{seed}.traj.json": mini_traj(seed) for seed in range(3)}
    write_runs(tmp_path / "files", {**files, "preds.json": {"made_0": "a patch"}})
    from_files = list(stream("mini-swe-agent", tmp_path / "files", view="hermes"))
    assert [row["instance_id"] for row in from_files] == ["made_0", "made_1", "made_2"]
    assert {row["outcome"] for row in from_files} == {"submitted"}
    assert [text["content"].count("<tool_response>") for text in from_files[1]["messages"]] == [1, 0, 0, 2, 0]

    (tmp_path / "lines").mkdir()
    (tmp_path / "lines" / "runs.jsonl").write_bytes(b"".join(map(line, files.values())))
    assert list(stream("mini-swe-agent", tmp_path / "lines", view="hermes")) == from_files

    # As `datasets` would hold them: a struct has every key in every message, null where it is not there.
    (tmp_path / "table").mkdir()
    table = [{**file, "exit_status": file["info"]["exit_status"], "info": None} for file in files.values()]
    pq.write_table(pa.Table.from_pylist(table), tmp_path / "table" / "runs.parquet")
    assert list(stream("mini-swe-agent", tmp_path / "table", view="hermes")) == from_files


def test_bytes_that_are_not_utf8_are_mended_in_a_bare_list_too(tmp_path: Path) -> None:
    messages = json.dumps(mini_traj(0)["messages"]).replace('"role"', '"unread": "?", "role"', 1)
    write_runs(tmp_path / "runs", {"made_0.traj.json": {}})
    (tmp_path / "runs" / "made_0.traj.json").write_bytes(messages.encode().replace(b"?", b"\xff", 1))
    (row,) = stream("mini-swe-agent", tmp_path / "runs", view="native", lineage=True)
    assert json.loads(row["messages"])[0]["unread"] == "\ufffd"
    assert row["conversions"]["mended_surrogate"] == 1


def test_files_of_another_program_that_are_named_alike_are_rejected_and_counted(tmp_path: Path) -> None:
    (exported,) = itertools.islice(sera_swezero.iter_rows("atif", upstream="sample", view="native"), 1)
    files = {"a/trajectory.json": json.loads(exported["trajectory"]), "b/made_1.traj.json": mini_traj(1)}
    folder = write_runs(tmp_path / "runs", files)
    rows = sera_swezero.iter_rows("atif", upstream=folder)
    assert [row["instance_id"] for row in rows] == [exported["instance_id"]]
    assert (rows.report.rows_in, rows.report.rejected) == (2, {"bad_record": 1})
    with pytest.raises(
        sera_swezero.RowError, match=r"^b/made_1\.traj\.json at 0: .* it has .*messages.* expected `steps`"
    ):
        list(sera_swezero.iter_rows("atif", upstream=folder, on_error="raise"))
    assert [row["instance_id"] for row in stream("mini-swe-agent", folder)] == ["made_1"]


@pytest.mark.parametrize("view", ["rectified", "native"])
def test_rows_are_known_again_by_their_columns(tmp_path: Path, view: str) -> None:
    folder = write_runs(tmp_path / "runs", {"a.traj": traj(1), "a.traj.json": mini_traj(1)})
    for config, name in (("swe-agent", f"{view}-swe-agent"), ("mini-swe-agent", f"{view}-mini-swe-agent")):
        (row,) = stream(config, folder, view=view)
        found = recognise(kinds_of(row), list(contracts().values()), forced=False)
        assert found == contracts()[name]
