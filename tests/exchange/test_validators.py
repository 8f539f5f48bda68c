"""Rows of the view `atif` under the validators of the format: those of the package `atif`, and Harbor's own."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import sera_swezero
from tests.support.sample import SETS

pytestmark = pytest.mark.atif


@pytest.mark.parametrize("config", SETS)
def test_every_row_of_the_sample_is_valid_and_says_nothing_else(config: str) -> None:
    from atif import Trajectory

    rows = sera_swezero.iter_rows(config, view="atif", upstream="sample", incomplete="keep")
    for row in rows:
        read = Trajectory.model_validate_json(row["trajectory"])
        assert read.trajectory_id == row["trajectory_id"]
        assert read == Trajectory.model_validate(read.to_json_dict())
        assert [step.source for step in read.steps[:3]] == ["system", "user", "agent"]
    assert rows.report.rows_out > 2
    assert not rows.report.rejected["wide_integer"]


@pytest.mark.skipif(sys.version_info < (3, 12), reason="harbor needs Python 3.12")
@pytest.mark.parametrize("config", SETS)
def test_harbor_says_the_same(config: str, tmp_path: Path) -> None:
    from harbor.utils.trajectory_validator import TrajectoryValidator

    count = 0
    for row in sera_swezero.iter_rows(config, view="atif", upstream="sample", incomplete="keep"):
        path = tmp_path / "trajectory.json"
        path.write_text(row["trajectory"], encoding="utf-8")
        validator = TrajectoryValidator()
        assert validator.validate(path), validator.get_errors()
        count += 1
    assert count > 2
