"""The blocks of the README, copied by a machine, run in order in a new environment, against a hub on this machine."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from sera_swezero.sample import ROOT
from tests.hub import LoopbackHub
from tests.support.documented import examples
from tests.support.environments import OFFLINE, new_environment
from tests.support.own_runs import runs
from tests.support.processes import HERE

README = (HERE / "README.md").read_text(encoding="utf-8")
BLOCKS = [(example.kind, example.text) for example in examples(README)]
REPO = "OWNER/NAME"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of the checkout with a virtual environment, which finds the dependencies that are installed here."""
    copy = tmp_path / "checkout"
    shutil.copytree(HERE, copy, ignore=shutil.ignore_patterns(".git", ".venv*", ".*_cache", "__pycache__", "out"))
    new_environment(copy / ".venv")
    return copy


@pytest.mark.timeout(600)
def test_every_block_runs(hub: LoopbackHub, tmp_path: Path, checkout: Path) -> None:
    for folder in ROOT.glob("*/*/"):
        hub.add_dataset(folder.relative_to(ROOT).as_posix(), folder)
    runs(checkout / "runs")
    path = f"{checkout / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}"
    env = hub.env(PATH=path, **OFFLINE)
    env.pop("PYTHONPATH", None)
    said = [""]
    for kind, text in BLOCKS:
        if kind == "text":
            assert said[-1] == text
            continue
        command = ["python", "-c", text] if kind == "python" else ["bash", "-euo", "pipefail", "-c", text]
        done = subprocess.run(command, env=env, cwd=checkout, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{text}\n{done.stdout}\n{done.stderr}"
        said.append(done.stdout)
    card = hub.files("OWNER/RUNS")["README.md"].decode()
    assert "# Coding-agent trajectories\n\nRollouts of coding agents, converted" in card
    assert hub.refs(REPO)["refs/tags/v1"] == hub.head(REPO)
    assert [f"{REPO} at {hub.head(REPO)[:12]}: " in text for text in said].count(True) == 1  # what `verify` says
    assert len(list((checkout / "own" / "swe-agent").glob("*.parquet"))) == 2  # a file of each of the two upstream


def test_no_block_builds_made_up_rows_for_the_hub() -> None:
    lines = [line for kind, text in BLOCKS if kind == "bash" for line in text.splitlines()]
    builds = [line for line in lines if " build " in line]
    assert builds
    assert not [line for line in builds if "sample" in line]
