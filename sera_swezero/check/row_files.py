"""Reads the rows of a file, a few at a time, and says what is wrong with the file itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain, islice
from typing import Any, NamedTuple

from sera_swezero import schemas
from sera_swezero.check.contracts import Contract, kinds_of
from sera_swezero.check.row_paths import SUFFIXES, RowFile
from sera_swezero.display.formatting import counted
from sera_swezero.schemas.columns import types_of
from sera_swezero.schemas.validate import Fault, brief, decode
from sera_swezero.views import LINEAGE, Row

_BATCH = 32
"""How many Parquet rows are Python objects at a time; a row may have a megabyte."""
_LONGEST = 512 * 1024 * 1024
"""The most bytes of a line; a file with a longer line is not JSON Lines."""
_GLANCE = 16
"""From how many rows the kind of a JSONL file is recognised."""


class Unreadable(Exception):  # noqa: N818 (a state of the file)
    """A file that is missing, broken or of another format; the arguments are what was found and what was expected."""

    def __init__(self, found: str, expected: str) -> None:
        super().__init__(found, expected)
        self.found = found
        self.expected = expected


class OpenedFile(NamedTuple):
    """A file whose rows can be read."""

    kinds: dict[str, str]
    """Column -> kind, as in `Contract.columns`; else Arrow's name of the type, or "" where that is unknown (null)."""
    rows: Iterator[Row | Fault]
    """The rows in order; a Fault stands for a row that is not a JSON object."""
    typed: bool
    """Whether the file itself fixes the types of the columns."""
    row_count: int = 0
    """How many rows a Parquet file has; 0 for one of JSON Lines, which does not say it."""


def open_file(file: RowFile) -> OpenedFile:
    """Open a Parquet or JSONL file. Raises Unreadable, now or while its rows are read."""
    if file.suffix not in SUFFIXES:
        if not file.file_system.exists(file.path):
            raise Unreadable("no such file or folder", "a file or folder that can be read")
        found = f"a {file.suffix} file" if file.suffix else "a file without a suffix"
        raise Unreadable(found, f"one of {', '.join(SUFFIXES)}")
    try:
        if file.size == 0:
            raise Unreadable("an empty file (0 bytes)", f"rows in a {file.suffix} file")
        return _parquet(file) if file.suffix == ".parquet" else _jsonl(file)
    except OSError as error:
        raise Unreadable(error.strerror or str(error), "a file that can be read") from error


def columns_faults(opened: OpenedFile, contract: Contract) -> list[Fault]:
    """Find the columns of a typed file that are missing, not allowed or of another type."""
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
    for name, declared in wanted.items():
        kind, nullable = declared.removesuffix("?"), declared.endswith("?")
        has = opened.kinds.get(name, kind)
        # Columns of other kinds are checked row by row.
        if has != kind and not (has == "" and nullable) and kind in _KNOWN:
            found.append(Fault(f"$.{name}", f"a column of {has or 'nulls'}", kind))
    return found


_KNOWN = {"string", "int64", "float64", "messages"}


def _jsonl(file: RowFile) -> OpenedFile:
    rows = _lines(file)
    first = list(islice(rows, _GLANCE))
    kinds: dict[str, str] = {}
    for row in first:
        if not isinstance(row, Fault):
            kinds |= {name: kind for name, kind in kinds_of(row).items() if kind or name not in kinds}
    if not kinds and first:
        raise Unreadable(
            f"no JSON object in the first {counted(len(first), 'line')}: {first[0]}", "JSON Lines: one object per line"
        )
    return OpenedFile(kinds, chain(first, rows), typed=False)


def _lines(file: RowFile) -> Iterator[Row | Fault]:
    with file.open() as handle:
        while line := handle.readline(_LONGEST):
            if len(line) == _LONGEST:
                raise Unreadable(f"a line of more than {_LONGEST} bytes", "JSON Lines: one object per line")
            if line.strip():
                yield _parse(line)


def _parse(line: bytes) -> Row | Fault:
    try:
        text = line.decode()
        row = decode(text)
    except ValueError as error:
        cut = "" if line.endswith(b"\n") else "; the file ends inside this line"
        found = brief(line.decode("utf-8", "backslashreplace").strip())
        return Fault("$", f"{found}, which is not JSON ({error}{cut})", "one JSON object per line, in UTF-8")
    return row if isinstance(row, dict) else Fault("$", brief(row), "one JSON object per line")


def _parquet(file: RowFile) -> OpenedFile:
    import pyarrow as pa

    try:
        parquet = file.parquet()
    except pa.ArrowException as error:
        raise Unreadable(_first_line(error), "a whole Parquet file") from error
    kinds = {field.name: kind_of(field.type) for field in parquet.schema_arrow}
    return OpenedFile(kinds, _batches(parquet), typed=True, row_count=parquet.metadata.num_rows)


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
    """Return the kind of a column: string, int64, float64, messages, "" for nulls, or else Arrow's own name."""
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
