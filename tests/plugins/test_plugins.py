"""A source, a set and a view of another package work everywhere, without any edit of this one."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

import sera_swezero
from sera_swezero.catalog import CONFIGS
from sera_swezero.errors import ConfigError
from sera_swezero.sources import SOURCES
from sera_swezero.views import VIEWS
from tests.support.processes import HERE, python

TOY = Path(__file__).parent / "toy"

RUNS = {
    "calc/one.traj.json": {
        "id": "calc-1",
        "goal": "Make it work.",
        "done": True,
        "turns": [
            {"think": "Look first.", "run": "ls", "saw": "calc.py\n"},
            {"think": "Now edit.", "run": "sed -i s/1/2/ calc.py", "saw": ""},
            {"think": "It works."},
        ],
    },
    "calc/deeper/two.traj.json": {
        "id": "calc-2",
        "goal": "Make it fast.",
        "turns": [{"think": "Time it.", "run": "time ./calc", "saw": "1.0"}, {"think": "Stop.", "run": "exit"}],
    },
    "calc/nameless.traj.json": {"goal": "Say no name.", "turns": [{"think": "There is none.", "run": "true"}]},
    "broken.traj.json": {"goal": 5},
}

Run = Callable[..., str]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Run Python, or the command line, where the toy package is installed."""
    site = tmp_path_factory.mktemp("site")
    quiet = ["--disable-pip-version-check", "--no-build-isolation", "--no-deps", "-q"]
    python("-m", "pip", "install", *quiet, "--target", site, TOY, well=True)

    def go(*words: str) -> str:
        env = {**os.environ, "PYTHONPATH": f"{site}{os.pathsep}{HERE}", "COLUMNS": "200"}
        return python(*words, env=env, cwd=site, well=True).stdout

    return go


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A folder of runs, pretty-printed as a person keeps them."""
    folder = tmp_path_factory.mktemp("root")
    for name, content in RUNS.items():
        path = folder / "toy" / "runs" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content, indent=2), encoding="utf-8")
    return str(folder)


LOAD = """
import json, sys
import datasets, sera_swezero
name, root, streaming = sys.argv[1:]
rows = datasets.load_dataset("sera_swezero", name, split="train", streaming=streaming == "streaming", upstream=root)
print(json.dumps(list(rows)))
"""


@pytest.mark.parametrize("way", ["plain", "streaming"])
def test_load_dataset_gives_the_rows_of_a_set_of_another_package(run: Run, root: str, way: str) -> None:
    rows = json.loads(run("-c", LOAD, "toy-runs", root, way))
    assert [row["instance_id"] for row in rows] == ["calc-2", "nameless", "calc-1"]
    roles = [[message["role"] for message in json.loads(row["messages"])] for row in rows]
    step = ["reasoning", "tool_call", "tool_output"]
    assert roles == [
        ["system", "user", *step, *step[:2]],
        ["system", "user", *step[:2]],
        ["system", "user", *step, *step, "reasoning", "answer"],
    ]


def test_its_view_stands_behind_every_config(run: Run, root: str) -> None:
    (two, _, one) = json.loads(run("-c", LOAD, "toy-runs-commands", root, "streaming"))
    assert one == {"instance_id": "calc-1", "commands": '{"command": "ls"}\n{"command": "sed -i s/1/2/ calc.py"}'}
    assert len(two["commands"].splitlines()) == 2
    sera = json.loads(run("-c", LOAD, "glm-4.6-lite-t2-commands", "sample", "streaming"))
    assert sera
    assert all(row.keys() == {"instance_id", "commands"} for row in sera)


@pytest.mark.parametrize("view", ["commands", "native"])
def test_the_command_line_builds_checks_counts_and_shows_it(run: Run, root: str, view: str, tmp_path: Path) -> None:
    cli, out = ("-m", "sera_swezero"), str(tmp_path / "out")
    assert "Agent rollouts of toy/runs" in run(*cli, "configs", "--json")
    assert "1 bad_record" in run(*cli, "build", "toy-runs", "--view", view, "--upstream", root, "--out", out)
    assert "no problem" in run(*cli, "check", out)
    assert "bash" in run(*cli, "stats", out)
    assert "calc-1" in run(*cli, "show", "toy-runs", "--view", view, "--upstream", root, "--row", "2")


def test_names_that_are_taken_or_lead_nowhere_are_refused() -> None:
    from dataclasses import replace

    sera = CONFIGS["glm-4.6-lite-t1"].origins[0]
    sera_swezero.register(SOURCES["sera"], VIEWS["hermes"], sera)  # again does no harm
    for wrong, says in (
        (replace(SOURCES["sera"], tools="tools-swe-zero"), "the name 'sera' is taken"),
        (replace(sera, repo="other/repo"), "the name 'glm-4.6-lite-t1' is taken"),
        (replace(sera, name="new", source="nobody"), "names the source 'nobody'; sources are sera, swe_zero"),
        (replace(sera, name="new", shape="odd"), "names the shape 'odd'; those of sera are sera"),
        ("sera", "a Source, a View or a set"),
    ):
        with pytest.raises(ConfigError, match=says):
            sera_swezero.register(wrong)
    assert "new" not in CONFIGS
