"""`sera-swezero stats`: what is in the rows."""

from __future__ import annotations

import shlex
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sera_swezero.cli import NAME
from sera_swezero.cli.options import ORDER, Json, config_argument, print_json, takes_arguments
from sera_swezero.display.outputs import check_outputs, write_file
from sera_swezero.display.progress import row_progress
from sera_swezero.display.table import print_table
from sera_swezero.errors import ConfigError
from sera_swezero.request.arguments import ArgumentsDict

if TYPE_CHECKING:
    from sera_swezero.quality.collect import Statistics

Target = Annotated[
    str,
    config_argument("A config name, or a Parquet file or folder such as `build` makes, or a URL.", "CONFIG|PATH"),
]
Against = Annotated[
    str,
    typer.Option(metavar="FILE", help="What rows must not overlap: a JSONL file, or swe-bench-verified."),
]


@takes_arguments(without=ORDER)
def stats(  # noqa: PLR0913 (options of a command)
    target: Target,
    *,
    versus: Annotated[
        str | None,
        typer.Option(metavar="CONFIG|PATH", help="Compare with this config or folder, as the SWE-ZERO card does."),
    ] = None,
    as_json: Json = False,
    html: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write a page to look at, with tables, plots and sample trajectories."),
    ] = None,
    png: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write the plots into this folder, for a card.")
    ] = None,
    markdown: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the tables as Markdown, for a card.")
    ] = None,
    samples: Annotated[
        int, typer.Option(min=0, metavar="N", help="How many trajectories of each set are on the page.")
    ] = 8,
    unique: Annotated[
        bool | None,
        typer.Option("--unique/--no-unique", help="Look for near-duplicates; by default for SWE-ZERO alone."),
    ] = None,
    against: Against = "swe-bench-verified",
    arguments: ArgumentsDict,
) -> None:
    """Count what is in the rows: lengths, calls, recall, duplicates, overlap, conversions and rejected records.

    Every row is read once, in bounded memory. Figures of the cards that no column holds (wall time, context budget,
    hardware) are named and left out.
    """
    from sera_swezero.quality.statistics_tables import tables

    check_outputs(html=html, markdown=markdown)
    check_outputs(folder=True, png=png)
    if (html or png) and find_spec("matplotlib") is None:
        msg = "plots need matplotlib: pip install 'sera-swezero[stats]'"
        raise ConfigError(msg)
    found = _collect(target, arguments, against, unique, samples if html else 0)
    other = None if versus is None else _collect(versus, arguments, against, unique, 0)
    printed = tables(found, other)
    if html is not None:
        from sera_swezero.quality.page import page

        command = shlex.join([NAME, *sys.argv[1:]])
        write_file(html, page(found, other, command=command))
    if png is not None:
        from sera_swezero.quality.plots import plots, write_png

        write_png(png, plots(found))
    if markdown is not None:
        write_file(markdown, "\n\n".join(table.section() for table in printed) + "\n")
    if as_json:
        print_json(figures(found, other))
    else:
        for table in printed:
            print_table(table)
            typer.echo()
    for path, content in ((html, "the page"), (png, "the plots"), (markdown, "the tables")):
        if path is not None:
            typer.echo(f"{path}: {content}", err=True)


def _collect(target: str, arguments: ArgumentsDict, against: str, unique: bool | None, samples: int) -> Statistics:
    from sera_swezero.quality.collect import collect
    from sera_swezero.quality.row_source import open_rows
    from sera_swezero.request.benchmark_overlap import benchmark_path

    rows = open_rows(target, **arguments)
    with row_progress(rows.name) as on_progress:
        found = collect(rows, benchmark=benchmark_path(against), unique=unique, samples=samples, progress=on_progress)
    if not found.sets:
        msg = f"{target} has no rows"
        raise ConfigError(msg)
    return found


def figures(found: Statistics, other: Statistics | None = None) -> dict[str, object]:
    """Statistics as plain values for machines, together with those that they are compared with, if any."""
    from sera_swezero.quality.collect import NOT_IN_THE_DATA

    versus = {} if other is None else {"versus": _figures(other)}
    return {**_figures(found), "not_in_the_data": NOT_IN_THE_DATA, **versus}


def _figures(found: Statistics) -> dict[str, object]:
    sets = {name: tally.figures() for name, tally in found.sets.items()}
    return {"name": found.name, "benchmark": found.benchmark, "sets": sets, "total": found.total.figures()}
