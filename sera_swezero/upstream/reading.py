"""Read the raw records of one shard, and ask for what planning needs to know about a snapshot's files."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Literal

from sera_swezero.errors import UpstreamError
from sera_swezero.hub.cdn_addresses import ADDRESSES
from sera_swezero.upstream.file_access import hub_file
from sera_swezero.upstream.formats import format_of
from sera_swezero.upstream.record_reader import RecordReader
from sera_swezero.upstream.records import ColumnTypes, Shard, Starts
from sera_swezero.upstream.row_groups import group_starts
from sera_swezero.upstream.snapshot import Snapshot

_MOST_FILES = 64
"""The most files that planning asks about, which takes one small request per file, eight at a time."""


def shard_reader(snapshot: Snapshot, shard: Shard, columns: ColumnTypes, at: int = -1) -> RecordReader:
    """The reader of a shard, by the format of its file; the arguments are `RecordReader`'s."""
    return format_of(shard.file).reader(snapshot, shard, columns, at)


def row_group_starts(snapshot: Snapshot) -> Starts:
    """Where the row groups of the snapshot's Parquet files start; empty if there are more than 64 such files.

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

    This takes one request per file, without a body. No request is made if there are more than 64 files or if nothing is
    read from the hub. For Parquet files the address comes with the footer.
    """
    if snapshot.root is None:
        with suppress(UpstreamError):  # the hub is offline, which reading will say
            files = [hub_file(snapshot, shard) for shard in _few_files(snapshot, "address")]
            ADDRESSES.look_up([file for file in files if file is not None])


def _few_files(snapshot: Snapshot, planning: Literal["address", "row groups"]) -> list[Shard]:
    """The files of the formats for which planning asks this, each as one shard; none if there are too many files."""
    files = [file for file in snapshot.files if format_of(file.path).planning == planning]
    return [Shard.whole(file) for file in files] if len(files) <= _MOST_FILES else []
