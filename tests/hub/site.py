"""What every handler shares: the store, the three addresses, who is asking and which repo they may touch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from urllib.parse import unquote, urlencode

from tests.hub.messages import Ask, RefusalError
from tests.hub.objects import Entry
from tests.hub.store import Commit, Repo, Store
from tests.hub.xet import XetStore

T = TypeVar("T")

USER = "tester"
PAGE = 1000
"""Entries of a page of a listing."""
REPO = r"(?P<repo>[^/]+/[^/]+)"


@dataclass(frozen=True)
class Identity:
    """Who a token stands for. `role` is "write" or "read"; `only` limits a token to one repo."""

    role: str
    only: str | None = None


@dataclass
class Site:
    """State that handlers read and change. Endpoints are base URLs without a trailing slash."""

    root: Path
    store: Store
    xet_store: XetStore
    tokens: dict[str, Identity]
    hub: str = ""
    cdn: str = ""
    cas: str = ""
    signed_seconds: int = 3600

    def identity(self, ask: Ask) -> Identity | None:
        """Who asks, None when nobody says; raises RefusalError 401 for a token that the hub does not know."""
        scheme, _, token = (ask.headers.get("Authorization") or "").partition(" ")
        if not scheme:
            return None
        for name in self.store.repos:
            if token == self.repo_token(name):
                return Identity("write", name)
        if token not in self.tokens:
            raise RefusalError(401, message="Invalid credentials in Authorization header")
        return self.tokens[token]

    def repo_token(self, repo_id: str) -> str:
        """The token that a trusted CI job gets for a repo. It is computed, so that it outlives a restart."""
        return f"hf_jwt_{repo_id.encode().hex()}"

    def repo(self, ask: Ask, need: str = "read") -> Repo:
        """The repo of the request, for need "read", "files" (gates count) or "write".

        Raises RefusalError as the hub does: 307 to the new name of a moved repo; 401 to strangers and 404 to others for
        a repo that is missing or hidden; 401 or 403 with GatedRepo; 403 for a token that may not write.
        """
        who = self.identity(ask)
        name = ask.args["repo"]
        if name in self.store.moved:
            refusal = RefusalError(307, message=f"Temporary Redirect. Redirecting to {self.store.moved[name]}")
            tail = f"?{urlencode(ask.query, doseq=True)}" if ask.query else ""
            refusal.answer.headers["Location"] = ask.path.replace(name, self.store.moved[name], 1) + tail
            raise refusal
        repo = self.store.repos.get(name)
        if repo is None or (repo.private and (who is None or who.only not in (None, name))):
            if who is None:
                raise RefusalError(401, "RepoNotFound", "Invalid username or password.")
            raise RefusalError(404, "RepoNotFound", "Repository not found")
        if need == "files" and repo.gated and not (who and repo.granted):
            raise RefusalError(
                403 if who else 401,
                "GatedRepo",
                f"Access to dataset {name} is restricted and you are not in the authorized list.",
            )
        if need == "write":
            if who is None:
                raise RefusalError(401, message="Invalid username or password.")
            if who.role != "write" or who.only not in (None, name):
                raise RefusalError(403, message="Authorization error: this token may not write to the repo.")
        return repo

    def commit(self, repo: Repo, revision: str) -> Commit:
        """The commit that a revision names; raises RefusalError 404 RevisionNotFound."""
        commit = self.store.resolve(repo, revision)
        if commit is None:
            raise RefusalError(404, "RevisionNotFound", f"Invalid rev id: {revision}")
        return commit

    def entry(self, commit: Commit, path: str) -> Entry:
        """A file of a commit; raises RefusalError 404 EntryNotFound."""
        if path not in commit.files:
            raise RefusalError(404, "EntryNotFound", f'Entry not found: "{path}" does not exist on {commit.id}')
        return commit.files[path]

    def xet_hash(self, entry: Entry) -> str | None:
        """The hash by which clients read a file through xet, None where they cannot."""
        return self.xet_store.file_hash(entry.sha256)


def split_revision(rest: str) -> tuple[str, str]:
    """(revision, path) of the tail of a URL. Revisions come percent-encoded (refs%2Fpr%2F1) and raw (refs/pr/1)."""
    parts = rest.split("/")
    cut = 3 if parts[0] == "refs" and len(parts) >= 3 else 1
    return unquote("/".join(parts[:cut])), unquote("/".join(parts[cut:]))


def page(site: Site, ask: Ask, items: list[T], limit: int | None = None) -> tuple[list[T], dict[str, str]]:
    """One page of a listing and the headers that lead to the next (RFC 8288 Link, with a cursor)."""
    limit = limit or PAGE
    start = ask.number("cursor", 0)
    headers = {}
    if start + limit < len(items):
        tail = urlencode(ask.query | {"cursor": [str(start + limit)]}, doseq=True)
        headers["Link"] = f'<{site.hub}{ask.path}?{tail}>; rel="next"'
    return items[start : start + limit], headers
