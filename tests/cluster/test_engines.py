"""A build under real engines: eight tasks, two at a time, one killed while it writes, and run again."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sera_swezero.build import manifest, unit_files
from sera_swezero.errors import ConfigError
from tests.cluster.corpus import HERE, PROGRAM, ROWS, SHARDS, build_and_kill, command, environment, run
from tests.support.built import contents, entries, marks, read_rows, scratch, writer_of
from tests.support.publishing import SERA

pytestmark = pytest.mark.cluster


@pytest.mark.parametrize("executor", ["datatrove-local", "ray"])
def test_a_task_killed_while_it_writes_costs_that_task_alone(
    executor: str, root: str, straight: Path, settings: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    given = command(out, root, executor, settings, "--tasks", str(SHARDS))
    code, output, pids = build_and_kill(given, out)
    assert len(pids) >= 2, "two tasks wrote at a time"
    assert code == 2, output
    assert "Run the same command again" in " ".join(output.split())
    done, before, expected = entries(out), marks(out), contents(straight)
    assert 0 < len(done) < SHARDS
    assert not (out / "manifest.json").exists()
    assert not (out / "README.md").exists()
    assert all(content == expected[path] for path, content in contents(out).items()), "what has a name is whole"
    assert scratch(out), "what the killed worker wrote lies aside"

    again = run(*given)
    assert again.returncode == 0, again.stdout + again.stderr
    after = marks(out)
    assert {name for name in done if after[name] != before[name]} == set(), "finished shards are not written again"
    assert all(after[name] != before.get(name) for name in after.keys() - done), "all others are"
    assert contents(out) == expected, "names and bytes of the one-process build, its manifest and card too"
    made = [f"made_{seed}" for seed in range(ROWS)]
    assert [row["instance_id"] for row in read_rows(out, SERA)] == made, "no row is lost or doubled"
    assert not scratch(out)

    third = run(*given)
    assert third.returncode == 0, third.stderr
    assert marks(out) == after, "where no shard is missing nothing is done"


def test_slurm_gets_one_array_and_the_second_run_finishes(
    root: str, straight: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is no Slurm here: a stand-in `sbatch` runs the array of the real script, a task after the other."""
    tools = tmp_path / "bin"
    tools.mkdir()
    write_tool(tools / "sbatch", SBATCH)
    write_tool(tools / "scontrol", '#!/bin/sh\necho "$3"\n')
    settings = tmp_path / "slurm.toml"
    settings.write_text('[slurm]\npartition = "cpu"\ntime = "00:30:00"\nwith_srun = false\n')
    out = tmp_path / "out"
    given = command(out, root, "slurm", settings, "--tasks", "4", "--workers", "2")
    path = os.pathsep.join([str(tools), str(Path(sys.executable).parent), os.environ["PATH"]])
    first = run(*given, PATH=path)
    assert first.returncode == 0, first.stdout + first.stderr
    assert "when they are done, run the same command again" in first.stdout
    script = next((out / unit_files.STATE / "engine").glob("*/launch_script.slurm")).read_text()
    assert "#SBATCH --array=0-3%2" in script
    assert "#SBATCH --partition=cpu" in script
    assert not (out / "manifest.json").exists(), "nobody has waited for the tasks"
    assert len(entries(out)) == SHARDS
    before = marks(out)
    assert run(*given, PATH=path).returncode == 0
    assert marks(out) == before
    assert contents(out) == contents(straight)


SBATCH = """#!/usr/bin/env python3
import os, re, subprocess, sys
script = open(sys.argv[-1]).read()
given = dict(re.findall(r"^#SBATCH --([a-z-]+)=(.*)$", script, re.M))
exported = dict(pair.split("=") for a in sys.argv if a.startswith("--export=ALL,") for pair in a[13:].split(","))
if "merge_stats" not in script:
    for task in range(int(given["array"].split("%")[0].split("-")[1]) + 1):
        env = {**os.environ, **exported, "SLURM_ARRAY_TASK_ID": str(task), "SLURM_NODELIST": "localhost"}
        with open(given["output"].replace("%A_%a", f"1_{task}"), "w") as log:
            subprocess.run(["bash", sys.argv[-1]], env=env, stdout=log, stderr=log, check=True)
print("Submitted batch job 1")
"""


