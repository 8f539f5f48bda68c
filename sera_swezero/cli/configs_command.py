"""`sera-swezero configs`: the table of configs."""

from __future__ import annotations

import typer

from sera_swezero.catalog import CONFIGS, DEFAULT, Config
from sera_swezero.cli.options import Json, print_json
from sera_swezero.display.formatting import number
from sera_swezero.display.table import Table, print_table
from sera_swezero.views import VIEWS


def configs(as_json: Json = False) -> None:
    """List the configs: what each reads, its number of rows, its default view and its licence."""
    if as_json:
        print_json([_described(config) for config in CONFIGS.values()])
        return
    rows = []
    for config in CONFIGS.values():
        name = f"{config.name} (default)" if config.name == DEFAULT else config.name
        count = "" if config.own else number(config.rows)
        licences = ", ".join(sorted({origin.license for origin in config.origins}))
        rows.append([name, count, config.default_view])
        # Repo ids are up to 48 characters long: on lines of their own they are whole on any terminal.
        what = config.origins[0].repo if len(config.origins) == 1 and not config.own else config.about
        rows.append([f"  {what}", "", licences])
    print_table(Table(header=["config", "rows", "view, licence"], rows=rows, text_columns=(0, 2)))
    views = ", ".join(f"-{view}" for view in VIEWS)
    typer.echo(f"\nA view behind a name shows the config in that view: {views}. Example: {DEFAULT}-native.")


def _described(config: Config) -> dict[str, object]:
    return {
        "config": config.name,
        "about": config.about,
        "upstream": [origin.repo for origin in config.origins if origin.repo],
        "rows": None if config.own else config.rows,
        "default_view": config.default_view,
        "views": list(VIEWS),
        "license": sorted({origin.license for origin in config.origins if origin.license}),
        "default": config.name == DEFAULT,
    }
