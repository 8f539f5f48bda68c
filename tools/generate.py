"""Write what derives from the catalog and the arguments: `make generate`, after a row or a field was added.

These are the tables of configs, of arguments and of reasons in README.md and in docs/, and dataset_infos.json.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from sera_swezero.catalog import CONFIGS, DEFAULT, Config
from sera_swezero.errors import REASONS
from sera_swezero.loading import dataset_infos
from sera_swezero.request.arguments import ARGUMENTS

_TOP = Path(__file__).resolve().parents[1]
PAGES = (_TOP / "README.md", *(_TOP / "docs" / name for name in ("arguments.md", "configs.md", "rows.md")))
"""The pages that have generated tables."""


def tables() -> dict[str, str]:
    """The generated tables by the name of their place in a page."""
    header = ("config", "upstream", "rows", "default view", "licence")
    arguments = [(f"`{one.name}`", one.values, one.meaning) for one in ARGUMENTS.values()]
    return {
        "families": _markdown(header, _families()),
        "configs": _markdown(header, [_config(config) for config in CONFIGS.values()]),
        "arguments": _markdown(("argument", "values", "meaning"), arguments),
        "reasons": _markdown(
            ("reason", "why the record was rejected"), [(f"`{name}`", why) for name, why in REASONS.items()]
        ),
    }


def with_tables(text: str) -> str:
    """The text of a page with every table written anew between its marks."""
    for name, table in tables().items():
        marks = f"<!-- {name} -->", f"<!-- end of {name} -->"
        pattern = re.compile(f"{re.escape(marks[0])}.*?{re.escape(marks[1])}", re.DOTALL)
        text = pattern.sub(lambda _, table=table, marks=marks: f"{marks[0]}\n{table}\n{marks[1]}", text)  # type: ignore[misc]
    return text


def _families() -> Iterable[Sequence[str]]:
    """A line for each config of several sets, one for all sets of a source, and one for each of one's own runs."""
    sources: dict[str, list[Config]] = {}
    for config in CONFIGS.values():
        if len(config.origins) > 1:
            yield _config(config)
        elif not config.own:
            sources.setdefault(config.source, []).append(config)
    for sets in sources.values():
        _, _, _, view, licence = _config(sets[0])
        owners = ", ".join(sorted({config.origins[0].repo.partition("/")[0] for config in sets}))
        rows = sum(config.rows for config in sets)
        yield f"[{len(sets)} sets](docs/configs.md), such as `{sets[0].name}`", owners, f"{rows:,}", view, licence
    yield from (_config(config) for config in CONFIGS.values() if config.own)


def _config(config: Config) -> Sequence[str]:
    name = f"`{config.name}`" + (" (default)" if config.name == DEFAULT else "")
    if config.own:
        return name, f"{config.about}, as `upstream=` says", "", config.default_view, ""
    upstream = config.origins[0].repo if len(config.origins) == 1 else config.about
    licences = ", ".join(sorted({origin.license for origin in config.origins}))
    return name, upstream, f"{config.rows:,}", config.default_view, licences


def _markdown(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


if __name__ == "__main__":
    for page in PAGES:
        page.write_text(with_tables(page.read_text(encoding="utf-8")), encoding="utf-8")
    (_TOP / dataset_infos.NAME).write_text(dataset_infos.text(), encoding="utf-8")
