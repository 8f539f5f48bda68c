"""`sera-swezero configs`: the config table."""

from __future__ import annotations

import json

import typer

from sera_swezero.configs import CONFIGS, DEFAULT
from sera_swezero.views import VIEWS


def configs(as_json: bool = typer.Option(False, "--json", help="Write JSON for machines.")) -> None:
    """List the configs: name, upstream repos, rows upstream, default view."""
    rows = [
        {
            "config": config.name,
            "upstream": [origin.repo for origin in config.origins],
            "rows": config.rows,
            "default_view": config.default_view,
            "views": list(VIEWS),
            "license": sorted({origin.license for origin in config.origins}),
            "default": config.name == DEFAULT,
        }
        for config in CONFIGS.values()
    ]
    if as_json:
        typer.echo(json.dumps(rows, indent=2))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table("config", "upstream", "rows", "default view", "licence", box=None)
    table.columns[2].justify = "right"
    for row in rows:
        name = f"{row['config']} (default)" if row["default"] else row["config"]
        table.add_row(name, "\n".join(row["upstream"]), f"{row['rows']:,}", row["default_view"], ", ".join(row["license"]))
    console = Console()
    console.print(table)
    console.print(f"Put a view behind a name to see the config in it: {', '.join(f'-{view}' for view in VIEWS)}")
