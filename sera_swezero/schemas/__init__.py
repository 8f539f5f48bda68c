"""The contract of rows: JSON Schemas (2020-12) of every view's rows, of the JSON text inside them, and of the tools.

The schema of a kind of rows follows from the declaration of its columns (`columns.Column`), which `declare` takes.
Schemas of what is inside JSON text, and the lists of tools, are files of this package.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from typing import Any

from sera_swezero.core.trajectory import Tools

_ENDING = ".schema.json"
_declared: dict[str, Callable[[], dict[str, Any]]] = {}


def declare(name: str, make: Callable[[], dict[str, Any]]) -> None:
    """Make the schema of a kind of rows known by its name; `make` returns it and is called when it is first needed."""
    _declared[name] = make
    load.cache_clear()


@cache
def load(name: str) -> Any:
    """The schema of this name, or the list of tools. Raises FileNotFoundError where there is none."""
    if name in _declared:
        return _declared[name]()
    folder = files(__name__)
    entry = folder / f"{name}{_ENDING}"
    return json.loads((entry if entry.is_file() else folder / f"{name}.json").read_text(encoding="utf-8"))


@cache
def tools(name: str) -> Tools:
    """The list of tools of this name."""
    return tuple(json.dumps(tool, ensure_ascii=False) for tool in load(name))


def names() -> list[str]:
    """The names of all schemas, without the lists of tools."""
    found = {entry.name.removesuffix(_ENDING) for entry in files(__name__).iterdir() if entry.name.endswith(_ENDING)}
    return sorted(found | _declared.keys())
