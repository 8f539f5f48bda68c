"""The page to look at: one HTML file with everything in it, which needs no network."""

from __future__ import annotations

from datetime import UTC, datetime
from importlib.resources import files

import jinja2
import msgspec

from sera_swezero.display.formatting import number, short_number
from sera_swezero.quality.collect import NOT_IN_THE_DATA, Statistics
from sera_swezero.quality.plots import plots, svg
from sera_swezero.quality.statistics_tables import tables
from sera_swezero.version import __version__


def page(statistics: Statistics, versus: Statistics | None = None, *, command: str = "") -> str:
    """The page as HTML text: a browser of the sample trajectories, plots, tables.

    Args:
        statistics: of the rows; `samples` are the trajectories to look at.
        versus: another set of rows to compare with; the comparison stands above the other tables.
        command: the command line that makes the page.

    Raises:
        ConfigError: matplotlib, which draws the plots, is not installed.
    """
    template = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined).from_string(
        (files(__package__) / "page.html.jinja").read_text(encoding="utf-8")
    )
    return template.render(
        title=statistics.name,
        made_up=statistics.made_up,
        provenance=_provenance(statistics, command),
        tiles=_tiles(statistics),
        tables=tables(statistics, versus),
        plots=[svg(plot) for plot in plots(statistics)],
        absent=NOT_IN_THE_DATA,
        samples=msgspec.to_builtins(statistics.samples),
    )


def _provenance(statistics: Statistics, command: str) -> str:
    """When the page was made, with which command, and from which rows."""
    by = f" by `{command}`" if command else ""
    made = f"Made on {datetime.now(UTC).date()} with sera-swezero {__version__}{by}"
    if statistics.made_up:
        return f"{made}. Rows of the made-up sample."
    read = [
        f"{repo} at commit {commit}" if commit else f"{repo} below a root"
        for repo, commit in statistics.upstream.items()
    ]
    return f"{made}. Rows of {', '.join(read)}." if read else f"{made}."


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
