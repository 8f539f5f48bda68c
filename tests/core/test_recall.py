"""Line-level recall as SERA's own evaluation computes it, quirks included."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sera_swezero.core.recall import changed_lines, line_level_recall
from tests.support.raw import DIFF, T2, Turn, convert_one, convert_root, history, line, sera, write_lines

ENDED = history([Turn("done", "It is done.", "submit", "{}", DIFF)])


def patch(*lines: str) -> str:
    return "diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1,9 +1,9 @@ def f():\n" + "\n".join(lines) + "\n"


@pytest.mark.parametrize(
    ("target", "rollout", "recall"),
    [
        pytest.param(patch("+a", "-b"), patch("+a", "-b"), 1.0, id="all"),
        pytest.param(patch("+a", "-b"), patch("-b"), 0.5, id="half"),
        pytest.param(patch("+a"), patch("-a"), 0.0, id="the sign counts"),
        pytest.param(patch("+a"), patch("+ a"), 0.0, id="white space inside counts"),
        pytest.param(patch("+a"), patch(" a"), 0.0, id="context does not"),
        pytest.param(patch("+a", "+a"), patch("+a"), 0.5, id="each produced line is used once"),
        pytest.param(patch("+a"), patch("+a", "+a", "+b"), 1.0, id="more than the target does no harm"),
        pytest.param(patch("+", "-   ", "+\t", "+a"), patch("+a"), 1.0, id="blank lines are skipped"),
        pytest.param(patch("--- a dropped comment", "+a"), patch("+a"), 1.0, id="quirk: `---` looks like a header"),
        pytest.param(patch("+++ b", "+a"), patch("+a"), 1.0, id="quirk: so does `+++`"),
        pytest.param(patch("-- sql", "+a"), patch("+a"), 0.5, id="but `--` does not"),
        pytest.param(patch("+a\x0c+b"), patch("+a"), 0.5, id="quirk: a form feed ends a line"),
        pytest.param(patch("+a\u2028-b"), patch("-b"), 0.5, id="quirk: so does a line separator"),
        pytest.param(patch("+a\r+b"), patch("+b"), 0.5, id="quirk: and a bare carriage return"),
        pytest.param(patch("+a\r"), patch("+a"), 1.0, id="so Windows line ends match others"),
        pytest.param(patch("+a"), "", 0.0, id="nothing done"),
        pytest.param(patch("+a"), None, 0.0, id="no patch"),
        pytest.param("", patch("+a"), None, id="empty target"),
        pytest.param(None, patch("+a"), None, id="no target"),
        pytest.param("diff --git a/x b/x\nold mode 100644\nnew mode 100755\n", patch("+a"), None, id="mode alone"),
        pytest.param(patch(" a"), patch("+a"), None, id="context alone"),
    ],
)
def test_recall(target: str | None, rollout: str | None, recall: float | None) -> None:
    assert line_level_recall(target, rollout) == recall
    row = convert_one(line(sera(ENDED, target_patch=target, rollout_patch=rollout))).row
    assert row is not None
    assert row["line_level_recall"] == recall


def test_a_first_rollout_has_no_recall() -> None:
    row = convert_one(line(sera(ENDED, target_patch=DIFF, rollout_patch=DIFF)), "glm-4.6-lite-t1").row
    assert row is not None
    assert row["line_level_recall"] is None


@pytest.mark.parametrize(("least", "kept"), [(None, 4), (0.0, 3), (0.5, 2), (0.51, 1), (1.0, 1)])
def test_min_recall_keeps_rows_that_reach_it_and_never_a_null(tmp_path: Path, least: float | None, kept: int) -> None:
    whole, half, nothing = patch("+a", "+b"), patch("+a"), ""
    rows = [sera(ENDED, target_patch=whole, rollout_patch=done) for done in (whole, half, nothing)]
    write_lines(tmp_path, T2, *map(line, rows), line(sera(ENDED, target_patch="")))
    converted, report = convert_root(tmp_path, T2, min_recall=least)
    assert [row["line_level_recall"] for row in converted] == [1.0, 0.5, 0.0, None][:kept]
    assert (report.rows_in, report.rows_out, report.filtered, dict(report.rejected)) == (4, kept, 4 - kept, {})


def slow_recall(target: str, rollout: str) -> float | None:
    """The definition word for word: strike each target line off the produced ones."""

    def lines(text: str) -> list[str]:
        kept = [one for one in text.splitlines() if one[:1] in ("+", "-")]
        kept = [one for one in kept if not one.startswith(("diff", "---", "+++", "@@"))]
        return [one for one in kept if one[1:].strip() != ""]

    wanted, produced = lines(target), lines(rollout)
    found = 0
    for one in wanted:
        if one in produced:
            produced.remove(one)
            found += 1
    return found / len(wanted) if wanted else None


diffs = st.lists(st.sampled_from(["+a", "-a", "+b", "+", "- ", "---", "+++x", "@@ -1", " a", "diff", "+\x0c-a", "--"]))


@given(diffs.map("\n".join), diffs.map("\n".join))
def test_recall_equals_its_slow_definition(target: str, rollout: str) -> None:
    recall = line_level_recall(target, rollout)
    assert recall == slow_recall(target, rollout)
    assert recall is None or 0.0 <= recall <= 1.0
    assert (recall is None) == (not changed_lines(target))
