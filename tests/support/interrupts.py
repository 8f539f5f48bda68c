"""Processes that tests interrupt."""

from __future__ import annotations

import signal


def heed_interrupts() -> None:
    """Run in a process before its command: a shell that runs the tests in the background has all ignore Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
