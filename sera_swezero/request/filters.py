"""Rows that the caller asked to leave out: fine as they are, so counted apart from rejected ones, by filter.

A filter is made once for each request and sees every record after it has been read and folded, before it is rendered.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from sera_swezero.catalog import Origin
from sera_swezero.core.trajectory import Trajectory
from sera_swezero.errors import ConfigError
from sera_swezero.request import benchmark_overlap
from sera_swezero.request.kept_rows import Kept
from sera_swezero.request.settle import Request
from sera_swezero.sources import SOURCES
from sera_swezero.upstream import Shard, Snapshot

FILTERS: dict[str, str] = {
    "min_recall": "the line-level recall is below `min_recall`, or there is none",
    "dedup": "the row is not among the kept ones of the file `dedup`",
    **{f"decontaminate_{how}": f"{meaning} of `decontaminate`" for how, meaning in benchmark_overlap.REASONS.items()},
}
"""Why a row was left out: name -> meaning. Closed, as `errors.REASONS`."""

BUILT_IN = {"swe-bench-verified": benchmark_overlap.SWE_BENCH_VERIFIED}
"""Names that `decontaminate` takes instead of a path."""


class Candidate(NamedTuple):
    """What a filter sees. shard, offset: where the record stands. record: as its source types it."""

    shard: Shard
    offset: int
    origin: Origin
    record: Any
    trajectory: Trajectory


Filter = Callable[[Candidate], str | None]
"""Says why the candidate is left out, a key of `FILTERS`; None where it stays."""


class Filters:
    """The filters of a request; counts what they leave out."""

    def __init__(self, request: Request, snapshot: Snapshot, counts: Counter[str]) -> None:
        """Read the files that the request names.

        Raises:
            ConfigError: a file cannot be read or is of another kind.
        """
        self._counts = counts
        self._filters: list[Filter] = []
        if request.arguments.min_recall is not None:
            self._filters.append(_recall(request.arguments.min_recall))
        if request.arguments.dedup is not None:
            self._filters.append(_dedup(request.arguments.dedup, snapshot))
        if request.arguments.decontaminate is not None:
            self._filters.append(_decontaminate(request.arguments.decontaminate))

    def __bool__(self) -> bool:
        return bool(self._filters)

    def leave_out(self, shard: Shard, offset: int, origin: Origin, record: Any, trajectory: Trajectory) -> bool:
        """Whether a filter leaves the candidate out; the first that does counts it. The arguments are its fields."""
        candidate = Candidate(shard, offset, origin, record, trajectory)
        for row_filter in self._filters:
            why = row_filter(candidate)
            if why is not None:
                self._counts[why] += 1
                return True
        return False


def check(request: Request, snapshot: Snapshot) -> None:
    """Read what the request's filters need and hold it to everything that is to be read, before the first row is.

    Raises:
        ConfigError: as `Filters`; or kept rows that were found in other data.
    """
    Filters(request, snapshot, Counter())
    if request.arguments.dedup is not None:
        kept: Kept = _read("dedup", Path(request.arguments.dedup).expanduser())
        for file in snapshot.files:
            kept.check(file.repo, file.path, file.size, snapshot.commits[file.repo])


def described(request: Request) -> dict[str, str]:
    """What of the files decides the rows: the hash of each one's content. Nothing where none is named."""
    told = {}
    if request.arguments.dedup is not None:
        told["dedup"] = _digest("dedup", Path(request.arguments.dedup).expanduser())
    if request.arguments.decontaminate is not None:
        told["decontaminate"] = _digest("decontaminate", benchmark_path(request.arguments.decontaminate))
    return told


def _recall(least: float) -> Filter:
    def why(candidate: Candidate) -> str | None:
        source = SOURCES[candidate.origin.source]
        recall = source.recall(candidate.record, dict(candidate.origin.facts))
        return "min_recall" if recall is None or recall < least else None

    return why


def _dedup(path: str, snapshot: Snapshot) -> Filter:
    kept: Kept = _read("dedup", Path(path).expanduser())
    checked = set()

    def why(candidate: Candidate) -> str | None:
        repo, file, *_, size = candidate.shard
        if (repo, file) not in checked:
            kept.check(repo, file, size, snapshot.commits[repo])
            checked.add((repo, file))
        return None if kept.holds(repo, file, candidate.offset) else "dedup"

    return why


def _decontaminate(path: str) -> Filter:
    benchmark: benchmark_overlap.Benchmark = _read("decontaminate", benchmark_path(path))

    def why(candidate: Candidate) -> str | None:
        record = candidate.record
        how = benchmark.overlap(record.instance_id, getattr(record, "repo", None), candidate.trajectory.task)
        return how and f"decontaminate_{how}"

    return why


def benchmark_path(given: str) -> Path:
    """The file that a name of `BUILT_IN` or a path means."""
    return BUILT_IN.get(given) or Path(given).expanduser()


_READERS: dict[str, Callable[[Path], Any]] = {"dedup": Kept.read, "decontaminate": benchmark_overlap.load}


def _read(name: str, path: Path) -> Any:
    return _remembered(name, path, _digest(name, path))


@lru_cache(maxsize=4)
def _remembered(name: str, path: Path, digest: str) -> Any:
    """The file, read once for all shards of a process; another content has another digest."""
    del digest
    return _READERS[name](path)


def _digest(name: str, path: Path) -> str:
    try:
        stat = path.stat()
        return _digest_of(path, stat.st_mtime_ns, stat.st_size)
    except OSError as error:
        msg = f"{name}={str(path)!r}: cannot be read: {error.strerror or error}; {_MADE_BY[name]}"
        raise ConfigError(msg) from error


_MADE_BY = {
    "dedup": "`sera-swezero dedup CONFIG --out PATH` writes such a file",
    "decontaminate": f"a JSONL file of repos, instance ids or texts was expected, or one of {', '.join(BUILT_IN)}",
}


@lru_cache(maxsize=16)
def _digest_of(path: Path, mtime: int, size: int) -> str:
    del mtime, size
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
