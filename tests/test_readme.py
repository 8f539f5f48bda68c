"""The README and the docs are true: the first example prints what it says, tables and links name what there is."""

from __future__ import annotations

import contextlib
import io
import json
import re
from pathlib import Path

import pytest

from benchmarks.table import BEGIN, END, PAGE, RESULTS, SHORT_BEGIN, SHORT_END, STREAMING, render, short
from tests.request.test_arguments import CLASHES
from tests.support.processes import HERE
from tools.generate import PAGES as GENERATED
from tools.generate import tables, with_tables

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


def test_every_refused_combination_is_named() -> None:
    page = (HERE / "docs" / "arguments.md").read_text(encoding="utf-8")
    lines = page.split("## What is refused", 1)[1].split("\n## ", 1)[0].splitlines()
    for pair in CLASHES:
        assert any(all(name in line for name in pair) for line in lines), pair


def test_a_newcomer_reads_it_in_a_minute() -> None:
    assert len(TEXT.splitlines()) <= 150


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


def test_the_speed_told_is_the_speed_measured() -> None:
    results, streaming = (json.loads(path.read_text(encoding="utf-8")) for path in (RESULTS, STREAMING))
    assert f"{SHORT_BEGIN}\n\n{short(results, streaming)}\n{SHORT_END}" in TEXT
    assert f"{BEGIN}\n\n{render(results)}\n{END}" in PAGE.read_text(encoding="utf-8")
