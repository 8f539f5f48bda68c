"""The embedded sample through the converter: how many rows come out, and why the others do not."""

from __future__ import annotations

import logging
from collections import Counter
from typing import Any

import pytest

from sera_swezero.core.conversions import CONVERSIONS
from sera_swezero.errors import REASONS
from sera_swezero.request.settle import settle
from tests.support.edges import readable
from tests.support.golden_files import Golden
from tests.support.raw import convert_as, convert_root, sample_records, sample_rows
from tests.support.sample import COUNTS, GOLDEN, SETS

OF_OTHER_VIEWS = {
    *("joined_turns", "literal_tags", "no_turns", "trailing_observation", "wide_integer"),
    *("overlong", "template", "truncated"),
}
"""Kinds and reasons that the rectified view never has."""


def figures(config: str) -> dict[str, Any]:
    rows, report = sample_rows(config, "rectified")
    request = settle(config, view="rectified", upstream="sample")
    rejected_rows: dict[str, list[int]] = {}
    for number, raw in enumerate(sample_records(config)):
        done = convert_as(raw.data, request)
        if done.error is not None:
            rejected_rows.setdefault(done.error.reason, []).append(number)
    return {
        "rows": report.rows_in,
        "kept": report.rows_out,
        "rejected": dict(sorted(report.rejected.items())),
        "rejected_rows": dict(sorted(rejected_rows.items())),
        "conversions": dict(sorted(report.conversions.items())),
        "calls": sum(row["messages"].count('"role": "tool_call"') for row in rows),
    }


def test_every_count_is_what_it_was(golden: Golden) -> None:
    golden(GOLDEN, readable({config: figures(config) for config in SETS}))


@pytest.mark.parametrize("config", SETS)
def test_every_record_is_counted_once(config: str) -> None:
    rows, report = sample_rows(config, "rectified")
    assert report.rows_in == len(sample_records(config))
    assert report.rows_out == len(rows) == report.rows_in - report.rejected.total()
    assert report.filtered == 0
    assert {reason: len(numbers) for reason, numbers in COUNTS[config]["rejected_rows"].items()} == report.rejected


@pytest.mark.parametrize("config", SETS)
def test_the_same_rows_are_rejected_in_the_native_view_and_only_surrogates_are_counted(config: str) -> None:
    _, rectified = sample_rows(config, "rectified")
    rows, native = sample_rows(config, "native")
    assert (native.rows_in, native.rejected) == (rectified.rows_in, rectified.rejected)
    assert len(rows) == rectified.rows_out
    assert set(native.conversions) <= {"mended_surrogate"}


def test_the_sample_shows_every_reason_and_every_kind_of_conversion_of_the_rectified_view() -> None:
    assert set().union(*(counts["rejected"] for counts in COUNTS.values())) == set(REASONS) - OF_OTHER_VIEWS
    kinds = set().union(*(counts["conversions"] for counts in COUNTS.values()))
    assert kinds == set(CONVERSIONS) - OF_OTHER_VIEWS
    assert set(COUNTS) == set(SETS)


def test_rejected_rows_are_logged_once_per_shard_at_level_info(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="sera_swezero"):
        _, report = convert_root("sample", "glm-4.5-air-full-t1")
    lines = [record.getMessage() for record in caplog.records if record.levelno == logging.INFO]
    assert lines
    assert len(lines) == len(set(lines))
    logged: Counter[str] = Counter()
    for line in lines:
        for part in line.rpartition("rejected: ")[2].split(", "):
            count, reason = part.split()
            logged[reason] += int(count)
    assert logged == report.rejected
