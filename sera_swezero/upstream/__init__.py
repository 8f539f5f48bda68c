"""Where raw records come from: which commit, which files, which byte ranges, which records. All I/O of reading is here.

snapshot.py   repo and revision -> commit and file listing (hub, local folder or fsspec URL)
shards.py     file listing -> shards, without reading data
reading.py    shard -> raw records
"""

from sera_swezero.upstream.reading import Raw, read_shard
from sera_swezero.upstream.shards import DEFAULT_SHARD_BYTES, Shard, plan_shards
from sera_swezero.upstream.snapshot import File, Snapshot, take_snapshot

__all__ = ["DEFAULT_SHARD_BYTES", "File", "Raw", "Shard", "Snapshot", "plan_shards", "read_shard", "take_snapshot"]
