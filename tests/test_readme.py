"""The README is true: its example prints what it says, its tables and links name what there is."""

from __future__ import annotations

import contextlib
import io
import json
import re
from pathlib import Path

import pytest

from benchmarks.table import BEGIN, END, PAGE, RESULTS, SHORT_BEGIN, SHORT_END, STREAMING, render, short
from sera_swezero.errors import REASONS
from tests.request.test_arguments import CLASHES
from tools.generate import PAGES as GENERATED
from tools.generate import tables, with_tables

HERE = Path(__file__).resolve().parent.parent
TEXT = (HERE / "README.md").read_text(encoding="utf-8")
TOPS = (HERE, HERE / "sera_swezero")
"""The docs name paths from these two on."""
PAGES = [
    page
    for page in (*HERE.glob("*.md"), *(HERE / "docs").rglob("*.md"))
    if "\nReplaced by [" not in page.read_text(encoding="utf-8")
]
"""Every page of the docs, but decisions that no longer hold."""


@pytest.mark.matrix
def test_the_first_example_prints_what_the_readme_shows() -> None:
    code, expected = re.findall(r"```(?:python|text)\n(.*?)```", TEXT, re.DOTALL)[:2]
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(code, "README.md", "exec"), {})
    assert printed.getvalue() == expected


def test_the_tables_are_generated_from_the_catalog_and_the_arguments() -> None:
    pages = [page.read_text(encoding="utf-8") for page in GENERATED]
    assert [with_tables(page) for page in pages] == pages, "run `make generate`"
    assert all(any(table in page for page in pages) for table in tables().values())


def test_every_clash_and_every_reason_is_named() -> None:
    pairs = TEXT.split("So does a pair that makes no sense:", 1)[1].split("## Rows", 1)[0]
    for pair in CLASHES:
        assert any(all(name in line for name in pair) for line in pairs.splitlines()), pair
    for reason in REASONS:
        assert f"`{reason}`" in TEXT


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_link_and_every_path_leads_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", text):
        assert (page.parent / target).exists(), target
    folders = "|".join(path.name for top in TOPS for path in top.iterdir() if path.is_dir())
    for path, test in re.findall(rf"`((?:{folders})/[\w/]+\.(?:py|json|yml))(?:::(\w+))?`", text):
        (found,) = [top / path for top in TOPS if (top / path).is_file()] or [None]
        assert found, path
        assert f"def {test}" in found.read_text(encoding="utf-8") or not test, test


def test_the_statistics_are_those_of_the_page_that_is_held_to_the_command() -> None:
    page = (HERE / "docs/statistics.md").read_text(encoding="utf-8")
    expected = [
        line for line in TEXT.split("## What is in it", 1)[1].split("\n## ", 1)[0].splitlines() if line[:1] == "|"
    ]
    assert len(expected) == 25
    for line in expected:
        assert line in page


def test_the_speed_told_is_the_speed_measured() -> None:
    results, streaming = (json.loads(path.read_text(encoding="utf-8")) for path in (RESULTS, STREAMING))
    assert f"{SHORT_BEGIN}\n\n{short(results, streaming)}\n{SHORT_END}" in TEXT
    assert f"{BEGIN}\n\n{render(results)}\n{END}" in PAGE.read_text(encoding="utf-8")
