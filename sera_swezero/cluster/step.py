"""The engine's step: a worker of its own for every task.

The worker is a fresh process. The engine's executors fork or reuse theirs, which Arrow's threads and the hub's client
do not survive. And a pool of processes waits for ever for one that was killed; here a worker that dies is a failed
task.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sera_swezero.errors import BuildError

WORKER = "sera_swezero.cluster.worker"
"""The worker's module. It is not imported here, since a process that only waits for workers needs none of it."""

ATTENDED = "--attended"
"""Has the worker end with its standard input: the process that started it is gone then, and may start another."""

_LAST = 2000  # characters of a worker's output in the error


@dataclass(frozen=True)
class BuildShards:
    """A step of a datatrove pipeline, which takes any function of (data, rank, tasks): task number `rank`.

    Both folders must be the same place on every machine.
    """

    out: str
    """The directory that is built."""
    folder: str
    """What `tasks.write` returned."""

    def __call__(self, data: Iterable[Any] | None = None, rank: int = 0, world_size: int = 1) -> Iterator[Any]:
        """Do the task; documents of an earlier step pass through. Raises BuildError."""
        del world_size
        run(Path(self.out), task_file(Path(self.folder), rank))
        yield from data or ()


def task_file(folder: Path, rank: int) -> Path:
    """The file that says what a task has to do, in the folder of `tasks.write`."""
    return folder / f"{rank:05d}.json"


def run(out: Path, file: Path) -> None:
    """Run a worker to its end.

    Raises:
        BuildError: it failed or was killed.
    """
    command = [sys.executable, "-m", WORKER, str(out), str(file), ATTENDED]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE) as process:  # noqa: S603
        output = process.stderr.read().decode("utf-8", "replace") if process.stderr else ""
        code = process.wait()
    if code:
        how = f"was killed by signal {-code}" if code < 0 else f"ended with {code}"
        msg = f"{file.name}: the worker {how}; what it had finished stays. {output[-_LAST:].strip()}"
        raise BuildError(msg)
    sys.stderr.write(output)
