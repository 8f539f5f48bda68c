"""Answers that no hub should give: each is an UpstreamError, in bounded time and memory."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import constants

from sera_swezero.catalog import Origin
from sera_swezero.errors import UpstreamError
from sera_swezero.upstream import take_snapshot

COMMIT = "0123456789abcdef0123456789abcdef01234567"
REPO = "org/set"
ORIGIN = Origin(name="set", repo=REPO, source="sera", shape="", pattern="*.jsonl", rows=1, license="mit")
FILE = {"type": "file", "path": "rows.jsonl", "size": 3, "oid": "0" * 40}


class ScriptedHub(ThreadingHTTPServer):
    """Answers a request for a commit with `info` and one for its files with `pages`, in turn."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.info: Any = {"id": REPO, "sha": COMMIT}
        self.pages: list[Any] = []
        self.next_page = ""
        self.asked = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: ScriptedHub

    def do_GET(self) -> None:
        hub = self.server
        hub.asked += 1
        listing = "/tree/" in self.path
        answer = hub.pages.pop(0) if listing and len(hub.pages) > 1 else hub.pages[0] if listing else hub.info
        body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        if listing and hub.next_page:
            self.send_header("Link", f'<{hub.url}{hub.next_page.format(hub.asked)}>; rel="next"')
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[ScriptedHub]:
    with ScriptedHub() as hub:
        threading.Thread(target=hub.serve_forever, daemon=True).start()
        monkeypatch.setattr(constants, "ENDPOINT", hub.url)
        monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
        yield hub
        hub.shutdown()


UNSAFE = (
    "../../../../x/private.jsonl",
    "data/../../private.jsonl",
    "/etc/private.jsonl",
    "C:/private.jsonl",
    "data\\private.jsonl",
    "data/\x1b]0;x\x07.jsonl",
    "data/\x9b2J.jsonl",
    "data//rows.jsonl",
)


@pytest.mark.parametrize("path", UNSAFE)
def test_a_listed_path_that_leads_elsewhere_is_refused(scripted: ScriptedHub, path: str) -> None:
    scripted.pages = [[FILE | {"path": path}]]
    with pytest.raises(UpstreamError, match="is not a path inside a repo") as raised:
        take_snapshot([ORIGIN])
    assert str(raised.value).isprintable()


def test_a_root_may_not_list_paths_that_lead_elsewhere(tmp_path: Path) -> None:
    folder = tmp_path / REPO
    folder.mkdir(parents=True)
    (folder / "rows.jsonl").write_text("{}\n")
    (folder / "Icon\r").write_text("")
    assert len(take_snapshot([ORIGIN], upstream=str(tmp_path)).files) == 1, "what is not read does not matter"
    (folder / "a\\b\x1b.jsonl").write_text("{}\n")
    with pytest.raises(UpstreamError, match="is not a path inside a repo"):
        take_snapshot([ORIGIN], upstream=str(tmp_path))
