"""The identity of rows: what voids caches, build entries and saved states, and what does not."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from sera_swezero.request import identity
from tests.support.processes import python

PACKAGE = Path(identity.__file__).resolve().parents[1]

KEYS = """
import sys
import sera_swezero
from sera_swezero.build.jobs import plan
from sera_swezero.loading.builder import SeraSweZero
builder = SeraSweZero(config_name="glm-4.6-lite-t2", upstream="sample", cache_dir=sys.argv[1])
print(sera_swezero.__file__.startswith(sys.argv[2]))
print(builder.cache_dir)
builder._split_generators(type("Manager", (), {"is_streaming": True}))
print(builder.plan.key(0, [0, 1, 2]))
for job in plan(["glm-4.6-lite-t2"], [], {"upstream": "sample"}, 1 << 20, None):
    print([unit.key for unit in job.units])
"""


def keys(root: Path, cache: Path) -> list[str]:
    """The cache's folder, a state's key and the keys of a build's units, with the package below a root."""
    done = python("-c", KEYS, cache, root, env={**os.environ, "PYTHONPATH": str(root)}, cwd=root, well=True)
    ours, *found = done.stdout.splitlines()
    assert ours == "True", "the copy is what was imported"
    return found


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the package."""
    shutil.copytree(PACKAGE, tmp_path / "root" / PACKAGE.name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(PACKAGE.parent / "dataset_infos.json", tmp_path / "root")
    return tmp_path / "root"


def test_editing_comments_anywhere_changes_no_key(copy: Path, tmp_path: Path) -> None:
    before = keys(copy, tmp_path / "cache")
    assert len(before) == 3
    for path in copy.rglob("*.py"):
        path.write_text(f"{path.read_text(encoding='utf-8')}\n# Another comment.\n", encoding="utf-8")
    assert keys(copy, tmp_path / "cache") == before


def test_a_new_version_of_rows_changes_every_key(copy: Path, tmp_path: Path) -> None:
    before = keys(copy, tmp_path / "cache")
    path = copy / PACKAGE.name / "request" / "identity.py"
    text = path.read_text(encoding="utf-8")
    changed = text.replace(f"ROWS_VERSION = {identity.ROWS_VERSION}", "ROWS_VERSION = 999")
    assert changed != text
    path.write_text(changed, encoding="utf-8")
    assert all(old != new for old, new in zip(before, keys(copy, tmp_path / "cache"), strict=True))
