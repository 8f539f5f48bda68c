"""Rows and the number that stands for them change together."""

from __future__ import annotations

import hashlib
import json

from sera_swezero.request.identity import ROWS_VERSION
from tests.support.edges import golden_rows, readable
from tests.support.golden_files import ROOT, Golden

FILE = "rows_version.json"


def test_rows_and_rows_version_change_together(golden: Golden) -> None:
    rows = {name: hashlib.sha256(row.encode()).hexdigest()[:12] for name, row in golden_rows()}
    stored = json.loads((ROOT / FILE).read_text(encoding="utf-8"))
    changed = [name for name, row in stored["rows"].items() if rows.get(name, row) != row]
    raised = stored["rows_version"] != ROWS_VERSION
    assert bool(changed) == raised, f"raise ROWS_VERSION when, and only when, a row changes; these did: {changed}"
    golden(FILE, readable({"rows_version": ROWS_VERSION, "rows": rows}))
