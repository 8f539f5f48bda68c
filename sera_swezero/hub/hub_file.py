"""A file at a commit of a dataset repo on the hub, and which paths such a file may have."""

from __future__ import annotations

import re
from typing import NamedTuple

import huggingface_hub

from sera_swezero.errors import UpstreamError

_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\\]|^[A-Za-z]:|(^|/)\.{0,2}(/|$)")
"""Control characters, backslashes, a drive letter, and steps that are empty (as in an absolute path), `.` or `..`."""


class HubFile(NamedTuple):
    """What it takes to read a file of a dataset repo. Addresses and footers are remembered by it, so it is hashable."""

    endpoint: str
    """The hub, such as "https://huggingface.co"."""
    repo: str
    """The id of the dataset repo."""
    path: str
    """Where the file lies inside the repo."""
    commit: str
    """The commit that is read."""
    size: int
    """Bytes, as listed."""
    token: str | bool | None
    """As huggingface_hub takes it: a token, None for the stored login, False for none."""

    @property
    def place(self) -> str:
        """Repo and path, for messages."""
        return f"{self.repo}/{self.path}"

    @property
    def url(self) -> str:
        """The URL at which the hub serves the file or redirects to it."""
        return huggingface_hub.hf_hub_url(
            self.repo, self.path, repo_type="dataset", revision=self.commit, endpoint=self.endpoint
        )


def refuse_unsafe(path: str, place: str) -> None:
    """Refuse a listed path that could lead out of its repo, or do harm where it is printed.

    Clients of the hub differ in what they check, and some would read a file of this machine.

    Raises:
        UpstreamError: the path is absolute, or has `..`, `.`, an empty step, a drive letter, a backslash or a control
            character; names the `place` that lists it.
    """
    if _UNSAFE.search(path):
        msg = f"{place}: lists {path!r}, which is not a path inside a repo; expected names joined by /"
        raise UpstreamError(msg)
