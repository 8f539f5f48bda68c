"""Filters leave out rows that the caller does not want. These rows are right, so they are not counted as rejected.

A filter is made once per request. It sees every record after it was read and folded, before it is rendered.
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
from sera_swezero.request.benchmark_overlap import BUILT_IN, Benchmark, benchmark_path
from sera_swezero.request.kept_rows import KeptRows
from sera_swezero.request.settle import Request
from sera_swezero.sources import SOURCES
from sera_swezero.upstream import Shard, Snapshot

FILTERS: dict[str, str] = {
    "min_recall": "the line-level recall is below `min_recall`, or there is none",
    "dedup": "the row is not among those that the file `dedup` keeps",
    **{f"decontaminate_{how}": f"{meaning} of `decontaminate`" for how, meaning in benchmark_overlap.REASONS.items()},
}
"""Why a row was left out: name -> meaning. A closed list, as `errors.REASONS` is."""


class Candidate(NamedTuple):
    """What a filter sees."""

    shard: Shard
    offset: int
    """Where the record stands in the file of the shard."""
    origin: Origin
    record: Any
    """As its source types it."""
    trajectory: Trajectory


Filter = Callable[[Candidate], str | None]
"""Says why the candidate is left out, a key of `FILTERS`, or None if it stays."""


class Filters:
    """The filters of a request. They count what they leave out."""

    def __init__(self, request: Request, snapshot: Snapshot, counts: Counter[str]) -> None:
        """Read the files that the request names.

        Raises:
            ConfigError: a file cannot be read, or is of another kind.
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
        """Say whether a filter leaves the candidate of these fields out; the first filter that does counts it."""
        candidate = Candidate(shard, offset, origin, record, trajectory)
        for row_filter in self._filters:
            reason = row_filter(candidate)
            if reason is not None:
                self._counts[reason] += 1
                return True
        return False


def check(request: Request, snapshot: Snapshot) -> None:
    """Check that the request's filters fit the data, before the first row is read.

    Raises:
        ConfigError: a file cannot be read or is of another kind; or the kept rows are those of other data.
    """
    Filters(request, snapshot, Counter())
    if request.arguments.dedup is not None:
        kept: KeptRows = _read("dedup", Path(request.arguments.dedup).expanduser())
        for file in snapshot.files:
            kept.check(file.repo, file.path, file.size, snapshot.commits[file.repo])


def described(request: Request) -> dict[str, str]:
    """Describe the files that decide the rows, each by the hash of its content; empty if the request names none."""
    digests = {}
    if request.arguments.dedup is not None:
        digests["dedup"] = _digest("dedup", Path(request.arguments.dedup).expanduser())
    if request.arguments.decontaminate is not None:
        digests["decontaminate"] = _digest("decontaminate", benchmark_path(request.arguments.decontaminate))
    return digests


def _recall(least: float) -> Filter:
    def check_recall(candidate: Candidate) -> str | None:
        source = SOURCES[candidate.origin.source]
        recall = source.recall(candidate.record, dict(candidate.origin.facts))
        return "min_recall" if recall is None or recall < least else None

    return check_recall


def _dedup(path: str, snapshot: Snapshot) -> Filter:
    kept: KeptRows = _read("dedup", Path(path).expanduser())
    checked = set()

    def check_kept(candidate: Candidate) -> str | None:
        shard = candidate.shard
        if (shard.repo, shard.file) not in checked:
            kept.check(shard.repo, shard.file, shard.size, snapshot.commits[shard.repo])
            checked.add((shard.repo, shard.file))
        return None if kept.holds(shard.repo, shard.file, candidate.offset) else "dedup"

    return check_kept


def _decontaminate(path: str) -> Filter:
    benchmark: Benchmark = _read("decontaminate", benchmark_path(path))

    def check_overlap(candidate: Candidate) -> str | None:
        record = candidate.record
        how = benchmark.overlap(record.instance_id, getattr(record, "repo", None), candidate.trajectory.task)
        return how and f"decontaminate_{how}"

    return check_overlap


_READERS: dict[str, Callable[[Path], Any]] = {"dedup": KeptRows.read, "decontaminate": benchmark_overlap.load}


def _read(name: str, path: Path) -> Any:
    return _read_once(name, path, _digest(name, path))


@lru_cache(maxsize=4)
def _read_once(name: str, path: Path, digest: str) -> Any:
    """Read a file once for all shards of a process; other content has another digest."""
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
