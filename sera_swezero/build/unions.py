"""Configs that are unions of others. They are published as globs over their parts, never as copies."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from sera_swezero.catalog import CONFIGS
from sera_swezero.request.config_names import split_name
from sera_swezero.request.settle import settle


def members(name: str) -> list[str]:
    """The configs that a name stands for: itself, or if it is a union those of its sets, in the same view.

    Sets whose rows are all in other sets of the union are left out.
    """
    base, view = split_name(name)
    origins = CONFIGS[base].origins
    if len(origins) == 1:
        return [name]
    repeated = settle(base).repeated
    return [f"{origin.name}-{view}" if view else origin.name for origin in origins if origin.name not in repeated]


def published(name: str, view: str) -> str:
    """The published name of a config in a view, even one that is not built here. The default view is not named."""
    return name if view == CONFIGS[name].default_view else f"{name}-{view}"


def loadable(built: Collection[str], views: Iterable[str]) -> dict[str, list[str]]:
    """Every name that can be loaded, in the catalog's order, and the built configs that it stands for."""
    found: dict[str, list[str]] = {}
    for name in CONFIGS:
        for view in views:
            parts = [published(part, view) for part in members(name)]
            if all(part in built for part in parts):
                found[published(name, view)] = parts
    return found
