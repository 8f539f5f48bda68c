"""Corpora on disk: JSONL, Parquet and files of single runs in the upstream layout."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tools.sample_corpus.chat import rows as chats
from tools.sample_corpus.corpus import Recipe, large, shipped
from tools.sample_corpus.sets import SETS, Set

if TYPE_CHECKING:
    import pyarrow as pa

LARGE_ROW_GROUP = 500
LARGE_FILE = 10_000
"""Rows per row group and per file of large Parquet corpora."""
HARNESSES = ("openhands", "sweagent", "minisweagent")
"""The folders of Open-SWE-Traces, which its files are in by turns."""


def write_shipped(root: Path, keys: Iterable[str] = SETS) -> None:
    """Write the shipped corpus, or some of its sets, below `root`; files of the same repos there are replaced."""
    for key in keys:
        _write(root, shipped(key), SETS[key].files, SETS[key].row_group)


def write_large(root: Path, keys: Iterable[str], seed: int, rows: int, row_bytes: int | None, *, odd: bool) -> None:
    """Write `rows` rows of each set below `root`, streaming: memory does not grow with `rows`."""
    for key in keys:
        _write(root, large(key, seed, rows, row_bytes, odd=odd), -(-rows // LARGE_FILE), LARGE_ROW_GROUP)


def _write(root: Path, recipe: Recipe, files: int, row_group: int) -> None:
    target = root / recipe.one.repo
    for old in target.rglob("*"):
        if old.is_file():
            old.unlink()
    if recipe.one.file.endswith(".jsonl"):
        path = target / recipe.one.file.format(rows=len(recipe.numbers))
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", encoding="utf-8", newline="\n") as file:
            file.writelines((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in recipe.rows())
    elif recipe.one.file.endswith((".traj", ".json")):
        for at, run in enumerate(recipe.rows()):
            path = target / recipe.one.file.format(at=at)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(run, indent=2), encoding="utf-8", newline="\n")
    else:
        _parquet(target, recipe.one, recipe.rows(), len(recipe.numbers), files, row_group)


def _parquet(target: Path, one: Set, rows: Iterator[dict[str, Any]], count: int, files: int, row_group: int) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    per_file = -(-count // files)
    for at in range(files):
        path = target / one.file.format(at=at, of=files, harness=HARNESSES[at % len(HARNESSES)])
        path.parent.mkdir(parents=True, exist_ok=True)
        left = min(per_file, count - at * per_file)
        with pq.ParquetWriter(path, schema(one), compression="zstd") as writer:
            while left:
                batch = list(islice(rows, min(row_group, left)))
                writer.write_table(pa.Table.from_pylist(batch, schema(one)))
                left -= len(batch)


def schema(one: Set) -> pa.Schema:
    """The Arrow schema of a set in Parquet."""
    import pyarrow as pa

    if one.kind == "chat":
        return chats.schema(one)

    types: dict[str, pa.DataType] = dict.fromkeys(one.columns, pa.string())
    types["messages"] = pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))
    types["duration_sec"] = pa.float64()
    types.update((name, pa.int64()) for name in types if name.startswith("n_") or name.endswith("_tokens"))
    return pa.schema(list(types.items()))
