"""The hook: after `import sera_swezero`, `datasets.load_dataset("sera_swezero", config, ...)` finds this package.

`datasets` has no entry points. The most stable function to wrap is `datasets.load.dataset_module_factory`: the wrapper
answers for the names in `NAMES` and passes every other path on unchanged. If a later version of `datasets` moves
that function, the hook warns and does nothing; `sera_swezero.load_dataset` works without it. `datasets` itself is not
imported early (1.3 s of CPU): if it is not imported yet, a finder on `sys.meta_path` waits for it.

With `SERA_SWEZERO_NO_HOOK=1` in the environment `datasets` is left alone.
"""

from __future__ import annotations

import functools
import importlib.abc
import importlib.machinery
import os
import sys
import warnings
from collections.abc import Sequence
from types import ModuleType
from typing import Any

NAME = "sera_swezero"
NAMES = frozenset({NAME, "sera-swezero"})
"""The names that the hook answers for: that of the package, and the one that is installed with pip."""
_MODULE = "datasets.load"
_FACTORY = "dataset_module_factory"
# Modules that copy the factory's name when they are imported.
_COPIES = ("datasets.inspect", "datasets.commands.test")


def install() -> None:
    """Wrap the factory of `datasets`, now or as soon as `datasets` is imported. A second call does nothing."""
    if os.environ.get("SERA_SWEZERO_NO_HOOK") == "1":
        return
    if _MODULE in sys.modules and hasattr(sys.modules[_MODULE], _FACTORY):
        _wrap(sys.modules[_MODULE])
    elif not any(isinstance(finder, _DatasetsFinder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _DatasetsFinder())


class _DatasetsFinder(importlib.abc.MetaPathFinder):
    """Finds `datasets.load` as usual, and wraps the factory once the module has run."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != _MODULE:
            return None
        sys.meta_path.remove(self)
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        if spec is None or spec.loader is None:
            return spec
        run = spec.loader.exec_module

        def run_and_wrap(module: ModuleType) -> None:
            run(module)
            _wrap(module)

        spec.loader.exec_module = run_and_wrap  # type: ignore[method-assign]
        return spec


def _wrap(load: ModuleType) -> None:
    original = getattr(load, _FACTORY, None)
    if getattr(original, "answers_sera_swezero", False):
        return
    if not callable(original) or not hasattr(load, "DatasetModule"):
        warnings.warn(
            f'{_MODULE}.{_FACTORY} is not there in this version of datasets: load_dataset("{NAME}", ...) will not find '
            f"this package; {NAME}.load_dataset(...) does the same without it",
            RuntimeWarning,
            stacklevel=2,
        )
        return

    @functools.wraps(original)
    def factory(path: str, revision: Any = None, *args: Any, **kwargs: Any) -> Any:
        if path not in NAMES:
            return original(path, revision, *args, **kwargs)
        builder_kwargs: dict[str, Any] = {"dataset_name": NAME}
        if revision is not None:
            builder_kwargs["revision"] = str(revision)
        return load.DatasetModule(f"{NAME}.loading.builder", "", builder_kwargs)

    factory.answers_sera_swezero = True  # type: ignore[attr-defined]
    setattr(load, _FACTORY, factory)
    for name in _COPIES:
        if name in sys.modules and hasattr(sys.modules[name], _FACTORY):
            setattr(sys.modules[name], _FACTORY, factory)
