"""In a training job: DataLoader workers, ranks, checkpoints of torchdata's StatefulDataLoader, the example's script."""

from __future__ import annotations

import itertools
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from datasets.distributed import split_dataset_by_node

from sera_swezero.errors import StateError
from tests.hub import LoopbackHub
from tests.support.processes import HERE, python
from tests.support.streams import T2, hub, large, mixed, places, point, sample, stream

__all__ = ["hub", "large", "point"]  # fixtures
pytestmark = pytest.mark.torch


STREAMS: dict[str, Callable[[], Any]] = {
    "plain": sample,
    "shuffled": lambda: sample(shuffle_seed=3, epoch=1),
    "mapped": lambda: sample(shuffle_seed=3).map(lambda row: row | {"size": len(row["messages"])}),
    "mixed": lambda: mixed(shuffle_seed=5),
    "rank": lambda: split_dataset_by_node(sample(shuffle_seed=3), 1, 2),
}


def loader(dataset: Any, workers: int) -> Any:
    from torchdata.stateful_dataloader import StatefulDataLoader

    return StatefulDataLoader(dataset, batch_size=2, num_workers=workers, collate_fn=list)


def rows(batches: Any) -> list[tuple[str, str, int]]:
    return places(itertools.chain.from_iterable(batches))


@pytest.mark.parametrize("workers", [0, 2, 3])
@pytest.mark.parametrize("name", STREAMS)
def test_a_loader_goes_on_at_the_batch_twice_in_a_row(name: str, workers: int) -> None:
    whole = rows(loader(STREAMS[name](), workers))
    first = loader(STREAMS[name](), workers)
    had = rows(itertools.islice(iter(first), 3))
    second = loader(STREAMS[name](), workers)
    second.load_state_dict(pickle.loads(pickle.dumps(first.state_dict())))
    had += rows(itertools.islice(iter(second), 4))
    third = loader(STREAMS[name](), workers)
    third.load_state_dict(pickle.loads(pickle.dumps(second.state_dict())))
    assert had + rows(third) == whole


@pytest.mark.parametrize("workers", [2, 16])
def test_workers_share_the_rows(workers: int) -> None:
    from torch.utils.data import DataLoader

    batches = DataLoader(sample(shuffle_seed=3), batch_size=4, num_workers=workers, collate_fn=list)
    assert sorted(rows(batches)) == sorted(places(sample()))


def test_ranks_and_their_workers_share_the_rows() -> None:
    shares = [rows(loader(split_dataset_by_node(sample(shuffle_seed=3), rank, 4), 2)) for rank in range(4)]
    assert sorted(itertools.chain(*shares)) == sorted(places(sample()))


def test_a_state_of_another_number_of_workers_is_refused() -> None:
    two = loader(sample(), 2)
    next(iter(two))
    states = two.state_dict()["_snapshot"]["_worker_snapshots"]
    of_worker = next(iter(states.values()))["dataset_state"]
    alone = sample()
    alone.load_state_dict(of_worker)
    with pytest.raises(StateError, match="number of workers"):
        next(iter(alone))


def test_persistent_workers_see_the_epoch_that_is_set() -> None:
    from torch.utils.data import DataLoader

    shuffled = sample(shuffle_seed=3)
    batches = DataLoader(shuffled, batch_size=2, num_workers=2, collate_fn=list, persistent_workers=True)
    first = rows(batches)
    shuffled.set_epoch(1)
    second = rows(batches)
    assert sorted(first) == sorted(second)
    assert first != second
    assert second == rows(DataLoader(sample(shuffle_seed=3, epoch=1), batch_size=2, num_workers=2, collate_fn=list))


def test_spawned_workers_get_the_stream_too() -> None:
    from torch.utils.data import DataLoader

    batches = DataLoader(sample(), batch_size=4, num_workers=2, collate_fn=list, multiprocessing_context="spawn")
    assert sorted(rows(batches)) == sorted(places(sample()))


@pytest.mark.parametrize(("start", "methods"), [("fork", ["HEAD"]), ("spawn", ["HEAD", "GET", "GET"])])
def test_workers_read_from_the_hub_and_ask_at_most_once_where_a_file_lies(
    hub: LoopbackHub, large: Path, start: str, methods: list[str]
) -> None:
    from torch.utils.data import DataLoader

    hub.add_dataset(T2, large / T2)
    stored = stream(shard_bytes=1 << 20)
    batches = DataLoader(stored, batch_size=4, num_workers=2, collate_fn=list, multiprocessing_context=start)
    assert sorted(rows(batches)) == sorted(places(stream(upstream=str(large))))
    found = hub.requests(path_matches="/resolve/", host="hub")
    assert [one.method for one in found] == methods, "a forked worker knows what its parent does"
    assert not any(one.authorized for one in hub.requests(host="cdn"))


def test_the_examples_script_is_killed_resumes_and_trains_on_every_row_once(tmp_path: Path) -> None:
    script, env = HERE / "examples" / "train_stream.py", {**os.environ, "PYTHONPATH": str(HERE)}
    done = python(script, "--out", tmp_path / "run", env=env, timeout=600, well=True)
    assert "killed both ranks in epoch 1, 0 of 2 had finished" in done.stdout
    assert "trained on 514 rows, {0: 257, 1: 257} by epoch" in done.stdout
    assert "every row exactly once in every epoch" in done.stdout
