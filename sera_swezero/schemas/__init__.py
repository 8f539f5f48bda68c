"""The published contract: JSON Schemas (2020-12) of raw rows, of every view's rows and of the tools, as files."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any


@cache
def load(name: str) -> Any:
    """Read `{name}.schema.json` of this package (`{name}.json` for the tool lists).

    Raises:
        FileNotFoundError: there is no such schema.
    """
    folder = files(__name__)
    entry = folder / f"{name}.schema.json"
    return json.loads((entry if entry.is_file() else folder / f"{name}.json").read_text(encoding="utf-8"))


def names() -> list[str]:
    """The names of all schemas, without the tool lists."""
    ending = ".schema.json"
    return sorted(entry.name.removesuffix(ending) for entry in files(__name__).iterdir() if entry.name.endswith(ending))
