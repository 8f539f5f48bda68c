"""How many rows the embedded sample has and what becomes of them, as tests/golden/sample_counts.json says."""

from __future__ import annotations

import json
from typing import Any

from sera_swezero.catalog import CONFIGS
from sera_swezero.request.settle import settle
from sera_swezero.sample import sampled_configs
from tests.support import golden_files

SETS = [name for name in sampled_configs() if len(CONFIGS[name].origins) == 1]
"""The configs of one set each that the embedded sample has rows of."""

GOLDEN = "sample_counts.json"
COUNTS: dict[str, dict[str, Any]] = json.loads((golden_files.ROOT / GOLDEN).read_text(encoding="utf-8"))
"""Config with one origin -> its figures, in the rectified view with the default policies.

rows: records of all files. kept: those that become rows. rejected: reason -> how many. rejected_rows: reason -> their
numbers, from 0 over all files. conversions: kind -> how often in the kept rows. calls: tool calls of the kept rows.
"""


def kept_rows(config: str) -> int:
    """Return how many rows of the sample a config gives."""
    repeated = settle(config, upstream="sample").repeated
    return sum(int(COUNTS[origin.name]["kept"]) for origin in CONFIGS[config].origins if origin.name not in repeated)
