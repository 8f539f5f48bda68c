"""Parquet files with damaged bytes: the same rows come out, or an error; never silently fewer rows."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.reliability.rounds import Part, Play
from sera_swezero.catalog import Origin
from sera_swezero.errors import UpstreamError
from sera_swezero.upstream import plan_shards, row_group_starts, shard_reader, take_snapshot

_REPO = "made/up"
_ORIGIN = Origin(name="up", repo=_REPO, source="swe_zero", shape="", patterns=("*.parquet",), rows=0, license="none")
_COLUMNS = {"instance_id": "string", "messages": "messages", "n_turns": "int64"}
_SECONDS = 60  # in which a file must have been read
_MEMORY = 8 << 30  # bytes of address space, so that a size that is wrong costs an error and not the machine

Read = tuple[str, int, str]
"""What came of a file: "rows" with their number and digest, or "error" with its message."""


@contextmanager
def _prepared(folder: Path) -> Iterator[Play]:
    path = folder / _REPO / "rows.parquet"
    path.parent.mkdir(parents=True)
    # A process of its own reads, since pyarrow aborts that process on some files.
    start = partial(ProcessPoolExecutor, 1, get_context("forkserver"), _limit)
    readers = [start()]

    def read(data: bytes) -> Read:
        path.write_bytes(data)
        try:
            return readers[-1].submit(_read, folder).result(_SECONDS)
        except BrokenProcessPool:
            readers.append(start())
            return "abort", 0, ""

    def play(rng: random.Random) -> dict[str, int]:
        checksums = rng.random() < 0.5
        whole = _made(rng, path, checksums=checksums)
        wanted = read(whole)
        assert wanted[:2] == ("rows", 40)
        came = read(_damaged(rng, whole))
        if came == wanted:
            return {"files gave the same rows": 1}
        if came[0] == "rows":
            assert came[1] == 40, f"{came[1]} rows, where 40 were expected"
            assert not checksums, "another text or number in spite of checksums"
            return {"files without checksums gave 40 rows with another text or number": 1}
        return {{"error": "files were an `UpstreamError`", "abort": "files made pyarrow abort the process"}[came[0]]: 1}

    yield play
    readers[-1].shutdown()


def _limit() -> None:
    import resource  # not on Windows

    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))


def _read(root: Path) -> Read:
    """Read the file below a root as a stream does."""
    try:
        snapshot = take_snapshot([_ORIGIN], upstream=str(root))
        shards = plan_shards(snapshot.files, starts=row_group_starts(snapshot))
        rows = [raw for shard in shards for raw in shard_reader(snapshot, shard, _COLUMNS)]
    except UpstreamError as error:
        return "error", 0, str(error)
    return "rows", len(rows), hashlib.sha256(repr(rows).encode("utf-8", "surrogatepass")).hexdigest()


def _made(rng: random.Random, path: Path, *, checksums: bool) -> bytes:
    """A file of 40 rows of random text, written with random settings."""

    def text(most: int) -> str:
        return "".join(rng.choices("abcdefgh \n\u00e9\u4e2d", k=rng.randint(0, most)))

    def messages() -> list[dict[str, str]]:
        return [{"role": rng.choice(["user", "assistant"]), "content": text(300)} for _ in range(rng.randint(1, 5))]

    rows = [{"instance_id": f"id-{n}", "messages": messages(), "n_turns": rng.randint(0, 9)} for n in range(40)]
    settings: dict[str, Any] = {
        "row_group_size": rng.choice([7, 10, 40]),
        "compression": rng.choice(["none", "snappy", "gzip", "zstd", "brotli", "lz4"]),
        "use_dictionary": rng.random() < 0.5,
        "data_page_version": rng.choice(["1.0", "2.0"]),
        "data_page_size": rng.choice([200, 1 << 20]),
        "write_page_index": rng.random() < 0.5,
        "write_page_checksum": checksums,
        "store_schema": rng.random() < 0.5,
    }
    pq.write_table(pa.Table.from_pylist(rows), path, **settings)
    return path.read_bytes()


def _damaged(rng: random.Random, data: bytes) -> bytes:
    """The file with one span of bytes changed: as often in its footer as before it."""
    footer = len(data) - 8 - int.from_bytes(data[-8:-4], "little")
    start, stop = rng.choice([(footer, len(data)), (0, footer)])
    at, size = rng.randrange(start, stop), rng.choice([1, 1, 1, 2, 8, 64])
    changes: list[Callable[[bytes], bytes]] = [
        lambda span: bytes([span[0] ^ 1 << rng.randrange(8)]) + span[1:],
        lambda span: rng.randbytes(len(span)),
        lambda span: bytes(len(span)),
        lambda span: span[:0],
        lambda span: span + span,
        lambda span: span[::-1] + rng.randbytes(1),
    ]
    return data[:at] + rng.choice(changes)(data[at : at + size]) + data[at + size :]


PART = Part(
    name="parquet",
    tried="A file of 40 rows is written with random codec, encoding, page and row group sizes; one span of 1 to 64 "
    "bytes of its footer or of its pages is changed, left out or doubled; all its rows are read",
    prepared=_prepared,
)
