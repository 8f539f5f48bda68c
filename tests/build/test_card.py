"""The card: readable by the libraries it is for, and every figure equal to a count over the rows built."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import datasets
import pytest
from huggingface_hub import DatasetCard

from sera_swezero.build import card, manifest
from sera_swezero.build.figures import RECALL_BINS, Figures
from sera_swezero.build.jobs import plan
from sera_swezero.build.runner import build
from sera_swezero.build.unions import members
from sera_swezero.catalog import CONFIGS
from sera_swezero.loading.builder import features
from sera_swezero.request.row_columns import columns
from tests.build.conftest import ALL
from tests.support.built import read_rows
from tests.support.processes import HERE


@pytest.fixture(scope="module")
def text(sample: Path) -> str:
    return (sample / "README.md").read_text()


@pytest.fixture(scope="module")
def rows(sample: Path) -> dict[str, list[dict[str, Any]]]:
    return {name: read_rows(sample, name) for name in manifest.read(sample).configs}


def table(text: str, heading: str, head: str) -> list[dict[str, str]]:
    """The table below a heading whose first column is called `head`, as one dict per line."""
    below = text[text.index(f"\n{heading}\n") :]
    lines = below[below.index(f"| {head} |") :].split("\n\n")[0].splitlines()
    cells = [[cell.strip().strip("`") for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]
    return [dict(zip(cells[0], line, strict=True)) for line in cells[2:]]


def roles(row: dict[str, Any]) -> list[str]:
    if "conversations" in row:
        return [message["from"] for message in row["conversations"]]
    messages = row["messages"]
    return [message["role"] for message in (json.loads(messages) if isinstance(messages, str) else messages)]


def least_mean_most(counts: list[int]) -> str:
    return f"{min(counts)} / {sum(counts) / len(counts):.1f} / {max(counts)}"


@pytest.mark.matrix
def test_datasets_reads_the_features_back_as_the_builder_has_them(sample: Path) -> None:
    infos = datasets.info.DatasetInfosDict.from_directory(str(sample))
    for job in plan(ALL, (), {"upstream": "sample"}, 1 << 28, None):
        info = infos[job.request.name]
        assert info.features == features(columns(job.request))
    assert infos["sera"].features == infos["glm-4.6-lite-t1"].features


@pytest.mark.matrix
@pytest.mark.parametrize("names", [["sera", "swe-zero-12m"], ["swe-zero-1k-8k-native"]], ids=["several", "one"])
def test_the_sizes_and_features_are_written_as_datasets_itself_writes_them(names: list[str], tmp_path: Path) -> None:
    build(names, tmp_path, upstream="sample", workers=1, max_rows=2)
    infos = datasets.info.DatasetInfosDict.from_directory(str(tmp_path))
    by_datasets = DatasetCard.load(tmp_path / "README.md").data
    ours = by_datasets.to_yaml()
    del by_datasets.__dict__["dataset_info"]
    infos.to_dataset_card_data(by_datasets)
    assert by_datasets.to_yaml() == ours
    assert all(
        info.features and info.splits["train"].num_examples == 2 for name, info in infos.items() if name != "sera"
    )


@pytest.mark.matrix
def test_the_yaml_has_a_default_unions_as_globs_sizes_and_counts(sample: Path, rows: dict[str, list[Any]]) -> None:
    data = DatasetCard.load(sample / "README.md").data.to_dict()
    entries = {entry["config_name"]: entry for entry in data["configs"]}
    built = manifest.read(sample).configs
    assert entries.keys() == {*ALL, *built}
    assert [name for name, entry in entries.items() if entry.get("default")] == ["sera"]
    (split,) = entries["sera"]["data_files"]
    sets = ["glm-4.5-air-full-t1", "glm-4.5-air-full-t2", "glm-4.6-lite-t1", "glm-4.6-lite-t2"]
    assert split == {"split": "train", "path": [f"{name}/train-*.parquet" for name in sets]}
    infos = {info["config_name"]: info for info in data["dataset_info"]}
    for name in entries:
        parts = members(name)
        files = [path for part in parts for path in (sample / part).iterdir()]
        assert infos[name]["splits"][0]["num_examples"] == sum(len(rows[part]) for part in parts)
        assert infos[name]["download_size"] == sum(path.stat().st_size for path in files)
        assert infos[name]["dataset_size"] == infos[name]["splits"][0]["num_bytes"] > infos[name]["download_size"]
    assert data["license"] == ["apache-2.0", "cc-by-4.0", "odc-by"]
    assert data["size_categories"] == [card.size_category(sum(map(len, rows.values())))] == ["n<1K"]
    assert data["source_datasets"] == sorted(filter(None, (CONFIGS[name].origins[0].repo for name in built)))
    assert data["language"] == ["en"]
    assert data["task_categories"] == ["text-generation"]


def test_made_up_rows_are_called_so(text: str, sample: Path, straight: Path) -> None:
    made = manifest.read(sample)
    assert {upstream for built in made.configs.values() for upstream in built.upstream.values()} == {"sample"}
    assert text.index("are made up") < text.index("## Configs")
    assert {line["commit"] for line in table(text, "## Where the rows come from", "config")} == {
        "none: the made-up sample"
    }
    assert "made up" not in (straight / "README.md").read_text()


def test_the_overview_counts_rows_messages_and_calls(text: str, rows: dict[str, list[Any]]) -> None:
    lines = {line["config"].removesuffix("` (default)"): line for line in table(text, "## Configs", "config")}
    for name, own in rows.items():
        counts = [len(roles(row)) for row in own]
        assert lines[name]["rows"] == f"{len(own):,}"
        assert lines[name]["messages per row: min / mean / max"] == least_mean_most(counts)
        if CONFIGS[name].default_view == "rectified":
            calls = [roles(row).count("tool_call") for row in own]
            assert lines[name]["tool calls: min / mean / max"] == least_mean_most(calls)
    union = [row for name, own in rows.items() if name.startswith("glm") for row in own]
    assert lines["sera"]["rows"] == f"{len(union):,}"


def test_the_distribution_the_recall_and_the_outcomes_are_those_of_the_rows(
    text: str, rows: dict[str, list[Any]]
) -> None:
    own = [row for name in rows if name.startswith("glm") for row in rows[name]]
    counted = Counter((row["teacher"], row["scale"], row["rollout"]) for row in own)
    lines = table(text, "### Rows by teacher, scale and rollout", "config")
    assert {(line["teacher"], line["scale"], line["rollout"]): int(line["rows"]) for line in lines} == counted
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
    made = manifest.read(sample)
    for line in table(text, "## Where the rows come from", "config"):
        report = made.configs[line["config"]].report
        assert [int(line[key].replace(",", "")) for key in ("records in", "rows out", "filtered", "rejected")] == [
            report.rows_in,
            report.rows_out,
            report.filtered,
            report.rejected.total(),
        ]
    for line in table(text, "## Where the rows come from", "reason"):
        for name, built in made.configs.items():
            kept = read_rows(sample / "rejected", name) if built.report.rejected else []
            assert int(line[name]) == sum(row["reason"] == line["reason"] for row in kept)
    for line in table(text, "### Conversions", "kind"):
        for view in ("native", "rectified"):
            built = [one for one in made.configs.values() if one.view == view]
            counted = sum(one.report.conversions[line["kind"]] for one in built)
            assert line[view] == f"{counted:,}"


def test_a_part_of_a_union_makes_no_union_and_some_other_default(tmp_path: Path) -> None:
    made = build(["glm-4.6-lite-t2", "swe-zero-12m"], tmp_path, upstream="sample", workers=1, max_rows=3)
    entries = {entry["config_name"]: entry.get("default", False) for entry in card.card_configs(made)}
    assert entries == {"glm-4.6-lite-t2": True, "swe-zero-12m": False}
    assert "is not the whole set. It has at most the first 3 rows." in (tmp_path / "README.md").read_text()


def test_views_stand_side_by_side_with_unions_of_their_own(tmp_path: Path) -> None:
    made = build(["sera"], tmp_path, upstream="sample", workers=1, max_rows=2, views=["rectified", "native"])
    entries = [entry["config_name"] for entry in card.card_configs(made)]
    assert {"sera", "sera-native", "glm-4.6-lite-t1", "glm-4.6-lite-t1-native"} <= set(entries)
    assert len(entries) == 10


def test_the_card_names_the_repo_and_is_a_function_of_the_manifest(sample: Path, text: str) -> None:
    made = manifest.read(sample)
    assert card.render(made) == text
    assert 'load_dataset("org/set", "sera"' in card.render(made, "org/set")
    assert "OWNER/NAME" not in card.render(made, "org/set")


def code(text: str) -> Iterator[str]:
    yield from re.findall(r"```python\n(.*?)```", text, re.DOTALL)


def test_the_card_and_the_docs_name_the_remedy_for_an_abort_of_pyarrow(text: str) -> None:
    for page in (text, (HERE / "docs/publishing.md").read_text(encoding="utf-8")):
        assert "apache/arrow/issues/45214" in page
        assert "pyarrow 24 or older" in page


def test_the_code_on_the_card_is_python(text: str) -> None:
    blocks = list(code(text))
    assert len(blocks) == 2
    for block in blocks:
        compile(block, "card", "exec")


@pytest.mark.parametrize("view", ["rectified", "native", "hermes", "sharegpt"])
def test_what_is_counted_while_rows_are_made_is_what_they_hold(view: str, tmp_path: Path) -> None:
    config = "swe-zero-1k-32k"
    built = build([config], tmp_path, upstream="sample", workers=1, views=[view]).configs
    ((name, one),) = built.items()
    rows = read_rows(tmp_path, name)
    counts = [len(roles(row)) for row in rows]
    messages = one.figures.messages
    assert (messages.rows, messages.total, messages.least, messages.most) == (
        len(rows),
        sum(counts),
        min(counts),
        max(counts),
    )


@pytest.mark.parametrize("parts", [[], [0.0, 0.04, 0.05], [0.999, 1.0]])
def test_figures_add_up_in_any_order(parts: list[float]) -> None:
    whole, one, other = Figures(), Figures(), Figures()
    for number, recall in enumerate([*parts, None, 0.5]):
        for figures in (whole, (one, other)[number % 2]):
            figures.note_row(messages=number, calls=2 * number, outcome="submitted")
            figures.note_recall(recall)
    assert sum(whole.recall) == len(parts) + 1
    assert len(whole.recall) == RECALL_BINS
    assert whole.recall[-1] == sum(recall >= 0.95 for recall in parts)
    one.add(other)
    assert one == whole
