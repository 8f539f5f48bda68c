"""The page to look at: one HTML file with everything in it, which needs no network."""

from __future__ import annotations

from importlib.resources import files

import jinja2
import msgspec

from sera_swezero.display.formatting import number, short_number
from sera_swezero.quality.collect import NOT_IN_THE_DATA, Statistics
from sera_swezero.quality.plots import plots, svg
from sera_swezero.quality.statistics_tables import tables


def page(statistics: Statistics, versus: Statistics | None = None) -> str:
    """The page as HTML text: tables, plots, a browser of the sample trajectories.

    Args:
        statistics: of the rows; `samples` are the trajectories to look at.
        versus: another set of rows to compare with, above the other tables.

    Raises:
        ConfigError: matplotlib, which draws the plots, is not installed.
    """
    template = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined).from_string(
        (files(__package__) / "page.html.jinja").read_text(encoding="utf-8")
    )
    return template.render(
        title=statistics.name,
        made_up=statistics.made_up,
        tiles=_tiles(statistics),
        tables=tables(statistics, versus),
        plots=[svg(plot) for plot in plots(statistics)],
        absent=NOT_IN_THE_DATA,
        samples=msgspec.to_builtins(statistics.samples),
    )


def _tiles(statistics: Statistics) -> list[tuple[str, str]]:
    """The figures at the top."""
    whole = statistics.total
    tiles = [
        ("rows", number(whole.rows)),
        ("tool calls", number(whole.calls.total)),
        ("characters", short_number(whole.characters.total)),
        ("mean messages of a row", number(whole.messages.mean)),
    ]
    if len(statistics.sets) > 1:
        tiles.append(("sets", number(len(statistics.sets))))
    if whole.records is not None:
        tiles.append(("records rejected", number(whole.records.rejected.total())))
    if whole.unique is not None:
        tiles.append(("unique corpus-wide", f"{whole.unique.corpus / whole.rows:.1%}"))
    return tiles
