"""A build: the same bytes however it is run, row groups that readers can hold, and nothing half after an interrupt."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from sera_swezero.build import manifest, worker_process
from sera_swezero.build.build_shard import build_shards
from sera_swezero.build.folder import claim
from sera_swezero.build.jobs import plan
from sera_swezero.build.manifest import BuiltShard
from sera_swezero.build.runner import build
from sera_swezero.build.unions import members
from sera_swezero.build.worker_process import Group
from sera_swezero.check import check_paths
from sera_swezero.errors import BuildError, ConfigError, PublishError
from sera_swezero.loading.builder import SeraSweZero, features
from sera_swezero.quality.row_source import open_rows
from sera_swezero.quality.write_kept_rows import write_kept
from sera_swezero.request.row_columns import columns
from sera_swezero.rows import iter_rows
from tests.build.conftest import ALL, MEGABYTE, SHARD
from tests.support import forked
from tests.support.built import contents, entries, marks, read_rows, scratch
from tests.support.processes import HERE, heed_interrupts, wait_for_the_end_of
from tests.support.publishing import SERA, build_command, sera_root, sera_row
from tests.support.run_files import traj, write_runs


@pytest.mark.matrix
def test_the_built_rows_are_those_that_the_builder_yields(sample: Path) -> None:
    for config in manifest.read(sample).configs:
        builder = SeraSweZero(config_name=config, dataset_name="sera_swezero", upstream="sample")
        assert read_rows(sample, config) == list(builder.as_streaming_dataset(split="train")), config


def test_a_build_lays_out_shards_manifest_card_and_rejected_rows(sample: Path) -> None:
    made = manifest.read(sample)
    assert contents(sample).keys() == {*(file.path for file in made.files), "manifest.json", "README.md"}
    assert made.configs.keys() == {part for name in ALL for part in members(name)}, "`sera` is built as its sets"
    for name, built in made.configs.items():
        count = len(built.shards)
        for index, shard in enumerate(built.shards):
            path = f"{name}/train-{index:05d}-of-{count:05d}.parquet"
            assert (shard.data.path if shard.data else None) == (path if shard.report.rows_out else None)
        report = built.report
        assert report.rows_in == report.rows_out + report.filtered + report.rejected.total()
        assert built.rows == report.rows_out == len(read_rows(sample, name))


def test_files_of_one_run_share_files_of_the_build_in_their_order(tmp_path: Path) -> None:
    files: dict[str, Any] = {f"made_{seed:02}/made_{seed:02}.traj": traj(seed) for seed in range(12)}
    files["made_07/made_07.traj"] = {"info": {}}
    root = write_runs(tmp_path / "runs", files)
    size = max(path.stat().st_size for path in root.rglob("*.traj"))
    made = build(["swe-agent"], tmp_path / "out", upstream=root, workers=1, shard_bytes=5 * size)
    shards = made.configs["swe-agent"].shards
    assert [len(shard.sources) for shard in shards] == [5, 6, 1], "one of the second five is nearly empty"
    assert [source.file for shard in shards for source in shard.sources] == sorted(files)
    assert [shard.report.rejected.total() for shard in shards] == [0, 1, 0]
    assert read_rows(tmp_path / "out", "swe-agent") == list(iter_rows("swe-agent", upstream=root))
    (refused,) = (tmp_path / "out" / "rejected" / "swe-agent").iterdir()
    assert pq.read_table(refused).column("file").to_pylist() == ["made_07/made_07.traj"]


def test_the_same_input_gives_the_same_bytes_in_many_processes_in_any_order_and_on_a_rerun(
    sample: Path, tmp_path: Path
) -> None:
    expected = contents(sample)
    build(ALL[::-1], tmp_path / "many", upstream="sample", workers=3, shard_bytes=SHARD)
    assert contents(tmp_path / "many") == expected
    units = [unit for job in plan(ALL, (), {"upstream": "sample"}, SHARD, None) for unit in job.units]
    random.Random(5).shuffle(units)
    for unit in units:  # as a cluster would, one by one, without a runner
        build_shards([unit], tmp_path / "cluster")
    build(ALL, tmp_path / "cluster", upstream="sample", workers=1, shard_bytes=SHARD)
    assert contents(tmp_path / "cluster") == expected


def test_a_rerun_redoes_only_what_is_missing_or_broken(tmp_path: Path) -> None:
    out = tmp_path / "out"
    build([SERA], out, upstream="sample", workers=1, shard_bytes=SHARD)
    expected = contents(out)
    gone, broken, *whole = sorted((out / SERA).iterdir())
    gone.unlink()
    broken.write_bytes(broken.read_bytes()[:-1] + b"!")
    before = marks(out)
    build([SERA], out, upstream="sample", workers=1, shard_bytes=SHARD)
    assert contents(out) == expected
    assert {name for name, mark in marks(out).items() if before.get(name) == mark} == {path.stem for path in whole}


def test_what_the_bytes_depend_on_is_built_anew_and_stale_files_go(tmp_path: Path) -> None:
    out = tmp_path / "out"
    build([SERA, "swe-zero-1k-8k"], out, upstream="sample", workers=1, shard_bytes=SHARD)
    (out / SERA / "notes.txt").write_text("mine")
    first = contents(out)
    build([SERA], out, upstream="sample", workers=1, shard_bytes=SHARD * 4)
    after = contents(out)
    assert {path for path in after if path.startswith(f"{SERA}/train")} == {
        f"{SERA}/train-{i:05d}-of-00002.parquet" for i in range(2)
    }
    assert after[f"{SERA}/notes.txt"] == b"mine", "only what the old manifest lists is removed"
    kept = {path for path in first if "swe-zero-1k-8k" in path}
    assert kept
    assert {path: after[path] for path in kept} == {path: first[path] for path in kept}
    assert sorted(manifest.read(out).configs) == [SERA, "swe-zero-1k-8k"]


def test_rejected_records_are_kept_beside_their_reasons(sample: Path) -> None:
    built = manifest.read(sample).configs[SERA]
    rows = read_rows(sample / "rejected", SERA)
    assert Counter(row["reason"] for row in rows) == built.report.rejected
    source = next((HERE / "sera_swezero" / "sample" / "corpus" / rows[0]["repo"]).glob("*.jsonl"))
    data = source.read_bytes()
    for row in rows:
        assert data[row["offset"] :].startswith(row["raw"]), "the raw line is where it says"
        assert row["raw"].endswith(b"\n")
    native = read_rows(sample / "rejected", "swe-zero-12m")
    assert native
    assert all(isinstance(json.loads(row["raw"]), dict) for row in native)


def test_row_groups_stay_below_64_mb_on_rows_of_a_megabyte(tmp_path: Path) -> None:
    root = sera_root(tmp_path / "root", [sera_row(seed, 1_000_000) for seed in range(40)])
    made = build([SERA], tmp_path / "out", upstream=root, workers=1)
    metadata = pq.read_metadata(tmp_path / "out" / made.configs[SERA].shards[0].data.path)
    sizes = [metadata.row_group(i).total_byte_size for i in range(metadata.num_row_groups)]
    assert metadata.num_rows == 40
    assert len(sizes) == 4
    assert max(sizes) <= 64_000_000
    assert min(sizes[:-1]) > 10_000_000, "full, but for the last one"


@pytest.mark.matrix
def test_every_file_has_an_offset_index_zstd_and_the_configs_one_schema(sample: Path) -> None:
    for config in manifest.read(sample).configs:
        schemas = set()
        for path in sorted((sample / config).iterdir()):
            metadata = pq.read_metadata(path)
            schemas.add(metadata.schema.to_arrow_schema().to_string(show_schema_metadata=True))
            for i in range(metadata.num_row_groups):
                chunks = [metadata.row_group(i).column(j) for j in range(metadata.num_columns)]
                assert all(chunk.has_offset_index and chunk.compression == "ZSTD" for chunk in chunks)
        assert len(schemas) == 1, config


@pytest.mark.matrix
def test_a_shard_without_rows_has_no_file_since_datasets_4_8_fails_on_one(tmp_path: Path) -> None:
    import datasets

    root = sera_root(tmp_path / "root", [sera_row(1, 5_000), sera_row(2, 50)])
    # Some shards lie inside the first row's line, so no record starts in them.
    built = build([SERA], tmp_path / "out", upstream=root, workers=1, shard_bytes=2_000).configs[SERA]
    rows = [shard.data.rows if shard.data else 0 for shard in built.shards]
    assert rows[0] == 1
    assert 0 in rows[1:-1]
    assert sum(rows) == 2
    assert sorted(path.name for path in (tmp_path / "out" / SERA).iterdir()) == [
        f"train-{index:05d}-of-{len(rows):05d}.parquet" for index, count in enumerate(rows) if count
    ]
    assert datasets.load_dataset(str(tmp_path / "out"), SERA, split="train").num_rows == 2


def test_a_config_without_any_row_is_refused(tmp_path: Path) -> None:
    row = sera_row(1) | {"rollout_patch": ""}
    root = sera_root(tmp_path / "root", [row])
    with pytest.raises(ConfigError, match="not one of 1 records became a row"):
        build([SERA], tmp_path / "out", upstream=root, workers=1, min_recall=0.5)


def test_max_rows_takes_the_first_rows_of_each_config(sample: Path, tmp_path: Path) -> None:
    made = build(["swe-zero-12m", SERA], tmp_path, upstream="sample", workers=1, shard_bytes=SHARD, max_rows=50)
    for config in ("swe-zero-12m", SERA):
        assert read_rows(tmp_path, config) == read_rows(sample, config)[:50]
        assert made.configs[config].max_rows == 50


def test_arguments_reach_the_rows(tmp_path: Path) -> None:
    strict = build([SERA], tmp_path / "a", upstream="sample", workers=1, min_recall=0.5).configs[SERA]
    assert strict.report.filtered_by == {"min_recall": strict.report.filtered} != {}
    assert all(row["line_level_recall"] >= 0.5 for row in read_rows(tmp_path / "a", SERA))
    loose = build([SERA], tmp_path / "b", upstream="sample", workers=1, incomplete="keep").configs[SERA]
    assert "no_submission" not in loose.report.rejected
    two = build([SERA], tmp_path / "c", upstream="sample", workers=1, views=["rectified", "native"])
    assert sorted(two.configs) == [SERA, f"{SERA}-native"]
    with pytest.raises(ConfigError, match="no config 'glm'"):
        build(["glm"], tmp_path / "d", upstream="sample")


def test_every_argument_that_decides_rows_decides_those_of_a_build(tmp_path: Path) -> None:
    kept = tmp_path / "kept.parquet"
    write_kept(open_rows("sera", upstream="sample"), kept)
    arguments = {"rollout": "T2", "dedup": kept, "decontaminate": "swe-bench-verified", "lineage": True}
    out = tmp_path / "out"
    made = build(["sera"], out, upstream="sample", workers=2, shard_bytes=SHARD, min_recall=0.2, **arguments)
    assert sorted(made.configs) == ["glm-4.5-air-full-t2", SERA]
    built = [row for config in made.configs for row in read_rows(out, config)]
    streamed = list(iter_rows("sera", upstream="sample", min_recall=0.2, **arguments))
    assert sorted(built, key=str) == sorted(streamed, key=str)
    assert made.configs[SERA].report.filtered_by.keys() == {"min_recall", "dedup"}
    card = (out / "README.md").read_text()
    digest = hashlib.sha256(kept.read_bytes()).hexdigest()
    assert f"`{SERA}` was built with `min_recall` = `0.2`, `lineage` = `true`, `dedup` = a file with sha256" in card
    assert digest in card
    assert not list(check_paths([str(out)]))
    with pytest.raises(ConfigError, match="is one set; rollout is for a config of several"):
        build([SERA], out, upstream="sample", rollout="T2")
    with pytest.raises(ConfigError, match="was made without"):
        build(["swe-zero-1k-8k"], out, upstream="sample", dedup=kept)


def test_a_folder_with_somebody_else_s_manifest_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text('{"name": "my web app"}')
    with pytest.raises(PublishError, match="is not a manifest of this program"):
        build([SERA], tmp_path, upstream="sample", workers=1)
    assert [path.name for path in tmp_path.iterdir()] == ["manifest.json"]


@pytest.mark.parametrize("name", ["README.md", "train.py"])
def test_a_folder_with_somebody_else_s_files_is_left_alone(name: str, tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / name).write_text("never committed")
    with pytest.raises(PublishError, match=rf"holds {name}, which no build of this program wrote"):
        build([SERA], tmp_path, upstream="sample", workers=1)
    assert (tmp_path / name).read_text() == "never committed"
    (tmp_path / name).unlink()
    build([SERA], tmp_path, upstream="sample", workers=1, max_rows=3)
    (tmp_path / "train.py").write_text("mine")
    build([SERA], tmp_path, upstream="sample", workers=1, max_rows=4)
    (tmp_path / "manifest.json").unlink()
    with pytest.raises(PublishError, match="holds README"):
        build([SERA], tmp_path, upstream="sample", workers=1)


def test_a_second_build_into_a_folder_says_so_and_stops(tmp_path: Path) -> None:
    with claim(tmp_path), pytest.raises(BuildError, match=r"another build into .* is running"):
        build([SERA], tmp_path, upstream="sample", workers=1, max_rows=3)
    build([SERA], tmp_path, upstream="sample", workers=1, max_rows=3)
    with claim(tmp_path) as before:
        assert sorted(before.configs) == [SERA]


@pytest.mark.parametrize("removed", ["", SERA])
def test_a_build_whose_files_are_removed_meanwhile_does_not_end_well(
    removed: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"

    def build_and_remove(units: Group, *rest: Any) -> list[BuiltShard]:
        if units[0].index == 2:
            shutil.rmtree(out / removed)
        return build_shards(units, *rest)

    monkeypatch.setattr(worker_process, "build_shards", build_and_remove)
    with pytest.raises(BuildError, match=rf"no longer holds \d of the files .* build {SERA} again"):
        build([SERA], out, upstream="sample", workers=1, shard_bytes=SHARD)
    assert not (out / "manifest.json").exists()
    monkeypatch.undo()
    build([SERA, "swe-zero-1k-8k"], out, upstream="sample", workers=1, shard_bytes=SHARD)
    shutil.rmtree(out / "swe-zero-1k-8k")
    before = (out / "manifest.json").read_bytes()
    with pytest.raises(BuildError, match="build swe-zero-1k-8k again"):
        build([SERA], out, upstream="sample", workers=1, shard_bytes=SHARD * 4)
    assert (out / "manifest.json").read_bytes() == before


# Interrupts


def start(out: Path, root: str, *, workers: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, *build_command(out, root, workers)],
        cwd=HERE,
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=heed_interrupts,  # noqa: PLW1509 (no other thread is here)
    )


@pytest.mark.parametrize(
    ("death", "workers"), [(signal.SIGINT, 1), (signal.SIGINT, 2), (signal.SIGTERM, 2), (signal.SIGKILL, 2)]
)
def test_an_interrupted_build_leaves_nothing_half_and_the_next_run_goes_on(
    death: signal.Signals, workers: int, root: str, straight: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    process = start(out, root, workers=workers)
    deadline = time.monotonic() + 60
    while not entries(out):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.01)
    # Ctrl-C goes to the whole group, as from a terminal, and SIGTERM, as from a scheduler; the kill hits one process.
    (os.kill if death == signal.SIGKILL else os.killpg)(process.pid, death)
    _, output = process.communicate(timeout=60)
    if death != signal.SIGKILL:
        assert process.returncode == 128 + death
        assert "run the same command again" in output
        assert not scratch(out)
    wait_for_the_end_of(process.pid)
    assert not (out / "manifest.json").exists()
    before, done, expected = marks(out), entries(out), contents(straight)
    assert 0 < len(before) < len(marks(straight))
    assert all(content == expected[path] for path, content in contents(out).items()), "what has its name is whole"
    build([SERA], out, upstream=root, workers=1, shard_bytes=MEGABYTE)
    assert {name for name in done if marks(out)[name] != before[name]} == set()
    assert not scratch(out)
    assert contents(out) == expected


# Readers


def test_pandas_polars_and_duckdb_read_the_files(sample: Path) -> None:
    import duckdb
    import pandas as pd
    import polars as pl

    for config in (SERA, "swe-zero-1k-32k"):
        rows = read_rows(sample, config)
        paths = sorted((sample / config).iterdir())
        framed = pd.concat([pd.read_parquet(path) for path in paths])
        assert list(framed["instance_id"]) == [row["instance_id"] for row in rows]
        assert pl.read_parquet(paths).to_dicts() == rows
        with duckdb.connect() as connection:
            relation = connection.read_parquet(str(sample / config / "*.parquet"))
            assert relation.columns == list(rows[0])
            assert [row[relation.columns.index("messages")] for row in relation.fetchall()] == [
                row["messages"] for row in rows
            ]


@pytest.mark.matrix
def test_the_features_in_the_files_are_the_builder_s_for_every_datasets(sample: Path) -> None:
    import datasets

    for job in plan(ALL, (), {"upstream": "sample"}, SHARD, None):
        wanted = features(columns(job.request))
        paths = [str(path) for path in sorted((sample / job.request.name).iterdir())]
        loaded = datasets.load_dataset("parquet", data_files=paths, split="train")
        assert loaded.features == wanted, job.request.name
        assert loaded.num_rows == len(read_rows(sample, job.request.name))


def test_features_have_lists_in_the_form_that_3_6_reads(sample: Path) -> None:
    path = next((sample / "swe-zero-12m").iterdir())
    features_of_messages = json.loads(pq.read_schema(path).metadata[b"huggingface"])["info"]["features"]["messages"]
    text = {"dtype": "string", "_type": "Value"}
    assert features_of_messages == [{"role": text, "content": text}]


def test_the_command_shows_what_it_built(tmp_path: Path) -> None:
    words = ["build", "swe-zero-1k-8k", "--out", tmp_path, "--upstream", "sample", "--max-rows", "7"]
    env = dict(os.environ)
    done = forked.program(*words, env=env)
    assert done.returncode == 0, done.stderr
    assert "swe-zero-1k-8k" in done.stdout
    assert "sera-swezero push" in done.stdout
    wrong = forked.program(*words, "--shard-size", "big", env=env)
    assert wrong.returncode == 2
    assert "256MiB" in wrong.stderr


def test_a_terminal_sees_rows_per_second_and_the_time_left(tmp_path: Path) -> None:
    pty = pytest.importorskip("pty")
    root = sera_root(tmp_path / "root", [sera_row(seed, 100_000) for seed in range(100)])
    command = [sys.executable, *build_command(tmp_path / "out", root, 2)]
    main, end = pty.openpty()
    # Wide enough for a whole bar; a terminal of its own has no size.
    env = {**os.environ, "COLUMNS": "150", "TERM": "xterm"}
    process = subprocess.Popen(command, cwd=HERE, env=env, stderr=end, stdout=subprocess.DEVNULL)
    os.close(end)
    shown = b""
    with contextlib.suppress(OSError):  # the end of a terminal is an error
        while piece := os.read(main, 4096):
            shown += piece
    os.close(main)
    assert process.wait() == 0
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown.decode())
    assert re.search(rf"{SERA} .*\d+ % \d+/\d+ shards \d+ rows [\d,]+/s \d+:\d\d:\d\d", text), text[-500:]
    assert "100 %" in text
