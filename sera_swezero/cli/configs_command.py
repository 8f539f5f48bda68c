"""`sera-swezero configs`: the table of configs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sera_swezero.cli.options import Json, print_json

if TYPE_CHECKING:
    from sera_swezero.catalog import Config


def configs(as_json: Json = False) -> None:
    """List the configs: name, what they read, rows upstream, default view, licence."""
    from sera_swezero.catalog import CONFIGS, DEFAULT
    from sera_swezero.views import VIEWS

    if as_json:
        print_json([_described(config) for config in CONFIGS.values()])
        return
    from rich.console import Console
    from rich.table import Table

    table = Table("config", "rows", "view", "licence", box=None, pad_edge=False)
    table.columns[1].justify = "right"
    for column in table.columns:
        column.no_wrap = True
    for config in CONFIGS.values():
        name = f"{config.name} (default)" if config.name == DEFAULT else config.name
        licences = ", ".join(sorted({origin.license for origin in config.origins}))
        table.add_row(f"[bold]{name}[/]", f"{config.rows:,}", config.default_view, licences)
        # Repo ids are up to 48 characters long: on lines of their own they are whole on any terminal.
        for origin in config.origins if len(config.origins) == 1 else ():
            table.add_row(f"  [dim]{origin.repo}[/]")
        if len(config.origins) > 1:
            table.add_row(f"  [dim]{config.about}[/]")
    console = Console()
    console.print(table)
    views = ", ".join(f"-{view}" for view in VIEWS)
    console.print(
        f"\nA view behind a name shows the config in that view: {views}. Example: {DEFAULT}-native.", soft_wrap=True
    )


def _described(config: Config) -> dict[str, object]:
    from sera_swezero.catalog import DEFAULT
    from sera_swezero.views import VIEWS

    return {
        "config": config.name,
        "about": config.about,
        "upstream": [origin.repo for origin in config.origins],
        "rows": config.rows,
        "default_view": config.default_view,
        "views": list(VIEWS),
        "license": sorted({origin.license for origin in config.origins}),
        "default": config.name == DEFAULT,
    }
