"""The one kind of progress bar: it is shown on standard error, if that is a terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

RowProgress = Callable[[int, float], None]
"""Called after each row with the number of rows so far and the share of all bytes that has been read, 0 to 1."""

BarProgress = Callable[[str, float, int, str], None]
"""Called with the name of a task, how much of its total is done, the rows so far, and any further detail or ""."""

_PAUSE = 0.1  # seconds between two updates, since drawing after every row would slow down reading


@contextmanager
def progress_bars(totals: Mapping[str, float], *, visible: bool = True) -> Iterator[BarProgress]:
    """A bar for each of several tasks, given by name and total."""
    if not (visible and sys.stderr.isatty()):
        yield lambda *_: None  # importing rich takes 40 ms
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
        since = time.monotonic()
        tasks = {name: progress.add_task(name, total=total, rows="0 rows", detail="") for name, total in totals.items()}

        def show(name: str, done: float, rows: int, detail: str) -> None:
            rate = rows / max(time.monotonic() - since, 1e-6)
            progress.update(tasks[name], completed=done, rows=f"{rows:,} rows {rate:,.0f}/s", detail=detail)

        yield show


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
            show_bar(name, done, rows, "")

    with progress_bars({name: 1.0}) as show_bar:
        yield show
        show_bar(name, 1.0, rows_read, "")
