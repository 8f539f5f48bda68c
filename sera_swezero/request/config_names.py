"""The names of configs: a config's own name, or that name followed by the name of a view."""

from __future__ import annotations

from sera_swezero.catalog import CONFIGS
from sera_swezero.errors import ConfigError, did_you_mean
from sera_swezero.plugins import load_installed
from sera_swezero.views import VIEWS


def config_names() -> list[str]:
    """Return every name: each config, then each config in each view."""
    load_installed()
    return [*CONFIGS, *(f"{name}-{view}" for name in CONFIGS for view in VIEWS)]


def split_name(name: object) -> tuple[str, str | None]:
    """Split a name into the config and the view after it (None if there is none). Raises ConfigError if unknown."""
    load_installed()
    if not isinstance(name, str):
        msg = f"the name of a config is a text, such as {next(iter(CONFIGS))!r}, not {name!r}"
        raise ConfigError(msg)
    if name in CONFIGS:
        return name, None
    for view in VIEWS:
        if name.endswith(f"-{view}") and name.removesuffix(f"-{view}") in CONFIGS:
            return name.removesuffix(f"-{view}"), view
    views = ", ".join(f"-{view}" for view in VIEWS)
    hint = did_you_mean(name, config_names())
    msg = f"no config {name!r}{hint}; configs are {', '.join(CONFIGS)}, each also followed by a view: {views}"
    raise ConfigError(msg)
