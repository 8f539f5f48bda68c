"""Records that become several rows, in the view `steps` and with overlong="split": one mechanism for both.

Every row is given once, a stream goes on inside a record, and a build, a check and the counts hold for it.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import datasets
import pytest
from datasets.distributed import split_dataset_by_node

import sera_swezero
from sera_swezero import StateError
from sera_swezero.build import manifest
from sera_swezero.build.runner import build
from sera_swezero.check.paths import CheckTally, check_paths
from sera_swezero.rows import iter_rows
from sera_swezero.views import VIEWS
from tests.support.built import read_rows
from tests.support.characters import tokenizer
from tests.support.streams import READABLE, resumed

__all__ = ["tokenizer"]  # a fixture
pytestmark = pytest.mark.matrix

Load = Callable[..., Any]
CONFIG = "glm-4.6-lite-best"
FINE = 6_000
"""A shard size that puts its five records into shards of their own."""
KINDS = [kind for kind in ("steps", "windows", "steps within a limit") if kind == "windows" or "steps" in READABLE]


@pytest.fixture(params=KINDS)
def arguments(request: pytest.FixtureRequest, tokenizer: str) -> dict[str, Any]:
    """What gives several rows per record."""
    limit = {"max_tokens": 6_500, "tokenizer": tokenizer}
    if request.param == "windows":
        return {"view": "hermes", "overlong": "split", "context": 1, **limit}
    return {"view": "steps", **(limit if "limit" in request.param else {})}


@pytest.fixture
def load(arguments: dict[str, Any]) -> Load:
    def loaded(**more: Any) -> Any:
        given = {"upstream": "sample", "shard_bytes": FINE, "lineage": True, **arguments, **more}
        return sera_swezero.load_dataset(CONFIG, split="train", streaming=True, **given)

    return loaded


def place(row: dict[str, Any]) -> tuple[str, int, int]:
    """The record and which of its rows it is."""
    return row["source_file"], row["source_offset"], row.get("step", row.get("window"))


ORDERS: list[dict[str, Any]] = [{}, {"shuffle_seed": 3}]


@pytest.mark.parametrize("order", ORDERS)
def test_a_stream_goes_on_inside_a_record(load: Load, order: dict[str, Any]) -> None:
    whole = list(map(place, load(**order)))
    assert len(set(whole)) == len(whole)
    assert max(Counter(place[:2] for place in whole).values()) > 2
    neighbours = [key for key, _ in itertools.groupby(whole, key=lambda place: place[:2])]
    assert len(neighbours) == len(set(neighbours)), "the rows of a record follow each other"
    for cuts in ([1], [0, 3, 2], [7, 1, 1], [len(whole) // 2, 3], [len(whole) - 1], [len(whole)]):
        assert list(map(place, resumed(lambda: load(**order), cuts))) == whole, cuts


def test_ranks_share_the_records_and_every_row_is_read_once(load: Load) -> None:
    whole = sorted(map(place, load()))
    shares = [list(map(place, split_dataset_by_node(load(shuffle_seed=1), rank, 4))) for rank in range(4)]
    assert sorted(itertools.chain(*shares)) == whole
    assert sum(map(bool, shares)) > 1


def test_a_place_inside_a_record_must_be_one(load: Load) -> None:
    dataset = load()
    list(itertools.islice(iter(dataset), 2))
    state = dataset.state_dict()
    inner = state
    while "row" not in inner:
        inner = inner["examples_iterable"]
    inner["row"] += 1
    again = load()
    again.load_state_dict(state)
    with pytest.raises(StateError, match=r"row=\d+ do not agree with place="):
        next(iter(again))


@pytest.mark.parametrize("cached", [False, True])
def test_a_plain_load_arrow_and_iter_rows_give_the_rows_of_the_stream(
    load: Load, arguments: dict[str, Any], tmp_path: Path, cached: bool
) -> None:
    streamed = list(load())
    if cached:
        given = {"upstream": "sample", "lineage": True, **arguments}
        rows = list(sera_swezero.load_dataset(CONFIG, split="train", cache_dir=str(tmp_path), **given))
        assert rows == streamed
        return
    assert list(map(place, iter_rows(CONFIG, upstream="sample", lineage=True, **arguments))) == [
        place(row) for row in streamed
    ]
    if hasattr(datasets.IterableDataset, "to_pandas"):
        frame = load().to_pandas()
        assert len(frame) == len(streamed)


def test_reports_count_rows_and_records(arguments: dict[str, Any]) -> None:
    rows = iter_rows(CONFIG, upstream="sample", lineage=True, **arguments)
    given = list(map(place, rows))
    report = rows.report
    assert report.rows_out == len(given)
    assert report.records_out == len({place[:2] for place in given}) < len(given)
    left_out = report.rejected["overlong"]
    assert report.rows_in == report.records_out + report.rejected.total() - left_out + _wholly(arguments, report)
    assert f"{report.records_out} out as {report.rows_out} rows" in str(report)
    plain = iter_rows(CONFIG, upstream="sample", view=arguments["view"])
    list(plain)
    assert plain.report.conversions.total() <= report.conversions.total(), "conversions count once per record"
    assert report.conversions["observation_prefix"] == plain.report.conversions["observation_prefix"]


def _wholly(arguments: dict[str, Any], report: Any) -> int:
    """Records of which every row was left out: none but where a limit is as narrow as here."""
    whole = iter_rows(CONFIG, upstream="sample", lineage=True, view=arguments["view"])
    list(whole)
    return int(whole.report.records_out - report.records_out)


def test_a_build_has_the_rows_of_the_stream_and_check_finds_them_right(
    load: Load, arguments: dict[str, Any], tmp_path: Path
) -> None:
    build([CONFIG], tmp_path / "out", upstream="sample", workers=2, shard_bytes=30_000, lineage=True, **arguments)
    ((name, built),) = manifest.read(tmp_path / "out").configs.items()
    rows = read_rows(tmp_path / "out", name)
    assert list(map(place, rows)) == list(map(place, load()))
    assert built.rows == len(rows) == built.report.rows_out > built.report.records_out
    assert built.figures.messages.rows == len(rows)
    counts = CheckTally()
    assert list(check_paths([str(tmp_path / "out")], tally=counts)) == []
    assert counts.rows.total() == len(rows)
    build([CONFIG], tmp_path / "capped", upstream="sample", workers=1, max_rows=5, lineage=True, **arguments)
    assert list(map(place, read_rows(tmp_path / "capped", name))) == list(map(place, rows))[:5]


def test_the_view_of_single_turns_is_said_to_be_one() -> None:
    assert [view.name for view in VIEWS.values() if view.one_turn] == ["steps"]
