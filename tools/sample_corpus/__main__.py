"""Write the shipped corpus, or a large one for benchmarks, in the layout of the upstream repos."""

from __future__ import annotations

import argparse
from pathlib import Path

from tools.sample_corpus.files import write_large, write_shipped
from tools.sample_corpus.sets import SETS

ROW_BYTES = range(20_000, 2_000_001)
"""Sizes of rows that `--row-bytes` can give."""


def main(argv: list[str] | None = None) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser("python -m tools.sample_corpus", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="the directory that gets <owner>/<repo>/<file>")
    parser.add_argument(
        "--rows", type=int, help="rows per set of a large corpus; without it the shipped corpus is written"
    )
    chosen = parser.add_mutually_exclusive_group()
    chosen.add_argument(
        "--config",
        action="append",
        choices=[one.config for one in SETS.values()],
        help="a set by its config; may repeat",
    )
    chosen.add_argument(
        "--repo", action="append", choices=[one.repo for one in SETS.values()], help="a set by its repo; may repeat"
    )
    parser.add_argument("--seed", type=int, default=0, help="another seed, other rows (large corpora; default 0)")
    parser.add_argument(
        "--row-bytes", type=int, help="mean bytes of a raw row, 20,000 to 2,000,000 (default 190,000; SWE-ZERO 45,000)"
    )
    parser.add_argument(
        "--edges", action="store_true", help="put odd rows of every kind among the others of a large corpus"
    )
    given = parser.parse_args(argv)
    names = set((given.config or []) + (given.repo or []))
    keys = [key for key, one in SETS.items() if not names or one.config in names or one.repo in names]
    if given.rows is not None and given.rows < 1:
        parser.error(f"argument --rows: {given.rows}; at least 1 was expected")
    if given.row_bytes is not None and given.row_bytes not in ROW_BYTES:
        parser.error(f"argument --row-bytes: {given.row_bytes}; {ROW_BYTES[0]} to {ROW_BYTES[-1]} were expected")
    if given.rows is None:
        write_shipped(given.out, keys)
    else:
        write_large(given.out, keys, given.seed, given.rows, given.row_bytes, odd=given.edges)


if __name__ == "__main__":
    main()
