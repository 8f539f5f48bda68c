"""A file at a commit of a dataset repo on the hub."""

from __future__ import annotations

from typing import NamedTuple

import huggingface_hub


class HubFile(NamedTuple):
    """What it takes to read a file of a dataset repo. Hashable: addresses and footers are remembered by it."""

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
