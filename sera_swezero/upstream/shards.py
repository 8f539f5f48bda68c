"""Cut files into shards: byte ranges, planned from the listing alone.

A shard of JSONL owns the lines that START in its range, a shard of Parquet the row groups that start in it. So planning
needs no data and no footer, ranges can be of any size, and every record belongs to exactly one shard.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sera_swezero.upstream.snapshot import File

DEFAULT_SHARD_BYTES = 16 * 1024 * 1024
"""Raw bytes of a shard: with 16 MiB a resume repeats at most about 0.1 s of work (measured), and a GET is worth its latency."""

MULTIPLE = 64
"""Shard counts are rounded up to a multiple of this, so that usual world sizes divide them and each rank reads its own."""

_LEAST = 256 * 1024  # a smaller range costs more in requests than it saves


class Shard(NamedTuple):
    """The records of one file that start in [start, stop), in bytes. `repo` and `file` name it independently of roots."""

    repo: str
    file: str
    start: int
    stop: int
    size: int


def plan_shards(
    files: Sequence[File], shard_bytes: int = DEFAULT_SHARD_BYTES, multiple: int = MULTIPLE
) -> list[Shard]:
    """Cut the files into shards of about `shard_bytes`, in order.

    The count is rounded up to a multiple of `multiple` where that leaves every shard at least 256 KiB.
    """
    total = sum(file.size for file in files)
    wanted = sum(_pieces(file, shard_bytes) for file in files)
    rounded = -(-wanted // multiple) * multiple
    extra = rounded - wanted if total >= rounded * _LEAST else 0
    shards: list[Shard] = []
    for file, pieces in _spread(files, shard_bytes, extra):
        edges = [file.size * i // pieces for i in range(pieces + 1)]
        shards += [Shard(file.repo, file.path, lo, hi, file.size) for lo, hi in zip(edges, edges[1:], strict=False)]
    return shards


def _pieces(file: File, shard_bytes: int) -> int:
    return max(1, -(-file.size // shard_bytes))


def _spread(files: Sequence[File], shard_bytes: int, extra: int) -> list[tuple[File, int]]:
    """Give each file its pieces, and the extra ones to whichever file has the largest pieces at that moment."""
    pieces = [_pieces(file, shard_bytes) for file in files]
    for _ in range(extra):
        largest = max(range(len(files)), key=lambda i: files[i].size / pieces[i])
        pieces[largest] += 1
    return list(zip(files, pieces, strict=True))
