"""The dataset card: README.md is made from the manifest alone, so every figure is about the data that was built.

The YAML is what `datasets` itself would write for these configs, without the second that importing it takes.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

import jinja2
from huggingface_hub import DatasetCardData

from sera_swezero.build import card_tables
from sera_swezero.build.manifest import Manifest, made_up
from sera_swezero.build.unions import loadable
from sera_swezero.catalog import DEFAULT
from sera_swezero.core.message_order import WRAPPERS
from sera_swezero.schemas.columns import features

PLACE = "OWNER/NAME"
"""What the card calls the repo before there is one."""

_SIZES = {
    1_000: "n<1K",
    10_000: "1K<n<10K",
    100_000: "10K<n<100K",
    1_000_000: "100K<n<1M",
    10_000_000: "1M<n<10M",
    100_000_000: "10M<n<100M",
}


def render(manifest: Manifest, repo: str = PLACE) -> str:
    """The card of everything in the manifest, as it reads in `repo`. The same manifest gives the same text."""
    configs = manifest.configs.values()
    infos = [{"config_name": name, **info} for name, info in sorted(card_infos(manifest).items())]
    data = DatasetCardData(
        pretty_name=_title(manifest),
        language=["en"],
        license=sorted({licence for built in configs if (licence := card_tables.licence(built))}) or None,
        task_categories=["text-generation"],
        tags=["agent", "code", "swe", "tool-use", "trajectories"],
        size_categories=[size_category(sum(built.rows for built in configs))],
        source_datasets=_repos(manifest) or ["original"],
        configs=card_configs(manifest),
        dataset_info=infos if len(infos) > 1 else infos[0],  # as `datasets` writes it
    )
    return f"---\n{data.to_yaml()}\n---\n\n{_text(manifest, repo)}"


def card_configs(manifest: Manifest) -> list[dict[str, Any]]:
    """The card's `configs`: what was built, and as globs those unions of it whose parts are all here."""
    entries = []
    names = groups(manifest)
    default = next((name for name in (DEFAULT, *names) if name in names), None)
    for name, parts in names.items():
        paths = [f"{part}/train-*.parquet" for part in parts]
        entry: dict[str, Any] = {"config_name": name, "data_files": [{"split": "train", "path": paths}]}
        entries.append(entry | ({"default": True} if name == default else {}))
    return entries


def groups(manifest: Manifest) -> dict[str, list[str]]:
    """Every name that can be loaded, and the built configs that it stands for."""
    return loadable([name for name, built in manifest.configs.items() if built.rows], card_tables.views(manifest))


def card_infos(manifest: Manifest) -> dict[str, dict[str, Any]]:
    """Features and sizes by config. Configs with free JSON list no features: 3.6 would refuse the whole card."""
    infos = {}
    for name, parts in groups(manifest).items():
        built = [manifest.configs[part] for part in parts]
        size = sum(part.arrow_bytes for part in built)
        split = {"name": "train", "num_bytes": size, "num_examples": sum(part.rows for part in built)}
        plain = {} if built[0].json else features(dict(built[0].columns))
        infos[name] = {
            **({"features": _in_yaml(plain)["struct"]} if plain else {}),
            "splits": [split],
            "download_size": sum(part.bytes for part in built),
            "dataset_size": size,
        }
    return infos


def _in_yaml(feature: Any) -> dict[str, Any]:
    """A feature as `datasets` writes it in YAML, which nests items of lists and members of structs less deeply."""
    if isinstance(feature, list):
        (items,) = _in_yaml(feature[0]).values()
        return {"list": items}
    if feature.get("_type") == "Value":
        return {"dtype": feature["dtype"]}
    return {"struct": [{"name": name, **_in_yaml(member)} for name, member in feature.items()]}


def size_category(rows: int) -> str:
    """The hub's word for a number of rows."""
    return next((word for limit, word in _SIZES.items() if rows < limit), "100M<n<1B")


def _text(manifest: Manifest, repo: str) -> str:
    named = groups(manifest)
    default = next(entry["config_name"] for entry in card_configs(manifest) if entry.get("default"))
    first = manifest.configs[named[default][0]]
    own = {name: built.card for name, built in manifest.configs.items() if built.card is not None}
    return _template().render(
        title=_title(manifest),
        catalog=len(own) < len(manifest.configs),
        models={name: facts.model for name, facts in own.items() if facts.model},
        descriptions=list(dict.fromkeys(facts.description for facts in own.values() if facts.description)),
        repo=repo,
        default=default,
        view=first.view,
        has_recall="line_level_recall" in dict(first.columns),
        groups=named,
        chosen={name: words for name, built in manifest.configs.items() if (words := card_tables.chosen(built))},
        made_up=made_up(manifest),
        manifest=manifest,
        tables=card_tables,
        wrappers=WRAPPERS,
        repos=_repos(manifest),
    )


def _title(manifest: Manifest) -> str:
    """The title that the publisher gave; one title for all cards that have a set of the catalog."""
    facts = [built.card for built in manifest.configs.values()]
    names = list(dict.fromkeys(fact.pretty_name for fact in facts if fact is not None and fact.pretty_name))
    if None in facts:
        return "Coding-agent trajectories, rectified"
    return " and ".join(names) or "Coding-agent trajectories"


@cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 (Markdown, made of our own words and numbers)
    )
    return environment.from_string((files(__package__) / "card.md.jinja").read_text(encoding="utf-8"))


def _repos(manifest: Manifest) -> list[str]:
    """The repositories that were read; none if all rows are from folders of the publisher."""
    return sorted({repo for built in manifest.configs.values() for repo in built.upstream if repo})
