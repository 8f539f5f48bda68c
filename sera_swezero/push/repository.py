"""The calls with which a push changes a repo. After a lost answer each looks first whether it took effect.

Reading goes through our own session (`hub`), writing through the client's own API under a time limit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi
from huggingface_hub.errors import HfHubHTTPError

from sera_swezero.errors import PublishError
from sera_swezero.hub.background import SILENCE, within
from sera_swezero.hub.retry import RetryPolicy, is_transient, status_of, with_retries
from sera_swezero.push.repository_reader import TYPE, RepositoryReader

_SLOWEST = 20_000  # bytes per second that an upload has to reach

PUSHING = RetryPolicy(attempts=7, first=1.0, longest=60.0)
"""How often a push tries each call, and how long it waits in between."""


class Pull(NamedTuple):
    """A pull request."""

    num: int
    """Its number."""
    status: str
    """"draft", "open", "closed" or "merged"."""
    merged_as: str | None = None
    """The commit that merged it."""

    @property
    def ref(self) -> str:
        """The git ref of its commits."""
        return f"refs/pr/{self.num}"


@dataclass(frozen=True)
class Repository(RepositoryReader):
    """A dataset repo that can also be written to. Every method raises what reading raises."""

    def create(self, *, private: bool) -> None:
        """Create the repo; one that is there stays as it is."""
        # None rather than False: an organisation may make new repos private on its own.
        self._call(
            lambda api: api.create_repo(self.repo, repo_type=TYPE, private=private or None, exist_ok=True),
            "create repo",
        )

    def tag(self, name: str, commit: str) -> None:
        """Tag a commit. Raises PublishError where the tag is at another one."""

        def there() -> str | None:
            at = self.tags().get(name)
            if at not in (None, commit):
                msg = f"{self.repo}: the tag {name!r} is at {at} and not at {commit}; choose another name"
                raise PublishError(msg)
            return at

        def make(api: HfApi) -> str:
            api.create_tag(self.repo, tag=name, revision=commit, repo_type=TYPE)
            return commit

        try:
            self._call(make, "tag", look=there)
        except HfHubHTTPError as error:
            if status_of(error) != 409 or there() is None:
                raise

    def pull(self, num: int) -> Pull:
        """A pull request by its number."""
        details = self._call(
            lambda api: api.get_discussion_details(self.repo, discussion_num=num, repo_type=TYPE), "pull request"
        )
        return Pull(num=num, status=details.status, merged_as=getattr(details, "merge_commit_oid", None))

    @cached_property
    def user(self) -> str | None:
        """The name of whoever pushes; None if the token does not say."""
        try:
            return str(self._call(lambda api: api.whoami()["name"], "who pushes"))
        except Exception as error:
            if status_of(error) not in (401, 403, 404):
                raise
            return None

    def find_pull(self, title: str) -> Pull | None:
        """The oldest pull request of this title that can still be merged, and that nobody else has changed.

        Anyone may open a pull request, and anyone who builds the same version can compute the title.
        """
        user = self.user
        if user is None:
            return None
        found = self._call(
            lambda api: [
                Pull(num=one.num, status=one.status)
                for one in api.get_repo_discussions(self.repo, repo_type=TYPE)
                if one.is_pull_request and one.title == title and one.status in ("draft", "open") and one.author == user
            ],
            "pull requests",
        )
        return next((pull for pull in sorted(found) if self._committers(pull) <= {user}), None)

    def _committers(self, pull: Pull) -> set[str]:
        """The names of those who committed to a pull request."""
        details = self._call(
            lambda api: api.get_discussion_details(self.repo, discussion_num=pull.num, repo_type=TYPE), "pull request"
        )
        return {event.author for event in details.events if event.type == "commit"}

    def open_pull(self, title: str, description: str) -> Pull:
        """Open a pull request on main, or take one of our own that has this title."""

        def make(api: HfApi) -> Pull:
            made = api.create_pull_request(self.repo, title=title, description=description, repo_type=TYPE)
            return Pull(num=made.num, status=made.status)

        found = self.find_pull(title)
        if found is not None:
            return found
        mine = self._call(make, "open pull request", look=lambda: self.find_pull(title))
        # Two pushes of a version may both have seen none. Both go on with the older one, so there is only one merge.
        first = self.find_pull(title) or mine
        if first.num != mine.num:
            self.set_status(mine, "closed")
        return first

    def commit(
        self, pull: Pull, parent: str, *, add: Mapping[str, Path | bytes], delete: Sequence[str], size: int
    ) -> None:
        """Upload files of `size` bytes and commit to the pull request, on top of its head `parent` or not at all.

        Args:
            pull: the pull request.
            parent: its head.
            add: what to send, by path: a local file, or the bytes.
            delete: the paths to delete.
            size: bytes to send, which decide how long the upload may take.
        """
        operations: list[CommitOperationAdd | CommitOperationDelete] = [
            *(CommitOperationAdd(path, str(data) if isinstance(data, Path) else data) for path, data in add.items()),
            *(CommitOperationDelete(path, is_folder=False) for path in delete),
        ]

        def make(api: HfApi) -> str:
            return api.create_commit(
                self.repo,
                operations,
                commit_message=f"Send {len(add)} files, delete {len(delete)}",
                repo_type=TYPE,
                revision=pull.ref,
                parent_commit=parent,
            ).oid

        def moved() -> str | None:
            head = self.head(pull.ref)
            return None if head == parent else head

        # An upload that fails says so in errors of many kinds, and a commit that was made is seen before the next try.
        def retry_on(error: BaseException) -> bool:
            return is_transient(error) or (status_of(error) is None and isinstance(error, RuntimeError))

        # An upload that is slower than `_SLOWEST` counts as silent.
        limit = SILENCE + size / _SLOWEST
        try:
            with_retries(
                lambda: within(limit, lambda: make(HfApi())), "commit", self.policy, look=moved, retry_on=retry_on
            )
        except HfHubHTTPError as error:
            # 412: the ref is no longer at `parent`. Whoever moved it, the caller compares what is there.
            if status_of(error) != 412:
                raise

    def set_status(self, pull: Pull, wanted: str) -> None:
        """Make the pull request "open" (it begins as a draft, which cannot be merged) or "closed".

        If somebody merged it meanwhile, it stays merged; the caller sees that when it next looks.
        """

        def there() -> str | None:
            now = self.pull(pull.num).status
            return now if now == wanted else None

        def change(api: HfApi) -> str:
            api.change_discussion_status(self.repo, pull.num, wanted, repo_type=TYPE)  # type: ignore[arg-type]
            return wanted

        if there() is not None:
            return
        try:
            self._call(change, f"{wanted} pull request", look=there)
        except HfHubHTTPError as error:
            if status_of(error) not in (400, 409) or self.pull(pull.num).status not in (wanted, "merged"):
                raise

    def merge(self, pull: Pull) -> Pull | None:
        """Merge into main and return the merged pull request; None if the hub refuses because main has changed."""

        def merged() -> Pull | None:
            now = self.pull(pull.num)
            return now if now.status == "merged" else None

        def make(api: HfApi) -> Pull:
            api.merge_pull_request(self.repo, pull.num, repo_type=TYPE)
            return pull

        try:
            if merged() is None:
                self._call(make, "merge", look=merged)
            return self.pull(pull.num)
        except HfHubHTTPError as error:
            if status_of(error) not in (400, 409, 412):
                raise
            return merged()
