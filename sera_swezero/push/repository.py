"""The hub's calls that a push makes. After a lost answer each looks whether it took effect before it sends again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi
from huggingface_hub.errors import (
    HfHubHTTPError,
    LocalEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from huggingface_hub.hf_api import RepoFile

from sera_swezero.build import manifest
from sera_swezero.build.manifest import Manifest
from sera_swezero.errors import PublishError
from sera_swezero.push.patience import Patience, insist, status, transient

_T = TypeVar("_T")
_TYPE = "dataset"
MAIN = "main"
_TIMEOUT = 30.0  # seconds; for the small question that is asked most


class RemoteFile(NamedTuple):
    """A file of a repo: size in bytes, git's id of what it keeps, sha256 of the content where that lies in LFS."""

    size: int
    blob: str
    sha256: str | None

    def holds(self, size: int, sha256: str, blob: Callable[[], str]) -> bool:
        """Whether the content has this size and hash; git's id of it is asked for only where git keeps it."""
        if size != self.size:
            return False
        return sha256 == self.sha256 if self.sha256 is not None else blob() == self.blob


Tree = dict[str, RemoteFile]
"""The files of a commit by path."""


class Pull(NamedTuple):
    """A pull request: its number and its status, "draft", "open", "closed" or "merged"; the commit that merged it."""

    num: int
    status: str
    merged_as: str | None = None

    @property
    def ref(self) -> str:
        """The git ref of its commits."""
        return f"refs/pr/{self.num}"


