"""Processes that tests start, and interrupt."""

from __future__ import annotations

import signal
import subprocess
import sys
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


def heed_interrupts() -> None:
    """Run in a process before its command: a shell that runs the tests in the background has all ignore Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
