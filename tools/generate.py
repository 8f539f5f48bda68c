"""Write what derives from the catalog and the arguments: `make generate`, after a row or a field was added.

These are README.md's tables of configs and of arguments, and dataset_infos.json.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from sera_swezero.catalog import CONFIGS, DEFAULT, Config
from sera_swezero.loading import dataset_infos
from sera_swezero.request.arguments import ARGUMENTS

README = Path(__file__).resolve().parents[1] / "README.md"


def tables() -> dict[str, str]:
    """The generated tables by the name of their place in README.md."""
    configs = [_config(config) for config in CONFIGS.values()]
    arguments = [(f"`{one.name}`", one.values, one.meaning) for one in ARGUMENTS.values()]
    return {
        "configs": _markdown(("config", "upstream", "rows", "default view", "licence"), configs),
        "arguments": _markdown(("argument", "values", "meaning"), arguments),
    }


def with_tables(text: str) -> str:
    """README.md's text with every table written anew between its marks."""
    for name, table in tables().items():
        marks = f"<!-- {name} -->", f"<!-- end of {name} -->"
        pattern = re.compile(f"{re.escape(marks[0])}.*?{re.escape(marks[1])}", re.DOTALL)
        text = pattern.sub(lambda _, table=table, marks=marks: f"{marks[0]}\n{table}\n{marks[1]}", text)  # type: ignore[misc]
    return text


def _config(config: Config) -> Sequence[str]:
    name = f"`{config.name}`" + (" (default)" if config.name == DEFAULT else "")
    upstream = config.origins[0].repo if len(config.origins) == 1 else config.about
    licences = ", ".join(sorted({origin.license for origin in config.origins}))
    return name, upstream, f"{config.rows:,}", config.default_view, licences


def _markdown(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


if __name__ == "__main__":
    README.write_text(with_tables(README.read_text(encoding="utf-8")), encoding="utf-8")
    dataset_infos.path().write_text(dataset_infos.text(), encoding="utf-8")
