"""What users install: the wheel and the sdist, what they hold, and that both run away from the checkout."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tarfile
import tomllib
import zipfile
from email import message_from_bytes
from pathlib import Path

import pytest
import yaml

from sera_swezero.catalog import CONFIGS
from sera_swezero.version import __version__
from tests.support.environments import OFFLINE, new_environment
from tests.support.processes import HERE, python

NAME = f"sera_swezero-{__version__}"
PROJECT = "https://example.com/you/fork"
HUB = "https://huggingface.co/datasets/"


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sdist of the checkout and the wheel built from that sdist, as `python -m build` makes them."""
    folder = tmp_path_factory.mktemp("dist")
    python("-m", "hatchling", "build", "-d", folder, "-t", "sdist", well=True)
    with tarfile.open(folder / f"{NAME}.tar.gz") as archive:
        archive.extractall(folder / "unpacked", filter="data")
    python("-m", "hatchling", "build", "-d", folder, "-t", "wheel", cwd=folder / "unpacked" / NAME, well=True)
    return folder


def wheel(dist: Path) -> zipfile.ZipFile:
    return zipfile.ZipFile(dist / f"{NAME}-py3-none-any.whl")


def test_the_wheel_holds_the_package_and_nothing_else(dist: Path) -> None:
    package = {
        path.relative_to(HERE).as_posix()
        for path in (HERE / "sera_swezero").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    info = {f"{NAME}.dist-info/{name}" for name in ("METADATA", "RECORD", "WHEEL", "entry_points.txt")}
    expected = package | info | {f"{NAME}.dist-info/licenses/LICENSE", "sera_swezero/dataset_infos.json"}
    assert set(wheel(dist).namelist()) == expected
    assert "sera_swezero/py.typed" in expected
    assert len([name for name in expected if name.startswith("sera_swezero/sample/corpus/")]) >= 20


def test_the_sdist_holds_what_a_packager_tests(dist: Path) -> None:
    with tarfile.open(dist / f"{NAME}.tar.gz") as archive:
        names = archive.getnames()
    tops = {name.split("/")[1] for name in names if "/" in name}
    assert tops >= {"sera_swezero", "tests", "tools", "benchmarks", "docs", "examples", "Makefile", "LICENSE"}
    assert not [name for name in names if "/.venv" in name or "__pycache__" in name]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("file", [f"{NAME}-py3-none-any.whl", pytest.param(f"{NAME}.tar.gz", marks=pytest.mark.long)])
def test_it_installs_and_runs_away_from_the_checkout(dist: Path, tmp_path: Path, file: str) -> None:
    programs = new_environment(tmp_path / "venv")
    env = {**os.environ, **OFFLINE, "HF_HUB_OFFLINE": "1"}
    env.pop("PYTHONPATH", None)

    def run(program: str, *words: str | Path) -> str:
        command = [programs / program, *words]
        return subprocess.run(command, cwd=tmp_path, env=env, check=True, capture_output=True, text=True).stdout

    run("pip", "install", dist / file)
    assert str(tmp_path) in run("python", "-c", "import sera_swezero; print(sera_swezero.__file__)")
    assert run("sera-swezero", "--version").strip() == __version__
    assert "presetlib_10040" in run("sera-swezero", "show", "glm-4.6-lite-t2", "--upstream", "sample")


def test_the_changelog_begins_with_this_version() -> None:
    changelog = (HERE / "CHANGELOG.md").read_text(encoding="utf-8")
    version, when = re.findall(r"^## \[([^]]+)\] - (\S+)$", changelog, re.MULTILINE)[0]
    assert version == __version__
    assert when == "unreleased" or re.fullmatch(r"\d{4}-\d\d-\d\d", when)


def test_the_addresses_of_the_project_are_those_of_sets_that_it_reads() -> None:
    urls = tomllib.loads((HERE / "pyproject.toml").read_text(encoding="utf-8"))["project"]["urls"]
    assert {url.removeprefix(HUB) for url in urls.values()} <= {
        origin.repo for config in CONFIGS.values() for origin in config.origins
    }


def test_a_release_names_its_repository_and_links_the_files_there(tmp_path: Path) -> None:
    """The steps of the release workflow, run as the service runs them, up to the build."""
    workflow = yaml.safe_load((HERE / ".github" / "workflows" / "package.yml").read_text(encoding="utf-8"))
    naming, changelog = [step["run"] for step in workflow["jobs"]["build"]["steps"] if "name" in step][:2]
    shutil.copytree(HERE, tmp_path / "it", ignore=shutil.ignore_patterns(".*", "tests", "benchmarks"))
    tag = f"v{__version__}"
    shell = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c"]
    env = {**os.environ, "PROJECT": PROJECT, "TAG": tag}

    unreleased = subprocess.run([*shell, changelog], cwd=tmp_path / "it", env=env, check=False)
    assert unreleased.returncode == int("unreleased" in (HERE / "CHANGELOG.md").read_text(encoding="utf-8"))

    subprocess.run([*shell, naming], cwd=tmp_path / "it", env=env, check=True)
    python("-m", "hatchling", "build", "-d", tmp_path / "dist", "-t", "wheel", cwd=tmp_path / "it", well=True)
    metadata = message_from_bytes(wheel(tmp_path / "dist").read(f"{NAME}.dist-info/METADATA"))
    assert f"Repository, {PROJECT}" in metadata.get_all("Project-URL", [])
    targets = re.findall(r"\]\(([^)]+)\)", str(metadata.get_payload()))
    assert f"{PROJECT}/blob/{tag}/CONTRIBUTING.md" in targets
    assert not [target for target in targets if not target.startswith(("https://", "#"))]
