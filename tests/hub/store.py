"""Repos on disk: commits, refs, pull requests. What is written survives a hub that is killed and started again."""

from __future__ import annotations

import hashlib
import json
import threading
from dataclasses import asdict, dataclass, field, replace
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
    message: str
    date: str
    author: str
    files: dict[str, Entry]


@dataclass
class PullRequest:
    """A pull request. `status` is draft, open, closed or merged; `target` the full ref it is for, `base` its start."""

    num: int
    title: str
    description: str
    author: str
    status: str
    date: str
    target: str
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

    `gated` is False, "auto" or "manual"; `granted` says whether the hub's user has been let in.
    """

    id: str
    private: bool
    gated: str | bool
    created: str
    granted: bool = False
    refs: dict[str, str] = field(default_factory=dict)
    pulls: list[PullRequest] = field(default_factory=list)


def now() -> str:
    """The time as the hub writes it, with milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Store:
    """All repos. Hold `lock` around every read-then-write; commits themselves never change."""

    def __init__(self, root: Path) -> None:
        self.lock = threading.RLock()
        self.objects = Objects(root / "objects")
        self._root = root / "repos"
        self._root.mkdir(parents=True, exist_ok=True)
        self._commits: dict[str, Commit] = {}
        self.repos: dict[str, Repo] = {}
        for path in self._root.glob("*/repo.json"):
            raw = json.loads(path.read_text())
            raw["pulls"] = [PullRequest(**pull) for pull in raw["pulls"]]
            self.repos[raw["id"]] = Repo(**raw)
        self._moved = root / "moved.json"
        self.moved: dict[str, str] = json.loads(self._moved.read_text()) if self._moved.exists() else {}

    def _folder(self, repo_id: str) -> Path:
        return self._root / repo_id.replace("/", "--")

    def save(self, repo: Repo) -> None:
        """Write a repo's refs and pull requests, all or nothing."""
        folder = self._folder(repo.id)
        (folder / "commits").mkdir(parents=True, exist_ok=True)
        _replace(folder / "repo.json", asdict(repo))

    def create(self, repo_id: str, author: str, private: bool = False, gated: str | bool = False) -> Repo:
        """A new repo with the hub's initial commit (.gitattributes)."""
        repo = Repo(repo_id, private, gated, now())
        self.repos[repo_id] = repo
        if self.moved.pop(repo_id, None):
            _replace(self._moved, self.moved)
        files = {".gitattributes": self.objects.put(".gitattributes", GITATTRIBUTES)}
        self.commit(repo, "refs/heads/main", files, "initial commit", "", author)
        return repo

    def move(self, old: str, new: str) -> None:
        """Rename a repo; the old name redirects from now on."""
        with self.lock:
            repo = self.repos.pop(old)
            self._folder(old).replace(self._folder(new))
            repo.id = new
            self.repos[new] = repo
            self.save(repo)
            self.moved = {key: new if value == old else value for key, value in self.moved.items()} | {old: new}
            self.moved.pop(new, None)
            _replace(self._moved, self.moved)

    def commit(
        self,
        repo: Repo,
        ref: str,
        files: dict[str, Entry],
        title: str,
        message: str,
        author: str,
        extra_parents: tuple[str, ...] = (),
    ) -> Commit:
        """Put a commit with exactly `files` on top of a ref; entries without a `commit` count as changed by it."""
        with self.lock:
            head = repo.refs.get(ref)
            parents = [*([head] if head else []), *extra_parents]
            listing = sorted((path, entry.key) for path, entry in files.items())
            date = now()
            commit_id = hashlib.sha1(json.dumps([repo.id, parents, listing, title, message, date]).encode()).hexdigest()
            files = {
                path: files[path] if files[path].commit else replace(files[path], commit=commit_id)
                for path in sorted(files)
            }
            commit = Commit(commit_id, parents, title, message, date, author, files)
            folder = self._folder(repo.id) / "commits"
            folder.mkdir(parents=True, exist_ok=True)
            _replace(folder / f"{commit_id}.json", asdict(commit))
            self._commits[commit_id] = commit
            repo.refs[ref] = commit_id
            self.save(repo)
            return commit

    def load(self, repo: Repo, commit_id: str) -> Commit | None:
        """A commit of a repo by its full id."""
        if commit_id not in self._commits:
            path = self._folder(repo.id) / "commits" / f"{commit_id}.json"
            if not path.exists():
                return None
            raw = json.loads(path.read_text())
            raw["files"] = {name: Entry(**entry) for name, entry in raw["files"].items()}
            self._commits[commit_id] = Commit(**raw)
        return self._commits[commit_id]

    def resolve(self, repo: Repo, revision: str) -> Commit | None:
        """The commit that a branch, tag, full ref or commit id names."""
        for ref in (revision, f"refs/heads/{revision}", f"refs/tags/{revision}"):
            if ref in repo.refs:
                return self.load(repo, repo.refs[ref])
        return self.load(repo, revision) if len(revision) == 40 and revision.isalnum() else None

    def history(self, repo: Repo, commit: Commit) -> list[Commit]:
        """A commit and its ancestors along first parents, newest first."""
        commits = [commit]
        while commits[-1].parents:
            parent = self.load(repo, commits[-1].parents[0])
            assert parent is not None, "a commit's parent is in the same repo"
            commits.append(parent)
        return commits


def _replace(path: Path, value: Any) -> None:
    partial = path.with_suffix(".part")
    partial.write_text(json.dumps(value))
    partial.replace(path)
