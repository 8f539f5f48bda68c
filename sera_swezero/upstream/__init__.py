"""Where raw records come from: which commit, which files, which byte ranges, which records. All reading is here.

records.py       File, Shard and Raw: a file, a part of it, a record in it
snapshot.py      repo and revision -> commit and file listing (hub, local folder or fsspec URL)
formats.py       suffix of a path -> how such files are cut and read
record_reader.py what the readers of all formats have in common
shards.py        file listing -> shards, without reading data
windows.py       shards -> the order of a stream
window_reader.py window -> its records in order
reading.py       shard -> raw records; what planning asks of files
line_reader.py   JSON Lines
row_groups.py    Parquet; parquet_rows.py makes Python objects of rows
whole_file.py    one file, one record
at_exit.py       streams that are half read when the interpreter exits
file_access.py   file of a snapshot -> hub, hub cache or root
"""

from sera_swezero.upstream.formats import format_of
from sera_swezero.upstream.reading import look_up_addresses, row_group_starts, shard_reader
from sera_swezero.upstream.records import File, Raw, Shard
from sera_swezero.upstream.shards import DEFAULT_SHARD_BYTES, cut, plan_shards
from sera_swezero.upstream.snapshot import Snapshot, take_snapshot

__all__ = [
    "DEFAULT_SHARD_BYTES",
    "File",
    "Raw",
    "Shard",
    "Snapshot",
    "cut",
    "format_of",
    "look_up_addresses",
    "plan_shards",
    "row_group_starts",
    "shard_reader",
    "take_snapshot",
]
