"""The embedded corpus through the converter, beside the figures that its generator wrote from its own plan."""

from __future__ import annotations

import json
import logging
from collections import Counter
from functools import cache
from typing import Any

import pytest

from sera_swezero.catalog import CONFIGS
from sera_swezero.convert import convert_shard
from sera_swezero.core.conversions import CONVERSIONS
from sera_swezero.core.rectify import ANSWER
from sera_swezero.errors import REASONS
from sera_swezero.report import Report
from sera_swezero.request.settle import settle
from sera_swezero.sample import ROOT
from sera_swezero.upstream import plan_shards, take_snapshot
from tests.support.raw import convert_root, problems

EXPECTED: dict[str, dict[str, Any]] = json.loads((ROOT / "expected.json").read_text(encoding="utf-8"))
SETS = {name: config.origins[0] for name, config in CONFIGS.items() if len(config.origins) == 1}


@cache
def converted(config: str, view: str) -> tuple[list[dict[str, Any]], Report]:
    return convert_root("sample", config, view=view)


def test_the_corpus_has_every_set_and_no_other() -> None:
    assert set(EXPECTED) == {origin.repo for origin in SETS.values()}
    assert {figures["config"] for figures in EXPECTED.values()} == set(SETS)


@pytest.mark.parametrize("config", list(SETS))
def test_every_count_is_the_plans(config: str) -> None:
    wanted = EXPECTED[SETS[config].repo]
    rows, report = converted(config, "rectified")
    assert report.rows_in == wanted["rows"]
    assert report.rows_out == len(rows) == wanted["kept"]
    assert report.filtered == 0
    assert dict(report.rejected) == wanted["rejected"]
    assert {kind: count for kind, count in sorted(report.conversions.items()) if count} == wanted["conversions"]
    assert sum(row["messages"].count('"role": "tool_call"') for row in rows) == wanted["calls"]


@pytest.mark.parametrize("config", list(SETS))
def test_the_same_rows_are_rejected_in_the_native_view_and_nothing_but_surrogates_is_counted(config: str) -> None:
    _, rectified = converted(config, "rectified")
    rows, native = converted(config, "native")
    assert (native.rows_in, native.rejected) == (rectified.rows_in, rectified.rejected)
    assert len(rows) == rectified.rows_out
    assert set(native.conversions) <= {"mended_surrogate"}


@pytest.mark.parametrize("config", list(SETS))
@pytest.mark.parametrize("view", ["rectified", "native"])
def test_every_row_passes_the_check(config: str, view: str) -> None:
    rows, _ = converted(config, view)
    asked = settle(config, view=view)
    assert [problem for row in rows for problem in problems(row, asked)] == []


@pytest.mark.parametrize("config", [name for name in SETS if "ids" in EXPECTED[SETS[name].repo]])
def test_every_rejected_row_is_the_one_that_the_plan_names(config: str) -> None:
    wanted = EXPECTED[SETS[config].repo]
    asked = settle(config, upstream="sample")
    snapshot = take_snapshot(asked.origins, upstream="sample")
    rejected: dict[int, str] = {}
    report, kept = Report(), []
    for shard in plan_shards(snapshot.files):
        rows = convert_shard(
            shard, snapshot, asked, report, lambda error, raw: rejected.update({raw.offset: error.reason})
        )
        kept += [made.text_row for _, made in rows]
    offsets = line_offsets(config)
    at = {offset: number for number, offset in enumerate(offsets)}
    found: dict[str, list[int]] = {}
    for offset, reason in sorted(rejected.items()):
        found.setdefault(reason, []).append(at[offset])
    assert found == wanted["rejected_rows"]
    numbers = [number for number in range(len(offsets)) if offsets[number] not in rejected]
    assert [row["instance_id"] for row in kept] == [wanted["ids"][number] for number in numbers]
    assert_answers(wanted["answers"], dict(zip(numbers, kept, strict=True)))
    if "recalls" in wanted:
        assert [row["line_level_recall"] for row in kept] == [wanted["recalls"][number] for number in numbers]


def line_offsets(config: str) -> list[int]:
    """Where each line of the set's one file begins."""
    (path,) = (ROOT / SETS[config].repo).glob("*.jsonl")
    offsets, at = [], 0
    for line in path.read_bytes().splitlines(keepends=True):
        offsets.append(at)
        at += len(line)
    return offsets


def assert_answers(wanted: dict[str, str | None], rows: dict[int, dict[str, Any]]) -> None:
    assert wanted, "the plan names no answers"
    for number, answer in wanted.items():
        last = json.loads(rows[int(number)]["messages"])[-1]
        assert last == {"role": "answer", "content": wrapped(answer)}, number


def wrapped(answer: str | None) -> str:
    return f"<answer>{ANSWER if answer is None else answer.strip()}</answer>"


def test_the_corpus_shows_every_reason_and_every_kind_of_conversion_of_the_card_view() -> None:
    reasons: Counter[str] = Counter()
    kinds: Counter[str] = Counter()
    for figures in EXPECTED.values():
        reasons.update(figures["rejected"])
        kinds.update(figures["conversions"])
    of_other_views = {"joined_turns", "trailing_observation", "truncated"}
    of_other_views |= {"literal_tags", "no_turns", "overlong", "wide_integer"}
    assert set(reasons) == set(REASONS) - of_other_views
    assert set(kinds) == set(CONVERSIONS) - of_other_views


def test_what_was_rejected_is_logged_once_a_shard(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, logger="sera_swezero"):
        _, report = convert_root("sample", "glm-4.5-air-full-t1")
    told = [record.getMessage() for record in caplog.records if record.name == "sera_swezero"]
    assert told
    assert len(told) == len(set(told))
    for reason in report.rejected:
        counts = [part for line in told for part in line.rpartition("rejected: ")[2].split(", ")]
        assert sum(int(part.split()[0]) for part in counts if part.endswith(f" {reason}")) == report.rejected[reason]
