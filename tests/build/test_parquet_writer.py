"""Rows on their way into a Parquet file: Arrow gets what was given, in row groups that readers can hold."""

from __future__ import annotations

import random
import tracemalloc
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sera_swezero.build import parquet_writer
from sera_swezero.build.parquet_writer import Sink
from sera_swezero.loading.builder import features
from sera_swezero.request.config_names import config_names, split_name
from sera_swezero.request.row_columns import columns
from sera_swezero.request.settle import settle
from sera_swezero.schemas.arrow_columns import arrow_column, schema_of
from tests.support.processes import python

COLUMNS = {
    "messages": "string",
    "note": "string?",
    "raw": "binary",
    "share": "float64?",
    "place": "int64",
    "turns": "conversations",
}


def row(number: int, text: str | bytes) -> dict[str, Any]:
    return {
        "messages": text,
        "note": None if number % 3 else f"nö {number}",
        "raw": bytes([number % 256, 255]),
        "share": None if number % 5 == 0 else number / 7,
        "place": -number,
        "turns": [{"from": "human", "value": f"ä{number}"}] * (number % 4),
    }


def written(path: Path, rows: list[dict[str, Any]]) -> Sink:
    sink = Sink(path, COLUMNS)
    for one in rows:
        sink.add(one)
    sink.close()
    return sink


def test_rows_come_back_as_they_were_whether_text_is_given_as_str_or_as_bytes(tmp_path: Path) -> None:
    rows = [row(number, f"täxt {number}" * (number * 40)) for number in range(300)]
    sink = written(tmp_path / "str", rows)
    table = pq.read_table(tmp_path / "str")
    assert table.to_pylist() == rows
    assert sink.rows == 300
    assert sink.arrow_bytes == pytest.approx(table.nbytes, rel=0.01)
    written(tmp_path / "bytes", [one | {"messages": one["messages"].encode()} for one in rows])
    assert (tmp_path / "bytes").read_bytes() == (tmp_path / "str").read_bytes()


@pytest.mark.parametrize("sizes", [(5, 4, 4, 2), (30, 1, 30), (1, 13, 1, 11, 1)])
def test_a_row_group_is_closed_before_the_row_that_would_make_it_too_large(
    sizes: tuple[int, ...], tmp_path: Path
) -> None:
    """A row that is larger alone has a group of its own, and what was before it stays whole."""
    rows = [row(number, str(number) * (mb * 1_000_000)) for number, mb in enumerate(sizes)]
    sink = written(tmp_path / "a", rows)
    expected, filled = [0], 0
    for mb in sizes:
        if filled and filled + mb >= 12:
            expected.append(0)
            filled = 0
        expected[-1] += 1
        filled += mb
    metadata = pq.read_metadata(tmp_path / "a")
    assert [metadata.row_group(i).num_rows for i in range(metadata.num_row_groups)] == expected
    assert pq.read_table(tmp_path / "a").to_pylist() == rows
    assert sink.rows == len(rows)


TEXT = st.none() | st.text(max_size=5)
MESSAGE = st.fixed_dictionaries({"role": TEXT, "content": st.text(max_size=40), "train": st.none() | st.booleans()})
KINDS = {
    pa.string(): TEXT,
    pa.binary(): st.none() | st.binary(max_size=5),
    pa.float64(): st.none() | st.floats(allow_nan=False),
    pa.int64(): st.none() | st.integers(-(2**63), 2**63 - 1),
    pa.bool_(): st.none() | st.booleans(),
    pa.list_(pa.string()): st.none() | st.lists(TEXT, max_size=9),
    pa.struct([("a", pa.int32()), ("b", pa.int32())]): st.fixed_dictionaries(
        {"a": st.integers(0, 9), "b": st.none() | st.integers(0, 9)}
    ),
    pa.list_(pa.struct([("role", pa.string()), ("content", pa.string()), ("train", pa.bool_())])): (
        st.none() | st.lists(MESSAGE, max_size=20)
    ),
}


