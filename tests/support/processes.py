"""Processes that tests start, and interrupt; and commands that run in this one."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parents[2]
"""The top of the checkout."""


def python(*words: object, well: bool = False, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run Python in the checkout, to its end; `well`: it must end with 0. The options are those of `subprocess.run`."""
    given = {"cwd": HERE, "capture_output": True, "text": True, **options}
    done: subprocess.CompletedProcess[str] = subprocess.run([sys.executable, *map(str, words)], check=False, **given)
    assert done.returncode == 0 or not well, done.stdout + done.stderr
    return done


def program(*words: object, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run the command line of the checkout, as `python` runs Python."""
    return python("-m", "sera_swezero", *words, **options)


def inside(*words: object) -> Any:
    """Run the command line in this process; gives its output and its exit code. Its errors are raised."""
    from typer.testing import CliRunner

    from sera_swezero.cli.app import app

    return CliRunner().invoke(app, list(map(str, words)), catch_exceptions=False)


def wait_for_the_end_of(group: int) -> None:
    """Wait until no process of a group is left: orphaned workers notice that their parent is gone, and leave.

    Raises:
        AssertionError: One is there after a minute.
    """
    deadline = time.monotonic() + 60
    with contextlib.suppress(ProcessLookupError):
        while True:
            os.killpg(group, 0)
            assert time.monotonic() < deadline, "a process outlived its build"
            time.sleep(0.02)


def heed_interrupts() -> None:
    """Run in a process before its command: a shell that runs the tests in the background has all ignore Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
