"""Your own runs that lie on the hub: `upstream=hf://datasets/OWNER/NAME[@revision]`."""

from __future__ import annotations

import re
from urllib.parse import unquote

HUB = "hf://"
FORM = "hf://datasets/OWNER/NAME[@revision]"
_URL = re.compile(r"hf://datasets/([\w.-]+/[\w.-]+)/?(?:@(.+))?", re.ASCII)


def hub_upstream(upstream: str | None) -> tuple[str, str | None] | None:
    """The repository that a URL names, and its revision (None if it names none). None for text of another form."""
    found = _URL.fullmatch(upstream or "")
    return found and (found[1], found[2] and unquote(found[2]))
