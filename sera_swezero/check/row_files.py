"""Read the rows of a file, never more than a few in memory, and tell what is wrong with the file itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain, islice
from pathlib import Path
from typing import Any, NamedTuple

from sera_swezero import schemas
from sera_swezero.check.contracts import Contract, kinds_of
from sera_swezero.schemas.columns import types_of
from sera_swezero.schemas.validate import Fault, brief, decode
from sera_swezero.views import LINEAGE, Row

SUFFIXES = (".parquet", ".jsonl")
"""The files that rows are read from."""

_BATCH = 32  # Parquet rows that are Python objects at a time; a row may have a megabyte
_BUFFER = 4 * 1024 * 1024  # bytes; without it a whole column chunk is read at once, 5 GB where a file is one row group
_LONGEST = 512 * 1024 * 1024  # bytes of a line; what is longer is no JSON Lines file
_GLANCE = 16  # rows that tell which kind a JSONL file holds


class Unreadable(Exception):  # noqa: N818 (a state of the file, told to its reader)
    """A file that is not there, broken, or of no kind that is read; the arguments are what is there, what should be."""

    def __init__(self, found: str, expected: str) -> None:
        super().__init__(found, expected)
        self.found = found
        self.expected = expected


class Opened(NamedTuple):
    """A file whose rows can be read.

    kinds: its columns, name -> kind of `Contract.columns`; "" where that is open (JSON null), or Arrow's own name.
    rows: the rows in order; a Fault stands where a row is no JSON object.
    typed: whether the file itself fixes the types of the columns.
    """

    kinds: dict[str, str]
    rows: Iterator[Row | Fault]
    typed: bool


def open_file(path: Path) -> Opened:
    """Open a Parquet or JSONL file. Raises Unreadable; so may its rows."""
    if path.suffix not in SUFFIXES:
        raise Unreadable(f"a {path.suffix or 'nameless'} file", f"one of {', '.join(SUFFIXES)}")
    try:
        if path.stat().st_size == 0:
            raise Unreadable("an empty file (0 bytes)", f"rows in a {path.suffix} file")
        return _parquet(path) if path.suffix == ".parquet" else _jsonl(path)
    except OSError as error:
        raise Unreadable(error.strerror or str(error), "a file that can be read") from error


def columns_faults(opened: Opened, contract: Contract) -> list[Fault]:
    """What is wrong with the columns of a typed file: missing, too many, or of another type."""
    if not opened.typed:
        return []
    wanted = contract.columns
    if not LINEAGE.keys().isdisjoint(opened.kinds):
        wanted = {**wanted, **types_of(LINEAGE)}
    found = [Fault(f"$.{name}", "no such column", kind) for name, kind in wanted.items() if name not in opened.kinds]
    allowed = {**wanted, **schemas.load(contract.schema)["properties"]}
    found += [
        Fault(f"$.{name}", f"an extra column of {kind or 'nulls'}", f"only {', '.join(allowed)}")
        for name, kind in opened.kinds.items()
        if name not in allowed
    ]
    for name, told in wanted.items():
        kind, nullable = told.removesuffix("?"), told.endswith("?")
        has = opened.kinds.get(name, kind)
        # A kind of column that this module does not know is left to the check of every row.
        if has != kind and not (has == "" and nullable) and kind in _KNOWN:
            found.append(Fault(f"$.{name}", f"a column of {has or 'nulls'}", kind))
    return found


_KNOWN = {"string", "int64", "float64", "messages"}


def _jsonl(path: Path) -> Opened:
    rows = _lines(path)
    first = list(islice(rows, _GLANCE))
    kinds: dict[str, str] = {}
    for row in first:
        if not isinstance(row, Fault):
            kinds |= {name: kind for name, kind in kinds_of(row).items() if kind or name not in kinds}
    if not kinds and first:
        raise Unreadable(
            f"no JSON object in the first {len(first)} line(s): {first[0]}", "JSON Lines: an object a line"
        )
    return Opened(kinds, chain(first, rows), typed=False)


def _lines(path: Path) -> Iterator[Row | Fault]:
    with path.open("rb") as handle:
        while line := handle.readline(_LONGEST):
            if len(line) == _LONGEST:
                raise Unreadable(f"a line of more than {_LONGEST} bytes", "JSON Lines: an object a line")
            if line.strip():
                yield _parse(line)


def _parse(line: bytes) -> Row | Fault:
    try:
        text = line.decode()
        row = decode(text)
    except ValueError as error:
        cut = "" if line.endswith(b"\n") else "; the file ends inside this line"
        shown = brief(line.decode("utf-8", "backslashreplace").strip())
        return Fault("$", f"{shown}, which is no JSON ({error}{cut})", "one JSON object a line, in UTF-8")
    return row if isinstance(row, dict) else Fault("$", brief(row), "one JSON object a line")


def _parquet(path: Path) -> Opened:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(path, pre_buffer=False, buffer_size=_BUFFER)
    except pa.ArrowException as error:
        raise Unreadable(_first_line(error), "a whole Parquet file") from error
    kinds = {field.name: kind_of(field.type) for field in file.schema_arrow}
    return Opened(kinds, _batches(file), typed=True)


def _batches(file: Any) -> Iterator[Row]:
    import pyarrow as pa

    try:
        with file:
            for batch in file.iter_batches(batch_size=_BATCH):
                yield from batch.to_pylist()
    except (pa.ArrowException, OSError, UnicodeError) as error:
        raise Unreadable(_first_line(error), "a Parquet file whose pages can be read") from error


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def kind_of(arrow: Any) -> str:
    """The kind of a column: string, int64, float64, messages, "" for nulls, else Arrow's own name of the type."""
    import pyarrow.types as is_

    if is_.is_dictionary(arrow):
        return kind_of(arrow.value_type)
    if is_.is_string(arrow) or is_.is_large_string(arrow) or is_.is_string_view(arrow):
        return "string"
    if (is_.is_list(arrow) or is_.is_large_list(arrow)) and is_.is_struct(arrow.value_type):
        members: Mapping[str, str] = {field.name: kind_of(field.type) for field in arrow.value_type}
        if members == {"role": "string", "content": "string"}:
            return "messages"
    if is_.is_null(arrow):
        return ""
    if is_.is_int64(arrow):
        return "int64"
    return "float64" if is_.is_float64(arrow) else str(arrow)
