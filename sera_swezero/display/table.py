"""The one table type: made of text cells, shown as Markdown or on a terminal."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

_WIDTH = 200
"""Columns of a line where the output is not a terminal and so has no width to keep to."""


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table of text cells."""

    title: str = ""
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    text_columns: Collection[int] = (0,)
    """Indexes of the columns that hold words and are aligned left; the others hold numbers and are aligned right."""
    marked_rows: Collection[int] = ()
    """Indexes of the rows that should be noticed: they are red on a terminal."""
    note: str = ""
    """What must be said about the figures, below the table."""

    def markdown(self) -> str:
        """The table alone, without title and note, as GitHub and the hub render it."""
        marks = [":--" if index in self.text_columns else "--:" for index in range(len(self.header))]
        return "\n".join(f"| {' | '.join(row)} |" for row in (self.header, marks, *self.rows))

    def section(self) -> str:
        """The table as a Markdown section with its title and note."""
        return "\n\n".join(part for part in (f"### {self.title}", self.markdown(), self.note) if part)


def print_table(table: Table) -> None:
    """Print a table on standard output."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table as RichTable

    console = Console()
    if not console.is_terminal:
        console = Console(width=_WIDTH)
    title = escape(table.title) or None
    drawn = RichTable(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False)
    for index, name in enumerate(table.header):
        is_text = index in table.text_columns
        drawn.add_column(escape(name), justify="left" if is_text else "right", no_wrap=not is_text, overflow="fold")
    for index, row in enumerate(table.rows):
        drawn.add_row(*map(escape, row), style="red" if index in table.marked_rows else None)
    console.print(drawn)
    if table.note:
        console.print(escape(table.note), style="dim")