def write_tool(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)


@pytest.mark.parametrize(
    ("executor", "settings", "said"),
    [
        ("spark", "", "executors are datatrove-local, slurm, ray"),
        ("datatrove-local", "[datatrove-local]\nworker = 2", "no worker; there are "),
        ("datatrove-local", "[datatrove-local]\ntasks = 2", "no tasks; there are "),
        ("slurm", '[slurm]\npartition = "cpu"', "time must be given"),
        ("ray", "workers = 2", "expected tables named after executors"),
        ("ray", "[ray", "cannot be read as TOML"),
    ],
)
def test_settings_that_there_are_not_are_refused_before_anything_runs(
    executor: str, settings: str, said: str, root: str, tmp_path: Path
) -> None:
    file = tmp_path / "cluster.toml"
    file.write_text(settings)
    ended = run(*command(tmp_path / "out", root, executor, file), RAY_ADDRESS="")
    assert ended.returncode == 2
    assert said in " ".join(ended.stderr.split()), ended.stderr
    assert not (tmp_path / "out" / SERA).exists()


def test_the_sums_of_all_shards_are_what_one_pass_over_the_build_says(settings: Path, tmp_path: Path) -> None:
    from sera_swezero.quality import collect, open_rows, sketches
    from sera_swezero.quality.write_kept_rows import write_kept
    from sera_swezero.request.kept_rows import KeptRows

    out, file = tmp_path / "out", tmp_path / "stats.json"
    sets = ["swe-zero-1k-32k", "swe-zero-12m", "glm-4.6-lite-t1"]
    given = ["--out", str(out), "--shard-size", "300000", "--executor", "datatrove-local"]
    given += ["--executor-settings", str(settings), "--tasks", "3", "--stats", str(file)]
    ended = run("build", *sets, "--upstream", "sample", *given)
    assert ended.returncode == 0, ended.stderr
    whole = run("stats", str(out), "--json")
    assert json.loads(file.read_text()) == json.loads(whole.stdout)
    made = manifest.read(out)
    assert made is not None
    assert sum(len(built.shards) for built in made.configs.values()) > 3
    assert sketches.merged(made, out).sets == collect(open_rows(str(out))).sets
    with pytest.raises(ConfigError, match="not all of its rows are signed"):
        sketches.write_kept(made, out, tmp_path / "none")
    shutil.rmtree(out / sets[2])
    signed = manifest.make({name: made.configs[name] for name in sets[:2]})
    for within in ("corpus", "instance"):
        one, parts = tmp_path / f"one-{within}", tmp_path / f"parts-{within}"
        kept = write_kept(open_rows(str(out)), one, within=within)
        assert 0 < kept.kept < kept.rows
        assert sketches.write_kept(signed, out, parts, within=within) == tuple(kept)
        assert KeptRows.read(parts).places == KeptRows.read(one).places


def test_a_build_that_is_killed_leaves_no_worker_behind(root: str, settings: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    given = [*PROGRAM, *command(out, root, "datatrove-local", settings)]
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(given, cwd=HERE, env=environment(), stdout=quiet, stderr=quiet, start_new_session=True)
    try:
        while not scratch(out):
            assert process.poll() is None
            time.sleep(0.01)
        process.kill()
        process.wait()
        until = time.monotonic() + 60
        while pids := [pid for part in scratch(out) if alive(pid := writer_of(part))]:
            assert time.monotonic() < until, f"{pids} go on although their build was killed"
            time.sleep(0.1)
    finally:
        # The engine's manager of queues does not notice; it idles until somebody ends it.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def alive(pid: int) -> bool:
    return Path("/proc", str(pid)).exists()
