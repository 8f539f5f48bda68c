"""Builds that are killed at random moments and run again: the last run leaves what an undisturbed build does."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from benchmarks.reliability.rounds import Part, Play
from sera_swezero.build.unit_files import STATE
from tests.support.built import contents, scratch
from tests.support.processes import HERE, wait_for_the_end_of
from tests.support.publishing import build_command, sera_root, sera_row

_ROWS, _ROW_BYTES = 600, 60_000


@contextmanager
def _prepared(folder: Path) -> Iterator[Play]:
    root = sera_root(folder / "root", [sera_row(seed, _ROW_BYTES) for seed in range(_ROWS)])

    @cache
    def undisturbed(shard_size: int) -> tuple[dict[str, bytes], float]:
        """What a build makes, and how many seconds one process works on it."""
        out = folder / f"straight-{shard_size}"
        with _build(out, root, shard_size, 1) as process:
            _wait_for_its_work(process, out)
            begun = time.monotonic()
            assert process.wait() == 0
        return contents(out), time.monotonic() - begun

    def play(rng: random.Random) -> dict[str, int]:
        shard_size, out = rng.choice([300_000, 1_000_000, 5_000_000]), folder / f"out-{rng.random()}"
        expected, seconds = undisturbed(shard_size)
        kills = halves = 0
        for _ in range(rng.randint(1, 4)):
            with _build(out, root, shard_size, rng.randint(1, 3)) as process:
                _wait_for_its_work(process, out)
                time.sleep(rng.uniform(0, seconds))
                # Of some, only the first process is killed; the others notice, and end.
                kill = os.killpg if rng.random() < 0.5 else os.kill
                if process.poll() is None:
                    kills += 1
                    kill(process.pid, signal.SIGKILL)
                process.wait()
                wait_for_the_end_of(process.pid)
            halves += bool(scratch(out))
            there = contents(out)
            assert there.items() <= expected.items(), "a file that has its name is not whole"
        with _build(out, root, shard_size, rng.randint(1, 3)) as process:
            assert process.wait() == 0
        assert contents(out) == expected
        assert not scratch(out)
        return {"kills": kills, "kills left a file half written": halves, "builds ended with the same bytes": 1}

    yield play


def _build(out: Path, root: str, shard_size: int, workers: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, *build_command(out, root, workers, str(shard_size))]
    quiet = subprocess.DEVNULL
    return subprocess.Popen(command, cwd=HERE, stdout=quiet, stderr=quiet, start_new_session=True)


def _wait_for_its_work(process: subprocess.Popen[bytes], out: Path) -> None:
    """Wait until the build has planned what to do and begins; a lock that is there already says nothing."""
    (out / STATE / "lock").unlink(missing_ok=True)
    while process.poll() is None and not (out / STATE / "lock").exists():
        time.sleep(0.01)


PART = Part(
    name="builds",
    tried="A build of one to three processes is killed up to four times (SIGKILL, of one process or of all), each time "
    "at a random moment of its work, and is run once more; after every kill each file that has its name must be whole",
    prepared=_prepared,
)
