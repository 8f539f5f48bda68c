"""The card: readable by the libraries it is for, and every figure equal to a count over the rows built."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import datasets
import pyarrow.parquet as pq
import pytest
from huggingface_hub import DatasetCard

from sera_swezero.build import card, manifest
from sera_swezero.build.figures import Figures, Spread
from sera_swezero.build.runner import build, plan
from sera_swezero.catalog import CONFIGS
from sera_swezero.convert import convert_shard
from sera_swezero.loading.builder import features
from sera_swezero.report import Report
from sera_swezero.request.row_columns import columns
from sera_swezero.request.settle import settle
from sera_swezero.upstream import plan_shards, take_snapshot

ALL = ["sera", "swe-zero-1k-32k", "swe-zero-1k-8k", "swe-zero-12m"]


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("built")
    build(ALL, out, upstream="sample", workers=1)
    return out


@pytest.fixture(scope="module")
def text(sample: Path) -> str:
    return (sample / "README.md").read_text()


@pytest.fixture(scope="module")
def rows(sample: Path) -> dict[str, list[dict[str, Any]]]:
    return {
        name: [row for path in sorted((sample / name).iterdir()) for row in pq.read_table(path).to_pylist()]
        for name in manifest.read(sample).configs
    }


def table(text: str, heading: str, head: str) -> list[dict[str, str]]:
    """The table below a heading whose first column is called `head`, as one dict per line."""
    below = text[text.index(f"\n{heading}\n") :]
    lines = below[below.index(f"| {head} |") :].split("\n\n")[0].splitlines()
    cells = [[cell.strip().strip("`") for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]
    return [dict(zip(cells[0], line, strict=True)) for line in cells[2:]]


def roles(row: dict[str, Any]) -> list[str]:
    messages = row["messages"]
    return [message["role"] for message in (json.loads(messages) if isinstance(messages, str) else messages)]


@pytest.mark.matrix
def test_datasets_reads_the_features_back_as_the_builder_has_them(sample: Path) -> None:
    infos = datasets.info.DatasetInfosDict.from_directory(str(sample))
    for job in plan(ALL, (), {"upstream": "sample"}, 1 << 28, None):
        info = infos[job.request.name]
        assert info.features == features(columns(job.request))
    assert infos["sera"].features == infos["glm-4.6-lite-t1"].features


@pytest.mark.matrix
def test_the_yaml_has_a_default_unions_as_globs_sizes_and_counts(sample: Path, rows: dict[str, list[Any]]) -> None:
    data = DatasetCard.load(sample / "README.md").data.to_dict()
    entries = {entry["config_name"]: entry for entry in data["configs"]}
    assert entries.keys() == CONFIGS.keys()
    assert [name for name, entry in entries.items() if entry.get("default")] == ["sera"]
    (split,) = entries["sera"]["data_files"]
    sets = ["glm-4.5-air-full-t1", "glm-4.5-air-full-t2", "glm-4.6-lite-t1", "glm-4.6-lite-t2"]
    assert split == {"split": "train", "path": [f"{name}/train-*.parquet" for name in sets]}
    infos = {info["config_name"]: info for info in data["dataset_info"]}
    for name, config in CONFIGS.items():
        parts = sets if len(config.origins) > 1 else [name]
        files = [path for part in parts for path in (sample / part).iterdir()]
        assert infos[name]["splits"][0]["num_examples"] == sum(len(rows[part]) for part in parts)
        assert infos[name]["download_size"] == sum(path.stat().st_size for path in files)
        assert infos[name]["dataset_size"] == infos[name]["splits"][0]["num_bytes"] > infos[name]["download_size"]
    assert data["license"] == ["apache-2.0", "odc-by"]
    assert data["size_categories"] == [card.size_category(sum(map(len, rows.values())))] == ["n<1K"]
    assert data["source_datasets"] == sorted(
        origin.repo for c in CONFIGS.values() for origin in c.origins if len(c.origins) == 1
    )
    assert data["language"] == ["en"]
    assert data["task_categories"] == ["text-generation"]


def test_the_overview_counts_rows_messages_and_calls(text: str, rows: dict[str, list[Any]]) -> None:
    lines = {line["config"].removesuffix("` (default)"): line for line in table(text, "## Configs", "config")}
    for name, own in rows.items():
        counts = [len(roles(row)) for row in own]
        told = lines[name]["messages per row: min / mean / max"]
        assert lines[name]["rows"] == f"{len(own):,}"
        assert told == f"{min(counts)} / {sum(counts) / len(counts):.1f} / {max(counts)}"
        if name in CONFIGS and CONFIGS[name].default_view == "rectified":
            calls = [roles(row).count("tool_call") for row in own]
            told = lines[name]["tool calls: min / mean / max"]
            assert told == f"{min(calls)} / {sum(calls) / len(calls):.1f} / {max(calls)}"
    union = [row for name, own in rows.items() if name.startswith("glm") for row in own]
    assert lines["sera"]["rows"] == f"{len(union):,}"


def test_the_distribution_the_recall_and_the_outcomes_are_those_of_the_rows(
    text: str, rows: dict[str, list[Any]]
) -> None:
    own = [row for name in rows if name.startswith("glm") for row in rows[name]]
    counted = Counter((row["teacher"], row["scale"], row["rollout"]) for row in own)
    told = table(text, "### Rows by teacher, scale and rollout", "config")
    assert {(line["teacher"], line["scale"], line["rollout"]): int(line["rows"]) for line in told} == counted
    lines = table(text, "### Line-level recall", "recall")
    for name in ("glm-4.5-air-full-t2", "glm-4.6-lite-t2"):
        recalls = [row["line_level_recall"] for row in rows[name]]
        bins = [int(line[name]) for line in lines]
        assert bins[-1] == recalls.count(None)
        assert sum(bins) == len(recalls)
        assert bins[9] == sum(recall is not None and recall >= 0.9 for recall in recalls)
        assert bins[0] == sum(recall is not None and recall < 0.1 for recall in recalls)
    outcomes = {line["outcome"]: line for line in table(text, "### Outcomes", "outcome")}
    for name in ("swe-zero-1k-32k", "swe-zero-1k-8k", "swe-zero-12m"):
        statuses = Counter(row["exit_status"] for row in rows[name])
        assert int(outcomes["submitted"][name]) == statuses["Submitted"]
        assert int(outcomes["incomplete"][name]) == statuses["incomplete"]
        assert int(outcomes["errored"][name]) == statuses["errored"]


def test_origins_rejects_and_conversions_are_those_of_the_manifest(text: str, sample: Path) -> None:
    told = manifest.read(sample)
    for line in table(text, "## Where the rows come from", "config"):
        counts = told.configs[line["config"]].counts
        assert [int(line[key].replace(",", "")) for key in ("records in", "rows out", "filtered", "rejected")] == [
            counts.rows_in,
            counts.rows_out,
            counts.filtered,
            sum(counts.rejected.values()),
        ]
    for line in table(text, "## Where the rows come from", "reason"):
        for name, built in told.configs.items():
            files = [shard.rejected for shard in built.shards if shard.rejected]
            kept = [row for file in files for row in pq.read_table(sample / file.path).to_pylist()]
            assert int(line[name]) == sum(row["reason"] == line["reason"] for row in kept)
    for line in table(text, "### Conversions", "kind"):
        for view in ("native", "rectified"):
            built = [one for one in told.configs.values() if one.view == view]
            counted = sum(one.counts.conversions.get(line["kind"], 0) for one in built)
            assert line[view] == f"{counted:,}"


def test_a_part_of_a_union_makes_no_union_and_some_other_default(tmp_path: Path) -> None:
    told = build(["glm-4.6-lite-t2", "swe-zero-12m"], tmp_path, upstream="sample", workers=1, max_rows=3)
    entries = {entry["config_name"]: entry.get("default", False) for entry in card.card_configs(told)}
    assert entries == {"glm-4.6-lite-t2": True, "swe-zero-12m": False}
    assert "is not the whole set. It has at most the first 3 rows." in (tmp_path / "README.md").read_text()


def test_views_stand_side_by_side_with_unions_of_their_own(tmp_path: Path) -> None:
    told = build(["sera"], tmp_path, upstream="sample", workers=1, max_rows=2, views=["rectified", "native"])
    entries = [entry["config_name"] for entry in card.card_configs(told)]
    assert {"sera", "sera-native", "glm-4.6-lite-t1", "glm-4.6-lite-t1-native"} <= set(entries)
    assert len(entries) == 10


def test_the_card_names_the_repo_and_is_a_function_of_the_manifest(sample: Path, text: str) -> None:
    told = manifest.read(sample)
    assert card.render(told) == text
    assert 'load_dataset("org/set", "sera"' in card.render(told, "org/set")
    assert "OWNER/NAME" not in card.render(told, "org/set")


def code(text: str) -> Iterator[str]:
    yield from re.findall(r"```python\n(.*?)```", text, re.DOTALL)


def test_the_code_on_the_card_is_python(text: str) -> None:
    blocks = list(code(text))
    assert len(blocks) == 2
    for block in blocks:
        compile(block, "card", "exec")


@pytest.mark.parametrize("config", [name for name, config in CONFIGS.items() if len(config.origins) == 1])
def test_rows_that_are_bytes_are_counted_without_being_read_again(config: str) -> None:
    figures = Figures()
    asked = settle(config, view="rectified", incomplete="keep", on_error="skip", upstream="sample")
    snapshot = take_snapshot(asked.origins, upstream="sample")
    shards = plan_shards(snapshot.files)
    made = []
    for shard in shards:
        for _, converted in convert_shard(shard, snapshot, asked, Report()):
            figures.note(converted, asked.view)
            made.append(converted.row["messages"])
    assert made
    assert {type(messages) for messages in made} == {bytes}
    roles = [[message["role"] for message in json.loads(messages)] for messages in made]
    for spread, counts in (
        (figures.messages, [len(one) for one in roles]),
        (figures.calls, [one.count("tool_call") for one in roles]),
    ):
        assert spread == Spread(len(counts), sum(counts), min(counts), max(counts))
