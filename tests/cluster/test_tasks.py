"""Tasks without an engine: any count, any order, twice at once, and what vanished machines leave."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from itertools import permutations
from pathlib import Path

import pytest

from sera_swezero.build import jobs, manifest, runner, unit_files
from sera_swezero.build.estimate import hub_problem
from sera_swezero.cluster import tasks, worker
from sera_swezero.cluster.step import BuildShards, task_file
from sera_swezero.cluster.tasks import Cluster, build
from sera_swezero.errors import BuildError, ConfigError, PublishError
from sera_swezero.push.publish import BATCH
from tests.cluster.corpus import HERE, SHARD_BYTES, SHARDS, environment, run
from tests.support.built import contents, marks, scratch, writer_of
from tests.support.publishing import SERA

pytestmark = pytest.mark.cluster


def units(root: str) -> list[unit_files.Unit]:
    (job,) = jobs.plan([SERA], (), {"upstream": root}, SHARD_BYTES, None)
    return list(job.units)


def finish(out: Path, root: str) -> None:
    """What the command does when no shard is missing: no engine is started."""
    build([SERA], out, Cluster(executor="datatrove-local"), upstream=root, shard_bytes=SHARD_BYTES)
    assert not (out / unit_files.STATE / "engine").exists()


@pytest.mark.parametrize("count", [1, 3, SHARDS])
def test_any_number_of_tasks_in_any_order_gives_the_same_files(
    count: int, root: str, straight: Path, tmp_path: Path
) -> None:
    folder = tasks.write(units(root), tmp_path, count)
    ranks = list(range(count))
    random.Random(count).shuffle(ranks)
    for rank in ranks:
        worker.work(tmp_path, task_file(folder, rank))
    finish(tmp_path, root)
    assert contents(tmp_path) == contents(straight)


def test_a_unit_survives_its_file(root: str, tmp_path: Path) -> None:
    given = units(root)
    folder = tasks.write(given, tmp_path, 3)
    dealt = [worker.read(task_file(folder, rank)).units for rank in range(3)]
    assert [unit.index for unit in dealt[0]] == [0, 3, 6]
    read = sorted((unit for task in dealt for unit in task), key=lambda unit: unit.index)
    assert read == given
    assert [unit.key for unit in read] == [unit.key for unit in given]
    assert tasks.write(given, tmp_path, 3) == folder


def test_a_task_run_twice_at_once_ends_well_twice(root: str, straight: Path, tmp_path: Path) -> None:
    file = task_file(tasks.write(units(root), tmp_path, 1), 0)
    command = [sys.executable, "-m", worker.__name__, str(tmp_path), str(file)]
    both = [subprocess.Popen(command, cwd=HERE, env=environment()) for _ in range(2)]
    seen = set()
    while any(process.poll() is None for process in both):
        seen |= {writer_of(part) for part in scratch(tmp_path)}
        time.sleep(0.005)
    assert [process.returncode for process in both] == [0, 0]
    assert len(seen) == 2, "both did write"
    assert not scratch(tmp_path)
    finish(tmp_path, root)
    assert contents(tmp_path) == contents(straight)


def test_a_worker_that_fails_is_a_failed_task_that_says_why(root: str, tmp_path: Path) -> None:
    folder = tasks.write(units(root), tmp_path, 1)
    file = Path(root) / "allenai" / "Sera-4.6-Lite-T2" / "rows.jsonl"
    moved = file.rename(file.with_suffix(".gone"))
    try:
        with pytest.raises(BuildError, match=r"00000.json: the worker ended with 1.* UpstreamError: .*rows.jsonl"):
            list(BuildShards(str(tmp_path), str(folder))())
    finally:
        moved.rename(file)
    (tmp_path / SERA).touch()
    with pytest.raises(BuildError, match=rf"OutputError: .*/{SERA}/train-.*\.parquet cannot be written: File exists"):
        list(BuildShards(str(tmp_path), str(folder))())
    (tmp_path / SERA).unlink()
    list(BuildShards(str(tmp_path), str(folder))())
    assert len(marks(tmp_path)) == SHARDS


def test_what_a_vanished_machine_left_is_never_seen_and_goes_after_a_day(
    root: str, straight: Path, tmp_path: Path
) -> None:
    worker.work(tmp_path, task_file(tasks.write(units(root), tmp_path, 1), 0))
    old, fresh = (tmp_path / unit_files.STATE / f"part-elsewhere-{pid}-x" for pid in (11, 12))
    for part in (old, fresh):
        part.mkdir()
        (part / "data").write_bytes(b"PAR1 half a")
    yesterday = time.time() - 25 * 3600
    for path in (old / "data", old):
        os.utime(path, (yesterday, yesterday))
    stray = tmp_path / unit_files.STATE / "part-notes"
    stray.write_text("mine")
    finish(tmp_path, root)
    assert scratch(tmp_path) == [fresh, stray], "its machine may be at work still"
    assert contents(tmp_path) == contents(straight)


def test_what_the_hub_would_not_hold_is_refused_before_it_is_built(root: str, tmp_path: Path) -> None:
    assert BATCH < 100, "files that the hub advises at most for one commit"
    with pytest.raises(ConfigError, match=r"20,\d{3} shards in one folder, .* 10,000; give --shard-size 1MiB or more"):
        build([SERA], tmp_path, Cluster(executor="datatrove-local"), upstream=root, shard_bytes=4_000)
    assert list(tmp_path.iterdir()) == []
    tebibyte = 1 << 40
    assert hub_problem("a", 10_000, 1, tebibyte) == ""
    assert hub_problem("a", 50_000, 3_000, tebibyte).endswith("give --shard-size 150MiB or more")
    assert "build parts of it" in hub_problem("a", 50_000, 50_000, tebibyte)


def test_a_folder_with_somebody_else_s_manifest_is_refused_before_anything_runs(root: str, tmp_path: Path) -> None:
    (tmp_path / manifest.MANIFEST).write_text('{"name": "my web app"}')
    with pytest.raises(PublishError, match="is not a manifest of this program"):
        build([SERA], tmp_path, Cluster(executor="datatrove-local"), upstream=root, shard_bytes=SHARD_BYTES)
    assert [path.name for path in tmp_path.iterdir()] == [manifest.MANIFEST]


def test_manifests_merge_in_any_order_to_the_same_manifest(tmp_path: Path) -> None:
    sets = [SERA, "swe-zero-1k-8k", "swe-zero-12m"]
    made = [runner.build([name], tmp_path / name, upstream="sample", workers=1) for name in sets]
    merged = [
        manifest.encode(manifest.merge(manifest.merge(one, two), three)) for one, two, three in permutations(made)
    ]
    assert len(merged) == 6
    assert len(set(merged)) == 1


def test_max_rows_and_options_without_an_executor_are_refused(tmp_path: Path) -> None:
    for more, said in (
        (["--tasks", "3"], "need --executor"),
        (["--executor", "ray", "--max-rows", "3"], "--max-rows"),
    ):
        ended = run("build", SERA, "--out", str(tmp_path), "--upstream", "sample", *more)
        assert ended.returncode == 2
        assert said in ended.stderr
