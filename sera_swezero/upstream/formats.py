"""How the files of each format are cut and read. The suffix of a path says which format it has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from typing import Literal

from sera_swezero.upstream.line_reader import LineReader
from sera_swezero.upstream.record_reader import RecordReader
from sera_swezero.upstream.row_groups import RowGroupReader
from sera_swezero.upstream.whole_file import WholeFileReader


@dataclass(frozen=True)
class Format:
    """One format of raw files."""

    reader: type[RecordReader]
    """Reads a shard."""
    divisible: bool
    """Whether a file may be cut into byte ranges."""
    planning: Literal["address", "row groups", "nothing"]
    """What planning asks for beforehand: the file's address on the CDN, where its row groups start, or nothing."""


JSON_LINES = Format(reader=LineReader, divisible=True, planning="address")
PARQUET = Format(reader=RowGroupReader, divisible=True, planning="row groups")
WHOLE_FILE = Format(reader=WholeFileReader, divisible=False, planning="nothing")

_BY_SUFFIX = {".jsonl": JSON_LINES, ".parquet": PARQUET, ".json": WHOLE_FILE, ".traj": WHOLE_FILE}


def format_of(path: str) -> Format:
    """The format of a file by the suffix of its path; JSON Lines where the suffix says nothing."""
    return next((one for suffix, one in _BY_SUFFIX.items() if path.endswith(suffix)), JSON_LINES)


def instance_of(path: str, offset: int, patterns: Sequence[str]) -> str:
    """The instance id for a record that has none.

    It is the name of the file without the end by which one of the patterns found it, followed by the record's offset if
    such a file may hold several records.
    """
    name = path.rpartition("/")[2]
    ends = [pattern.rpartition("*")[2] for pattern in patterns if fnmatch(path, pattern)]
    stem = name.removesuffix(max(ends, key=len, default=""))
    return f"{stem}:{offset}" if format_of(path).divisible else stem


def read_as(suffix: str, one: Format) -> None:
    """Declare the format of the files with a suffix, such as ".log", for a source that has such files."""
    _BY_SUFFIX[suffix] = one
