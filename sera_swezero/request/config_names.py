"""The names of configs: a config's own name, or that name with a view behind it."""

from __future__ import annotations

import difflib

from sera_swezero.catalog import CONFIGS
from sera_swezero.errors import ConfigError
from sera_swezero.plugins import load_installed
from sera_swezero.views import VIEWS


def config_names() -> list[str]:
    """Return every name: each config, then each config with a view behind it."""
    load_installed()
    return [*CONFIGS, *(f"{name}-{view}" for name in CONFIGS for view in VIEWS)]


def split_name(name: str) -> tuple[str, str | None]:
    """Split a name into the config and the view behind it, None without one. Raises ConfigError for unknown names."""
    load_installed()
    if name in CONFIGS:
        return name, None
    for view in VIEWS:
        if name.endswith(f"-{view}") and name.removesuffix(f"-{view}") in CONFIGS:
            return name.removesuffix(f"-{view}"), view
    near = difflib.get_close_matches(name, config_names(), n=1)
    hint = f" (did you mean {near[0]!r}?)" if near else ""
    views = ", ".join(f"-{view}" for view in VIEWS)
    msg = f"no config {name!r}{hint}; configs are {', '.join(CONFIGS)}, each also with a view behind it: {views}"
    raise ConfigError(msg)
