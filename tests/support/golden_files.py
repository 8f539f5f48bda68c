"""Golden files: what the code gave when a person last looked, kept below tests/golden/.

They are written by `pytest --update-golden` and never by hand; a change of behaviour is then a diff to read.
"""

from __future__ import annotations

import difflib
import itertools
import operator
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1] / "golden"
WIDTH = 200
"""Characters of a line that a failure shows, around its first difference: a row may have 100,000."""
LINES = 60
"""Lines of the diff that a failure shows."""


@dataclass(frozen=True)
class Golden:
    """Compare with a golden file, or rewrite it (`update`). Text is UTF-8 and keeps its line ends."""

    update: bool
    root: Path = ROOT

    def __call__(self, name: str, actual: str | bytes) -> None:
        """Fail the test with a diff unless the file `name` below the root holds exactly `actual`."""
        __tracebackhide__ = True
        path = self.root / name
        new = actual.encode() if isinstance(actual, str) else actual
        old = path.read_bytes() if path.exists() else None
        if new == old:
            return
        if self.update:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(new)
        elif old is None:
            pytest.fail(f"there is no golden file {name}; pytest --update-golden writes it", pytrace=False)
        else:
            reason = f"golden file {name} differs; if the new one is right: pytest --update-golden"
            pytest.fail(f"{reason}\n{difference(old, new)}", pytrace=False)


def difference(old: bytes, new: bytes) -> str:
    """Return a diff for people: unified for text; sizes and the first differing byte for anything else."""
    try:
        # Split at \n alone: splitlines() would also cut at U+2028 and others that rows may hold.
        before, after = old.decode().split("\n"), new.decode().split("\n")
    except UnicodeDecodeError:
        at = _parting(old, new)
        return f"{len(old)} bytes -> {len(new)} bytes; at byte {at}: {old[at : at + 16]!r} -> {new[at : at + 16]!r}"
    diff = list(difflib.unified_diff(before, after, "golden", "actual", n=1, lineterm=""))
    shown = _around_differences(diff[:LINES])
    left_out = len(diff) - len(shown)
    return "\n".join(shown + [f"... and {left_out} more lines"] * (left_out > 0))


def _around_differences(diff: list[str]) -> list[str]:
    """Cut long lines; of a line and the one that replaces it, show the place where they part."""
    shown: list[str] = []
    removed: list[str] = []
    for sign, group in itertools.groupby(diff, key=operator.itemgetter(0)):
        lines = list(group)
        if sign == "+":
            for i, (old, new) in enumerate(zip(removed, lines, strict=False)):
                at = _parting(old[1:], new[1:])
                shown[i - len(removed)], lines[i] = _window(old, at), _window(new, at)
        removed = lines if sign == "-" else []
        shown += lines
    return [_window(line, 0) for line in shown]


def _parting(old: Sequence[object], new: Sequence[object]) -> int:
    """Return the first index at which the two differ."""
    pairs = enumerate(zip(old, new, strict=False))
    return next((i for i, (a, b) in pairs if a != b), min(len(old), len(new)))


def _window(line: str, at: int) -> str:
    """Return a diff line cut to `WIDTH` characters around column `at`, with what was left out as a count."""
    sign, text = line[:1], line[1:]
    if len(text) <= WIDTH * 2:
        return line
    start = max(0, at - WIDTH // 2)
    left, right = start, len(text) - start - WIDTH
    before = f"[{left} characters]..." if left else ""
    after = f"...[{right} characters]" if right > 0 else ""
    return f"{sign}{before}{text[start : start + WIDTH]}{after}"
