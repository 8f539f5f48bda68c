"""The files and folders that are written: checked before the work begins, never half there, and named when they fail.

This module knows nothing about what is written, so every part of the package can use it.
"""

from __future__ import annotations

import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sera_swezero.errors import OutputError


@contextmanager
def writing(name: Path | str) -> Iterator[None]:
    """Turn an error of the block, which writes `name`, into one that says that `name` cannot be written.

    Raises:
        OutputError: in place of an OSError of the operating system. Libraries also derive network errors from OSError,
            but give them no number; those are raised as they are.
    """
    try:
        yield
    except OSError as error:
        if error.errno is None:
            raise
        msg = f"{name} cannot be written: {os.strerror(error.errno)}"
        raise OutputError(msg) from error


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give the block another path to write to, which is renamed to `path` when the block ends without an error.

    A device or a pipe is written to directly.

    Raises:
        OutputError: the file cannot be written; one that was there before stays as it was.
    """
    with writing(path):
        if _is_stream(path):
            yield path
            return
        target = path.resolve()
        target.parent.mkdir(parents=True, exist_ok=True)
        aside = target.with_name(f".sera-swezero-{secrets.token_hex(8)}")
        try:
            yield aside
            aside.replace(target)
        finally:
            aside.unlink(missing_ok=True)


def write_file(path: Path, content: str | bytes | bytearray) -> None:
    """Write a file whole, text as UTF-8, or not at all. Raises OutputError."""
    with replacing(path) as aside:
        aside.write_bytes(content.encode() if isinstance(content, str) else content)


def check_outputs(*, folder: bool = False, **paths: Path | None) -> None:
    """Check that files can be written, and make the folders that they are in.

    Args:
        folder: whether the paths are folders to write files into.
        **paths: option -> path; None for an option that was not given.

    Raises:
        OutputError: a path cannot be written; names the option.
    """
    for option, path in paths.items():
        if path is None:
            continue
        name = f"--{option} {path}"
        parent = path if folder else path.parent
        with writing(name):
            if path.is_dir() and not folder:
                msg = f"{name} is a folder; the path of a file to write was expected"
                raise OutputError(msg)
            if path.exists() and folder and not path.is_dir():
                msg = f"{name} is a file; the path of a folder was expected"
                raise OutputError(msg)
            if _is_stream(path):
                continue
            if path.is_file():
                path.open("ab").close()
            parent.mkdir(parents=True, exist_ok=True)
            tempfile.TemporaryFile(dir=parent).close()


def _is_stream(path: Path) -> bool:
    """Whether this is a device or a pipe, which cannot be replaced."""
    return path.exists() and not path.is_file() and not path.is_dir()
