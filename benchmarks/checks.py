"""What the package's own checks cost inside a conversion of SERA: each is replayed on what it was given there.

The schema of the row, the order of the messages, the arguments of every call. (The wrappers of messages are literals of
the code that writes them.) The types of lines and histories are checked by decoding them, which has to be done anyway.

Run as a module it prints the seconds of each check, for all rows, as JSON.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

from benchmarks.corpus import SERA
from sera_swezero import convert, schemas
from sera_swezero.core import message_order
from sera_swezero.rows import iter_rows
from sera_swezero.sources import tool_arguments

ROWS = 400
"""Rows that are looked at: the checks see the same in every one of them."""


class Recorded:
    """A function that remembers what it was called with."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self.calls: list[tuple[tuple[Any, ...], dict[str, Any]]] = []

    def __call__(self, *given: Any, **named: Any) -> Any:
        self.calls.append((given, named))
        return self.function(*given, **named)

    def replay(self) -> float:
        """Seconds of CPU of all calls once more."""
        began = time.process_time()
        for given, named in self.calls:
            self.function(*given, **named)
        return time.process_time() - began


def measure(root: Path) -> dict[str, float]:
    """Seconds of CPU by check for all rows of a root."""
    row, order = Recorded(convert.check_row), Recorded(message_order.faults)
    typed = {name: Recorded(check) for name, check in tool_arguments.typed(schemas.tools("tools-sera")).items()}
    with (
        mock.patch.object(convert, "check_row", row),
        mock.patch.object(message_order, "faults", order),
        mock.patch.object(tool_arguments, "typed", return_value=typed),
    ):
        rows = iter_rows(SERA, upstream=str(root))
        looked = sum(1 for _ in zip(range(ROWS), rows, strict=False))
    (file,) = rows.snapshot.files
    with (root / file.repo / file.path).open("rb") as lines:
        total = sum(1 for _ in lines)
    seconds = {
        "schema of the row": row.replay(),
        "order of the messages": order.replay(),
        "arguments, as their tool asks for": sum(check.replay() for check in typed.values()),
    }
    return {name: took * total / looked for name, took in seconds.items()}


if __name__ == "__main__":
    print(json.dumps(measure(Path(sys.argv[1]))))
