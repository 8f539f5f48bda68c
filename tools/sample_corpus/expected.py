"""What converting a corpus must give, added up from the plans of its rows: the figures of `expected.json`.

By repo, in the `rectified` view under the default policy (SERA rejects what was not submitted, SWE-ZERO keeps it):

    config, rows, kept       rows counts all records, kept those that become rows
    rejected, rejected_rows  reason -> how many, and which
    conversions, calls       kind of conversion -> how often, and tool calls, summed over the kept rows
    edges                    name of an oddity -> the rows that were made to have it
    ids, answers, recalls    SERA: instance ids (null: the line is no JSON), the answers of kept odd rows (null: the
                             fixed sentence), T2's line-level recalls, for rejected rows too

Rows are told by their number in the set, from 0, over all its files in order. Large corpora lack what grows with them.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

from tools.sample_corpus.plan import Plan
from tools.sample_corpus.sets import Set

FILE = "expected.json"


class Expected:
    """The figures of one repo. `detailed` also keeps lists of rows, which grow with the corpus."""

    def __init__(self, one: Set, *, detailed: bool) -> None:
        self._one, self._detailed = one, detailed
        self._rows = self._calls = 0
        self._rejected: Counter[str] = Counter()
        self._conversions: Counter[str] = Counter()
        self._rejected_rows: dict[str, list[int]] = {}
        self._edges: dict[str, list[int]] = {}
        self._ids: list[str | None] = []
        self._recalls: list[float | None] = []
        self._answers: dict[str, str | None] = {}

    def add(self, plan: Plan) -> None:
        """Count the next row of the repo."""
        at = self._rows
        self._rows += 1
        kept = plan.rejected is None
        if plan.rejected:
            self._rejected[plan.rejected] += 1
            self._rejected_rows.setdefault(plan.rejected, []).append(at)
        else:
            self._conversions += plan.conversions()
            self._calls += plan.calls()
        self._ids.append(plan.columns["instance_id"] if plan.line is None else None)
        self._recalls.append(plan.recall)
        if plan.edge:
            self._edges.setdefault(plan.edge, []).append(at)
            if kept and self._one.kind == "sera":
                self._answers[str(at)] = plan.answer
        if not self._detailed:
            self._ids.clear()
            self._recalls.clear()
            self._answers.clear()

    def figures(self) -> dict[str, Any]:
        """The figures as they stand in `expected.json`."""
        figures: dict[str, Any] = {
            "config": self._one.config,
            "rows": self._rows,
            "kept": self._rows - self._rejected.total(),
            "rejected": _sorted(self._rejected),
            "conversions": _sorted(self._conversions),
            "calls": self._calls,
            "edges": _sorted(self._edges),
        }
        if self._detailed:
            figures |= {"rejected_rows": _sorted(self._rejected_rows)}
            if self._one.kind == "sera":
                figures |= {"ids": self._ids, "answers": self._answers}
            if self._one.rollout == "T2":
                figures |= {"recalls": self._recalls}
        return figures


def _sorted(counts: dict[str, Any]) -> dict[str, Any]:
    return dict(sorted(counts.items()))


def write(root: Path, figures: dict[str, dict[str, Any]]) -> None:
    """Write the figures of these repos to `expected.json`; those of other repos there stay."""
    path = root / FILE
    known = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    repos = _sorted({**known, **figures})
    lines = [
        f"{json.dumps(repo)}: {{\n"
        + ",\n".join(f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in one.items())
        + "\n}"
        for repo, one in repos.items()
    ]
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
