"""A walk through the package on its embedded sample: `python -m sera_swezero.cli.demo`, or `make demo` in a checkout.

Rows are loaded as in a user's own code. It leaves no files behind and uses no network.
"""

from __future__ import annotations

import contextlib
import io
import logging
import tempfile

import datasets
from rich.console import Console
from rich.syntax import Syntax

import sera_swezero
from sera_swezero.catalog import CONFIGS
from sera_swezero.cli.row_printer import render
from sera_swezero.display.table import Table, print_table
from sera_swezero.errors import REASONS
from sera_swezero.sample import sampled_configs
from sera_swezero.version import __version__
from sera_swezero.views import VIEWS

EXAMPLE = """\
import datasets, sera_swezero

rows = datasets.load_dataset("sera_swezero", "sera-hermes", split="train", streaming=True, upstream="sample")
for row in rows.take(2):
    turns = [message["content"] for message in row["messages"] if message["train"]]
    print(row["instance_id"], row["outcome"], len(turns), "turns:", turns[0][:60].split("\\n"))"""
"""The example of the README; a test holds the two equal."""

SAMPLE = {"split": "train", "upstream": "sample"}

CONVERSIONS = {
    "merged": ("merged_visible",),
    "trimmed": ("trimmed_submit",),
    "folded": ("folded_submit", "folded_text"),
    "filled": ("filled_reasoning", "filled_answer"),
}
"""The columns of the table of counts: the card's word -> keys of `conversions.CONVERSIONS`."""

NEXT = """
Next: without upstream="sample" the same lines stream the real sets from the hub.
  sera-swezero configs                           lists them
  sera-swezero show CONFIG --upstream sample     shows a row
  sera-swezero check PATH                        validates files of rows"""


def main() -> None:
    """Run the whole walk; takes some ten seconds."""
    # The tables say what was rejected; the log lines would only say it a second time.
    logging.getLogger("sera_swezero").setLevel(logging.ERROR)
    datasets.disable_progress_bars()
    console = Console(highlight=False)
    console.print(f"[bold]sera-swezero {__version__}[/] with datasets {datasets.__version__}, on the embedded sample\n")
    show_example(console)
    compare_ways_to_load(console)
    show_trajectory(console)
    show_counts(console)
    console.print(NEXT, soft_wrap=True)


def heading(console: Console, text: str) -> None:
    """Print the line that begins a part of the walk."""
    console.print()
    console.rule(f"[bold]{text}", align="left")


def show_example(console: Console) -> None:
    """Run the example of the README and show what it prints."""
    heading(console, "Six lines, and what they print")
    # The code is highlighted on a terminal only, because the highlighter breaks long lines.
    code = Syntax(EXAMPLE, "python", background_color="default", word_wrap=True)
    console.print(code if console.is_terminal else EXAMPLE, markup=False, soft_wrap=not console.is_terminal)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(EXAMPLE, {})  # noqa: S102 (the text above, so that what is shown is what ran)
    console.print(f"\n{printed.getvalue().strip()}", markup=False, style="green", soft_wrap=not console.is_terminal)


def compare_ways_to_load(console: Console) -> None:
    """Load every config plain and streaming, and say whether the rows are the same."""
    heading(console, "Plain and streaming give the same rows")
    lines = []
    with tempfile.TemporaryDirectory(prefix="sera-swezero-demo-") as cache:
        for name in sampled_configs():
            plain = list(datasets.load_dataset("sera_swezero", name, cache_dir=cache, **SAMPLE))
            streamed = list(datasets.load_dataset("sera_swezero", name, streaming=True, **SAMPLE))
            same = "yes" if plain == streamed else "NO"
            numbers = map(str, (len(plain), len(streamed)))
            lines.append([name, CONFIGS[name].default_view, *numbers, same, str(len(plain[0]))])
    header = ["config", "view", "rows plain", "rows streaming", "the same", "columns"]
    different = [index for index, line in enumerate(lines) if "NO" in line]
    print_table(Table(header=header, rows=lines, text_columns=(0, 1, 4), marked_rows=different))


def show_trajectory(console: Console) -> None:
    """Show the shortest row of a config, with its long texts folded."""
    heading(console, "A trajectory, in short")
    rows = datasets.load_dataset("sera_swezero", "glm-4.6-lite-t2", streaming=True, **SAMPLE)
    # The row should have a few calls, so that there is something to see.
    whole = [row for row in rows if row["messages"].count('"role": "tool_call"') >= 5]
    render(min(whole, key=lambda row: len(row["messages"])), VIEWS["rectified"], console, most=9)


def show_counts(console: Console) -> None:
    """Convert every config to the rectified view and count what happened to its records."""
    heading(console, "What happened to every record (rectified view)")
    reports = {}
    for name in sampled_configs():
        rows = sera_swezero.iter_rows(name, view="rectified", upstream="sample")
        reports[name] = rows.report
        for _ in rows:
            pass
    lines = []
    for name, report in reports.items():
        done = [sum(report.conversions[kind] for kind in kinds) for kinds in CONVERSIONS.values()]
        lines.append([name, *map(str, (report.rows_in, report.rows_out, report.rejected.total(), *done))])
    print_table(Table(header=["config", "rows in", "out", "rejected", *CONVERSIONS], rows=lines))
    heading(console, "Why records were rejected")
    reasons = {
        name: ", ".join(f"{times} {reason}" for reason, times in report.rejected.most_common()) or "none"
        for name, report in reports.items()
    }
    print_table(Table(header=["config", "rejected, by reason"], rows=[*reasons.items()], text_columns=(0, 1)))
    met = set().union(*(report.rejected for report in reports.values()))
    console.print()
    for reason in filter(met.__contains__, REASONS):
        console.print(f"  [bold]{reason}[/]: {REASONS[reason]}", soft_wrap=True)


if __name__ == "__main__":
    main()
