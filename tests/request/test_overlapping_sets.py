"""SERA's sets overlap: which rows `sera-all` keeps, and which files it does not read."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from sera_swezero import iter_rows
from sera_swezero.build.runner import build
from sera_swezero.build.unions import loadable
from sera_swezero.catalog import CONFIGS, SERA_OTHERS
from sera_swezero.request.settle import settle
from sera_swezero.sample import ROOT
from tests.support.sample import COUNTS, kept_rows

REPEATING = [origin.name for origin in SERA_OTHERS if origin.repeats]


def rows(name: str, **arguments: Any) -> tuple[list[dict[str, Any]], Counter[str]]:
    found = iter_rows(name, upstream="sample", **arguments)
    return list(found), found.report.filtered_by


def test_an_instance_of_a_teacher_and_rollout_comes_once() -> None:
    kept, left_out = rows("sera-all")
    times = Counter((row["teacher"], row["rollout"], row["instance_id"]) for row in kept)
    assert set(times.values()) == {1}
    assert left_out == {"repeats": sum(COUNTS[name]["rows"] for name in REPEATING)}
    everything, none = rows("sera-all", repeats="keep")
    assert len(kept) == kept_rows("sera-all")
    assert len(everything) == len(kept) + sum(kept_rows(name) for name in REPEATING)
    assert none == {}


def test_every_row_of_a_set_that_repeats_others_is_in_one_of_them() -> None:
    for name in REPEATING:
        (origin,) = CONFIGS[name].origins
        others = {row["instance_id"] for other in origin.repeats for row in rows(other)[0]}
        assert {row["instance_id"] for row in rows(name)[0]} <= others


def test_a_set_is_left_out_only_beside_the_sets_that_it_repeats() -> None:
    lite = settle("sera-all", scale="lite")
    assert lite.repeated == {"glm-4.6-lite-best"}
    assert len(lite.origins) == 5
    assert settle("glm-4.6-lite-best").repeated == set()


@pytest.mark.parametrize(
    ("narrowed", "read"),
    [
        ({"scale": "django"}, ["Django-T1", "Django-T2"]),
        ({"scale": "sphinx", "rollout": "T2"}, ["Sphinx-T2"]),
        ({"teacher": "GLM-4.6", "rollout": "T1"}, ["4.6-Lite-T1"]),
    ],
)
def test_narrowing_reads_no_file_of_other_sets(narrowed: dict[str, Any], read: list[str], tmp_path: Path) -> None:
    for name in read:
        (repo,) = (ROOT / "allenai").glob(f"Sera-*{name}")
        shutil.copytree(repo, tmp_path / "allenai" / repo.name)
    found = list(iter_rows("sera-all", upstream=str(tmp_path), **narrowed))
    assert found == rows("sera-all", **narrowed)[0]


def test_rows_of_the_best_subset_say_their_rollout_where_upstream_does() -> None:
    found, _ = rows("glm-4.6-lite-best")
    assert [row["rollout"] for row in found] == [None, "T2", "T1", "T2", "T1"]
    assert [row["line_level_recall"] is None for row in found] == [True, False, True, False, True]
    assert all((row["teacher"], row["scale"]) == ("GLM-4.6", "lite") for row in found)


def test_a_build_of_all_sets_leaves_the_repeating_ones_out(tmp_path: Path) -> None:
    made = build(["sera-all"], tmp_path / "out", upstream="sample", workers=1, max_rows=1)
    assert made.configs.keys() == {origin.name for origin in CONFIGS["sera-all"].origins} - set(REPEATING)
    assert loadable(made.configs, ["rectified"])["sera-all"] == sorted(made.configs, key=list(CONFIGS).index)
