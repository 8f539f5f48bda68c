"""The corpus of the cluster's tests, and the one-process build that every other one must equal."""

from __future__ import annotations

from pathlib import Path

import pytest

from sera_swezero.build.runner import build
from tests.cluster.corpus import SETTINGS, SHARD_BYTES, SHARDS, make_root
from tests.support.publishing import SERA


@pytest.fixture(scope="session")
def root(tmp_path_factory: pytest.TempPathFactory) -> str:
    return make_root(tmp_path_factory.mktemp("root"))


@pytest.fixture(scope="session")
def straight(root: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The build of one process."""
    out = tmp_path_factory.mktemp("straight")
    made = build([SERA], out, upstream=root, workers=1, shard_bytes=SHARD_BYTES)
    assert len(made.configs[SERA].shards) == SHARDS
    return out


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    path = tmp_path / "cluster.toml"
    path.write_text(SETTINGS)
    return path
