"""Progress of a build on the terminal: a bar per config with bytes, rows, rows/s and time left."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

from sera_swezero.build.worker_process import Tell


class _Rate(ProgressColumn):
    """Rows and rows per second since the start of the task."""

    def render(self, task: Task) -> Text:
        rows = task.fields["rows"]
        seconds = max(time.monotonic() - task.fields["since"], 1e-6)
        return Text(f"{rows:,} rows {rows / seconds:,.0f}/s", style="progress.data.speed")


class Bars:
    """The bars of one build; `show` takes the state of all configs at once."""

    def __init__(self, progress: Progress, totals: Mapping[str, tuple[int, int]]) -> None:
        self._progress = progress
        since = time.monotonic()
        self._tasks = {
            name: progress.add_task(name, total=size, rows=0, since=since, shards=f"0/{shards} shards")
            for name, (size, shards) in totals.items()
        }
        self._totals = totals

    def show(self, state: Tell) -> None:
        """Draw."""
        for name, (rows, done, shards) in state.items():
            told = f"{shards}/{self._totals[name][1]} shards"
            self._progress.update(self._tasks[name], completed=done, rows=rows, shards=told)


@contextmanager
def bars(totals: Mapping[str, tuple[int, int]], *, shown: bool) -> Iterator[Bars]:
    """Bars of the configs, given by raw bytes and shards to do; on standard error, and only on a terminal."""
    console = Console(stderr=True)
    progress = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TextColumn("{task.fields[shards]}"),
        _Rate(),
        TimeRemainingColumn(),
        console=console,
        disable=not (shown and console.is_terminal),
    )
    with progress:
        yield Bars(progress, totals)