@pytest.mark.parametrize("kind", KINDS, ids=str)
@given(data=st.data())
def test_a_column_is_what_arrow_makes_of_the_same_values(kind: pa.DataType, data: st.DataObject) -> None:
    column = arrow_column(kind)
    for _ in range(2):
        values = data.draw(st.lists(KINDS[kind], max_size=30))
        for value in values:
            column.extend([value])
        made = column.finish()
        made.validate(full=True)
        assert made.equals(pa.array(values, kind))
        assert made.null_count == values.count(None)


def test_no_more_than_one_row_group_waits(tmp_path: Path) -> None:
    texts = (str(number).encode() * 20_000 for number in range(100, 700))  # 36 MB
    tracemalloc.start()
    try:
        sink = Sink(tmp_path / "a", COLUMNS)
        for number, text in enumerate(texts):
            sink.add(row(number, text))
        sink.close()
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert sink.arrow_bytes > 36_000_000
    assert most < 25_000_000, "the texts of a group of 12 MB, and these joined"


def test_text_that_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    with pytest.raises(pa.ArrowInvalid, match="UTF8"):
        written(tmp_path / "a", [row(1, b"caf\xe9")])


def test_statistics_are_of_columns_that_are_looked_up_and_every_column_has_its_offset_index(tmp_path: Path) -> None:
    written(tmp_path / "a", [row(number, "text") for number in range(9)])
    group = pq.read_metadata(tmp_path / "a").row_group(0)
    chunks = [group.column(index) for index in range(group.num_columns)]
    counted = {chunk.path_in_schema for chunk in chunks if chunk.statistics}
    assert counted == {"note", "raw", "share", "place"}
    assert all(chunk.has_offset_index for chunk in chunks)
    assert parquet_writer.WRITER["no_statistics"] == ["messages"], "a manifest says so"


def test_a_changed_row_leaves_the_pages_of_others_as_they_were(tmp_path: Path) -> None:
    rng = random.Random(1)
    rows = [row(number, " ".join(f"{rng.getrandbits(24):x}" for _ in range(9_000))) for number in range(160)]
    written(tmp_path / "old", rows)
    rows[80] |= {"messages": "longer now " + rows[80]["messages"]}
    written(tmp_path / "new", rows)
    old, new = ((tmp_path / name).read_bytes() for name in ("old", "new"))
    pieces = [new[at : at + 4096] for at in range(0, len(new), 4096)]
    assert sum(piece in old for piece in pieces) > 0.8 * len(pieces) > 800
    assert pq.read_metadata(tmp_path / "new").num_row_groups == 1


@pytest.mark.matrix
@pytest.mark.parametrize("name", config_names())
def test_the_arrow_schema_is_the_one_that_datasets_makes(name: str) -> None:
    if split_name(name)[1] == "openai" and not hasattr(__import__("datasets"), "Json"):
        return  # refused by `settle`
    types = columns(settle(name, upstream="sample", lineage=True))
    made = schema_of(types)
    assert made.remove_metadata() == features(types).arrow_schema.remove_metadata()
    assert made.names == list(types)


BUILD = """
import sys
from pathlib import Path
import sera_swezero.build.worker_process
import sera_swezero.cluster.worker
from sera_swezero.build.build_shard import build_shards
from sera_swezero.build.unit_files import Unit
from sera_swezero.upstream import plan_shards, take_snapshot
from sera_swezero.request.settle import settle
from sera_swezero.schemas.arrow_columns import arrow_column, schema_of
name, view, out = sys.argv[1:]
given = {"name": name, "view": view, "upstream": "sample"}
snapshot = take_snapshot(settle(**given).origins, upstream="sample")
shards = tuple(plan_shards(snapshot.files, 1 << 40, multiple=1))
unit = Unit(name=name, index=0, count=1, arguments=given, shards=shards, snapshot=snapshot)
assert build_shards([unit], Path(out))[0].data.rows > 50
unneeded = {"datasets", "pandas", "httpx", "jinja2", "requests", "rich", "typer"}
print(sorted({one.split(".")[0] for one in sys.modules} & unneeded))
"""


@pytest.mark.parametrize(("name", "view"), [("glm-4.6-lite-t2", "hermes"), ("swe-zero-1k-32k", "native")])
def test_building_a_shard_imports_no_library_that_it_does_not_need(name: str, view: str, tmp_path: Path) -> None:
    assert python("-c", BUILD, name, view, tmp_path, well=True).stdout.strip() == "[]"
