"""The examples of every page of the docs run, page by page, against a hub on this machine that has the sample."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from sera_swezero.catalog import CONFIGS
from sera_swezero.sample import ROOT
from tests.hub import LoopbackHub
from tests.support.documented import examples, install
from tests.support.own_runs import runs
from tests.support.processes import HERE

PAGES = sorted((HERE / "docs").glob("*.md"))
RUN = [page for page in PAGES if any(one.kind != "text" for one in examples(page.read_text(encoding="utf-8")))]
SLOW = {"statistics", "publishing", "own-runs", "look-and-check", "training"}
"""Pages whose examples take seconds: they run in the long mode, which CI runs, too."""


@pytest.fixture
def folder(hub: LoopbackHub, tmp_path: Path) -> Path:
    """Where the examples run: with runs of one's own, a list of a benchmark, and a folder that was built."""
    for folder in ROOT.glob("*/*/"):
        hub.add_dataset(folder.relative_to(ROOT).as_posix(), folder)
    for repo in {origin.repo for config in CONFIGS.values() for origin in config.origins if origin.repo}:
        if not (ROOT / repo).is_dir():
            hub.add_dataset(repo, {"README.md": "no rows"})
    runs(tmp_path / "runs")
    (tmp_path / "list.jsonl").write_text('{"repo": "pallets/flask"}\n', encoding="utf-8")
    return tmp_path


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    "page", [pytest.param(page, marks=[pytest.mark.long] * (page.stem in SLOW), id=page.stem) for page in RUN]
)
def test_every_example_runs(hub: LoopbackHub, folder: Path, page: Path) -> None:
    env = hub.env(PYTHONPATH=str(HERE))
    env["PATH"] = f"{install(folder / 'bin', HERE)}:{env['PATH']}"
    text = page.read_text(encoding="utf-8")
    if "out/" in text and " build " not in text:
        subprocess.run(["sera-swezero", "build", "glm-4.6-lite-t2", "--out", "out"], env=env, cwd=folder, check=True)
    for example in examples(text):
        if example.kind == "text":
            continue
        done = subprocess.run(example.command, env=env, cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{example.text}\n{done.stdout}\n{done.stderr}"
        for line in filter("...".__ne__, example.output.splitlines()):
            assert line in done.stdout


def test_no_command_stands_where_it_is_not_run() -> None:
    """Blocks are fenced, so that each is run or says why not."""
    for page in [*PAGES, HERE / "README.md"]:
        indented = re.findall(
            r"^ {4}(?:sera-swezero|python|pip|make) .*$", page.read_text(encoding="utf-8"), re.MULTILINE
        )
        assert not indented, page


def test_every_page_is_on_the_site() -> None:
    site = (HERE / "mkdocs.yml").read_text(encoding="utf-8")
    assert [page.name for page in PAGES if f"{page.name}\n" not in site] == []
