"""Line-level recall as SERA's own evaluation computes it, quirks included."""

from __future__ import annotations

from collections.abc import Callable
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


# Generated patches: whole `git diff` texts with edits, new and deleted files, renames with and without edits, binary
# files, mode changes and either kind of line end. Each is made together with the list of lines that count in it, so
# that the oracle never parses a patch: it knows what was written.


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


# Few different lines, so that patches share some; what begins with the signs of a header is there on purpose.
contents = st.sampled_from(
    [
        *(
            "return x",
            "    return x",
            "return x ",
            "\treturn x",
            "x",
            "# \u00e9\u4e2d",
            "@@ -1 +1 @@",
            "diff --git a/x b/x",
        ),
        *("-x", "--x", "-- drop", "---", "+x", "++x", "", " ", "\t", "\u00a0", "    "),
    ]
)


def counts(sign: str, content: str) -> bool:
    """Whether a changed line counts: not if it is blank, and not if sign and text look like a file's header."""
    return bool(content.strip()) and content[:2] != sign * 2


@st.composite
def hunks(draw: Callable[..., object]) -> tuple[list[str], list[str]]:
    """The lines of one hunk, and those of them that count."""
    lines, counted = ["@@ -1,7 +1,7 @@ def f():"], []
    for sign, content in draw(st.lists(st.tuples(st.sampled_from("+- "), contents), max_size=8)):
        lines.append(sign + content)
        if sign != " " and counts(sign, content):
            counted.append(sign + content)
    if draw(st.booleans()):
        lines.append("\\ No newline at end of file")
    return lines, counted


def header(kind: str, similar: int) -> tuple[list[str], bool]:
    """The lines before a file's hunks, and whether it has hunks."""
    names = ["--- a/pkg/old.py", "+++ b/pkg/new.py"]
    moved = [f"similarity index {similar}%", "rename from pkg/old.py", "rename to pkg/new.py"]
    parts = {
        "edit": (["index 1a2b3c4..5d6e7f8 100644", *names], True),
        "new": (["new file mode 100644", "index 0000000..5d6e7f8", "--- /dev/null", names[1]], True),
        "deleted": (["deleted file mode 100644", "index 1a2b3c4..0000000", names[0], "+++ /dev/null"], True),
        "renamed": (["similarity index 100%", *moved[1:]], False),
        "renamed and edited": ([*moved, "index 1a2b3c4..5d6e7f8 100644", *names], True),
        "binary": (["index 1a2b3c4..5d6e7f8 100644", "Binary files a/logo.png and b/logo.png differ"], False),
        "binary in full": (
            ["GIT binary patch", "literal 9", "TcmZQzU|?imU|?lsU|?ir001-q0096p", "", "literal 0"],
            False,
        ),
        "mode": (["old mode 100644", "new mode 100755"], False),
    }
    lines, edited = parts[kind]
    return ["diff --git a/pkg/old.py b/pkg/new.py", *lines], edited


KINDS = ["edit", "new", "deleted", "renamed", "renamed and edited", "binary", "binary in full", "mode"]


@st.composite
def patches(draw: Callable[..., object]) -> Patch:
    lines: list[str] = []
    counted: list[str] = []
    for kind in draw(st.lists(st.sampled_from(KINDS), max_size=4)):
        before, edited = header(kind, draw(st.integers(50, 99)))
        lines += before
        for body, counting in draw(st.lists(hunks(), min_size=1, max_size=2)) if edited else ():
            lines += body
            counted += counting
    end = draw(st.sampled_from(["\n", "\r\n"]))
    tail = draw(st.sampled_from(["", " \n", "\n\n", " \n \n"]))  # upstream's patches end in a blank line or two
    return Patch("".join(text + end for text in lines) + tail, tuple(counted))


def edited(*lines: str) -> Patch:
    before, _ = header("edit", 99)
    return Patch("\n".join([*before, "@@ -1 +1 @@", *lines]) + "\n", tuple(x for x in lines if counts(x[0], x[1:])))


@given(patches(), patches())
@example(edited("-return x", "-return x"), edited("-return x"))
@example(edited("--- drop"), edited("-return x"))
@example(edited("+ ", "-"), edited("+ "))
def test_recall_is_what_counting_by_hand_gives(target: Patch, rollout: Patch) -> None:
    assert line_level_recall(target.text, rollout.text) == brute_force(target, rollout)
