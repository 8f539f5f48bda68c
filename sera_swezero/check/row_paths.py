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
    inside: str
    """Its place below the folder that was given; its own name if it was given itself."""
    path: str
    """As its file system takes it."""
    file_system: Any = None
    """Of fsspec; None for a file on this machine."""

    @property
    def suffix(self) -> str:
        """The end of the name, such as ".parquet"."""
        return PurePosixPath(self.inside).suffix

    @property
    def size(self) -> int:
        """Bytes. Raises OSError."""
        return Path(self.path).stat().st_size if self.file_system is None else int(self.file_system.size(self.path))

    def open(self) -> IO[bytes]:
        """Open the file for reading. Raises OSError."""
        if self.file_system is None:
            return Path(self.path).open("rb")
        return io.BufferedReader(self.file_system.open(self.path, "rb"))  # fsspec's own `readline` has no limit

    def parquet(self, **options: Any) -> Any:
        """Open the file as a `pyarrow.parquet.ParquetFile`. Raises OSError or pyarrow.ArrowException."""
        import pyarrow.parquet as pq

        return pq.ParquetFile(self.path if self.file_system is None else self.open(), **options)


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
    if is_url(location):
        import fsspec

        given = str(location).rstrip("/")
        file_system, base = fsspec.core.url_to_fs(given)
        if PurePosixPath(base).suffix in SUFFIXES or not file_system.isdir(base):
            return [RowFile(given, PurePosixPath(base).name, base, file_system)]
        found = {path: path.removeprefix(base).strip("/") for path in file_system.find(base)}
        return [
            RowFile(f"{given}/{inside}", inside, path, file_system)
            for path, inside in sorted(found.items())
            if _has_rows(inside)
        ]
    folder = Path(location)
    if not folder.is_dir():
        return [RowFile(str(folder), folder.name, str(folder))]
    found = {str(path): path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    return [RowFile(path, inside, path) for path, inside in sorted(found.items()) if _has_rows(inside)]


def _has_rows(inside: str) -> bool:
    path = PurePosixPath(inside)
    return path.suffix in SUFFIXES and not any(part.startswith((".", ASIDE)) for part in path.parts)
