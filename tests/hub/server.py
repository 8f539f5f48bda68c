"""`LoopbackHub`: three servers on one folder, and the scripting API that tests use."""

from __future__ import annotations

import json
import os
import re
import threading
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import unquote

from tests.hub import lfs, pulls, read, write
from tests.hub.faults import Faults
from tests.hub.log import Log, Request
from tests.hub.messages import Answer, Ask, RefusalError, Route
from tests.hub.site import USER, Identity, Site
from tests.hub.store import Commit, PullRequest, Repo, Store
from tests.hub.wire import Server

Content = bytes | str | Path
_ROUTES: dict[str, list[Route]] = {
    "hub": [*read.ROUTES, *write.ROUTES, *pulls.ROUTES, *lfs.ROUTES],
    "cdn": [*read.CDN_ROUTES, *lfs.CDN_ROUTES],
    "cas": [],
}


class LoopbackHub:
    """A Hugging Face hub on 127.0.0.1: real HTTP, real clients, state in `root`.

    Use it as a context manager, or call `start` and `stop`; both may be repeated, and a hub on the same `root` (also
    of another process) listens on the same ports again with all that was written. The hub listens on `port` if that
    is given. The CDN has another port and another host name (localhost), so that a token that leaks to it is seen.

    `token` may write, `read_token` may only read. `page_size` is the number of entries per page of a listing,
    `part_bytes` the size from which LFS uploads come in parts of that size, `xet` whether the hub offers xet.
    `log_path` gets the request log as JSON lines.
    """

    def __init__(
        self,
        root: str | os.PathLike[str],
        *,
        port: int = 0,
        token: str = "hf_loopback_write",
        read_token: str = "hf_loopback_read",
        page_size: int = 1000,
        part_bytes: int = 5 << 20,
        xet: bool = True,
        log_path: Path | None = None,
    ) -> None:
        self.root = Path(root).resolve()
        self.root.mkdir(parents=True, exist_ok=True)
        self.token, self.read_token = token, read_token
        self.faults = Faults()
        self.requests_log = Log(log_path)
        self._ports = self.root / "ports.json"
        self._port = port
        self._servers: list[Server] = []
        self._running = threading.Lock()  # a hook may stop the hub while the test already starts it again
        tokens = {token: Identity("write"), read_token: Identity("read")}
        self._site = Site(self.root, Store(self.root), tokens, page_size=page_size, part_bytes=part_bytes, xet=xet)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Listen. Raises OSError when a port of an earlier run is taken."""
        with self._running:
            known = json.loads(self._ports.read_text()) if self._ports.exists() else {}
            if self._port:
                known["hub"] = self._port
            for kind in _ROUTES:
                server = Server(known.get(kind, 0), kind, self._dispatch(kind), self.faults, self.requests_log)
                self._servers.append(server)
                known[kind] = server.server_address[1]
                threading.Thread(
                    target=server.serve_forever, args=(0.05,), name=f"loopback-{kind}", daemon=True
                ).start()
            self._ports.write_text(json.dumps(known))
            self._site.hub = f"http://127.0.0.1:{known['hub']}"
            self._site.cdn = f"http://localhost:{known['cdn']}"
            self._site.cas = f"http://127.0.0.1:{known['cas']}"

    def stop(self) -> None:
        """Stop at once, as a killed process would: open connections are cut, requests under way get no answer."""
        with self._running:
            for server in self._servers:
                server.stop()
            self._servers.clear()

    def _dispatch(self, kind: str):  # type: ignore[no-untyped-def]
        routes = [(route.method, re.compile(route.pattern), route.handler) for route in _ROUTES[kind]]

        def dispatch(ask: Ask) -> Answer:
            method = "GET" if ask.method == "HEAD" else ask.method
            for wanted, pattern, handler in routes:
                if wanted == method and (match := pattern.fullmatch(ask.path)):
                    ask.args = {
                        name: text if name == "rest" else unquote(text)
                        for name, text in match.groupdict().items()
                        if text is not None
                    }
                    return handler(self._site, ask)
            raise RefusalError(404, message="Sorry, we can't find the page you are looking for.")

        return dispatch

    @property
    def endpoint(self) -> str:
        """The base URL, for HF_ENDPOINT."""
        return self._site.hub

    @property
    def log(self) -> list[Request]:
        """All requests so far, in the order of their arrival."""
        return self.requests_log.all()

    def requests(
        self, method: str | None = None, path_matches: str = "", host: str | None = None, status: int | None = None
    ) -> list[Request]:
        """The requests of a method, host and status whose path matches the regular expression (searched)."""
        return self.requests_log.find(method, path_matches, host, status)

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

    def ci_env(self, repo_id: str, **extra: str) -> dict[str, str]:
        """`env` as a CI job has it that the repo trusts: no token, but a way to an identity token to exchange."""
        job = {
            "GITHUB_ACTIONS": "true",
            "ACTIONS_ID_TOKEN_REQUEST_URL": f"{self.endpoint}/ci/id-token",
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "job",
            "HF_OIDC_RESOURCE": f"datasets/{repo_id}",
        }
        return {name: value for name, value in self.env(**job, **extra).items() if name != "HF_TOKEN"}

    def add_dataset(
        self,
        repo_id: str,
        files: str | os.PathLike[str] | Mapping[str, Content],
        *,
        private: bool = False,
        gated: bool | str = False,
        message: str = "Upload dataset",
    ) -> str:
        """Commit a folder, or a mapping of paths to bytes, text or local files, to main; returns the commit's id.

        On a repo that exists this is a new version with exactly these files. Local files from 8 MB on are served from
        where they lie and must not change; from 256 MiB on they are not hashed either: their sha256 is a stand-in.
        """
        if not isinstance(files, Mapping):
            top = Path(files)
            files = {path.relative_to(top).as_posix(): path for path in sorted(top.rglob("*")) if path.is_file()}
        store = self._site.store
        with store.lock:
            repo = store.repos.get(repo_id) or store.create(repo_id, USER)
            repo.private, repo.gated = private, "auto" if gated is True else gated
            head = store.resolve(repo, "main")
            assert head is not None, "every repo has a first commit"
            entries = {".gitattributes": head.files[".gitattributes"]}
            for path, value in files.items():
                if isinstance(value, Path):
                    entry = store.objects.put_file(path, value)
                else:
                    entry = store.objects.put(path, value.encode() if isinstance(value, str) else value)
                before = head.files.get(path)
                entries[path] = before if before and before.key == entry.key else entry
            return store.commit(repo, "refs/heads/main", entries, message, "", USER).id

    def move(self, old: str, new: str) -> None:
        """Rename a repo; its old name answers 307 to the new one from now on."""
        self._site.store.move(old, new)

    def grant(self, repo_id: str) -> None:
        """Let the hub's user into a gated repo."""
        repo = self._repo(repo_id)
        repo.granted = True
        self._site.store.save(repo)

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
        """The files of a revision with their bytes (do not ask for huge ones)."""
        files = self._commit(repo_id, revision).files
        return {path: self._site.store.objects.read(entry.key) for path, entry in files.items()}

    def commits(self, repo_id: str, revision: str = "main") -> list[Commit]:
        """The history of a revision, newest first."""
        return self._site.store.history(self._repo(repo_id), self._commit(repo_id, revision))

    def pull_requests(self, repo_id: str) -> list[PullRequest]:
        """The pull requests of a repo, oldest first."""
        return list(self._repo(repo_id).pulls)
