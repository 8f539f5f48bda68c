"""Filters leave out rows that the caller does not want. These rows are right, so they are not counted as rejected.

A filter is made once per request. It sees every record after it was read and folded, before it is rendered.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from functools import lru_cache
from pathlib import Path
from typing import Any

from sera_swezero.catalog import Origin
from sera_swezero.errors import ConfigError
from sera_swezero.request import benchmark_overlap
from sera_swezero.request.benchmark_overlap import Benchmark, benchmark_path
from sera_swezero.request.kept_rows import KeptRows
from sera_swezero.request.settle import Request
from sera_swezero.upstream import Shard, Snapshot
from sera_swezero.views import Row, ViewInput

FILTERS: dict[str, str] = {
    "repeats": "the row is in a set that is left out, because other sets that are read have all of its rows",
    "min_recall": "the line-level recall is below `min_recall`, or there is none",
    "min_kept_share": '`overlong="truncate"` kept a smaller share of the row\'s messages than `min_kept_share`',
    "dedup": "the row is not among those that the file `dedup` keeps",
    **{f"decontaminate_{how}": f"{meaning} of `decontaminate`" for how, meaning in benchmark_overlap.REASONS.items()},
}
"""Why a row was left out: name -> meaning. The list is closed, like `errors.REASONS`."""


class Filters:
    """The filters of a request. They count what they leave out.

    Args:
        request: names the filters and their files, which are read at once.
        snapshot: where the records come from.
        counts: here the rows that are left out are counted, by the keys of `FILTERS`.

    Raises:
        ConfigError: a file cannot be read, or is of another kind.
    """

    def __init__(self, request: Request, snapshot: Snapshot, counts: Counter[str]) -> None:
        self._counts = counts
        self._least = request.arguments.min_recall
        self._least_kept = request.arguments.min_kept_share
        self._repeated = request.repeated
        self._commits = snapshot.commits
        self._checked: set[tuple[str, str]] = set()
        files = _files(request)
        self._kept: KeptRows | None = _read("dedup", files)
        self._benchmark: Benchmark | None = _read("decontaminate", files)

    def leave_out(self, shard: Shard, offset: int, view_input: ViewInput) -> bool:
        """Say whether a filter leaves out this record of a shard; the record is counted for the first one that does."""
        reason, record = None, view_input.record
        if self._least is not None:
            recall = view_input.source.recall(record, view_input.origin.facts)
            reason = "min_recall" if recall is None or recall < self._least else None
        if reason is None and self._kept is not None:
            self.check_kept(shard.repo, shard.file, shard.size)
            reason = None if self._kept.holds(shard.repo, shard.file, offset) else "dedup"
        if reason is None and self._benchmark is not None:
            how = self._benchmark.overlap(record.instance_id, getattr(record, "repo", None), view_input.trajectory.task)
            reason = how and f"decontaminate_{how}"
        if reason is not None:
            self._counts[reason] += 1
        return reason is not None

    def leave_out_set(self, origin: Origin) -> bool:
        """Say whether a record is left out because of the set that it belongs to."""
        if origin.name in self._repeated:
            self._counts["repeats"] += 1
        return origin.name in self._repeated

    def leave_out_row(self, row: Row) -> bool:
        """Say whether a row is left out because its view kept too little of the record."""
        short = self._least_kept is not None and row["kept_share"] < self._least_kept
        if short:
            self._counts["min_kept_share"] += 1
        return short

    def check_kept(self, repo: str, file: str, size: int) -> None:
        """Check once per file that the kept rows are those of this version of it. Raises ConfigError."""
        if self._kept is not None and (repo, file) not in self._checked:
            self._kept.check(repo, file, size, self._commits[repo])
            self._checked.add((repo, file))


def check(request: Request, snapshot: Snapshot) -> None:
    """Check that the request's filters fit the data, before the first row is read.

    Raises:
        ConfigError: a file cannot be read or is of another kind, or the kept rows are those of other data.
    """
    filters = Filters(request, snapshot, Counter())
    for file in snapshot.files:
        filters.check_kept(file.repo, file.path, file.size)


def described(request: Request) -> dict[str, str]:
    """Describe the files that decide the rows, each by the hash of its content; empty if the request names none."""
    return {name: _digest(name, path) for name, path in _files(request).items()}


def _files(request: Request) -> dict[str, Path]:
    """The files that the request's filters read, by the name of the argument."""
    files = {}
    if request.arguments.dedup is not None:
        files["dedup"] = Path(request.arguments.dedup).expanduser()
    if request.arguments.decontaminate is not None:
        files["decontaminate"] = benchmark_path(request.arguments.decontaminate)
    return files


def _read(name: str, files: dict[str, Path]) -> Any:
    """What the file of an argument holds; None if there is no such file."""
    return _read_once(name, files[name], _digest(name, files[name])) if name in files else None


@lru_cache(maxsize=4)
def _read_once(name: str, path: Path, _content: str) -> Any:
    """Read a file once for all shards of a process. Other content has another digest, so it is read again."""
    return KeptRows.read(path) if name == "dedup" else benchmark_overlap.load(path)


def _digest(name: str, path: Path) -> str:
    try:
        stat = path.stat()
        return _digest_of(path, stat.st_mtime_ns, stat.st_size)
    except OSError as error:
        made = "; `sera-swezero dedup CONFIG --out PATH` writes such a file" if name == "dedup" else ""
        msg = f"{name}={str(path)!r}: cannot be read: {error.strerror or error}{made}"
        raise ConfigError(msg) from error


@lru_cache(maxsize=16)
def _digest_of(path: Path, _mtime: int, _size: int) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
