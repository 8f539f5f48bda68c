"""How many rows `render --serve` compares per second of one core, without a tokenizer.

    .venvs/clients/bin/python -m benchmarks.serving [--rows 200] [--rounds 3]

The templates are TRL's, so it runs where TRL is installed (`make clients`). The rows are generated SERA rows of 20 kB
and a tenth as many of 190 kB, read before the clock starts. A figure is the median of the rounds; every prompt is
rendered for itself, so the time of a row grows with the square of its turns.
"""

from __future__ import annotations

import argparse
import logging
import time
from collections.abc import Sequence
from statistics import median
from typing import Any

import sera_swezero
from benchmarks.corpus import SERA, corpus
from benchmarks.table import markdown
from sera_swezero.templates.parity import ParityCheck
from sera_swezero.templates.survival import look
from sera_swezero.views.chat_template import load_template

PAIRS = (("qwen3_training", "qwen3"), ("qwen3_5_think_training", "qwen3_5_think"), ("glm4moe_training", "glm4moe"))
"""(training template, serving template)."""

SIZES = {20_000: 1, 190_000: 10}
"""Mean bytes of a raw row -> what part of the rows is compared."""


def seconds(rows: Sequence[dict[str, Any]], training: str, serving: str) -> float:
    """Seconds of CPU that it takes to look at the rows and compare each of their turns."""
    template = load_template(training)
    check = ParityCheck(template, load_template(serving))
    began = time.process_time()
    look(rows, "openai", template, parity=check)
    return time.process_time() - began


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser("python -m benchmarks.serving", description=__doc__)
    parser.add_argument("--rows", type=int, default=200, help="rows of 20 kB (default 200)")
    parser.add_argument("--rounds", type=int, default=3, help="how often each pair is measured (default 3)")
    given = parser.parse_args()
    logging.getLogger("sera_swezero").setLevel(logging.ERROR)
    lines = [["trained with", "served with", "bytes per raw row", "turns per row", "rows per second"]]
    for size, part in SIZES.items():
        root = corpus(SERA, given.rows // part, size)
        rows = list(sera_swezero.load_dataset(f"{SERA}-openai", split="train", streaming=True, upstream=str(root)))
        turns = sum(message["role"] == "assistant" for row in rows for message in row["messages"]) / len(rows)
        for pair in PAIRS:
            took = median(seconds(rows, *pair) for _ in range(given.rounds))
            lines.append([*pair, f"{size:,}", f"{turns:.1f}", f"{len(rows) / took:,.0f}"])
    print(markdown(lines))


if __name__ == "__main__":
    main()
