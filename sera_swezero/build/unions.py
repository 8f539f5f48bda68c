"""Configs that are unions of others: they are published as globs over their parts, never as copies."""

from __future__ import annotations

from sera_swezero import configs


def members(name: str) -> list[str]:
    """The configs that a name stands for: those of its sets if it is a union, with the same view behind them."""
    base, view = configs.split_name(name)
    origins = configs.CONFIGS[base].origins
    if len(origins) == 1:
        return [name]
    single = {config.origins[0].repo: config.name for config in configs.CONFIGS.values() if len(config.origins) == 1}
    return [single[origin.repo] + (f"-{view}" if view else "") for origin in origins]
