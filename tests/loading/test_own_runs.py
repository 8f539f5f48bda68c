"""Runs of one's own: a folder, a file or a dataset on the hub becomes a config that does what any config does."""

from __future__ import annotations

import itertools
import json
import logging
import shutil
from pathlib import Path
from typing import Any

import pytest

import sera_swezero
from sera_swezero.errors import ConfigError, StateError, UpstreamError
from sera_swezero.loading.builder import SeraSweZero
from sera_swezero.request.lock_file import update_lock
from tests.hub import LoopbackHub
from tests.support.own_runs import OTHERS, names, runs
from tests.support.processes import inside
from tests.support.streams import FINE, hub, places, point

__all__ = ["hub", "point"]  # fixtures
pytestmark = pytest.mark.matrix

REPO = "lab/runs"
ON_HUB = f"hf://datasets/{REPO}"


def stream(upstream: Any, **arguments: Any) -> Any:
    return sera_swezero.load_dataset(
        "swe-agent", split="train", streaming=True, lineage=True, upstream=upstream, **arguments
    )


def ids(rows: Any) -> list[str]:
    return [row["instance_id"] for row in rows]


def command(*words: str) -> Any:
    done = inside(*words)
    assert done.exit_code == 0, done.output
    return done


def test_every_matching_file_in_any_folder_is_read_and_others_are_counted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = runs(tmp_path / "runs")
    with caplog.at_level(logging.WARNING, "sera_swezero"):
        rows = list(stream(folder))
    assert ids(rows) == names(0, 1, 2, 3)
    assert [row["source_file"] for row in rows] == ["first/monday.jsonl"] * 2 + ["later/deep/tuesday.jsonl"] * 2
    assert {(row["source_repo"], row["source_revision"]) for row in rows} == {("", "")}
    assert {(row["exit_status"], row["exit_status_detail"], row["model"]) for row in rows} == {
        ("submitted", None, None)
    }
    assert [row["submission"] for row in rows] == [f"+fixed {seed}\n" for seed in range(4)]
    (said,) = [record for record in caplog.records if "leaves alone" in record.message]
    assert said.levelno == logging.WARNING
    assert said.message == f"{folder}: reads 2 .jsonl; leaves alone 2 .log, 1 without a suffix, 1 .yaml"
    assert len(OTHERS) == 4


@pytest.mark.parametrize("view", ["rectified", "native", "hermes", "sharegpt"])
def test_the_views_are_those_of_any_config(tmp_path: Path, view: str) -> None:
    rows = sera_swezero.load_dataset("swe-agent", split="train", view=view, upstream=runs(tmp_path / "runs"))
    assert list(rows["instance_id"]) == names(0, 1, 2, 3)
    assert "made_0" in json.dumps(rows[0])


def test_a_file_a_relative_path_and_the_home_folder_are_places_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs(tmp_path / "runs")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    for place in ("runs", "./runs/", "~/runs", (tmp_path / "runs").as_uri()):
        assert ids(stream(place)) == names(0, 1, 2, 3), place
    file = stream("runs/later/deep/tuesday.jsonl")
    assert [(row["instance_id"], row["source_file"]) for row in file] == [
        ("made_2", "tuesday.jsonl"),
        ("made_3", "tuesday.jsonl"),
    ]


def test_a_moved_folder_is_the_same_data_and_another_folder_is_not(tmp_path: Path) -> None:
    before = stream(runs(tmp_path / "runs"))
    iterator = iter(before)
    assert ids(itertools.islice(iterator, 3)) == names(0, 1, 2)
    state = before.state_dict()
    digest = SeraSweZero(config_name="swe-agent", upstream=str(tmp_path / "runs")).snapshot.digest
    shutil.move(tmp_path / "runs", tmp_path / "moved")
    after = stream(tmp_path / "moved")
    after.load_state_dict(state)
    assert ids(after) == names(3)
    assert SeraSweZero(config_name="swe-agent", upstream=str(tmp_path / "moved")).snapshot.digest == digest
    other = stream(runs(tmp_path / "other", rows=6))
    other.load_state_dict(state)
    with pytest.raises(StateError, match="files below the root have other names or sizes"):
        list(other)


def test_runs_on_the_hub_are_read_at_a_commit_and_resumed_with_a_ranged_get(hub: LoopbackHub, tmp_path: Path) -> None:
    commit = hub.add_dataset(REPO, runs(tmp_path / "runs", rows=40))
    whole = list(stream(ON_HUB, shard_bytes=FINE))
    assert ids(whole) == names(*range(40))
    assert {(row["source_repo"], row["source_revision"]) for row in whole} == {(REPO, commit)}
    rows = stream(ON_HUB, shard_bytes=FINE)
    assert len(list(itertools.islice(iter(rows), 30))) == 30
    state = rows.state_dict()
    hub.request_log.clear()
    again = stream(ON_HUB, shard_bytes=FINE)
    again.load_state_dict(state)
    rest = list(again)
    assert places(rest)[-10:] == places(whole)[-10:]
    gets = hub.requests("GET", "/resolve/")
    assert gets
    assert all(request.range and "monday" not in request.path for request in gets)
    shuffled = [sorted(places(stream(ON_HUB, shard_bytes=FINE, shuffle_seed=3, epoch=epoch))) for epoch in (0, 1)]
    assert shuffled == [sorted(places(whole))] * 2


