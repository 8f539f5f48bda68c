"""Line-level recall against an independent writing of SERA's definition, over generated patches.

The patches are whole `git diff` texts: edits, new and deleted files, renames with and without edits, binary files, mode
changes, either kind of line end. Each is made together with the list of lines that count in it, so that the twin never
parses a patch: it knows what was written.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sera_swezero.core.recall import line_level_recall
from tests.support.raw import DIFF, Turn, convert_one, history, line, sera


class Patch(NamedTuple):
    """A diff as text, and the changed lines in it that the definition counts, signs included, in order."""

    text: str
    counted: tuple[str, ...]


def brute_force(target: Patch, rollout: Patch) -> float | None:
    """Each target line looks through all produced lines for one that nobody has taken; found ones over all."""
    if not target.counted:
        return None
    taken = [False] * len(rollout.counted)
    found = 0
    for wanted in target.counted:
        for at, produced in enumerate(rollout.counted):
            if not taken[at] and len(produced) == len(wanted) and all(map(str.__eq__, produced, wanted)):
                taken[at] = True
                found += 1
                break
    return found / len(target.counted)


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
        *("-x", "--x", "-- drop", "---", "+x", "++x"),
        *("", " ", "\t", "\u00a0", "    "),
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


@given(patches())
def test_a_patch_recalls_itself_whole(patch: Patch) -> None:
    assert line_level_recall(patch.text, patch.text) == (1.0 if patch.counted else None)


@given(patches(), patches())
def test_the_published_column_is_that_number(target: Patch, rollout: Patch) -> None:
    messages = history([Turn("Done.", "It is done.", "submit", "{}", DIFF)])
    row = convert_one(line(sera(messages, target_patch=target.text, rollout_patch=rollout.text))).row
    assert row is not None
    assert row["line_level_recall"] == brute_force(target, rollout)


@pytest.mark.parametrize("kind", ["renamed", "binary", "binary in full", "mode"])
def test_a_change_without_lines_has_no_recall(kind: str) -> None:
    text = "\n".join(header(kind, 100)[0]) + "\n"
    assert line_level_recall(text, text) is None
