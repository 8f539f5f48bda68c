"""`sera_swezero.iter_rows`: the rows of a config without `datasets`, and what it counts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import datasets
import pytest

import sera_swezero
from sera_swezero.request.settle import settle
from sera_swezero.rows import find_row
from sera_swezero.sample import ROOT
from tests.support.processes import python


def streamed(name: str, **arguments: Any) -> list[dict[str, Any]]:
    return list(datasets.load_dataset("sera_swezero", name, split="train", streaming=True, **arguments))


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("sera", {"teacher": "GLM-4.6"}),
        ("glm-4.6-lite-t2-hermes", {"lineage": True, "min_recall": 0.5}),
        ("swe-zero-12m", {"shuffle_seed": 17, "epoch": 2, "shard_bytes": 20_000}),
        ("sera", {"shuffle_seed": 17, "shard_bytes": 50_000}),
    ],
)
def test_the_rows_are_those_of_a_stream_in_the_same_order(name: str, arguments: dict[str, Any]) -> None:
    assert list(sera_swezero.iter_rows(name, upstream="sample", **arguments)) == streamed(
        name, upstream="sample", **arguments
    )


def test_objects_of_a_row_are_objects() -> None:
    row = next(sera_swezero.iter_rows("glm-4.6-lite-t2", view="openai", upstream="sample"))
    assert [message["role"] for message in row["messages"]][:2] == ["system", "user"]
    assert row["tools"][0]["function"]["name"]


def test_the_report_counts_as_far_as_the_rows_were_read() -> None:
    rows = sera_swezero.iter_rows("glm-4.6-lite-t2", upstream="sample")
    assert (rows.report.rows_in, rows.report.rows_out) == (0, 0)
    whole = list(rows)
    assert rows.report.rows_out == len(whole)
    assert rows.report.rows_in == len(whole) + rows.report.rejected.total()
    assert list(rows) == [], "an iterator, used up"


def test_nothing_is_read_before_the_first_row(tmp_path: Path) -> None:
    repo = "allenai/Sera-4.6-Lite-T2"
    file = tmp_path / repo / "rows.jsonl"
    file.parent.mkdir(parents=True)
    file.write_bytes(next((ROOT / repo).glob("*.jsonl")).read_bytes())
    rows = sera_swezero.iter_rows("glm-4.6-lite-t2", upstream=str(tmp_path))
    file.unlink()
    with pytest.raises(sera_swezero.UpstreamError):
        next(rows)


def test_wrong_arguments_are_refused_at_once() -> None:
    with pytest.raises(sera_swezero.ConfigError, match="did you mean 'sera'"):
        sera_swezero.iter_rows("sear")
    with pytest.raises(sera_swezero.ConfigError, match="unknown argument veiw"):
        sera_swezero.iter_rows("sera", veiw="native")  # type: ignore[call-arg]
    with pytest.raises(sera_swezero.ConfigError, match="cannot be read"):
        sera_swezero.iter_rows("sera", upstream="sample", dedup="no such file")


def test_a_row_is_found_by_number_and_by_instance() -> None:
    rows = list(sera_swezero.iter_rows("glm-4.6-lite-t2", upstream="sample"))
    request = settle("glm-4.6-lite-t2", upstream="sample")
    assert find_row(request, 3) == rows[3]
    assert find_row(request, instance_id=rows[7]["instance_id"]) == rows[7]
    with pytest.raises(sera_swezero.ConfigError, match=f"has {len(rows)} rows, counted from 0"):
        find_row(request, len(rows))


def test_iterating_imports_no_datasets_and_leaves_the_process_alone() -> None:
    script = (
        "import gc, os, sys\n"
        "before = gc.get_threshold(), gc.get_freeze_count(), dict(os.environ)\n"
        "import sera_swezero\n"
        "print(len(list(sera_swezero.iter_rows('swe-zero-1k-8k', upstream='sample'))))\n"
        "print([name for name in ('datasets', 'pandas') if name in sys.modules])\n"
        "assert before == (gc.get_threshold(), gc.get_freeze_count(), dict(os.environ))"
    )
    done = python("-c", script, well=True)
    assert done.stdout.splitlines() == [str(len(streamed("swe-zero-1k-8k", upstream="sample"))), "[]"]


def test_everything_public_is_listed_and_can_be_imported() -> None:
    assert dir(sera_swezero) == sorted(sera_swezero.__all__)
    for name in sera_swezero.__all__:
        assert getattr(sera_swezero, name) is not None
    errors = {name for name in dir(sera_swezero.errors) if name.endswith("Error") and name != "AssertionError"}
    assert errors <= set(sera_swezero.__all__)
