"""The one table type: made of text cells, shown as Markdown or on a terminal."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Literal

from sera_swezero.display.formatting import escaped

_GAP = 2  # blanks between two columns


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table of text cells."""

    title: str = ""
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    text_columns: Collection[int] = (0,)
    """Indexes of the columns that hold words and are aligned left; the others hold numbers and are aligned right."""
    marked_rows: Collection[int] = ()
    """Indexes of the rows that should be noticed, which are red on a terminal."""
    note: str = ""
    """What must be said about the figures; it is shown below the table."""

    def markdown(self) -> str:
        """The table alone, without title and note, as GitHub and the hub render it."""
        marks = [":--" if index in self.text_columns else "--:" for index in range(len(self.header))]
        return "\n".join(f"| {' | '.join(row)} |" for row in (self.header, marks, *self.rows))

    def section(self) -> str:
        """The table as a Markdown section with its title and note."""
        return "\n\n".join(part for part in (f"### {self.title}", self.markdown(), self.note) if part)


def print_table(table: Table) -> None:
    """Print a table on standard output.

    No name and no number is ever cut. A table that does not fit a terminal is printed in parts, each of which has the
    columns that name the rows. In a pipe, lines are as long as they must be.
    """
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table as RichTable

    console = Console()
    limit = console.width if console.is_terminal else None
    title = escape(table.title) or None
    for part in _parts(table, limit):
        widths = _widths(table, part, limit)
        console = Console(width=max(limit or 0, _total(widths.values()), len(table.title)))
        drawn = RichTable(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False)
        for index, width in widths.items():
            justify: Literal["left", "right"] = "left" if index in table.text_columns else "right"
            drawn.add_column(escape(table.header[index]), justify=justify, width=width, overflow="fold")
        for number, row in enumerate(table.rows):
            cells = [escape(escaped(row[index])) for index in part if index < len(row)]
            drawn.add_row(*cells, style="red" if number in table.marked_rows else None)
        console.print(drawn)
    if table.note:
        console.print(escape(table.note), style="dim", soft_wrap=True)


def _parts(table: Table, limit: int | None) -> list[list[int]]:
    """The columns, in as few parts as fit the limit. Each part begins with the columns that name a row."""
    every = list(range(len(table.header)))
    least = [_least(table, index) for index in every]
    if limit is None or _total(least) <= limit:
        return [every]
    names = list(takewhile(lambda index: index in table.text_columns, every))
    parts: list[list[int]] = []
    for index in every[len(names) :]:
        if parts and _total(least[column] for column in (*parts[-1], index)) <= limit:
            parts[-1].append(index)
        else:
            parts.append([*names, index])
    return parts or [every]


def _widths(table: Table, part: Sequence[int], limit: int | None) -> dict[int, int]:
    """The width of each column of a part: that of its cells, or less if the limit demands it."""
    cells = {index: [table.header[index], *_cells(table, index)] for index in part}
    widths = {index: max(map(len, texts)) for index, texts in cells.items()}
    spare = {index: width - _least(table, index) for index, width in widths.items()}
    while limit is not None and _total(widths.values()) > limit and any(spare.values()):
        index = max(spare, key=spare.__getitem__)
        widths[index] -= 1
        spare[index] -= 1
    return widths


def _least(table: Table, index: int) -> int:
    """The least width of a column: headers and sentences may wrap between words, names and numbers stay whole."""
    cells = _cells(table, index)
    if index in table.text_columns and index:
        cells = [word for cell in cells for word in cell.split()]
    return max(map(len, (*table.header[index].split(), *cells)), default=0)


def _cells(table: Table, index: int) -> list[str]:
    return [row[index] for row in table.rows if index < len(row)]


def _total(widths: Iterable[int]) -> int:
    """The width of a line of columns."""
    columns = list(widths)
    return sum(columns) + _GAP * (len(columns) - 1)
