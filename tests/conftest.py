"""What every test gets: its own Hugging Face directories, golden files, and the profiles of hypothesis.

The directories are set when this module is imported, because `datasets` and `huggingface_hub` read them from the
environment when *they* are. `HF_HUB_OFFLINE` stays unset: a test that wants it, or a token, or an endpoint, sets it.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from tests.hub import LoopbackHub
from tests.support.golden_files import Golden

FROM_OUTSIDE = (
    "HF_ASSETS_CACHE",
    "HF_DATASETS_OFFLINE",
    "HF_ENDPOINT",
    "HF_HUB_CACHE",
    "HF_HUB_OFFLINE",
    "HF_MODULES_CACHE",
    "HF_TOKEN",
    "HF_TOKEN_PATH",
    "HF_XET_CACHE",
    "HUGGINGFACE_HUB_CACHE",
    "HUGGING_FACE_HUB_TOKEN",
)
"""Settings of the person who runs the tests that would lead them to a real token, cache or hub."""

_scratch = Path(tempfile.mkdtemp(prefix="sera-swezero-tests-"))


def _isolate() -> None:
    early = {"datasets", "huggingface_hub"} & sys.modules.keys()
    if early:
        names = ", ".join(sorted(early))
        raise pytest.UsageError(f"{names} imported before tests/conftest.py: the tests would use your own caches")
    for name in FROM_OUTSIDE:
        os.environ.pop(name, None)
    os.environ["HF_HOME"] = str(_scratch / "hf")
    os.environ["HF_DATASETS_CACHE"] = str(_scratch / "hf" / "datasets")
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"


_isolate()

hypothesis.settings.register_profile(
    "small", max_examples=50, derandomize=True, deadline=None, database=None, print_blob=True
)
hypothesis.settings.register_profile("long", max_examples=400, deadline=None, print_blob=True)
hypothesis.settings.load_profile("small")  # --hypothesis-profile is read later and wins


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="rewrite tests/golden/ with what the code gives now")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the rounds of faults, which take minutes: at the end one process would run them alone."""
    items.sort(key=lambda item: "test_reliability" not in item.nodeid)


def pytest_unconfigure() -> None:
    shutil.rmtree(_scratch, ignore_errors=True)


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Golden:
    """Compare text with a file below tests/golden/: `golden("sera/preamble.txt", text)`."""
    return Golden(update=request.config.getoption("--update-golden"))


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[LoopbackHub]:
    """Run a hub without any repo."""
    with LoopbackHub(tmp_path / "hub") as running:
        yield running
