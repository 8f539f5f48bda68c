"""The files that commands write: checked before the work begins, so that a pass over all rows is not lost."""

from __future__ import annotations

import tempfile
from pathlib import Path

from sera_swezero.errors import ConfigError


def check_outputs(*, folder: bool = False, **paths: Path | None) -> None:
    """Check that files can be written, and make the folders that they are in.

    Args:
        folder: whether the paths are folders to write files into.
        **paths: option -> path; None for an option that was not given.

    Raises:
        ConfigError: a path cannot be written; names the option.
    """
    for option, path in paths.items():
        if path is None:
            continue
        if not folder and path.is_dir():
            msg = f"--{option} {path} is a folder; the path of a file to write was expected"
            raise ConfigError(msg)
        try:
            parent = path if folder else path.parent
            parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=parent):
                pass
        except OSError as error:
            msg = f"--{option} {path} cannot be written: {error.strerror or error}"
            raise ConfigError(msg) from error
