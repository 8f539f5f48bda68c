"""SWE-ZERO-12M as it lies on the hub, in small: many Parquet files of one row group, rollouts of a task together."""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from datasets.distributed import split_dataset_by_node

from sera_swezero.upstream import window_reader
from tests.hub import LoopbackHub
from tests.support.planted import write_zero
from tests.support.raw import Turn, chat, swe_zero
from tests.support.streams import CONFIG, ZERO, Point, point, stream

__all__ = ["point"]  # a fixture

FILES, ROLLOUTS, TASKS = 132, 10, 3
"""More files than planning looks into; rollouts of a task, and tasks of a file."""


EVERY_ROW = [
    (f"me__repo-{file * TASKS + task}", task * ROLLOUTS + rollout)
    for file in range(FILES)
    for task in range(TASKS)
    for rollout in range(ROLLOUTS)
]
"""Instance and row number in the file of each row."""


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files below a root."""
    folder = tmp_path_factory.mktemp("layout")
    row = swe_zero(chat([Turn("I look.", "ls", "setup.py")]), "incomplete", trajectory_format="text")
    write_zero(folder, [{**row, "instance_id": name} for name, _ in EVERY_ROW], CONFIG[ZERO], FILES)
    return folder


@pytest.fixture
def hub(root: Path, tmp_path: Path, point: Point) -> Iterator[LoopbackHub]:
    with LoopbackHub(tmp_path / "hub") as running:
        running.add_dataset(ZERO, root / ZERO)
        point(running)
        yield running


def rows(root: Path, **arguments: Any) -> Any:
    return stream(CONFIG[ZERO], upstream=str(root), **arguments).select_columns(["instance_id", "source_offset"])


def read(part: Any) -> list[tuple[str, int]]:
    return [(row["instance_id"], row["source_offset"]) for row in part]


def test_64_ranks_differ_by_no_more_than_one_file(root: Path) -> None:
    whole = rows(root, shuffle_seed=1)
    parts = [read(split_dataset_by_node(whole, rank, 64)) for rank in range(64)]
    assert sorted(itertools.chain(*parts)) == sorted(EVERY_ROW)
    counts = [len(part) for part in parts]
    assert max(counts) - min(counts) <= TASKS * ROLLOUTS
    assert min(counts) > 0


@pytest.mark.parametrize("order", [{}, {"shuffle_seed": 1}])
def test_whatever_the_world_size_no_rank_starves(root: Path, order: dict[str, Any]) -> None:
    windows = rows(root, **order)._ex_iterable.ex_iterable._plan.windows(0)
    # With other world sizes `datasets` gives every rank each row in turn.
    for world in (world for world in range(2, 65) if len(windows) % world == 0):
        files = [sum(len(window.shards) for window in windows[rank::world]) for rank in range(world)]
        assert sum(files) == FILES
        assert max(files) - min(files) <= 1


@pytest.mark.long
def test_neighbours_are_of_different_tasks(root: Path) -> None:
    found = [name for name, _ in read(rows(root, shuffle_seed=1))]
    distinct = [len(set(found[at : at + 64])) for at in range(0, len(found) - 64, 16)]
    assert statistics.median(distinct) >= 45


@pytest.mark.parametrize(("world", "shard_bytes"), [(1, None), (2, 30_000)])
def test_a_shuffled_stream_goes_on_at_the_row(
    root: Path, world: int, shard_bytes: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(window_reader, "PASS_BYTES", 15_000)  # a window takes several passes
    monkeypatch.setattr(window_reader, "_PLAIN_BYTES", 0)  # and its records wait compressed

    def mine() -> Any:
        return split_dataset_by_node(rows(root, shuffle_seed=1, shard_bytes=shard_bytes), world - 1, world)

    whole = read(itertools.islice(mine(), 500))
    for stop in (63, 450):
        first = mine()
        assert read(itertools.islice(first, stop)) == whole[:stop]
        again = mine()
        again.load_state_dict(first.state_dict())
        assert read(itertools.islice(again, 500 - stop)) == whole[stop:]


@pytest.mark.parametrize("order", [{}, {"shuffle_seed": 1}])
def test_64_ranks_start_within_the_hubs_limit(hub: LoopbackHub, order: dict[str, Any]) -> None:
    for rank in range(64):
        part = split_dataset_by_node(stream(CONFIG[ZERO], **order), rank, 64)
        assert next(iter(part))["instance_id"]
    assert len(hub.requests()) - len(hub.requests(host="cdn")) < 1_000, "in five minutes, as the hub allows"


def test_a_file_costs_the_hub_one_request(hub: LoopbackHub) -> None:
    next(iter(stream(CONFIG[ZERO])))
    assert len(hub.requests(path_matches="/resolve/")) == 1, "none before a file's first row is needed"
    hub.request_log.clear()
    assert len(read(stream(CONFIG[ZERO]))) == FILES * TASKS * ROLLOUTS
    asked = [request.path for request in hub.requests(path_matches="/resolve/")]
    assert len(asked) == len(set(asked)) == FILES - 1, "where the first one lies is known"