@dataclass(frozen=True)
class Remote:
    """One dataset repo on the hub of HF_ENDPOINT. The token is the client's own choice at every call, so it may expire.

    Every method raises the client's error when patience ends or the hub refuses.
    """

    repo: str
    patience: Patience

    def _ask(self, call: Callable[[HfApi], _T], what: str, look: Callable[[], _T | None] | None = None) -> _T:
        return insist(lambda: call(HfApi()), what, self.patience, look=look)

    def head(self, revision: str = MAIN) -> str | None:
        """The commit of a revision, None where there is no such repo or revision."""
        try:
            info = self._ask(lambda api: api.dataset_info(self.repo, revision=revision, timeout=_TIMEOUT), "repo info")
        except (RepositoryNotFoundError, RevisionNotFoundError):
            return None
        return str(info.sha)

    def create(self, *, private: bool) -> None:
        """Create the repo; one that is there stays as it is."""
        # Only a wish is sent: an organisation may make new repos private on its own.
        wish = True if private else None
        self._ask(lambda api: api.create_repo(self.repo, repo_type=_TYPE, private=wish, exist_ok=True), "create repo")

    def tree(self, commit: str) -> Tree:
        """All files of a commit."""
        entries = self._ask(
            lambda api: list(api.list_repo_tree(self.repo, recursive=True, revision=commit, repo_type=_TYPE)), "tree"
        )
        return {
            entry.path: RemoteFile(entry.size, entry.blob_id, entry.lfs.sha256 if entry.lfs else None)
            for entry in entries
            if isinstance(entry, RepoFile)
        }

    def manifest(self, commit: str, tree: Tree | None = None) -> Manifest | None:
        """The manifest of a commit, None where it has none. Raises PublishError for one that cannot be read."""
        if manifest.MANIFEST not in (self.tree(commit) if tree is None else tree):
            return None
        path = insist(
            lambda: HfApi().hf_hub_download(self.repo, manifest.MANIFEST, revision=commit, repo_type=_TYPE),
            "manifest",
            self.patience,
            # A HEAD request that fails is told as a file that is neither on the hub nor in the cache.
            passing=lambda error: transient(error) or isinstance(error, LocalEntryNotFoundError),
        )
        return manifest.decode(Path(path).read_bytes(), f"{self.repo}@{commit[:12]}/{manifest.MANIFEST}")

    def tags(self) -> dict[str, str]:
        """The tags and their commits."""
        refs = self._ask(lambda api: api.list_repo_refs(self.repo, repo_type=_TYPE), "refs")
        return {tag.name: tag.target_commit for tag in refs.tags}

    def tag(self, name: str, commit: str) -> None:
        """Tag a commit. Raises PublishError where the tag is at another one."""

        def there() -> str | None:
            at = self.tags().get(name)
            if at not in (None, commit):
                msg = f"{self.repo}: the tag {name!r} is at {at} and not at {commit}; choose another name"
                raise PublishError(msg)
            return at

        def make(api: HfApi) -> str:
            api.create_tag(self.repo, tag=name, revision=commit, repo_type=_TYPE)
            return commit

        try:
            self._ask(make, "tag", look=there)
        except HfHubHTTPError as error:
            if status(error) != 409 or there() is None:
                raise

    def pull(self, num: int) -> Pull:
        """A pull request by its number."""
        told = self._ask(
            lambda api: api.get_discussion_details(self.repo, discussion_num=num, repo_type=_TYPE), "pull request"
        )
        return Pull(num, told.status, getattr(told, "merge_commit_oid", None))

    def find_pull(self, title: str) -> Pull | None:
        """The oldest pull request of this title that can still be merged."""
        found = self._ask(
            lambda api: [
                Pull(told.num, told.status)
                for told in api.get_repo_discussions(self.repo, repo_type=_TYPE)
                if told.is_pull_request and told.title == title and told.status in ("draft", "open")
            ],
            "pull requests",
        )
        return min(found, default=None)

    def open_pull(self, title: str, description: str) -> Pull:
        """Open a pull request on main, or take the one of this title."""

        def make(api: HfApi) -> Pull:
            told = api.create_pull_request(self.repo, title=title, description=description, repo_type=_TYPE)
            return Pull(told.num, told.status)

        found = self.find_pull(title)
        if found is not None:
            return found
        mine = self._ask(make, "open pull request", look=lambda: self.find_pull(title))
        # Two pushes of a version may both have seen none. Both go on with the older, so that one merge is all.
        first = self.find_pull(title) or mine
        if first.num != mine.num:
            self.set_status(mine, "closed")
        return first

    def commit(self, pull: Pull, parent: str, operations: Sequence[Any], message: str) -> None:
        """Upload and commit to the pull request, on top of `parent` or not at all."""

        def make(api: HfApi) -> str:
            return api.create_commit(
                self.repo,
                operations,
                commit_message=message,
                repo_type=_TYPE,
                revision=pull.ref,
                parent_commit=parent,
            ).oid

        def moved() -> str | None:
            head = self.head(pull.ref)
            return None if head == parent else head

        # An upload that fails says so in errors of many kinds, and a commit that was made is seen before the next try.
        def passing(error: BaseException) -> bool:
            return transient(error) or (status(error) is None and isinstance(error, RuntimeError))

        try:
            insist(lambda: make(HfApi()), "commit", self.patience, look=moved, passing=passing)
        except HfHubHTTPError as error:
            # 412: the ref is no longer at `parent`. Whoever moved it, the caller compares what is there.
            if status(error) != 412:
                raise

    def set_status(self, pull: Pull, wanted: str) -> None:
        """Make the pull request "open" (it begins as a draft, which cannot be merged) or "closed".

        One that somebody merged meanwhile stays merged: the caller's next look at it tells.
        """

        def there() -> str | None:
            now = self.pull(pull.num).status
            return now if now == wanted else None

        def change(api: HfApi) -> str:
            api.change_discussion_status(self.repo, pull.num, wanted, repo_type=_TYPE)  # type: ignore[arg-type]
            return wanted

        if there() is not None:
            return
        try:
            self._ask(change, f"{wanted} pull request", look=there)
        except HfHubHTTPError as error:
            if status(error) not in (400, 409) or self.pull(pull.num).status not in (wanted, "merged"):
                raise

    def merge(self, pull: Pull) -> Pull | None:
        """Merge into main; None where the hub refuses because main has changed. The pull request after the merge."""

        def merged() -> Pull | None:
            now = self.pull(pull.num)
            return now if now.status == "merged" else None

        def make(api: HfApi) -> Pull:
            api.merge_pull_request(self.repo, pull.num, repo_type=_TYPE)
            return self.pull(pull.num)

        try:
            return merged() or self._ask(make, "merge", look=merged)
        except HfHubHTTPError as error:
            if status(error) not in (400, 409, 412):
                raise
            return merged()


def send(path: str, content: Path | bytes) -> CommitOperationAdd:
    """A file to add."""
    return CommitOperationAdd(path, str(content) if isinstance(content, Path) else content)


def drop(path: str) -> CommitOperationDelete:
    """A file to delete."""
    return CommitOperationDelete(path, is_folder=False)
