"""Looks into built directories, finished ones and others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from sera_swezero.build.unit_files import STATE
from tests.support.publishing import SERA


def contents(out: Path) -> dict[str, bytes]:
    """Every file that may be published, by path."""
    files = (path for path in out.rglob("*") if path.is_file() and STATE not in path.parts)
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in files}


def read_rows(out: Path, config: str) -> list[dict[str, Any]]:
    """The rows of a config, in the order of its shards."""
    return [row for path in sorted((out / config).iterdir()) for row in pq.read_table(path).to_pylist()]


def entries(out: Path) -> set[str]:
    """The shards that are finished."""
    return {path.stem for path in (out / STATE / SERA).glob("*.json")}


def scratch(out: Path) -> list[Path]:
    """The folders of half-written files."""
    return sorted((out / STATE).glob("part-*"))


def writer_of(part: Path) -> int:
    """The process that a scratch folder belongs to."""
    return int(part.name.split("-")[-2])


def marks(out: Path) -> dict[str, tuple[int, int]]:
    """Which file is behind every shard's name: a file that is written again is another one."""
    return {path.stem: (path.stat().st_ino, path.stat().st_mtime_ns) for path in (out / SERA).glob("*.parquet")}
