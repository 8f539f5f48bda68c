"""Sources, views and sets that other packages add, without any edit of this one.

    import sera_swezero
    sera_swezero.register(MY_SOURCE, MY_SET)

An installed package does so by itself through the entry point group `sera_swezero.plugins`. Each entry point names a
Source, a View, a set (`catalog.Origin`), or a list of them:

    [project.entry-points."sera_swezero.plugins"]
    my-runs = "my_package:PLUGINS"
"""

from __future__ import annotations

from functools import cache
from importlib.metadata import entry_points
from typing import TypeAlias, TypeVar

from sera_swezero import catalog
from sera_swezero.catalog import CONFIGS, Origin
from sera_swezero.errors import ConfigError
from sera_swezero.schemas import validate
from sera_swezero.sources import SOURCES, Source
from sera_swezero.views import VIEWS, View, declare_schemas

GROUP = "sera_swezero.plugins"

Plugin: TypeAlias = Source | View | Origin
_T = TypeVar("_T", Source, View)


def register(*plugins: Plugin) -> None:
    """Add sources, views and sets. A set may be loaded by its name, and a view's name after every config's name.

    Raises:
        ConfigError: the name is taken by something else, or a set names a source or a shape that does not exist.
    """
    for plugin in plugins:
        if isinstance(plugin, Source):
            _check_source(plugin)
            _add(SOURCES, plugin)
        elif isinstance(plugin, View):
            _add(VIEWS, plugin)
        elif isinstance(plugin, Origin):
            _check_set(plugin)
            catalog.add_set(plugin)
        else:
            msg = f"{plugin!r} cannot be registered; a Source, a View or a set (catalog.Origin) was expected"  # type: ignore[unreachable]
            raise ConfigError(msg)
    declare_schemas()
    validate.forget()


@cache
def load_installed() -> None:
    """Register what installed packages offer, once per process.

    Raises:
        ConfigError: an entry point cannot be loaded; names it.
    """
    for entry in entry_points(group=GROUP):
        try:
            found = entry.load()
            register(*(found if isinstance(found, list | tuple) else [found]))
        except Exception as error:
            msg = f"the plug-in {entry.name!r} ({entry.value}) cannot be loaded: {type(error).__name__}: {error}"
            raise ConfigError(msg) from error


def _add(registry: dict[str, _T], plugin: _T) -> None:
    if registry.get(plugin.name, plugin) is not plugin:
        msg = f"the name {plugin.name!r} is taken; names in use are {', '.join(registry)}"
        raise ConfigError(msg)
    registry[plugin.name] = plugin


def _check_source(source: Source) -> None:
    for shape, columns in {**source.native_columns, "rectified": source.rectified_columns}.items():
        if "instance_id" not in columns:
            msg = f"the source {source.name!r} has no column 'instance_id' in {shape!r}, by which its rows are found"
            raise ConfigError(msg)


def _check_set(origin: Origin) -> None:
    if origin.name in CONFIGS and CONFIGS[origin.name].origins != (origin,):
        msg = f"the name {origin.name!r} is taken; configs are {', '.join(CONFIGS)}"
        raise ConfigError(msg)
    source = SOURCES.get(origin.source)
    if source is None:
        msg = f"the set {origin.name!r} names the source {origin.source!r}; sources are {', '.join(SOURCES)}"
        raise ConfigError(msg)
    if origin.shape not in source.native_columns:
        shapes = ", ".join(source.native_columns)
        msg = f"the set {origin.name!r} names the shape {origin.shape!r}; those of {source.name} are {shapes}"
        raise ConfigError(msg)
