"""Line-level recall as SERA's own evaluation computes it, quirks included."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sera_swezero.core.recall import line_level_recall
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
    whole, half, empty = patch("+a", "+b"), patch("+a"), ""
    rows = [sera(ENDED, target_patch=whole, rollout_patch=done) for done in (whole, half, empty)]
    write_lines(tmp_path, T2, *map(line, rows), line(sera(ENDED, target_patch="")))
    converted, report = convert_root(tmp_path, T2, min_recall=least)
    assert [row["line_level_recall"] for row in converted] == [1.0, 0.5, 0.0, None][:kept]
    assert (report.rows_in, report.rows_out, report.filtered, dict(report.rejected)) == (4, kept, 4 - kept, {})


# Generated patches, each made together with the list of lines that count in it, so that the oracle never parses one.


class Patch(NamedTuple):
    """A diff as text, and the changed lines in it that the definition counts, signs included, in order."""

    text: str
    counted: tuple[str, ...]


def brute_force(target: Patch, rollout: Patch) -> float | None:
    """Strike each target line off the produced ones; the share of those that were found."""
    left = list(rollout.counted)
    for wanted in target.counted:
        if wanted in left:
            left.remove(wanted)
    return (len(rollout.counted) - len(left)) / len(target.counted) if target.counted else None


HEADERS = (
    "index 1a2b3c4..5d6e7f8 100644\n--- a/pkg/old.py\n+++ b/pkg/new.py",
    "new file mode 100644\nindex 0000000..5d6e7f8\n--- /dev/null\n+++ b/pkg/new.py",
    "deleted file mode 100644\nindex 1a2b3c4..0000000\n--- a/pkg/old.py\n+++ /dev/null",
    "similarity index 99%\nrename from pkg/old.py\nrename to pkg/new.py\n--- a/pkg/old.py\n+++ b/pkg/new.py",
    "index 1a2b3c4..5d6e7f8 100644\nBinary files a/logo.png and b/logo.png differ",
    "GIT binary patch\nliteral 9\nTcmZQzU|?imU|?lsU|?ir001-q0096p\n\nliteral 0",
    "old mode 100644\nnew mode 100755",
)

# Few different lines, so that patches share some; what begins with the signs of a header is there on purpose.
contents = st.sampled_from(
    [
        *("return x", "    return x", "return x ", "\treturn x", "x", "# \u00e9\u4e2d", "@@ -1 +1 @@"),
        *("diff --git a/x b/x", "-x", "--x", "-- drop", "---", "+x", "++x", "", " ", "\t", "\u00a0", "    "),
    ]
)


def counts(line: str) -> bool:
    """Whether a line counts: not if it is blank or context, nor if sign and text look like a file's header."""
    return line[:1] in ("+", "-") and bool(line[1:].strip()) and line[1:3] != line[0] * 2


def patch_of(header: str, lines: Sequence[str], end: str = "\n", tail: str = "") -> Patch:
    body = ["diff --git a/pkg/old.py b/pkg/new.py", *header.split("\n"), "@@ -1,7 +1,7 @@ def f():", *lines]
    return Patch("".join(text + end for text in body) + tail, tuple(filter(counts, lines)))


lines = st.builds(str.__add__, st.sampled_from("+- "), contents) | st.just("\\ No newline at end of file")
patches = st.builds(
    patch_of,
    st.sampled_from(HEADERS),
    st.lists(lines, max_size=20),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from(["", " \n", "\n\n", " \n \n"]),  # upstream's patches end in a blank line or two
)


@given(patches, patches)
@example(patch_of(HEADERS[0], ["-return x"] * 2), patch_of(HEADERS[0], ["-return x"]))
@example(patch_of(HEADERS[0], ["--- drop"]), patch_of(HEADERS[0], ["-return x"]))
@example(patch_of(HEADERS[0], ["+ ", "-"]), patch_of(HEADERS[0], ["+ "]))
def test_recall_is_what_counting_by_hand_gives(target: Patch, rollout: Patch) -> None:
    assert line_level_recall(target.text, rollout.text) == brute_force(target, rollout)
