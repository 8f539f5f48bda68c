"""Files with rows, on this machine or behind an fsspec URL such as `hf://datasets/OWNER/NAME` or `s3://bucket/folder`."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any

SUFFIXES = (".parquet", ".jsonl")
"""The files that rows are read from."""

ASIDE = "rejected"
"""Below a folder, files and folders whose names begin like this hold raw records that did not convert, so no rows."""


@dataclass(frozen=True)
class RowFile:
    """A file with rows."""

    name: str
    """As it was given, or the given folder and the place below it."""
    path: str
    """As its file system takes it."""
    file_system: Any
    """Of fsspec."""

    @property
    def suffix(self) -> str:
        """The end of the name, such as ".parquet"."""
        return PurePosixPath(self.path).suffix

    def open(self) -> IO[bytes]:
        """Open the file for reading. Raises OSError."""
        return io.BufferedReader(self.file_system.open(self.path, "rb"))  # fsspec's own `readline` has no limit


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
    if "://" in given:
        file_system, base = fsspec.core.url_to_fs(given)
        is_file = PurePosixPath(base).suffix in SUFFIXES  # to ask for a folder may take a download of the file
    else:
        file_system, base, is_file = fsspec.filesystem("file"), str(Path(given).absolute()), False
    if is_file or not file_system.isdir(base):
        return [RowFile(given, base, file_system)]
    found = {path: path.removeprefix(base).strip("/") for path in file_system.find(base)}
    return [
        RowFile(f"{given}/{inside}", path, file_system) for path, inside in sorted(found.items()) if _has_rows(inside)
    ]


def _has_rows(inside: str) -> bool:
    path = PurePosixPath(inside)
    return path.suffix in SUFFIXES and not any(part.startswith((".", ASIDE)) for part in path.parts)
