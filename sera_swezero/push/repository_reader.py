"""The calls with which a push and a check of a published set read one dataset repo on the hub."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from huggingface_hub import HfApi
from huggingface_hub.errors import RepositoryNotFoundError, RevisionNotFoundError

from sera_swezero.build import manifest
from sera_swezero.build.manifest import Manifest
from sera_swezero.errors import PublishError
from sera_swezero.hub.background import SILENCE, within
from sera_swezero.hub.hub_file import HubFile
from sera_swezero.hub.listing import RepositoryFile, endpoint, list_files, resolve
from sera_swezero.hub.ranged_get import RangedGet
from sera_swezero.hub.retry import RetryPolicy, with_retries

_T = TypeVar("_T")
MAIN = "main"
TYPE = "dataset"

Tree = dict[str, RepositoryFile]
"""The files of a commit by path."""


@dataclass(frozen=True)
class RepositoryReader:
    """One dataset repo on the hub of HF_ENDPOINT. The client chooses the token at every call, since it may expire.

    Every method raises the error of the client or the transport when the attempts are used up or the hub refuses.

    Raises:
        PublishError: the id does not have the form OWNER/NAME.
    """

    repo: str
    """Its id, "owner/name"."""
    policy: RetryPolicy
    """How often to try each call, and how long to wait."""

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[\w.-]+/[\w.-]+", self.repo, re.ASCII):
            msg = f"{self.repo!r} is not the id of a dataset repo; OWNER/NAME was expected"
            raise PublishError(msg)

    def _call(self, call: Callable[[HfApi], _T], what: str, look: Callable[[], _T | None] | None = None) -> _T:
        return with_retries(lambda: within(SILENCE, lambda: call(HfApi())), what, self.policy, look=look)

    def head(self, revision: str = MAIN) -> str | None:
        """The commit of a revision; None if there is no such repo or revision."""
        try:
            return resolve(self.repo, revision, policy=self.policy)
        except (RepositoryNotFoundError, RevisionNotFoundError):
            return None

    def tree(self, commit: str) -> Tree:
        """All files of a commit."""
        return {file.path: file for file in list_files(self.repo, commit, policy=self.policy)}

    def hub_file(self, commit: str, file: RepositoryFile) -> HubFile:
        """A file of a commit, to read."""
        return HubFile(endpoint=endpoint(), repo=self.repo, path=file.path, commit=commit, size=file.size, token=None)

    def read(self, commit: str, file: RepositoryFile) -> bytes:
        """The content of a file. Raises UpstreamError."""
        return b"".join(RangedGet(self.hub_file(commit, file), 0, file.size))

    def manifest(self, commit: str, tree: Tree | None = None) -> Manifest | None:
        """The manifest of a commit; None if it has none. Raises PublishError for one that cannot be read."""
        file = (self.tree(commit) if tree is None else tree).get(manifest.MANIFEST)
        if file is None:
            return None
        return manifest.decode(self.read(commit, file), f"{self.repo}@{commit[:12]}/{manifest.MANIFEST}")

    def tags(self) -> dict[str, str]:
        """The tags and their commits."""
        refs = self._call(lambda api: api.list_repo_refs(self.repo, repo_type=TYPE), "refs")
        return {tag.name: tag.target_commit for tag in refs.tags}
