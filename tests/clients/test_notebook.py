"""The notebook runs from its first cell to its last, and gives the output that is stored in it."""

from __future__ import annotations

import os
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from tests.support.documented import install
from tests.support.processes import HERE

pytestmark = pytest.mark.clients

NOTEBOOK = HERE / "examples" / "first_steps.ipynb"


def printed(notebook: nbformat.NotebookNode) -> list[str]:
    """The text that the cells print and return, without what training prints, which depends on the machine."""
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    texts = [output.get("text") or output.get("data", {}).get("text/plain", "") for output in outputs]
    return [text for text in texts if text.strip() and "'train_runtime'" not in text and "'grad_norm'" not in text]


def test_the_notebook_gives_the_output_that_is_stored_in_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{install(tmp_path / 'bin', HERE)}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", str(HERE))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    stored = nbformat.read(NOTEBOOK, as_version=4)
    ran = nbformat.read(NOTEBOOK, as_version=4)
    NotebookClient(ran, timeout=600, coalesce_streams=True, resources={"metadata": {"path": str(tmp_path)}}).execute()
    assert len(printed(stored)) == 5
    assert printed(ran) == printed(stored)
    assert printed(ran)[-1].startswith("[")
    assert printed(ran)[-1].count(",") == 1  # a loss for each of the two steps
