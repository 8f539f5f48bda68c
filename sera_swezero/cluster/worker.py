"""A task: `python -m sera_swezero.cluster.worker OUT TASK [--attended]` builds the units of a task's file below OUT.

It needs no engine, so any scheduler may call it. What is done already is left alone, so it may be killed, run again,
and run twice at once: files are written aside and renamed (`build.shard`).
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from sera_swezero.build import unit_files
from sera_swezero.cluster import sketches, tasks
from sera_swezero.cluster.step import ATTENDED
from sera_swezero.errors import SeraSweZeroError


def work(out: Path, file: Path) -> None:
    """Build the task's units that are not done yet.

    Raises:
        UpstreamError: upstream cannot be read. ConfigError: the arguments make no sense on this machine.
    """
    task = tasks.read(file)
    for unit in task.units:
        built = unit_files.finished(unit, out) or unit_files.build_shard(unit, out)
        if task.sketch and built.data is not None:
            sketches.sketch(built.data, out)


def main(arguments: Sequence[str]) -> None:
    """Run one task."""
    out, file, *options = arguments
    if ATTENDED in options:
        threading.Thread(target=_leave_with_parent, daemon=True).start()
    try:
        work(Path(out), Path(file))
    except SeraSweZeroError as error:
        sys.exit(f"{type(error).__name__}: {error}")


def _leave_with_parent() -> None:
    # The pipe itself: Python's own standard input may not be read while the interpreter ends.
    while os.read(0, 1):
        pass
    os._exit(1)


if __name__ == "__main__":
    main(sys.argv[1:])
