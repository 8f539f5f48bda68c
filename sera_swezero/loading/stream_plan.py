"""What a stream reads, in which order, and what a saved state of it must match."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from itertools import islice
from typing import Any

from sera_swezero.errors import StateError
from sera_swezero.request.identity import ORDER_VERSION, ROWS_VERSION, describe
from sera_swezero.request.row_columns import raw_columns
from sera_swezero.request.settle import Request
from sera_swezero.upstream import Shard, Snapshot, look_up_addresses, plan_shards, row_group_starts
from sera_swezero.upstream.prefetch import BackgroundJobs
from sera_swezero.upstream.records import Starts
from sera_swezero.upstream.windows import Record, Window, WindowReader, plan_windows

_AHEAD = 3
"""Windows that are asked for beforehand. One is converted faster than a hub answers: in shards of 8 MB from a hub that
answers after 100 ms, a stream gives 430 rows a second with one window ahead, 830 with two and 900 with three."""


@dataclass(frozen=True)
class Plan:
    """The windows of a config, for every epoch.

    snapshot, request: what is read and what is made of it. shards, starts: how the files are cut. shard_bytes,
    shuffle_seed, epoch: the arguments.
    """

    snapshot: Snapshot
    request: Request
    shards: tuple[Shard, ...]
    starts: Starts
    shard_bytes: int
    shuffle_seed: int | None
    epoch: int

    def windows(self, epoch: int) -> list[Window]:
        """The windows in the order of an epoch; as many in every one."""
        return plan_windows(self.shards, self.shuffle_seed, epoch, self.starts)

    @cached_property
    def told(self) -> dict[str, Any]:
        """What decides which row stands where, as plain values: with it equal, a position means the same row.

        Commits stand for the hub's files. Files below a root count by name and size: times change when a mirror moves.
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
        """What a state at some positions of an epoch's order is saved under."""
        share = f"{len(positions)} shards {blake2b(json.dumps(positions).encode(), digest_size=8).hexdigest()}"
        mattering = {"epoch": epoch} if self.shuffle_seed is not None else {}
        return json.dumps({**self.told, **mattering, "share": share}, sort_keys=True)

    def readers(self, windows: list[Window], mark: int) -> Iterator[tuple[Window, Iterator[Record]]]:
        """(window, its records) in order, the first one from `mark` on.

        From the second record of a window on, the hub is asked for the first bytes of the next ones.
        """
        columns = raw_columns(self.request)
        readers = (WindowReader(self.snapshot, w, columns, mark if i == 0 else -1) for i, w in enumerate(windows))
        asked: deque[tuple[WindowReader, BackgroundJobs]] = deque()

        def ask() -> None:
            while self.snapshot.root is None and len(asked) < _AHEAD and (reader := next(readers, None)) is not None:
                asked.append((reader, BackgroundJobs(reader.open)))

        for window in windows:
            if asked:
                reader, ahead = asked.popleft()
                ahead.wait()
            else:
                reader = next(readers)
            yield window, _asking(reader, ask)


def _asking(reader: WindowReader, ask: Callable[[], None]) -> Iterator[Record]:
    """The reader's records; `ask` is called once the first of them has been used, and not before."""
    records = iter(reader)
    yield from islice(records, 1)
    ask()
    yield from records


def make_plan(
    snapshot: Snapshot, request: Request, shard_bytes: int, shuffle_seed: int | None = None, epoch: int = 0
) -> Plan:
    """Plan a stream from the listing, and from the footers of Parquet files if there are few. Reads no data.

    Raises:
        UpstreamError: a footer cannot be read.
    """
    look_up_addresses(snapshot)
    starts = row_group_starts(snapshot)
    shards = tuple(plan_shards(snapshot.files, shard_bytes, starts))
    return Plan(snapshot, request, shards, starts, shard_bytes, shuffle_seed, epoch)


def check_state(state: Mapping[str, Any], key: str, kind: str) -> None:
    """Hold a state to the key of the stream that is to go on from it.

    Raises:
        StateError: it was saved under another plan, in another share of it, or by a stream that keeps none; says what
            differs and which arguments would fit.
    """
    if state["type"] != kind:
        msg = f"the state was saved by {state['type']}, which keeps no plan; it may not fit this stream"
        raise StateError(msg)
    if state["plan"] == key:
        return
    try:
        saved, now = json.loads(state["plan"]), json.loads(key)
    except (TypeError, ValueError):
        msg = f"the state's plan cannot be read: {state['plan']!r}"
        raise StateError(msg) from None
    differing = [name for name in now | saved if saved.get(name) != now.get(name)]
    told = "; ".join(_differs(name, saved.get(name), now.get(name)) for name in differing)
    fitting = ", ".join(_argument(name, saved.get(name)) for name in differing if name in _ARGUMENTS)
    remedy = f". To go on from it, load with {fitting}" if fitting else ""
    msg = f"the state was saved under another plan and would be misread: {told}{remedy}"
    raise StateError(msg)


_ARGUMENTS = frozenset(
    {
        "config",
        "view",
        "submit",
        "incomplete",
        "min_recall",
        "lineage",
        "revision",
        "shard_bytes",
        "shuffle_seed",
        "epoch",
    }
)


def _differs(name: str, saved: Any, now: Any) -> str:
    if name == "share":
        return f"its share was {saved}, is {now} (another rank, world size or number of workers)"
    if name == "files":
        return "the files below the root have other names or sizes"
    if name in ("rows_version", "order_version"):
        what = "rows" if name == "rows_version" else "the order of rows"
        return f"{name} was {_plain(saved)}, is {_plain(now)}: {what} changed; install the version that saved the state"
    return f"{name} was {_plain(saved)}, is {_plain(now)}"


def _argument(name: str, saved: Any) -> str:
    return f"{'name' if name == 'config' else name}={_plain(saved)}"


def _plain(value: Any) -> str:
    """A value as it would be written in a call; one repo's revision as the commit alone."""
    if isinstance(value, dict) and len(value) == 1:
        value = next(iter(value.values()))
    return repr(value or None) if isinstance(value, dict | str) else repr(value)
