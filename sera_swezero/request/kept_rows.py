"""The file of kept rows that `sera-swezero dedup` writes and `dedup=PATH` reads: Parquet, one row per kept row.

    instance_id  string   the row's; for people, and to filter other copies of the data
    repo         string   upstream repo; "" for your own runs below a folder, and for rows in Parquet files
    file         string   path inside the repo, or the folder
    offset       int64    byte offset of the line (JSONL), or row number in the file (Parquet)

An instance has many rollouts, so only the place identifies a row. The metadata of the schema, key `sera_swezero`, is
JSON: what the file was made from (commits, files and their sizes in bytes), by which rule, and the rows read and kept.
"""

from __future__ import annotations

import json
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from sera_swezero.display.outputs import replacing
from sera_swezero.errors import ConfigError
from sera_swezero.upstream.records import place_of

_KEY = b"sera_swezero"
_NONE: array[int] = array("q")
_BATCH = 65_536  # rows in memory while writing and reading


class Place(NamedTuple):
    """Where a row is, and which instance it is a rollout of. These are the columns of the file."""

    instance_id: str
    repo: str
    file: str
    offset: int


def write(path: Path, places: Iterable[Place], metadata: Mapping[str, Any]) -> None:
    """Write the places of the kept rows, and the metadata. Raises OutputError."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = [("instance_id", pa.string()), ("repo", pa.string()), ("file", pa.string()), ("offset", pa.int64())]
    schema = pa.schema(columns, metadata={_KEY: json.dumps({"kind": "dedup", **metadata}).encode()})
    remaining = iter(places)
    with replacing(path) as aside, pq.ParquetWriter(aside, schema, compression="zstd") as writer:
        while batch := [place._asdict() for place in islice(remaining, _BATCH)]:
            writer.write_batch(pa.RecordBatch.from_pylist(batch, schema=schema))


class KeptRows(NamedTuple):
    """The kept rows of a file; takes 8 bytes of memory per row."""

    path: Path
    metadata: Mapping[str, Any]
    places: Mapping[tuple[str, str], array[int]]
    """Repo and file -> the offsets of the rows, sorted."""

    @classmethod
    def read(cls, path: Path) -> KeptRows:
        """Read a file of kept rows. Raises ConfigError if it is not one."""
        import pyarrow.parquet as pq

        places: dict[tuple[str, str], array[int]] = {}
        try:
            with pq.ParquetFile(path) as file:
                metadata = json.loads((file.schema_arrow.metadata or {})[_KEY])
                for batch in file.iter_batches(batch_size=_BATCH, columns=["repo", "file", "offset"]):
                    columns = [batch.column(name).to_pylist() for name in ("repo", "file", "offset")]
                    for repo, name, offset in zip(*columns, strict=True):
                        places.setdefault((repo, name), array("q")).append(offset)
        except (OSError, KeyError, ValueError) as error:
            msg = (
                f"dedup={str(path)!r} is not a file of kept rows ({error}); "
                "`sera-swezero dedup CONFIG --out PATH` writes one"
            )
            raise ConfigError(msg) from error
        return cls(path, metadata, {place: array("q", sorted(offsets)) for place, offsets in places.items()})

    def holds(self, repo: str, file: str, offset: int) -> bool:
        """Say whether the row at this place is kept."""
        offsets = self.places.get((repo, file), _NONE)
        at = bisect_left(offsets, offset)
        return at < len(offsets) and offsets[at] == offset

    def check(self, repo: str, file: str, size: int, commit: str) -> None:
        """Check that the rows were found in this version of an upstream file.

        The version is given by the file's size in bytes and the commit that is to be read ("" if there is none).
        Raises ConfigError.
        """
        argument, place = f"dedup={str(self.path)!r}", place_of(repo, file)
        files, made_from = self.metadata.get("files", {}), self.metadata.get("commits", {}).get(repo, "")
        if place not in files:
            msg = f"{argument} was made without {place}; it was made from {', '.join(files) or 'a folder of rows'}"
            raise ConfigError(msg)
        if commit and made_from and commit != made_from:
            msg = (
                f"{argument} was made from {repo} at {made_from}, not at {commit}; "
                f"pass revision={made_from!r}, or run `sera-swezero dedup` again"
            )
            raise ConfigError(msg)
        if files[place] != size:
            msg = f"{argument} was made when {place} had {files[place]} bytes; it has {size} bytes now"
            raise ConfigError(msg)
