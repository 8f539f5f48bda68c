"""Cut files into shards: byte ranges, planned from the listing, and from the footers of Parquet files if they are few.

A shard of JSONL owns the lines that START in its range, a shard of Parquet the row groups that start in it. So planning
reads no data, ranges can be of any size, and every record belongs to exactly one shard. A file that is one record is
never cut. Neither is a Parquet file of usual size whose row groups are not known, since most have only one.
"""

from __future__ import annotations

import heapq
from bisect import bisect_left
from collections.abc import Sequence
from itertools import pairwise

from sera_swezero.upstream.formats import format_of
from sera_swezero.upstream.records import File, Shard, Starts

DEFAULT_SHARD_BYTES = 16 * 1024 * 1024
"""Raw bytes of a shard: worth the latency of its GET, and small enough that 16 workers share one file of 500 MB."""

MULTIPLE = 64
"""Shard counts are rounded up to a multiple of this, so that usual world sizes divide them."""

_LEAST = 1024 * 1024  # a smaller range costs more in requests than it saves

_ROW_GROUP = 32 * 1024 * 1024
"""Bytes that a row group is assumed to have if that is not known. SWE-ZERO-12M has one row group of 29 MB per file: if
such a file were cut in two, one half would own all rows and the other none."""


def plan_shards(
    files: Sequence[File],
    shard_bytes: int = DEFAULT_SHARD_BYTES,
    starts: Starts | None = None,
    multiple: int = MULTIPLE,
) -> list[Shard]:
    """Cut the files into shards of about `shard_bytes`, in order.

    The count is rounded up to a multiple of `multiple`, or of the largest smaller power of two that the files allow. No
    shard of JSONL gets smaller than 1 MiB (or half of `shard_bytes`, if that is less). No shard of a Parquet file whose
    row groups are known stays without one, and any other Parquet file has one shard per 32 MiB.

    Args:
        files: what to cut.
        shard_bytes: raw bytes of a shard.
        starts: where the row groups of Parquet files start, for those files for which it is known.
        multiple: a power of two; 1 for no rounding.
    """
    known = starts or {}
    most = [_most(file, shard_bytes, known.get((file.repo, file.path))) for file in files]
    pieces = [min(max(1, -(-file.size // shard_bytes)), limit) for file, limit in zip(files, most, strict=True)]
    _add(pieces, files, most, _extra(sum(pieces), sum(most), multiple))
    return [
        shard
        for file, count in zip(files, pieces, strict=True)
        for shard in cut(Shard.whole(file), count, known.get((file.repo, file.path)))
    ]


def cut(shard: Shard, count: int, starts: Sequence[int] | None = None) -> list[Shard]:
    """Cut a shard into `count` parts of about equal size.

    If `starts` says where row groups start, the cuts are between them, and there are no more parts than row groups. A
    shard of a file that is one record stays whole.
    """
    length = shard.stop - shard.start
    if not format_of(shard.file).divisible:
        starts = [0]
    if starts is None:
        edges = [shard.start + length * i // count for i in range(count + 1)]
    else:
        inside = [start for start in starts if shard.start <= start < shard.stop][1:]  # the first is in the first part
        edges = [shard.start, *_nearest(inside, shard, min(count, len(inside) + 1)), shard.stop]
    return [shard._replace(start=lo, stop=hi) for lo, hi in pairwise(edges)]


def _nearest(inside: list[int], shard: Shard, count: int) -> list[int]:
    """`count - 1` distinct row group starts, each as near as can be to where equal parts would end."""
    chosen: list[int] = []
    at = 0
    for part in range(1, count):
        ideal = shard.start + (shard.stop - shard.start) * part // count
        last = len(inside) - (count - part)  # leave one for each edge to come
        at = min(max(bisect_left(inside, ideal), at), last)
        chosen.append(inside[at])
        at += 1
    return chosen


def _most(file: File, shard_bytes: int, starts: Sequence[int] | None) -> int:
    """Into how many shards a file may be cut."""
    kind = format_of(file.path)
    if not kind.divisible:
        return 1
    if starts is not None:
        return max(1, len(starts))
    if kind.planning == "row groups":
        return max(1, file.size // _ROW_GROUP)
    least = max(1, min(_LEAST, shard_bytes // 2))
    return max(1, -(-file.size // shard_bytes), file.size // least)


def _extra(wanted: int, most: int, multiple: int) -> int:
    """How many shards to add for a count that is a multiple of `multiple`, or of the largest power of two possible."""
    while multiple > 1:
        rounded = -(-wanted // multiple) * multiple
        if rounded <= most:
            return rounded - wanted
        multiple //= 2
    return 0


def _add(pieces: list[int], files: Sequence[File], most: Sequence[int], extra: int) -> None:
    """Give the extra pieces, one by one, to whichever file then has the largest pieces and may be cut further."""
    heap = [(-file.size / pieces[i], i) for i, file in enumerate(files) if pieces[i] < most[i]]
    heapq.heapify(heap)
    for _ in range(extra):
        _, i = heapq.heappop(heap)
        pieces[i] += 1
        if pieces[i] < most[i]:
            heapq.heappush(heap, (-files[i].size / pieces[i], i))
