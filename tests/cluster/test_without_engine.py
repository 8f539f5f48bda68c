"""Without the extra `cluster` the package says what to install, and nothing else of it needs the engine."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest

from sera_swezero.build import jobs, unit_files
from sera_swezero.cluster import tasks, worker
from sera_swezero.cluster.step import BuildShards, task_file
from sera_swezero.errors import ConfigError
from tests.cluster.corpus import run
from tests.support.publishing import SERA


@pytest.mark.skipif(find_spec("datatrove") is not None, reason="the engine is installed")
def test_an_executor_that_is_not_installed_names_the_extra(tmp_path: Path) -> None:
    ended = run("build", SERA, "--upstream", "sample", "--out", str(tmp_path), "--executor", "datatrove-local")
    assert ended.returncode == 2
    assert "pip install 'sera-swezero[cluster]'" in ended.stderr
    assert not (tmp_path / SERA).exists()


def test_the_step_and_its_tasks_need_no_engine(tmp_path: Path) -> None:
    (job,) = jobs.plan([SERA], (), {"upstream": "sample"}, 300_000, None)
    folder = tasks.write(job.units, tmp_path, 2)
    for rank in (1, 0):
        assert list(BuildShards(str(tmp_path), str(folder))(["passed on"], rank, 2)) == ["passed on"]
    assert all(unit_files.finished(unit, tmp_path) for unit in job.units)


def test_a_task_of_other_versions_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (job,) = jobs.plan([SERA], (), {"upstream": "sample"}, 300_000, None)
    file = task_file(tasks.write(job.units, tmp_path, 1), 0)
    monkeypatch.setattr(worker, "program", lambda: "another version")
    with pytest.raises(ConfigError, match=r"this machine has another version; install the same versions"):
        worker.work(tmp_path, file)
