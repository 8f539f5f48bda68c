"""What `plan` says before a build is close to a real run; and the 12-million-row set as if it were there."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from sera_swezero.build import jobs, manifest, runner
from sera_swezero.build.estimate import FOLDER_FILES
from sera_swezero.cluster import tasks, worker
from sera_swezero.cluster.step import task_file
from sera_swezero.cluster.tasks import Cluster, build
from tests.cluster.corpus import environment, run
from tests.support.processes import python
from tools.sample_corpus.__main__ import main as generate

pytestmark = pytest.mark.cluster

SETS = {"glm-4.6-lite-t2": 8_000_000, "swe-zero-12m": 2_500_000}
"""Sets of the large generated corpus, and bytes of a shard that cut each into several."""

ROWS = {"glm-4.6-lite-t2": 500, "swe-zero-12m": 3_000}
APART = 0.2


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> str:
    root = tmp_path_factory.mktemp("corpus")
    for name, rows in ROWS.items():
        generate(["--out", str(root), "--rows", str(rows), "--config", name])
    return str(root)


MEASURE = """
import json, os, sys
pid = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ)
_, status, used = os.wait4(pid, 0)
print(json.dumps({"seconds": used.ru_utime + used.ru_stime, "memory": used.ru_maxrss * 1024}))
sys.exit(status)
"""
"""Runs a command and measures what it takes. In a process of its own, since the kernel charges a new process with the
memory of the one that starts it, and that of the tests is large."""


def planned(corpus: str, name: str) -> dict[str, Any]:
    (estimate,) = json.loads(run("plan", name, "--upstream", corpus, "--shard-size", str(SETS[name]), "--json").stdout)
    return estimate


def ran(corpus: str, name: str, out: Path) -> dict[str, Any]:
    """A real run, a task a shard: seconds and bytes of every worker as the kernel counts them."""
    (job,) = jobs.plan([name], (), {"upstream": corpus}, SETS[name], None)
    folder = tasks.write(job.units, out, len(job.units))
    seconds, most = 0.0, 0
    for rank in range(len(job.units)):
        command = ["-c", MEASURE, sys.executable, "-m", worker.__name__, out, task_file(folder, rank)]
        used = json.loads(python(*command, env=environment(), well=True).stdout)
        seconds, most = seconds + used["seconds"], max(most, used["memory"])
    made = build([name], out, Cluster(executor="datatrove-local"), upstream=corpus, shard_bytes=SETS[name])
    assert made is not None
    return {
        "shards": len(job.units),
        "rows": made.configs[name].rows,
        "out_bytes": sum(built.bytes for built in made.files),
        "core_hours": seconds / 3600,
        "memory_bytes": most,
    }


@pytest.mark.parametrize("name", SETS)
def test_an_estimate_is_within_a_fifth_of_a_real_run(name: str, corpus: str, tmp_path: Path) -> None:
    # Processor time is noisy on a machine that others use, so the plan is made before and after the run that it is of.
    before = planned(corpus, name)
    real = ran(corpus, name, tmp_path)
    after = planned(corpus, name)
    assert before["shards"] == real["shards"] > before["sampled_shards"] == 3
    for figure in ("rows", "out_bytes"):
        assert before[figure] == after[figure] == pytest.approx(real[figure], rel=APART), figure
    for figure in ("core_hours", "memory_bytes"):
        assert (before[figure] + after[figure]) / 2 == pytest.approx(real[figure], rel=APART), figure


def test_a_plan_tells_every_set_of_a_union_and_what_the_hub_would_not_hold() -> None:
    given = ("--upstream", "sample", "--samples", "1")
    estimates = json.loads(run("plan", "sera", *given, "--json").stdout)
    assert [one["config"] for one in estimates] == [
        *("glm-4.5-air-full-t1", "glm-4.5-air-full-t2", "glm-4.6-lite-t1", "glm-4.6-lite-t2")
    ]
    assert all(one["files"] == one["shards"] == one["tasks"] == one["sampled_shards"] == 1 for one in estimates)
    small = run("plan", "glm-4.6-lite-t2", *given, "--shard-size", "60")
    assert "in one folder, where the hub holds 10,000; give --shard-size 1MiB or more" in small.stdout


def simulated(shards: int, folder: Path) -> dict[str, Any]:
    ended = python("-m", "tests.cluster.simulate", shards, folder, env=environment(), well=True)
    figures: dict[str, Any] = json.loads(ended.stdout)
    return figures


def test_twelve_million_rows_are_planned_in_bounded_memory(tmp_path: Path) -> None:
    twelve, stress = simulated(1_230, tmp_path / "twelve"), simulated(50_000, tmp_path / "stress")
    for figures in (twelve, stress):
        assert figures["rows"] == 12_290_800
        assert figures["same_in_any_order"], "manifests merge to the same bytes"
        assert figures["read_back"]
        assert figures["tasks"] == figures["files_in_folder"] == figures["shards"]
        assert figures["largest_task_bytes"] < 2_000, "no task reads the plan of all"
        assert figures["card_bytes"] < 20_000, "the card does not grow with the shards"
        assert figures["manifest_bytes"] < 1_500 * figures["shards"]
        assert figures["memory"] - figures["memory_before"] < 50_000_000 + 10_000 * figures["shards"]
        assert figures["files_left_to_send"] == ["README.md", "manifest.json"]
        assert figures["files_a_commit"] < 100
    assert twelve["problem"] == ""
    assert twelve["files_in_folder"] < FOLDER_FILES
    assert twelve["manifest_bytes"] < 5_000_000
    assert "50,000 shards in one folder, where the hub holds 10,000" in stress["problem"]
    # In time linear in the shards, with as much again for noise: what is quadratic would take forty times that.
    seconds = [
        sum(value for name, value in figures.items() if name.endswith("_seconds")) for figures in (twelve, stress)
    ]
    assert seconds[1] < seconds[0] * (50_000 / 1_230) * 3


def test_the_manifest_that_a_build_writes_is_as_large_as_the_simulated_one(corpus: str, tmp_path: Path) -> None:
    name = "swe-zero-12m"
    runner.build([name], tmp_path, upstream=corpus, workers=1, shard_bytes=SETS[name])
    made = manifest.read(tmp_path)
    assert made is not None
    size = (tmp_path / manifest.MANIFEST).stat().st_size
    assert size / len(made.configs[name].shards) < 1_500
