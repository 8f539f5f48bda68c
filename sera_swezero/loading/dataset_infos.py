"""`dataset_infos.json`: what every config name gives, as a record that people and tools read without running anything.

`make generate` writes the file anew at the top of the checkout. An entry has the columns as `features` in the form that
`datasets` 3.6 to 5.2 all read (a list in brackets), the licence, where the rows come from and how many of them upstream
says there are. It never has `splits`: datasets 3.6 reads a row count there and refuses to load any other number of
rows, which a narrowed or filtered config gives. Views with Json leaves have no `features`: datasets below 4.8 cannot
read them and would then refuse every config of the file.
"""

from __future__ import annotations

import json
from typing import Any

from sera_swezero.catalog import CONFIGS
from sera_swezero.request.config_names import config_names, split_name
from sera_swezero.schemas.columns import features, types_of
from sera_swezero.sources import SOURCES
from sera_swezero.version import __version__
from sera_swezero.views import VIEWS

NAME = "dataset_infos.json"
JSON_LEAVES = "json"
"""The kind of column that holds Json leaves."""


def record() -> dict[str, dict[str, Any]]:
    """The record, config name -> entry, for every name that may be asked for."""
    return {name: _entry(*split_name(name)) for name in config_names()}


def text() -> str:
    """The file's content: a line for each key of an entry, so that a change reads as one line of a diff."""
    entries = []
    for name, entry in record().items():
        lines = ",\n".join(
            f"    {json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}" for key, value in entry.items()
        )
        entries.append(f"  {json.dumps(name)}: {{\n{lines}\n  }}")
    return "{\n" + ",\n".join(entries) + "\n}\n"


def _entry(name: str, suffix: str | None) -> dict[str, Any]:
    # A request is not made for this: datasets below 4.8 refuses views with Json leaves, and the file must not differ.
    config = CONFIGS[name]
    view = VIEWS[suffix or config.default_view]
    entry: dict[str, Any] = {"description": f"{config.about}; view {view.name}"}
    if not config.own:
        entry["homepage"] = f"https://huggingface.co/datasets/{config.origins[0].repo}"
        entry["license"] = ", ".join(sorted({origin.license for origin in config.origins}))
    entry["version"] = __version__
    entry["upstream"] = {origin.repo: origin.rows for origin in config.origins if origin.repo}
    described = types_of(view.columns(SOURCES[config.source], config.origins[0].shape))
    if JSON_LEAVES not in described.values():
        entry["features"] = features(described)
    return entry
