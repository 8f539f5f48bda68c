"""Corpora on disk: JSONL and Parquet in the upstream layout, and what converting them must give."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tools.sample_corpus.corpus import Recipe, large, shipped
from tools.sample_corpus.expected import Expected, write
from tools.sample_corpus.sets import SETS, Set

if TYPE_CHECKING:
    import pyarrow as pa

LARGE_ROW_GROUP = 500
LARGE_FILE = 10_000
"""Rows per row group and per file of large Parquet corpora."""


def write_shipped(root: Path, keys: Iterable[str] = SETS) -> None:
    """Write the shipped corpus, or some of its sets, below `root`; files of the same repos there are replaced."""
    figures = {
        SETS[key].repo: _write(root, shipped(key), SETS[key].files, SETS[key].row_group, detailed=True) for key in keys
    }
    write(root, figures)


def write_large(root: Path, keys: Iterable[str], seed: int, rows: int, row_bytes: int | None, *, odd: bool) -> None:
    """Write `rows` rows of each set below `root`, streaming: memory does not grow with `rows`."""
    figures = {}
    for key in keys:
        recipe = large(key, seed, rows, row_bytes, odd=odd)
        figures[SETS[key].repo] = _write(root, recipe, -(-rows // LARGE_FILE), LARGE_ROW_GROUP, detailed=False)
    write(root, figures)


def _write(root: Path, recipe: Recipe, files: int, row_group: int, *, detailed: bool) -> dict[str, Any]:
    expected = Expected(recipe.one, detailed=detailed)
    target = root / recipe.one.repo

    def counted() -> Iterator[Any]:
        for plan, raw in recipe.rows():
            expected.add(plan)
            yield raw

    for old in (*target.glob("*.jsonl"), *target.glob("data/*.parquet")):
        old.unlink()
    if recipe.one.kind == "sera":
        target.mkdir(parents=True, exist_ok=True)
        path = target / recipe.one.file.format(rows=len(recipe.numbers))
        with path.open("w", encoding="utf-8", newline="\n") as file:
            file.writelines(line + "\n" for line in counted())
    else:
        _parquet(target, recipe.one, counted(), len(recipe.numbers), files, row_group)
    return expected.figures()


def _parquet(target: Path, one: Set, rows: Iterator[dict[str, Any]], count: int, files: int, row_group: int) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    per_file = -(-count // files)
    for at in range(files):
        path = target / one.file.format(at=at, of=files)
        path.parent.mkdir(parents=True, exist_ok=True)
        left = min(per_file, count - at * per_file)
        with pq.ParquetWriter(path, schema(one), compression="zstd") as writer:
            while left:
                batch = list(islice(rows, min(row_group, left)))
                writer.write_table(pa.Table.from_pylist(batch, schema(one)))
                left -= len(batch)


def schema(one: Set) -> pa.Schema:
    """The Arrow schema of a SWE-ZERO set."""
    import pyarrow as pa

    types: dict[str, pa.DataType] = dict.fromkeys(one.columns, pa.string())
    types["messages"] = pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))
    types["duration_sec"] = pa.float64()
    types.update((name, pa.int64()) for name in types if name.startswith("n_") or name.endswith("_tokens"))
    return pa.schema(list(types.items()))
