"""Golden files: what the code gave when a person last looked, kept below tests/golden/.

They are written by `pytest --update-golden` and never by hand; a change of behaviour is then a diff to read.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1] / "golden"
WIDTH = 300
"""Characters of a line that a failure shows."""
LINES = 60
"""Lines of the diff that a failure shows."""


@dataclass(frozen=True)
class Golden:
    """Compare with a golden file, or rewrite it (`update`)."""

    update: bool
    root: Path = ROOT

    def __call__(self, name: str, actual: str) -> None:
        """Fail the test with a diff unless the file `name` below the root holds exactly `actual`, as UTF-8."""
        __tracebackhide__ = True
        path = self.root / name
        expected = path.read_bytes().decode() if path.exists() else None
        if actual == expected:
            return
        if self.update:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(actual.encode())
        elif expected is None:
            pytest.fail(f"there is no golden file {name}; pytest --update-golden writes it", pytrace=False)
        else:
            # Split at \n alone: splitlines() would also cut at U+2028 and others that rows may hold.
            diff = list(
                difflib.unified_diff(expected.split("\n"), actual.split("\n"), "golden", "actual", n=1, lineterm="")
            )
            visible = "\n".join(line[:WIDTH] for line in diff[:LINES])
            pytest.fail(
                f"golden file {name} differs; if the new one is right: --update-golden\n{visible}", pytrace=False
            )
