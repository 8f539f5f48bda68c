"""Repos: commits, refs, pull requests. They are kept in memory, their files' bytes on disk (objects.py)."""

from __future__ import annotations

import hashlib
import json
import threading
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.hub.objects import Entry, Objects

GITATTRIBUTES = b"*.parquet filter=lfs diff=lfs merge=lfs -text\n"


@dataclass(frozen=True)
class Commit:
    """A whole state of a repo. `files` maps paths to entries; dates are ISO 8601 in UTC."""

    id: str
    parents: list[str]
    title: str
    date: str
    files: dict[str, Entry]


@dataclass
class PullRequest:
    """A pull request for main. `status` is draft, open, closed or merged; `base` is the commit that it starts from."""

    num: int
    title: str
    author: str
    status: str
    date: str
    base: str
    merge_commit: str | None = None
    events: list[dict[str, Any]] = field(default_factory=list)

    @property
    def ref(self) -> str:
        """The git ref of its commits."""
        return f"refs/pr/{self.num}"


@dataclass
class Repo:
    """A dataset repo. `refs` maps full ref names (refs/heads/main, refs/tags/v1, refs/pr/1) to commit ids.

    `gated` is False, "auto" or "manual"; `granted` says whether the hub's user has been let in. `commits` holds all
    commits by id.
    """

    id: str
    private: bool
    created: str
    gated: str | bool = False
    granted: bool = False
    refs: dict[str, str] = field(default_factory=dict)
    pulls: list[PullRequest] = field(default_factory=list)
    commits: dict[str, Commit] = field(default_factory=dict)


def now() -> str:
    """The time as the hub writes it, with milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Store:
    """All repos. Hold `lock` around every read-then-write; commits themselves never change."""

    def __init__(self, root: Path) -> None:
        self.lock = threading.RLock()
        self.objects = Objects(root / "objects")
        self.repos: dict[str, Repo] = {}
        self.moved: dict[str, str] = {}

    def create(self, repo_id: str, private: bool = False) -> Repo:
        """A new repo with the hub's initial commit (.gitattributes)."""
        repo = Repo(repo_id, private, now())
        self.repos[repo_id] = repo
        self.moved.pop(repo_id, None)
        files = {".gitattributes": self.objects.put(".gitattributes", GITATTRIBUTES)}
        self.commit(repo, "refs/heads/main", files, "initial commit")
        return repo

    def move(self, old: str, new: str) -> None:
        """Rename a repo; the old name redirects from now on."""
        with self.lock:
            repo = self.repos.pop(old)
            repo.id = new
            self.repos[new] = repo
            self.moved = {key: new if value == old else value for key, value in self.moved.items()} | {old: new}
            self.moved.pop(new, None)

    def commit(
        self, repo: Repo, ref: str, files: dict[str, Entry], title: str, extra_parents: tuple[str, ...] = ()
    ) -> Commit:
        """Put a commit with exactly `files` on top of a ref; entries without a `commit` count as changed by it."""
        with self.lock:
            head = repo.refs.get(ref)
            parents = [*([head] if head else []), *extra_parents]
            listing = sorted((path, entry.key) for path, entry in files.items())
            date = now()
            commit_id = hashlib.sha1(json.dumps([repo.id, parents, listing, title, date]).encode()).hexdigest()
            files = {
                path: files[path] if files[path].commit else replace(files[path], commit=commit_id)
                for path in sorted(files)
            }
            repo.commits[commit_id] = Commit(commit_id, parents, title, date, files)
            repo.refs[ref] = commit_id
            return repo.commits[commit_id]

    def resolve(self, repo: Repo, revision: str) -> Commit | None:
        """The commit that a branch, tag, full ref or commit id names."""
        for ref in (revision, f"refs/heads/{revision}", f"refs/tags/{revision}"):
            if ref in repo.refs:
                return repo.commits[repo.refs[ref]]
        return repo.commits.get(revision)

    def history(self, repo: Repo, commit: Commit) -> list[Commit]:
        """A commit and its ancestors along first parents, newest first."""
        commits = [commit]
        while commits[-1].parents:
            commits.append(repo.commits[commits[-1].parents[0]])
        return commits
