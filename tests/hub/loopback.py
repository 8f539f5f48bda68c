"""`LoopbackHub`: the hub as tests see it, and script it."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.hub.faults import Faults
from tests.hub.log import Log, Request
from tests.hub.server import Servers
from tests.hub.site import Identity, Site
from tests.hub.store import Commit, PullRequest, Repo, Store
from tests.hub.xet import XetStore

Content = bytes | str | Path
"""What a file may be given as: its bytes, its text, or a local file."""


class LoopbackHub:
    """A Hugging Face hub on 127.0.0.1: real HTTP, real clients, the bytes of files below `root`.

    Use it as a context manager, or call `start` and `stop`; both may be repeated, on the same ports and with all that
    was written. The CDN has another port and another host name (localhost), so that a token that leaks to it is seen.

    `token` may write, `read_token` may only read. An address on the CDN is valid for `signed_seconds`. `faults` takes
    the faults that a test orders.
    """

    token, read_token = "hf_loopback_write", "hf_loopback_read"

    def __init__(self, root: str | os.PathLike[str], *, signed_seconds: int = 3600) -> None:
        self.root = Path(root).resolve()
        self.root.mkdir(parents=True, exist_ok=True)
        self.faults = Faults()
        self.request_log = Log()
        store = Store(self.root)
        xet_store = XetStore(self.root / "xet", store.objects)
        tokens = {self.token: Identity("write"), self.read_token: Identity("read")}
        self._site = Site(self.root, store, xet_store, tokens, signed_seconds=signed_seconds)
        self._servers = Servers(self._site, self.faults, self.request_log)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Listen. Raises OSError when a port of the first start is taken."""
        self._servers.start()

    def stop(self) -> None:
        """Stop at once, as a killed process would: open connections are cut, requests under way get no answer."""
        self._servers.stop()

    @property
    def endpoint(self) -> str:
        """The base URL, for HF_ENDPOINT."""
        return self._site.hub

    @property
    def log(self) -> list[Request]:
        """All requests so far, in the order of their arrival."""
        return self.request_log.all()

    def requests(
        self, method: str | None = None, path_matches: str = "", host: str | None = None, status: int | None = None
    ) -> list[Request]:
        """The requests of a method, host and status whose path matches the regular expression (searched)."""
        return [
            one
            for one in self.log
            if method in (None, one.method)
            and host in (None, one.host)
            and status in (None, one.status)
            and re.search(path_matches, one.path)
        ]

    def env(self, **extra: str) -> dict[str, str]:
        """A whole environment for a child process: this one's, without its HF_ and proxy settings, aimed at the hub."""
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("HF_", "HUGGING")) and not name.lower().endswith("_proxy")
        }
        return kept | {
            "HF_ENDPOINT": self.endpoint,
            "HF_TOKEN": self.token,
            "HF_HOME": str(self.root / "hf-home"),
            "HF_HUB_DISABLE_TELEMETRY": "1",
            "HF_HUB_DISABLE_PROGRESS_BARS": "1",
            "HF_HUB_DISABLE_UPDATE_CHECK": "1",
            "HF_UPDATE_DOWNLOAD_COUNTS": "0",
            "NO_PROXY": "127.0.0.1,localhost",
            **extra,
        }

    def ci_env(self, repo_id: str) -> dict[str, str]:
        """`env` as a CI job has it that the repo trusts: no token, but a way to an identity token to exchange."""
        job = {
            "GITHUB_ACTIONS": "true",
            "ACTIONS_ID_TOKEN_REQUEST_URL": f"{self.endpoint}/ci/id-token",
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "job",
            "HF_OIDC_RESOURCE": f"datasets/{repo_id}",
        }
        return {name: value for name, value in self.env(**job).items() if name != "HF_TOKEN"}

    def add_dataset(
        self,
        repo_id: str,
        files: str | os.PathLike[str] | Mapping[str, Content],
        *,
        private: bool | None = None,
        gated: bool | str | None = None,
    ) -> str:
        """Commit a folder, or a mapping of paths to contents, to main; returns the commit's id.

        On a repo that exists this is a new version with exactly these files, and `private` and `gated` stay as they
        are unless given. `gated` (True, "auto" or "manual") keeps everybody out until `grant`. Local files from 8 MB on
        are served from where they lie and must not change; from 256 MiB on they are not hashed either: their sha256 is
        a stand-in.
        """
        if not isinstance(files, Mapping):
            top = Path(files)
            files = {path.relative_to(top).as_posix(): path for path in sorted(top.rglob("*")) if path.is_file()}
        store = self._site.store
        with store.lock:
            repo = store.repos.get(repo_id) or store.create(repo_id)
            repo.private = repo.private if private is None else private
            repo.gated = repo.gated if gated is None else "auto" if gated is True else gated
            gone = self._commit(repo_id, "main").files.keys() - files.keys() - {".gitattributes"}
            return self.commit(repo_id, {**dict.fromkeys(gone), **files})

    def commit(self, repo_id: str, files: Mapping[str, Content | None]) -> str:
        """Commit new contents of some files to main (None deletes), as somebody else might; returns the id."""
        store = self._site.store
        with store.lock:
            after = dict(self._commit(repo_id, "main").files)
            for path, value in files.items():
                if value is None:
                    del after[path]
                    continue
                if isinstance(value, Path):
                    entry = store.objects.put_file(path, value)
                else:
                    entry = store.objects.put(path, value.encode() if isinstance(value, str) else value)
                if path not in after or after[path].key != entry.key:
                    after[path] = entry
            return store.commit(self._repo(repo_id), "refs/heads/main", after, "Update").id

    def move(self, old: str, new: str) -> None:
        """Rename a repo; its old name answers 307 to the new one from now on."""
        self._site.store.move(old, new)

    def grant(self, repo_id: str) -> None:
        """Let the hub's user into a gated repo."""
        self._repo(repo_id).granted = True

    def _repo(self, repo_id: str) -> Repo:
        return self._site.store.repos[repo_id]

    def _commit(self, repo_id: str, revision: str) -> Commit:
        commit = self._site.store.resolve(self._repo(repo_id), revision)
        if commit is None:
            raise KeyError(f"{repo_id} has no revision {revision}")
        return commit

    def head(self, repo_id: str, revision: str = "main") -> str:
        """The commit id that a revision points at. Raises KeyError."""
        return self._commit(repo_id, revision).id

    def refs(self, repo_id: str) -> dict[str, str]:
        """All refs (refs/heads/main, refs/tags/v1, refs/pr/1, ...) with their commit ids."""
        return dict(self._repo(repo_id).refs)

    def files(self, repo_id: str, revision: str = "main") -> dict[str, bytes]:
        """The files of a revision, .gitattributes among them, with their bytes (do not ask for huge ones)."""
        files = self._commit(repo_id, revision).files
        return {path: self._site.store.objects.read(entry.key) for path, entry in files.items()}

    def commits(self, repo_id: str, revision: str = "main") -> list[Commit]:
        """The history of a revision, newest first."""
        return self._site.store.history(self._repo(repo_id), self._commit(repo_id, revision))

    def pull_requests(self, repo_id: str) -> list[PullRequest]:
        """The pull requests of a repo, oldest first."""
        return list(self._repo(repo_id).pulls)
