"""Which paths a hub or a file system may list."""

from __future__ import annotations

import re

from sera_swezero.errors import UpstreamError

_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\\]|^[A-Za-z]:|(^|/)\.{0,2}(/|$)")
"""Control characters, backslashes, a drive letter, and steps that are empty (as in an absolute path), `.` or `..`."""


def refuse_unsafe(path: str, place: str) -> None:
    """Refuse a listed path that could lead out of its repo, or do harm where it is printed.

    Clients of the hub differ in what they check, and some would read a file of this machine.

    Args:
        path: as it is listed.
        place: where it is listed, for the error.

    Raises:
        UpstreamError: the path is absolute, or has `..`, `.`, an empty step, a drive letter, a backslash or a control
            character.
    """
    if _UNSAFE.search(path):
        msg = f"{place}: lists {path!r}, which is not a path inside a repo; expected names joined by /"
        raise UpstreamError(msg)
