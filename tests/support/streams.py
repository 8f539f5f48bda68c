"""What the tests of streaming share: corpora on a loopback hub that this process is pointed at, short ways to load."""

from __future__ import annotations

import itertools
import pickle
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import datasets
import huggingface_hub.constants
import huggingface_hub.file_download
import pytest

import sera_swezero
from sera_swezero.sample import ROOT, sampled_configs
from sera_swezero.views import VIEWS
from tests.hub import LoopbackHub
from tests.support.processes import python

T1, T2 = "allenai/Sera-4.6-Lite-T1", "allenai/Sera-4.6-Lite-T2"
ZERO = "AlienKevin/SWE-ZERO-12M-trajectories"
CONFIG = {T1: "glm-4.6-lite-t1", T2: "glm-4.6-lite-t2", ZERO: "swe-zero-12m"}
READABLE = [name for name in VIEWS if not VIEWS[name].has_json_leaves or hasattr(datasets, "Json")]
"""The views that the installed `datasets` can hold."""
NAMES = [
    *sampled_configs(),
    *(f"{config}-{view}" for config in ("glm-4.6-lite-t2", "swe-zero-1k-32k") for view in READABLE),
]
"""Every config of the sample in its default view, and two configs in every view."""
FINE = 30_000
"""A shard size that cuts the embedded SERA files (1.5 MB) into 64 shards."""

Point = Callable[[LoopbackHub], None]


@pytest.fixture
def point(monkeypatch: pytest.MonkeyPatch) -> Point:
    """Point the hub client of this process at a hub."""
    return partial(aim, monkeypatch)


def aim(patch: pytest.MonkeyPatch, hub: LoopbackHub) -> None:
    """Point the hub client of this process at a hub, as HF_ENDPOINT does for those that it starts."""
    template = hub.endpoint + "/{repo_id}/resolve/{revision}/{filename}"
    patch.setattr(huggingface_hub.constants, "ENDPOINT", hub.endpoint)
    for module in (huggingface_hub.constants, huggingface_hub.file_download):
        patch.setattr(module, "HUGGINGFACE_CO_URL_TEMPLATE", template, raising=False)
    patch.setenv("HF_ENDPOINT", hub.endpoint)
    patch.setenv("HF_TOKEN", hub.token)
    patch.setenv("NO_PROXY", "127.0.0.1,localhost")


@pytest.fixture
def hub(tmp_path: Path, point: Point) -> Iterator[LoopbackHub]:
    """A hub with the embedded corpora."""
    with LoopbackHub(tmp_path / "hub") as running:
        for repo in CONFIG:
            running.add_dataset(repo, ROOT / repo)
        point(running)
        yield running


@pytest.fixture(scope="session")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root with one SERA set of 12 MB: large enough for the hub to keep it on its CDN, behind a redirect."""
    root = tmp_path_factory.mktemp("large")
    make(root, 64)
    return root


def make(root: Path, rows: int) -> Path:
    """Write generated rows of T2 below a root; gives the file."""
    python("-m", "tools.sample_corpus", "--out", root, "--rows", rows, "--repo", T2, well=True)
    (file,) = (root / T2).iterdir()
    return file


def stream(name: str = CONFIG[T2], **arguments: Any) -> Any:
    """A stream of a config, with lineage, so that rows say where they came from."""
    return sera_swezero.load_dataset(name, split="train", streaming=True, lineage=True, **arguments)


def sample(name: str = CONFIG[T2], **arguments: Any) -> Any:
    """A stream of the embedded sample, in many shards."""
    return stream(name, upstream="sample", **{"shard_bytes": FINE, **arguments})


def mixed(**arguments: Any) -> Any:
    """Two sets of the sample, mixed by weights."""
    parts = [sample(CONFIG[repo], **arguments) for repo in (T1, T2)]
    return datasets.interleave_datasets(parts, probabilities=[0.3, 0.7], seed=1, stopping_strategy="all_exhausted")


def resumed(make: Callable[[], Any], cuts: Iterable[int]) -> list[Any]:
    """Rows of a stream that is stopped and resumed, in a new object each time, after each of `cuts` rows."""
    rows: list[Any] = []
    state = None
    for cut in [*cuts, None]:
        dataset = make()
        if state is not None:
            dataset.load_state_dict(pickle.loads(pickle.dumps(state)))
        rows += list(itertools.islice(iter(dataset), cut))
        state = dataset.state_dict()
    return rows


def places(rows: Any) -> list[tuple[str, str, int]]:
    """Where rows came from: repo, file, offset; names a row among all."""
    return [(row["source_repo"], row["source_file"], row["source_offset"]) for row in rows]