def test_a_revision_stands_behind_the_repo_or_in_the_argument_or_in_a_lock_file(
    hub: LoopbackHub, tmp_path: Path
) -> None:
    old = hub.add_dataset(REPO, runs(tmp_path / "runs"))
    lock = tmp_path / "runs.lock"
    assert f"{old}  {REPO}  (new)" in command("lock", "swe-agent", "--upstream", ON_HUB, "--out", str(lock)).output
    hub.add_dataset(REPO, runs(tmp_path / "more", rows=6))
    assert ids(stream(ON_HUB)) == names(*range(6))
    pinned = [stream(f"{ON_HUB}@{old}"), stream(ON_HUB, revision=old), stream(ON_HUB, revision=str(lock))]
    assert [ids(rows) for rows in pinned] == [names(*range(4))] * 3
    assert {row["source_revision"] for rows in pinned for row in rows} == {old}
    with pytest.raises(ConfigError, match=f"@{old}' names a revision already; leave revision='main' out"):
        stream(f"{ON_HUB}@{old}", revision="main")


@pytest.mark.parametrize("where", ["folder", "hub"])
def test_dedup_decontaminate_plan_and_show_take_them(where: str, hub: LoopbackHub, tmp_path: Path) -> None:
    folder = runs(tmp_path / "runs")
    doubled = folder / "first" / "monday.jsonl"
    doubled.write_bytes(doubled.read_bytes() * 2)
    hub.add_dataset(REPO, folder)
    upstream = str(folder) if where == "folder" else ON_HUB
    assert ids(stream(upstream)) == names(0, 1, 0, 1, 2, 3)
    kept, listed = tmp_path / "kept.parquet", tmp_path / "listed.jsonl"
    counted = command("dedup", "swe-agent", "--upstream", upstream, "--out", str(kept), "--json").stdout
    assert json.loads(counted)["kept"] == len(ids(stream(upstream, dedup=kept))) < 6
    listed.write_text('{"instance_id": "made_3"}\n', encoding="utf-8")
    assert ids(stream(upstream, decontaminate=listed)) == names(0, 1, 0, 1, 2)
    (plan,) = json.loads(command("plan", "swe-agent", "--upstream", upstream, "--samples", "1", "--json").stdout)
    assert (plan["config"], plan["files"], plan["problem"]) == ("swe-agent", 2, "")
    row = json.loads(command("show", "swe-agent", "--upstream", upstream, "--row", "5", "--json").stdout)
    assert row["instance_id"] == "made_3"
    doubled.write_bytes(b"")
    if where == "folder":
        with pytest.raises(ConfigError, match=r"was made when first/monday\.jsonl had \d+ bytes; it has 0 bytes now"):
            stream(upstream, dedup=kept)


def test_what_cannot_be_read_says_what_would_have_been_right(hub: LoopbackHub, tmp_path: Path) -> None:
    folder = runs(tmp_path / "runs")
    with pytest.raises(ConfigError, match=r"pass upstream= with a folder, an fsspec URL or hf://datasets/OWNER/NAME"):
        sera_swezero.load_dataset("swe-agent")
    with pytest.raises(ConfigError, match=r"'hf://lab/runs' names no dataset repository; hf://datasets/OWNER/NAME"):
        stream("hf://lab/runs")
    with pytest.raises(ConfigError, match="has no revisions; revision='main' works with the hub only"):
        stream(folder, revision="main")
    with pytest.raises(ConfigError, match=r"has no commits to lock for swe-agent; only the hub has commits"):
        update_lock(tmp_path / "lock", ["swe-agent"], folder)
    with pytest.raises(UpstreamError, match="nowhere': no such folder"):
        stream(tmp_path / "nowhere")
    with pytest.raises(UpstreamError, match=r"no file matches '\*\.traj' or '\*\.jsonl'; found one\.log"):
        stream(folder / "first" / "one.log")
    with pytest.raises(UpstreamError, match="lab/none"):
        stream("hf://datasets/lab/none")
    (folder / "first" / "monday.jsonl").write_bytes(b"{}\n")
    report = sera_swezero.iter_rows("swe-agent", upstream=folder)
    assert ids(report) == names(2, 3)
    assert report.report.rejected == {"bad_record": 1}
    with pytest.raises(sera_swezero.RowError, match=r"^first/monday\.jsonl at 0: bad_record"):
        list(sera_swezero.iter_rows("swe-agent", upstream=folder, on_error="raise"))
