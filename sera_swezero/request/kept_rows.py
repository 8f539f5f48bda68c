"""The file of kept rows that `sera-swezero dedup` writes and `dedup=PATH` reads: Parquet, one row for each kept row.

    instance_id  string   the row's, for people and for filtering other copies of the data
    repo         string   upstream repo; "" where rows were read from a folder of Parquet
    file         string   path inside the repo, or the folder
    offset       int64    byte offset of the line (JSONL), or row number in the file (Parquet)

An instance has many rollouts, so only the place tells which row is meant. The schema's metadata, key `sera_swezero`, is
JSON: what the file was made from (commits, files and their sizes in bytes), by which rule, rows read and kept.
"""

from __future__ import annotations

import json
import os
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from sera_swezero.errors import ConfigError

_KEY = b"sera_swezero"
_NONE: array[int] = array("q")
_BATCH = 65_536  # rows in memory while writing and reading


class Place(NamedTuple):
    """Where a row stands, and whose rollout it is."""

    instance_id: str
    repo: str
    file: str
    offset: int


def write(path: Path, places: Iterable[Place], told: Mapping[str, Any]) -> None:
    """Write the kept rows' places; `told` is what the metadata says. Written aside and renamed."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = [("instance_id", pa.string()), ("repo", pa.string()), ("file", pa.string()), ("offset", pa.int64())]
    schema = pa.schema(columns, metadata={_KEY: json.dumps({"kind": "dedup", **told}).encode()})
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with pq.ParquetWriter(aside, schema, compression="zstd") as writer:
            batch: list[Place] = []
            for place in places:
                batch.append(place)
                if len(batch) == _BATCH:
                    writer.write_batch(_batch(batch, schema))
                    batch.clear()
            writer.write_batch(_batch(batch, schema))
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


def _batch(places: list[Place], schema: Any) -> Any:
    import pyarrow as pa

    return pa.record_batch([[place[i] for place in places] for i in range(len(schema))], schema=schema)


class Kept:
    """The kept rows of a file, by place: 8 bytes a row in memory."""

    def __init__(self, path: Path, told: Mapping[str, Any], places: Mapping[tuple[str, str], array[int]]) -> None:
        self.path = path
        self.told = told
        self._places = places

    @classmethod
    def read(cls, path: Path) -> Kept:
        """Read such a file. Raises ConfigError where it is none."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        places: dict[tuple[str, str], array[int]] = {}
        try:
            with pq.ParquetFile(path) as file:
                told = json.loads((file.schema_arrow.metadata or {})[_KEY])
                for batch in file.iter_batches(batch_size=_BATCH, columns=["repo", "file", "offset"]):
                    columns = [batch.column(name).to_pylist() for name in ("repo", "file", "offset")]
                    for repo, name, offset in zip(*columns, strict=True):
                        places.setdefault((repo, name), array("q")).append(offset)
        except (OSError, KeyError, ValueError, pa.ArrowInvalid) as error:
            msg = (
                f"dedup={str(path)!r}: is no file of kept rows ({error}); "
                "`sera-swezero dedup CONFIG --out PATH` writes one"
            )
            raise ConfigError(msg) from error
        return cls(path, told, {place: array("q", sorted(offsets)) for place, offsets in places.items()})

    def holds(self, repo: str, file: str, offset: int) -> bool:
        """Whether the row at this place is kept."""
        offsets = self._places.get((repo, file), _NONE)
        at = bisect_left(offsets, offset)
        return at < len(offsets) and offsets[at] == offset

    def check(self, repo: str, file: str, size: int, commit: str) -> None:
        """Hold the file to an upstream file that is about to be read: its size in bytes, and its commit, "" for none.

        Raises:
            ConfigError: the kept rows are of other data.
        """
        place, where = f"dedup={str(self.path)!r}", f"{repo}/{file}"
        files, made_from = self.told.get("files", {}), self.told.get("commits", {}).get(repo, "")
        if where not in files:
            msg = f"{place}: was made without {where}; it was made from {', '.join(files) or 'a folder of rows'}"
            raise ConfigError(msg)
        if commit and made_from and commit != made_from:
            msg = (
                f"{place}: was made from {repo} at {made_from}, not at {commit}; "
                f"give revision={made_from!r}, or run `sera-swezero dedup` again"
            )
            raise ConfigError(msg)
        if files[where] != size:
            msg = f"{place}: was made from a {where} of {files[where]} bytes; it has {size} now"
            raise ConfigError(msg)
