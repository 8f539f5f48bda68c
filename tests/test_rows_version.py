"""Rows and the number that stands for them change together."""

from __future__ import annotations

import hashlib
import json

from sera_swezero.request.identity import ROWS_VERSION
from tests.support.edges import golden_rows, readable
from tests.support.golden_files import ROOT, Golden

FILE = "rows_version.json"


def test_rows_and_rows_version_change_together(golden: Golden) -> None:
    rows = hashlib.sha256("\n".join(f"{name} {row}" for name, row in golden_rows()).encode()).hexdigest()
    stored = json.loads((ROOT / FILE).read_text(encoding="utf-8"))
    changed, raised = rows != stored["sha256"], stored["rows_version"] != ROWS_VERSION
    assert changed == raised, "raise ROWS_VERSION when, and only when, a row changes"
    golden(FILE, readable({"rows_version": ROWS_VERSION, "sha256": rows}))
