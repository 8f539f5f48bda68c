"""What the hub holds of a repo: its documented advice, beyond which listings and commits fail.

The figures are those of "Repository limitations and recommendations" in the hub's documentation.
"""

from __future__ import annotations

from sera_swezero.errors import ConfigError

FOLDER_FILES = 10_000
"""Entries of one folder."""

COMMIT_FILES = 100
"""Files of one commit. A push sends `push.run.BATCH` at a time, all to one pull request that is merged once."""

REPO_FILES = 100_000
"""Files of a repo."""

_MIB = 1024 * 1024


def problem(name: str, shards: int, files: int, size: int) -> str:
    """Why a config cannot be published as it is planned, and what would fit; "" if it can.

    Args:
        name: the published config.
        shards: files that it would have, all in one folder.
        files: upstream files; a shard never spans two of them.
        size: raw bytes of all files.
    """
    if shards <= FOLDER_FILES:
        return ""
    told = f"{name}: {shards:,} shards in one folder, where the hub holds {FOLDER_FILES:,}"
    if files > FOLDER_FILES:
        return f"{told}; upstream has {files:,} files and a shard never spans two: build parts of it"
    # A file of upstream may leave a shard that is not full, so the files count against the room.
    least = -(-size // (FOLDER_FILES - files)) if files < FOLDER_FILES else size
    return f"{told}; give --shard-size {-(-least // _MIB)}MiB or more"


def check(name: str, shards: int, files: int, size: int) -> None:
    """Refuse what cannot be published, before anyone pays for it. Raises ConfigError."""
    told = problem(name, shards, files, size)
    if told:
        raise ConfigError(told)
