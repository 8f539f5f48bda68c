"""Agent trajectories of SERA and SWE-ZERO, rectified and validated on the fly.

    import sera_swezero, datasets
    rows = datasets.load_dataset("sera_swezero", "glm-4.6-lite-t2", split="train", streaming=True)

Importing this package installs one hook in `datasets` (see `plugin`) and does nothing else; `load_dataset` here does
the same without the hook.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from sera_swezero.errors import ConfigError, PublishError, RowError, SeraSweZeroError, UpstreamError
from sera_swezero.loading import hook
from sera_swezero.version import __version__

if TYPE_CHECKING:
    from sera_swezero.loading.builder import SeraSweZero, SeraSweZeroConfig
    from sera_swezero.loading.load import load_dataset

__all__ = [
    "ConfigError",
    "PublishError",
    "RowError",
    "SeraSweZero",
    "SeraSweZeroConfig",
    "SeraSweZeroError",
    "UpstreamError",
    "__version__",
    "load_dataset",
]

# Imported when first asked for: `datasets` takes more than a second, and the command line often needs none of it.
_LAZY = {
    "load_dataset": "loading.load",
    "SeraSweZero": "loading.builder",
    "SeraSweZeroConfig": "loading.builder",
}


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(import_module(f"{__name__}.{_LAZY[name]}"), name)
    msg = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(msg)


hook.install()
