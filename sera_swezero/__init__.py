"""Recorded runs of coding agents (SERA, SWE-ZERO, your own) as checked rows, converted while they are read.

    import sera_swezero, datasets
    rows = datasets.load_dataset("sera_swezero", "glm-4.6-lite-t2", split="train", streaming=True)

Importing this package installs one hook in `datasets` (see `loading.hook`) and does nothing else.
`sera_swezero.load_dataset` does the same without the hook, and `sera_swezero.iter_rows` needs no `datasets`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from sera_swezero.errors import (
    BuildError,
    ConfigError,
    OutputError,
    PublishError,
    RowError,
    SeraSweZeroError,
    StateError,
    UpstreamError,
)
from sera_swezero.loading import hook
from sera_swezero.version import __version__

if TYPE_CHECKING:
    from sera_swezero.loading.builder import SeraSweZero, SeraSweZeroConfig
    from sera_swezero.loading.load import load_dataset
    from sera_swezero.plugins import register
    from sera_swezero.rows import RowIterator, iter_rows

__all__ = [
    "BuildError",
    "ConfigError",
    "OutputError",
    "PublishError",
    "RowError",
    "RowIterator",
    "SeraSweZero",
    "SeraSweZeroConfig",
    "SeraSweZeroError",
    "StateError",
    "UpstreamError",
    "__version__",
    "iter_rows",
    "load_dataset",
    "register",
]

# Imported on first use: `datasets` takes more than a second, and the command line often needs none of it.
_LAZY = {
    "RowIterator": "rows",
    "SeraSweZero": "loading.builder",
    "SeraSweZeroConfig": "loading.builder",
    "iter_rows": "rows",
    "load_dataset": "loading.load",
    "register": "plugins",
}


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(import_module(f"{__name__}.{_LAZY[name]}"), name)
    msg = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(msg)


def __dir__() -> list[str]:
    return __all__


hook.install()
