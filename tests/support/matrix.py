"""The generations of `datasets` that the package is tested with, as pip requirements.

    python tests/support/matrix.py            prints the names of those that run on this Python
    python tests/support/matrix.py d36        prints the requirements of one

The newest generation needs no entry: it is what `pip install` finds, and the whole suite runs there. The oldest is read
from the floors in pyproject.toml, so a floor that does not hold fails a test and none is written down twice.
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

PYPROJECT = Path(__file__).parents[2] / "pyproject.toml"

MIDDLE = "datasets==4.8.*"
"""The last 4.x. It brings huggingface_hub 1.x, so three generations of the hub client are met as well."""

NEWEST_PYTHON_FOR_OLDEST = (3, 13)
"""datasets below 4.4 cannot pickle on Python 3.14 (huggingface/datasets#7839), and some floors have no wheel for it."""


def floors(pyproject: Path = PYPROJECT) -> list[str]:
    """Return each runtime dependency at its lowest allowed version, `datasets>=3.6` as `datasets==3.6`.

    Raises:
        SystemExit: A dependency has no plain floor, so its lowest version cannot be tested.
    """
    dependencies = tomllib.loads(pyproject.read_text("utf-8"))["project"]["dependencies"]
    pinned = []
    for dependency in dependencies:
        match = re.fullmatch(r"([\w-]+)>=([\d.]+)", dependency)
        if not match:
            sys.exit(f"{pyproject}: {dependency!r} has no plain floor; write it as 'name>=version'")
        pinned.append(f"{match[1]}=={match[2]}")
    return pinned


def generations(python: tuple[int, int]) -> dict[str, list[str]]:
    """Return name -> pip requirements of every generation but the newest that runs on `python` (major, minor)."""
    oldest = {"d36": floors()} if python <= NEWEST_PYTHON_FOR_OLDEST else {}
    return oldest | {"d48": [MIDDLE]}


def main(arguments: list[str]) -> None:
    """Print the names, or the requirements of the one that is named."""
    known = generations(sys.version_info[:2])
    if not arguments:
        print(*known)
        return
    if arguments[0] not in known:
        sys.exit(f"no generation {arguments[0]!r} on this Python; there are: {', '.join(known)}")
    print(*known[arguments[0]], sep="\n")


if __name__ == "__main__":
    main(sys.argv[1:])
