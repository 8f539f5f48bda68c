"""Read the raw records of one shard, and ask for what planning needs to know of a snapshot's files."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Literal

from sera_swezero.errors import UpstreamError
from sera_swezero.hub.cdn_addresses import ADDRESSES
from sera_swezero.upstream.file_access import hub_file
from sera_swezero.upstream.formats import format_of
from sera_swezero.upstream.records import ColumnTypes, Raw, Shard, Starts
from sera_swezero.upstream.row_groups import group_starts
from sera_swezero.upstream.snapshot import Snapshot

_MOST_FILES = 64
"""Files that planning asks about at most: one small request per file, eight at a time."""


class ShardReader:
    """The records of one shard in order, as an iterator; use it once.

    Args:
        snapshot: where the file lies.
        shard: which part of it.
        columns: the columns that a Parquet file must have, by name and type.
        at: offset of the first record wanted, as `Raw.after` of the record before it says; -1: from the shard's start.

    Raises:
        UpstreamError: the file is gone or changed, does not have its format, lacks columns, or ends too early.
    """

    def __init__(self, snapshot: Snapshot, shard: Shard, columns: ColumnTypes, at: int = -1) -> None:
        self._place = shard.place
        self._reader = format_of(shard.file).reader(snapshot, shard, columns, at)

    def open(self) -> None:
        """Ask the hub for the first bytes, so that iterating need not wait. Other roots have nothing to ask."""
        self._reader.open()

    def close(self) -> None:
        """Drop what `open` asked for."""
        self._reader.close()

    def __iter__(self) -> Iterator[Raw]:
        try:
            yield from self._reader
        except OSError as error:
            msg = f"{self._place}: cannot be read: {type(error).__name__}: {error}"
            raise UpstreamError(msg) from error


def row_group_starts(snapshot: Snapshot) -> Starts:
    """Where the row groups of the snapshot's Parquet files start; nothing where there are more than 64 such files.

    Raises:
        UpstreamError: a file is not Parquet, or its footer cannot be read.
    """
    shards = _few_files(snapshot, "row groups")
    if not shards:
        return {}
    with ThreadPoolExecutor(8) as pool:
        starts = pool.map(lambda shard: group_starts(snapshot, shard), shards)
        return dict(zip([(shard.repo, shard.file) for shard in shards], starts, strict=True))


def look_up_addresses(snapshot: Snapshot) -> None:
    """Learn where on the hub's CDN the JSON Lines files lie, so that their first bytes are one round trip away.

    One request per file without a body, none where there are more than 64 files or where nothing is read from the hub.
    (For Parquet files the address comes with the footer.)
    """
    if snapshot.root is None:
        with suppress(UpstreamError):  # offline; reading says so
            files = [hub_file(snapshot, shard) for shard in _few_files(snapshot, "address")]
            ADDRESSES.look_up([file for file in files if file is not None])


def _few_files(snapshot: Snapshot, planning: Literal["address", "row groups"]) -> list[Shard]:
    """The files of the formats that planning asks this of, each as one shard; none if they are too many to ask."""
    files = [file for file in snapshot.files if format_of(file.path).planning == planning]
    return [Shard.whole(file) for file in files] if len(files) <= _MOST_FILES else []
