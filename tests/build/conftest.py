"""What the tests of builds share: the embedded sample, built, and generated rows with the build of one process."""

from __future__ import annotations

from pathlib import Path

import pytest

from sera_swezero.build.runner import build
from sera_swezero.catalog import CONFIGS, DEFAULT
from sera_swezero.sample import sampled_configs
from tests.support.publishing import SERA, sera_root, sera_row

ALL = [name for name in sampled_configs() if name == DEFAULT or CONFIGS[DEFAULT].source != CONFIGS[name].source]
"""Configs of every source and shape of files: the one that joins SERA's sets of the card, and all of other sources."""
SHARD = 300_000
"""Bytes of a shard that cut each config of the sample into several."""

MEGABYTE = 1_000_000


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("built")
    build(ALL, out, upstream="sample", workers=1, shard_bytes=SHARD)
    return out


@pytest.fixture(scope="session")
def root(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Enough rows that a build can be interrupted."""
    return sera_root(tmp_path_factory.mktemp("root"), [sera_row(seed, 100_000) for seed in range(300)])


@pytest.fixture(scope="session")
def straight(root: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The build of one process, in shards of a megabyte."""
    out = tmp_path_factory.mktemp("straight")
    build([SERA], out, upstream=root, workers=1, shard_bytes=MEGABYTE)
    return out
