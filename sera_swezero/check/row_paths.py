"""Files with rows, on this machine or behind an fsspec URL such as `hf://datasets/OWNER/NAME` or `s3://bucket/folder`."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any

SUFFIXES = (".parquet", ".jsonl")
"""The files that rows are read from."""

_BUFFER = 4 * 1024 * 1024
"""Bytes to read at a time; otherwise a whole column chunk is read, which is 5 GB if a file is one row group."""

ASIDE = "rejected"
"""Files and folders with names that begin like this hold no rows, but raw records that did not convert."""


@dataclass(frozen=True)
class RowFile:
    """A file with rows."""

    name: str
    """The location as it was given, or the given folder and the path below it."""
    path: str
    """As its file system takes it."""
    file_system: Any
    """Of fsspec."""

    @property
    def suffix(self) -> str:
        """The end of the name, such as ".parquet"."""
        return PurePosixPath(self.path).suffix

    @property
    def size(self) -> int:
        """Bytes. Raises OSError."""
        return int(self.file_system.size(self.path))

    def open(self) -> IO[bytes]:
        """Open the file for reading. Raises OSError."""
        return io.BufferedReader(self.file_system.open(self.path, "rb"))  # fsspec's own `readline` has no limit

    def parquet(self) -> Any:
        """Open the file as a `pyarrow.parquet.ParquetFile` to stream. Raises OSError or pyarrow.ArrowException."""
        import pyarrow.parquet as pq

        return pq.ParquetFile(self.path, filesystem=self.file_system, pre_buffer=False, buffer_size=_BUFFER)


def is_url(location: str | Path) -> bool:
    """Say whether a location is an fsspec URL rather than a path."""
    return "://" in str(location)


def find_files(location: str | Path) -> list[RowFile]:
    """Find the files with rows at a location, sorted.

    Args:
        location: a path or an fsspec URL. A folder stands for the files with rows below it, without hidden files and
            rejected records; anything else is taken as a file, whether or not it exists.

    Raises:
        OSError, ValueError, ImportError: the location cannot be listed, or its file system is not known or installed.
    """
    import fsspec

    given = str(location).rstrip("/")
    if is_url(given):
        file_system, base = fsspec.core.url_to_fs(given)
        is_file = PurePosixPath(base).suffix in SUFFIXES  # asking whether it is a folder may download it
    else:
        file_system, base, is_file = fsspec.filesystem("file"), str(Path(given).absolute()), False
    if is_file or not file_system.isdir(base):
        return [RowFile(given, base, file_system)]
    found = {path: path.removeprefix(base).strip("/") for path in file_system.find(base)}
    return [
        RowFile(f"{given}/{inside}", path, file_system) for path, inside in sorted(found.items()) if _has_rows(inside)
    ]


def read_beside(location: str | Path, name: str) -> bytes | None:
    """The content of a file in a folder of rows; None where there is none. Raises OSError."""
    import fsspec

    file_system, path = fsspec.core.url_to_fs(f"{str(location).rstrip('/')}/{name}")
    return bytes(file_system.cat_file(path)) if file_system.isfile(path) else None


def _has_rows(inside: str) -> bool:
    path = PurePosixPath(inside)
    return path.suffix in SUFFIXES and not any(part.startswith((".", ASIDE)) for part in path.parts)
