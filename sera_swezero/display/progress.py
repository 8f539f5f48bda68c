"""The one kind of progress bar: it is shown on standard error, if that is a terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

RowProgress = Callable[[int, float], None]
"""Called after each row with the number of rows so far and the share of all bytes that has been read, 0 to 1."""

_PAUSE = 0.1  # seconds between two updates, since drawing after every row would slow down reading


class ProgressBars:
    """A bar for each of several tasks; without `progress` none is shown."""

    def __init__(self, totals: Mapping[str, float], progress: Progress | None = None) -> None:
        self._progress = progress
        self._since = time.monotonic()
        self._tasks: dict[str, TaskID] = {}
        if progress is not None:
            for name, total in totals.items():
                self._tasks[name] = progress.add_task(name, total=total, rows="0 rows", detail="")

    def update(self, name: str, done: float, rows: int, detail: str = "") -> None:
        """Show how far a task is: `done` of its total, the rows so far, and any further detail."""
        if self._progress is None:
            return
        rate = rows / max(time.monotonic() - self._since, 1e-6)
        self._progress.update(self._tasks[name], completed=done, rows=f"{rows:,} rows {rate:,.0f}/s", detail=detail)


@contextmanager
def progress_bars(totals: Mapping[str, float], *, visible: bool = True) -> Iterator[ProgressBars]:
    """Bars for tasks, given by name and total."""
    if not (visible and sys.stderr.isatty()):
        yield ProgressBars(totals)  # importing rich takes 40 ms
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = ("{task.percentage:>3.0f} %", "{task.fields[detail]}", "{task.fields[rows]}")
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        *map(TextColumn, columns),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    ) as progress:
        yield ProgressBars(totals, progress)


@contextmanager
def row_progress(name: str) -> Iterator[RowProgress]:
    """A bar for one pass over rows."""
    due = 0.0
    rows_read = 0

    def show(rows: int, done: float) -> None:
        nonlocal due, rows_read
        rows_read = rows
        if time.monotonic() >= due:
            due = time.monotonic() + _PAUSE
            bars.update(name, done, rows)

    with progress_bars({name: 1.0}) as bars:
        yield show
        bars.update(name, 1.0, rows_read)
