"""Let waiting pass in the background: jobs that ask a server for something, each in a thread of its own.

Only waiting is moved there. Reading a body in a thread beside one that computes is slow in CPython: each piece waits up
to 5 ms for the interpreter lock, 13 MB/s with pieces of 64 KB (measured).
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Thread


class BackgroundJobs:
    """Jobs under way. The threads are daemons, so that a process may end while a server keeps one waiting."""

    def __init__(self, *jobs: Callable[[], None]) -> None:
        self._errors: list[BaseException] = []
        self._threads = [Thread(target=self._run, args=(job,), daemon=True) for job in jobs]
        for thread in self._threads:
            thread.start()

    def _run(self, job: Callable[[], None]) -> None:
        try:
            job()
        except BaseException as error:  # noqa: BLE001 (raised again by `wait`, in the thread that cares)
            self._errors.append(error)

    def wait(self) -> None:
        """Wait for all jobs. Raises the first error that one of them met."""
        for thread in self._threads:
            thread.join()
        if self._errors:
            raise self._errors[0]
