"""Takes files and folders, returns the problems of their rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from sera_swezero.check.contracts import Contract, candidates, describe_contracts, recognise
from sera_swezero.check.row_files import Unreadable, columns_faults, open_file
from sera_swezero.check.row_paths import SUFFIXES, RowFile, find_files
from sera_swezero.schemas.validate import Fault


class Problem(NamedTuple):
    """One thing that is wrong."""

    file: str
    """As given, or found below a given folder."""
    row: int | None
    """Number of the row in its file, counted from 0 as `datasets` does; None if the file itself is meant."""
    path: str
    """JSON path inside the row, `$` for the whole row. It continues inside JSON text: `$.messages[3].content`."""
    found: str
    expected: str
    unreadable: bool = False
    """Whether the file, or the rest of it, could not be read, so that its rows were not checked."""

    def __str__(self) -> str:
        row = "" if self.row is None else f" row {self.row}"
        return f"{self.file}{row} {self.path}: {self.found}; expected {self.expected}"


@dataclass
class CheckTally:
    """How much was checked."""

    files: int = 0
    rows: Counter[str] = field(default_factory=Counter)
    """Rows by the name of their schema."""
    bad_rows: int = 0
    """Rows with a problem."""


def check_paths(
    paths: Iterable[str | Path], *, kind: str | None = None, tally: CheckTally | None = None
) -> Iterator[Problem]:
    """Check every row of Parquet and JSONL files, and of all such files below folders; yield each problem when found.

    Rows are streamed: memory does not grow with the files. The columns and values of a file show which kind of rows it
    has.

    Args:
        paths: files and folders, also as fsspec URLs. Below folders, hidden files and rejected records are left out.
        kind: a view ("rectified") or a row schema ("rectified-sera") that the rows must have.
        tally: gets the counts.

    Raises:
        ConfigError: `kind` is neither a view nor a row schema.
    """
    among = candidates(kind)
    counts = CheckTally() if tally is None else tally
    for given in paths:
        try:
            files = find_files(given)
            found, expected = "a folder without rows", f"{' or '.join(SUFFIXES)} files"
        except (OSError, ValueError, ImportError) as error:
            files, found, expected = [], str(error), "a file or folder that can be read"
        if not files:
            yield Problem(str(given), None, "$", found, expected, unreadable=True)
        for file in files:
            counts.files += 1
            yield from _check_file(file, among, counts, forced=kind is not None)


def _check_file(file: RowFile, among: Sequence[Contract], counts: CheckTally, *, forced: bool) -> Iterator[Problem]:
    number = -1
    try:
        opened = open_file(file)
        contract = recognise(opened.kinds, among, forced=forced)
        if contract is None:
            found = f"the columns {', '.join(opened.kinds) or '(none)'}, which do not belong to a known kind of rows"
            expected = f"the columns of {describe_contracts(among)}"
            yield Problem(file.name, None, "$", found, expected, unreadable=True)
            return
        broken = columns_faults(opened, contract)
        if broken:
            # Every row would have the same problem again, so the rows are not checked.
            yield from (Problem(file.name, None, *fault) for fault in broken)
            return
        for number, row in enumerate(opened.rows):
            counts.rows[contract.schema] += 1
            faults = [row] if isinstance(row, Fault) else contract.faults(row)
            counts.bad_rows += bool(faults)
            yield from (Problem(file.name, number, *fault) for fault in faults)
    except Unreadable as error:
        place = f" after row {number}" if number >= 0 else ""
        yield Problem(file.name, None, "$", error.found + place, error.expected, unreadable=True)
