"""min_kept_share selects the rows that SERA's own procedure selects.

The oracle is written from the procedure's description: tokens are counted message by message in the rendered form;
counting stops at the first message whose running total reaches the limit; everything up to the last turn of the model
before it is kept; the ratio is kept messages over all messages; rows whose ratio is the threshold or more stay.
Its limit excludes equality, so 32,768 there is max_tokens=32767 here.
"""

from __future__ import annotations

import random
from itertools import accumulate
from pathlib import Path
from typing import Any

from tests.support.characters import framed, tokenizer
from tests.support.raw import T2, Turn, convert_root, history, line, sera, write_lines

__all__ = ["tokenizer"]  # a fixture


def ratio(messages: list[dict[str, Any]], limit: int) -> float:
    """The share of a row's messages that SERA keeps at a limit."""
    totals = accumulate(len(framed(message)) for message in messages)
    stop = next((number for number, total in enumerate(totals) if total >= limit), None)
    if stop is None:
        return 1.0
    turns = [number for number in range(stop) if messages[number]["role"] == "assistant"]
    return (turns[-1] + 1) / len(messages) if turns else 0.0


def rows(root: Path) -> dict[str, list[dict[str, Any]]]:
    """Write rows of many lengths, some with one long message, and give the messages of each."""
    rng = random.Random(7)
    lines = []
    for number in range(40):
        turns = [Turn("t" * rng.randint(1, 60), output="o" * rng.randint(0, 200)) for _ in range(rng.randint(1, 12))]
        if number % 5 == 0:
            turns[-1] = Turn("t", output="o" * 3000)
        turns.append(Turn("d" * rng.randint(1, 90), tool="submit", arguments="{}", output="diff"))
        lines.append(line(sera(history(turns), instance_id=f"row_{number}")))
    write_lines(root, T2, *lines)
    made, _ = convert_root(root, T2, view="hermes")
    return {row["instance_id"]: row["messages"] for row in made}


def test_it_selects_what_sera_s_procedure_selects_borders_included(tokenizer: str, tmp_path: Path) -> None:
    whole = rows(tmp_path)
    sizes = {name: list(accumulate(len(framed(one)) for one in messages)) for name, messages in whole.items()}
    borders = [total + more for name in ("row_0", "row_3") for total in sizes[name][-4:] for more in (0, 1)]
    chosen = set()
    for limit in borders:
        for share in (0.5, 0.88):
            arguments = {"max_tokens": limit - 1, "overlong": "truncate", "min_kept_share": share}
            made, report = convert_root(tmp_path, T2, view="hermes", tokenizer=tokenizer, **arguments)
            expected = {name for name, messages in whole.items() if ratio(messages, limit) >= share}
            assert {row["instance_id"] for row in made} == expected
            assert all(row["kept_share"] == ratio(whole[row["instance_id"]], limit) for row in made)
            assert report.filtered == report.filtered_by["min_kept_share"]
            assert report.rows_in == report.rows_out + report.filtered + report.rejected["overlong"] == 40
            chosen.add(len(expected))
    assert len(chosen) > 3
