"""The small types of reading: a file, a part of it, a record in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple


def place_of(repo: str, path: str) -> str:
    """Repo and path of a file, for messages and as a key; only the path if there is no repo."""
    return f"{repo}/{path}" if repo else path


class File(NamedTuple):
    """One upstream file."""

    repo: str
    """The id of its repo; "" for your own runs below a root."""
    path: str
    """Where it lies inside the repo, or below the root."""
    size: int
    """Bytes."""
    mark: str
    """Something that changes when the content does: a hash, an etag or a time."""

    @property
    def place(self) -> str:
        """Repo and path."""
        return place_of(self.repo, self.path)


class Shard(NamedTuple):
    """The records of one file that start in a range of its bytes."""

    repo: str
    """The id of the file's repo; "" for your own runs below a root."""
    file: str
    """Where the file lies inside the repo, below any root."""
    start: int
    """The first byte of the range."""
    stop: int
    """The first byte after the range."""
    size: int
    """Bytes of the whole file."""

    @classmethod
    def whole(cls, file: File) -> Shard:
        """All records of a file."""
        return cls(repo=file.repo, file=file.path, start=0, stop=file.size, size=file.size)

    @property
    def place(self) -> str:
        """Repo and path."""
        return place_of(self.repo, self.file)


class Raw(NamedTuple):
    """One raw record."""

    offset: int
    """Byte offset of the line, or row number in the Parquet file; 0 if the whole file is one record."""
    data: bytes | dict[str, Any]
    """The line, the row or the file."""
    after: int = -1
    """The offset that the next record has, so that reading may begin there."""
    fault: str = ""
    """Why there is no data; "" if there is data."""


Starts = Mapping[tuple[str, str], Sequence[int]]
"""(repo, path) of a Parquet file -> the bytes at which its row groups start, in order."""

ColumnTypes = dict[str, str]
"""The columns that a Parquet file must have, by name and type; empty if it is read whatever columns it has."""

LONGEST = 32 * 1024 * 1024
"""The most bytes of a record. Rows upstream have at most about 1 MB; a file of another kind must not fill memory."""
