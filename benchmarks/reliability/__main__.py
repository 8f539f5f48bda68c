"""Run a part and print its row of the table; exits with 1 where something came of a round that must not."""

from __future__ import annotations

import argparse
import logging

from benchmarks.reliability import builds, network, page, parquet, pushes, stream_kills
from benchmarks.reliability.rounds import WRONG, play

PARTS = {part.name: part for part in (network.PART, stream_kills.PART, parquet.PART, builds.PART, pushes.PART)}


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser("python -m benchmarks.reliability", description=__doc__)
    parser.add_argument("part", choices=PARTS)
    parser.add_argument("--seed", type=int, default=1, help="what all random choices follow from (default 1)")
    parser.add_argument("--rounds", type=int, default=20, help="how many rounds to play (default 20)")
    parser.add_argument("--first", type=int, default=0, help="the number of the first one, to repeat it (default 0)")
    parser.add_argument("--page", action="store_true", help="write the row into docs/reliability.md, too")
    given = parser.parse_args()
    logging.getLogger("sera_swezero").setLevel(logging.ERROR)
    part = PARTS[given.part]
    outcomes = play(part, given.seed, given.rounds, given.first)
    line = page.row(part, given.seed, given.rounds, outcomes)
    print(line)
    if given.page:
        page.write(part, line)
    return 1 if outcomes[WRONG] else 0


if __name__ == "__main__":
    raise SystemExit(main())
