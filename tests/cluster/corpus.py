"""What the tests of clusters build: generated rows, cut into eight shards, and how to start and look at a build."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.support.built import entries, scratch, writer_of
from tests.support.processes import HERE, program
from tests.support.publishing import SERA, sera_root, sera_row

ROWS = 400
SHARDS = 8
SHARD_BYTES = 10_100_000  # of rows of 200 kB: eight shards
SIZE = f"{SHARD_BYTES}"
SETTINGS = """
[datatrove-local]
workers = 2

[ray]
workers = 2
mem_per_cpu_gb = 0.5

[ray.init]
num_cpus = 2
include_dashboard = false
"""


def make_root(folder: Path) -> str:
    return sera_root(folder, [sera_row(seed, 200_000) for seed in range(ROWS)])


PROGRAM = (sys.executable, "-m", "sera_swezero")


def command(out: Path, root: str, executor: str, settings: Path, *more: str) -> list[str]:
    given = ["build", SERA, "--out", str(out), "--upstream", root]
    return [*given, "--shard-size", SIZE, "--executor", executor, "--executor-settings", str(settings), *more]


def environment() -> dict[str, str]:
    # Ray's workers find this checkout by the path; its tokens are for clusters that others can reach.
    path = os.pathsep.join([str(HERE), os.environ.get("PYTHONPATH", "")])
    return {**os.environ, "PYTHONPATH": path, "RAY_AUTH_MODE": "disabled", "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0"}


def run(*words: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run the command line of this checkout to its end."""
    return program(*words, env=environment() | env, timeout=300)


def build_and_kill(given: list[str], out: Path) -> tuple[int, str, set[int]]:
    """Run a build; once a shard is done, kill a worker (-9) that is writing another.

    Returns:
        How the build ended, what it said, and the workers that were seen by then.
    """
    pipe, both, given = subprocess.PIPE, subprocess.STDOUT, [*PROGRAM, *given]
    process = subprocess.Popen(given, cwd=HERE, env=environment(), stdout=pipe, stderr=both)
    pids: set[int] = set()
    try:
        while not kill_one(out, pids):
            assert process.poll() is None, process.communicate()[0].decode()
            time.sleep(0.002)
        output, _ = process.communicate(timeout=200)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
    return process.returncode, output.decode("utf-8", "replace"), pids


def kill_one(out: Path, pids: set[int]) -> bool:
    """Kill one worker that writes, if any shard is done and any is being written."""
    writing = [part for part in scratch(out) if half_written(part)]
    pids |= {writer_of(part) for part in writing}
    if not entries(out) or len(pids) < 2 or not writing:
        return False
    with contextlib.suppress(ProcessLookupError):
        os.kill(writer_of(writing[-1]), signal.SIGKILL)
        return True
    return False


def half_written(part: Path) -> bool:
    """Whether anything has been written there, and not all of it."""
    with contextlib.suppress(FileNotFoundError):
        return (part / "data").stat().st_size > 0 and not (part / "entry").exists()
    return False
