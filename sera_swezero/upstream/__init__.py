"""Where raw records come from: which commit, which files, which byte ranges, which records. All I/O of reading is here.

snapshot.py   repo and revision -> commit and file listing (hub, local folder or fsspec URL)
shards.py     file listing -> shards, without reading data
places.py     file -> hub, hub cache or root
addresses.py  file on the hub -> its address on the CDN, remembered while it is valid
ranged.py     byte range of a file on the hub -> bytes, resumed where it breaks off
retry.py      how often and when to ask again
lines.py      bytes -> lines
parquet.py    row groups -> rows
reading.py    shard -> raw records
"""

from sera_swezero.upstream.reading import Raw, ShardReader, look_up_addresses, read_shard, row_group_starts
from sera_swezero.upstream.shards import DEFAULT_SHARD_BYTES, Shard, cut, plan_shards
from sera_swezero.upstream.snapshot import File, Snapshot, take_snapshot

__all__ = [
    "DEFAULT_SHARD_BYTES",
    "File",
    "Raw",
    "Shard",
    "ShardReader",
    "Snapshot",
    "cut",
    "look_up_addresses",
    "plan_shards",
    "read_shard",
    "row_group_starts",
    "take_snapshot",
]
