"""A stream as Arrow: the rows of a plain load, with the schema that is known, exported and resumed at the row."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import sera_swezero
from tests.hub import LoopbackHub
from tests.support.streams import CONFIG, NAMES, T2, ZERO, Point, places, point, sample

__all__ = ["point"]  # a fixture
pytestmark = pytest.mark.matrix

JSON = [f"{CONFIG[T2]}-openai"] if hasattr(datasets, "Json") else []
SOME = [CONFIG[T2], CONFIG[ZERO], f"{CONFIG[T2]}-hermes", *JSON]
"""Columns with nulls, without, with lists of structs, with Json leaves."""
EXPORTS = hasattr(datasets.IterableDataset, "to_pandas")
exports = pytest.mark.skipif(not EXPORTS, reason="datasets before 4.4 exports no stream")


def table_of(rows: Any, size: int = 7) -> pa.Table:
    return pa.concat_tables(rows.with_format("arrow").iter(size))


@pytest.mark.parametrize("name", NAMES)
def test_arrow_batches_are_those_of_a_plain_load(name: str) -> None:
    rows = sera_swezero.load_dataset(name, split="train", streaming=True, upstream="sample")
    plain = sera_swezero.load_dataset(name, split="train", upstream="sample").with_format("arrow")[:]
    assert table_of(rows).combine_chunks() == plain.combine_chunks()


@pytest.mark.parametrize("name", SOME)
@pytest.mark.parametrize("wrap", ["map", "filter"])
def test_functions_get_the_rows_that_the_stream_gives(name: str, wrap: str) -> None:
    given: list[Any] = []
    list(getattr(sample(name), wrap)(lambda row: bool(given.append(row)) or {}))
    assert given == list(sample(name))


@exports
@pytest.mark.parametrize("name", SOME)
def test_a_stream_is_exported(name: str, tmp_path: Path) -> None:
    rows, expected = sample(name), table_of(sample(name))
    rows.to_parquet(str(tmp_path / "a.parquet"))
    assert pq.read_table(tmp_path / "a.parquet").equals(expected)
    rows.to_json(str(tmp_path / "a.jsonl"))
    with (tmp_path / "a.jsonl").open(encoding="utf-8") as lines:
        assert [json.loads(line)["messages"] for line in lines] == [row["messages"] for row in rows]
    assert list(rows.to_pandas()["instance_id"]) == expected["instance_id"].to_pylist()
    mapped = rows.with_format("arrow").map(lambda part: part, batched=True, batch_size=5)
    assert len(mapped.to_pandas()) == len(expected)
    frames = [*rows.to_polars(batched=True, batch_size=7)]
    if name not in JSON:  # datasets cannot decode Json leaves in this format, whatever they come from
        assert frames[0].equals(next(rows.with_format("polars").iter(7)))
    assert [one for frame in frames for one in frame["instance_id"]] == expected["instance_id"].to_pylist()


@exports
@pytest.mark.parametrize("name", SOME)
def test_a_stream_is_pushed_to_the_hub(
    name: str, hub: LoopbackHub, point: Point, monkeypatch: pytest.MonkeyPatch
) -> None:
    point(hub)
    monkeypatch.setattr(datasets.config, "HF_ENDPOINT", hub.endpoint)
    rows = sample(name)
    rows.push_to_hub("me/mine", token=hub.token, num_shards=2)
    back = datasets.load_dataset("me/mine", split="train", streaming=True, token=hub.token)
    assert list(back) == list(rows)


STEPS: dict[str, Callable[[Any], Any]] = {
    "row by row": lambda rows: rows.with_format("arrow"),
    "mapped": lambda rows: rows.with_format("arrow").map(lambda part: part, batched=True, batch_size=3),
}


@cache
def shuffled_places(name: str) -> list[tuple[str, str, int]]:
    return places(sample(name, shuffle_seed=3))


@pytest.mark.parametrize("steps", STEPS)
@pytest.mark.parametrize(("size", "batches"), [(1, 3), (5, 1), (5, 2), (16, 1)])
@pytest.mark.parametrize("name", SOME)
def test_arrow_batches_go_on_at_the_row(name: str, size: int, batches: int, steps: str) -> None:
    def made() -> Any:
        return STEPS[steps](sample(name, shuffle_seed=3))

    rows = made()
    iterator = rows.iter(size)
    begun = [row for _ in range(batches) for row in next(iterator).to_pylist()]
    later = made()
    later.load_state_dict(pickle.loads(pickle.dumps(rows.state_dict())))
    whole = [*begun, *(row for part in later.iter(size) for row in part.to_pylist())]
    assert places(whole) == shuffled_places(name)


@pytest.mark.skipif(not EXPORTS, reason="datasets 3.6 saves other states for other formats")
@pytest.mark.parametrize("name", SOME)
def test_a_state_fits_rows_and_arrow(name: str) -> None:
    rows = sample(name)
    iterator = iter(rows)
    begun = [next(iterator) for _ in range(9)]
    later = sample(name).with_format("arrow")
    later.load_state_dict(rows.state_dict())
    assert places([*begun, *(row for part in later.iter(4) for row in part.to_pylist())]) == places(sample(name))
