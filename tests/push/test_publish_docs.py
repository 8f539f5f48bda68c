"""What a maintainer follows to publish: the table of faults, and the CI workflow, step by step."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from sera_swezero.sample import ROOT
from tests.hub import LoopbackHub
from tests.push.test_push_faults import CALLS
from tests.support.documented import install
from tests.support.processes import HERE, python

REPO = "you/set"
UPSTREAM = ["AlienKevin/SWE-ZERO-1k-trajectories", "allenai/Sera-4.6-Lite-T2"]


def test_the_table_of_faults_tells_of_every_call() -> None:
    guide = (HERE / "docs" / "publishing.md").read_text()
    rows = re.findall(r"^\| ([^|]+) \| new \| new \| new \| old, new \| old, new \|", guide, re.MULTILINE)
    assert rows == list(CALLS)


def steps(job: str) -> list[dict[str, Any]]:
    workflow = yaml.safe_load((HERE / ".github" / "workflows" / "publish.yml").read_text())
    return [step for step in workflow["jobs"][job]["steps"] if "name" in step]


def run_steps(job: str, env: dict[str, str], folder: Path, given: dict[str, str]) -> None:
    """Run the job's own steps as the CI service does: bash -e, with their environment filled in."""
    env = {
        **env,
        "PATH": f"{install(folder / 'bin', HERE)}:{env['PATH']}",
        "REPO": REPO,
        "CONFIGS": "swe-zero-1k-8k glm-4.6-lite-t2",
    }
    for step in steps(job):
        own = {name: given[name] for name in step.get("env", {})}
        command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]]
        done = subprocess.run(command, env={**env, **own}, cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{step['name']}: {done.stdout}{done.stderr}"


def test_a_pull_request_plans_and_writes_nothing(hub: LoopbackHub, tmp_path: Path) -> None:
    env = {name: value for name, value in hub.env().items() if name != "HF_TOKEN"}
    run_steps("plan", env, tmp_path, {})
    assert {one.method for one in hub.log} <= {"GET", "HEAD"}
    assert (tmp_path / "out" / "README.md").is_file()


@pytest.mark.parametrize("access", ["trusted publisher", "secret"])
def test_a_release_publishes_tags_and_verifies(hub: LoopbackHub, tmp_path: Path, access: str) -> None:
    hub.add_dataset(REPO, {"README.md": "# soon\n"}, private=True)
    # The sample in the place of some 40 GB upstream.
    commits = {repo: hub.add_dataset(repo, ROOT / repo) for repo in UPSTREAM}
    env = hub.ci_env(REPO)
    del env["HF_OIDC_RESOURCE"]
    token = hub.token if access == "secret" else ""
    run_steps("publish", env, tmp_path, {"HF_TOKEN": token, "TAG": "v1.2"})
    assert json.loads((tmp_path / "sera-swezero.lock").read_text(encoding="utf-8")) == {"repos": commits}
    assert hub.refs(REPO)["refs/tags/v1.2"] == hub.head(REPO)
    assert bool(hub.requests("POST", "/oauth/token", status=200)) == (access == "trusted publisher")
    assert [pull.status for pull in hub.pull_requests(REPO)] == ["merged"]


@pytest.mark.timeout(300)
def test_the_demo_of_publishing_ends_with_a_version_without_problems() -> None:
    done = python("tests/support/demo_publish.py", well=True)
    ends = re.findall(
        r"^you/trajectories.*\b(planned|published|unchanged|no problems found)", done.stdout, re.MULTILINE
    )
    assert ends == ["planned", "published", "unchanged", "no problems found"]
