"""A record is read once, however many requests ask for it, and what one view does to it no other view sees."""

from __future__ import annotations

from typing import Any

import pytest

from sera_swezero import readings
from sera_swezero.convert import render_rows
from sera_swezero.core.trajectory import Trajectory
from sera_swezero.errors import RowError
from sera_swezero.readings import Reading
from sera_swezero.request.settle import settle
from sera_swezero.views import VIEWS, ViewInput
from tests.support.raw import T2, ZERO, reading_of, sample_records


@pytest.fixture
def folded(monkeypatch: pytest.MonkeyPatch) -> list[Trajectory]:
    """Every trajectory that is folded."""
    made: list[Trajectory] = []
    fold = readings.fold

    def fold_and_note(events: Any) -> Trajectory:
        made.append(fold(events))
        return made[-1]

    monkeypatch.setattr(readings, "fold", fold_and_note)
    return made


def shown(reading: Reading, view: str, **arguments: Any) -> Any:
    """What a view makes of a record: rows and what they took, or why there is none."""
    request = settle(reading.origin.name, view=view, **arguments)
    view_input = reading.view_input(request)
    if isinstance(view_input, RowError):
        return str(view_input)
    try:
        made = list(render_rows(view_input, request))
    except RowError as error:
        return str(error)
    return [str(one) if isinstance(one, RowError) else (one.row, one.counts) for one in made]


@pytest.mark.parametrize("config", [T2, ZERO])
def test_no_view_sees_what_another_did_to_a_record(config: str, folded: list[Trajectory]) -> None:
    views, request = [*VIEWS, *reversed(VIEWS)], settle(config)
    records = sample_records(config)
    together = [[shown(reading, view) for view in views] for reading in (reading_of(raw, request) for raw in records)]
    once = len(folded)
    assert 0 < once <= len(records)
    assert together == [[shown(reading_of(raw, request), view) for view in views] for raw in records]
    assert len(folded) == once + len(views) * once
    assert {type(rows) for views_of_record in together for rows in views_of_record} == {list, str}


def test_requests_differ_in_what_they_refuse(folded: list[Trajectory]) -> None:
    readings_of_sample = [reading_of(raw, settle(T2)) for raw in sample_records(T2)]
    refused = 0
    for reading in readings_of_sample:
        kept = reading.view_input(settle(T2, incomplete="keep"))
        strict = reading.view_input(settle(T2, incomplete="reject"))
        if isinstance(kept, ViewInput) and isinstance(strict, RowError):
            refused += 1
            assert strict.reason == "no_submission"
            assert not kept.trajectory.submitted
        else:
            assert type(kept) is type(strict)
    assert refused
    assert len(folded) <= len(readings_of_sample)
