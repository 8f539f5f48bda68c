"""What a stream reads, and in what order."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from itertools import islice
from typing import Any

from sera_swezero.hub.background import in_background
from sera_swezero.request.identity import ORDER_VERSION, ROWS_VERSION, describe
from sera_swezero.request.row_columns import raw_columns
from sera_swezero.request.settle import Request
from sera_swezero.upstream import Shard, Snapshot, look_up_addresses, plan_shards, row_group_starts
from sera_swezero.upstream.records import Starts
from sera_swezero.upstream.window_reader import WindowReader
from sera_swezero.upstream.windows import JoinedWindow, Record, Window, join_windows, plan_windows

_PREFETCHED = 16
"""How many windows at most are asked for their first bytes in advance, since a window is converted faster than a hub
answers. With shards of 8 MB and a hub that answers after 100 ms, a stream gives 430 rows per second with one such
window, 830 with two and 900 with three. Where a window is a file of 400 kB and the hub answers after 50 ms, it gives
19 MB/s with three and 70 MB/s with sixteen."""

_PREFETCHED_BYTES = 32 * 1024 * 1024
"""Once the opened windows have so many bytes, no further one is asked for: each connection buffers what arrives."""


@dataclass(frozen=True, kw_only=True)
class StreamPlan:
    """The windows of a config, for every epoch."""

    snapshot: Snapshot
    """What is read."""
    request: Request
    """What is made of it."""
    shards: tuple[Shard, ...]
    """How the files are cut."""
    starts: Starts
    """Where the row groups of Parquet files start, if planning looked."""
    shard_bytes: int
    shuffle_seed: int | None
    epoch: int
    """The epoch that the stream begins with."""

    def windows(self, epoch: int) -> list[Window]:
        """The windows in the order of an epoch. Every epoch has as many."""
        return plan_windows(self.shards, self.shuffle_seed, epoch, self.starts)

    @cached_property
    def identity(self) -> dict[str, Any]:
        """What decides which row is where, as plain values: where it is equal, a position means the same row.

        Commits stand for the hub's files. Files below a root count by name and size, since their times may change.
        """
        snapshot = self.snapshot
        files = [[file.repo, file.path, file.size] for file in snapshot.files] if snapshot.root is not None else []
        return {
            **{key: value for key, value in describe(self.request).items() if key != "repos"},
            "revision": {repo: commit for repo, commit in snapshot.commits.items() if commit},
            "files": blake2b(json.dumps(files).encode(), digest_size=8).hexdigest(),
            "repos": list(snapshot.commits),
            "shard_bytes": self.shard_bytes,
            "shuffle_seed": self.shuffle_seed,
            "rows_version": ROWS_VERSION,
            "order_version": ORDER_VERSION,
        }

    def key(self, epoch: int, positions: list[int]) -> str:
        """The key under which the state of a share is saved: the positions that it has in an epoch's order."""
        share = f"{len(positions)} shards {blake2b(json.dumps(positions).encode(), digest_size=8).hexdigest()}"
        ordering = {"epoch": epoch} if self.shuffle_seed is not None else {}
        return json.dumps({**self.identity, **ordering, "share": share}, sort_keys=True)

    def joined(self, windows: Sequence[Window]) -> list[JoinedWindow]:
        """The windows of a share as they are read."""
        return join_windows(windows, self.shard_bytes)

    def readers(self, windows: Sequence[JoinedWindow], mark: int) -> Iterator[tuple[JoinedWindow, Iterator[Record]]]:
        """(window, its records) in order; the first window is read from `mark` on.

        Once the first record of a window has been used, the hub is asked for the first bytes of the next windows.
        """
        columns = raw_columns(self.request)
        coming = deque(enumerate(windows))
        opening: deque[tuple[JoinedWindow, WindowReader, Future[None]]] = deque()

        def next_reader() -> tuple[JoinedWindow, WindowReader]:
            number, joined = coming.popleft()
            return joined, WindowReader(self.snapshot, joined.window, columns, mark if number == 0 else -1)

        def prefetch() -> None:
            while self.snapshot.root is None and coming and len(opening) < _PREFETCHED:
                if sum(joined.window.bytes for joined, *_ in opening) >= _PREFETCHED_BYTES:
                    return
                joined, reader = next_reader()
                opening.append((joined, reader, in_background(reader.open)))

        while opening or coming:
            if opening:
                joined, reader, opened = opening.popleft()
                opened.result()
            else:
                joined, reader = next_reader()
            yield joined, _records(reader, prefetch)


def _records(reader: WindowReader, prefetch: Callable[[], None]) -> Iterator[Record]:
    """The reader's records; `prefetch` is called once the first of them has been used."""
    records = iter(reader)
    yield from islice(records, 1)
    prefetch()
    yield from records


def make_plan(
    snapshot: Snapshot, request: Request, shard_bytes: int, shuffle_seed: int | None = None, epoch: int = 0
) -> StreamPlan:
    """Plan a stream from the listing, and from the footers of Parquet files if they are few, without reading data.

    Raises:
        UpstreamError: a footer cannot be read.
    """
    look_up_addresses(snapshot)
    starts = row_group_starts(snapshot)
    shards = tuple(plan_shards(snapshot.files, shard_bytes, starts))
    return StreamPlan(
        snapshot=snapshot,
        request=request,
        shards=shards,
        starts=starts,
        shard_bytes=shard_bytes,
        shuffle_seed=shuffle_seed,
        epoch=epoch,
    )
