"""Answers that no hub should give: each is an UpstreamError, in bounded time and memory."""

from __future__ import annotations

import json
import math
import os
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fsspec.implementations.memory import MemoryFileSystem
from huggingface_hub import constants

from sera_swezero.catalog import Origin
from sera_swezero.errors import UpstreamError
from sera_swezero.hub import listing, retry, session
from sera_swezero.hub.hub_file import HubFile
from sera_swezero.hub.ranged_get import RangedGet
from sera_swezero.hub.retry import RetryableError
from sera_swezero.upstream import Raw, plan_shards, row_group_starts, row_groups, shard_reader, take_snapshot
from sera_swezero.upstream.row_groups import groups

COMMIT = "0123456789abcdef0123456789abcdef01234567"
REPO = "org/set"
ORIGIN = Origin(name="set", repo=REPO, source="sera", shape="", patterns=("*.jsonl",), rows=1, license="mit")
FILE = {"type": "file", "path": "rows.jsonl", "size": 3, "oid": "0" * 40}
SIBLING = {"rfilename": "rows.jsonl", "size": 3, "blobId": "0" * 40}


class ScriptedHub(ThreadingHTTPServer):
    """Answers a request for a commit with `info` and one for the tree of its files with `pages`, in turn."""

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
        threading.Thread(target=hub.serve_forever, args=(0.01,), daemon=True).start()
        monkeypatch.setattr(constants, "ENDPOINT", hub.url)
        monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
        yield hub
        hub.shutdown()


@pytest.fixture
def parquet(tmp_path: Path) -> Path:
    """Where a root has the one Parquet file of the set."""
    path = tmp_path / REPO / "rows.parquet"
    path.parent.mkdir(parents=True)
    return path


def read(parquet: Path, **columns: str) -> list[Raw]:
    """Read the columns of the file as a stream does."""
    origin = replace(ORIGIN, patterns=("*.parquet",))
    snapshot = take_snapshot([origin], upstream=str(parquet.parents[2]))
    shards = plan_shards(snapshot.files, starts=row_group_starts(snapshot))
    return [raw for shard in shards for raw in shard_reader(snapshot, shard, columns)]


@pytest.mark.parametrize(
    "answer",
    [b"<html>Sign in</html>", [], {"id": REPO}, {"id": REPO, "sha": None}, {"id": REPO, "sha": "../../../x"}, b"\xff"],
)
def test_an_answer_that_names_no_commit_is_refused(scripted: ScriptedHub, answer: Any) -> None:
    scripted.info = answer
    with pytest.raises(UpstreamError, match="did not answer with the JSON of the hub"):
        take_snapshot([ORIGIN])
    assert scripted.asked == 1


@pytest.mark.parametrize(
    "page",
    [
        b"<html>Sign in</html>",
        {"error": "none"},
        ["rows.jsonl"],
        [{name: value for name, value in FILE.items() if name != "path"}],
        [FILE | {"path": 7}],
        [{name: value for name, value in FILE.items() if name != "size"}],
        [FILE | {"size": None}],
        [FILE | {"size": "²"}],
        [FILE | {"size": -1}],
        [FILE | {"size": 1 << 50}],
        [FILE | {"size": 1 << 70}],
        [FILE | {"lfs": "yes"}],
        b"[" * 100_000,
    ],
)
def test_a_page_that_lists_no_files_as_the_hub_does_is_refused(scripted: ScriptedHub, page: Any) -> None:
    scripted.pages = [page]
    with pytest.raises(UpstreamError, match=r"did not answer with the JSON of the hub|is listed with"):
        take_snapshot([ORIGIN])
    assert scripted.asked == 2


@pytest.mark.parametrize(
    "siblings",
    [
        ["rows.jsonl"],
        [{"size": 3}],
        [SIBLING | {"rfilename": 7}],
        [SIBLING | {"size": -1}],
        [SIBLING | {"size": 1 << 50}],
        [SIBLING | {"lfs": {"oid": "0" * 64}}],
        {"rows.jsonl": 3},
    ],
)
def test_a_commit_that_lists_no_files_as_the_hub_does_is_refused(scripted: ScriptedHub, siblings: Any) -> None:
    scripted.info |= {"siblings": siblings}
    with pytest.raises(UpstreamError, match=r"did not answer with the JSON of the hub|is listed with"):
        take_snapshot([ORIGIN])
    assert scripted.asked == 1


@pytest.mark.parametrize("missing", [{"siblings"}, {"size"}, {"blobId"}, {"size", "blobId"}])
def test_a_mirror_that_lists_paths_alone_with_a_commit_is_asked_for_the_tree(
    scripted: ScriptedHub, missing: set[str]
) -> None:
    sibling = {name: value for name, value in SIBLING.items() if name not in missing}
    scripted.info |= {} if "siblings" in missing else {"siblings": [SIBLING | {"rfilename": "README.md"}, sibling]}
    scripted.pages = [[FILE, FILE | {"path": "more.jsonl"}]]
    assert [file.path for file in take_snapshot([ORIGIN]).files] == ["more.jsonl", "rows.jsonl"]
    assert scripted.asked == 2


@pytest.mark.parametrize("next_page", ["/api/datasets/x/tree/y", "/api/datasets/x/tree/{}"])
def test_a_listing_without_an_end_is_refused(
    scripted: ScriptedHub, monkeypatch: pytest.MonkeyPatch, next_page: str
) -> None:
    monkeypatch.setattr(listing, "_MOST_PAGES", 20)
    scripted.pages, scripted.next_page = [[FILE]], next_page
    with pytest.raises(UpstreamError, match="does not end"):
        take_snapshot([ORIGIN])
    assert scripted.asked <= 21


def test_an_answer_without_an_end_is_refused(scripted: ScriptedHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "_LONGEST_JSON", 1000)
    scripted.pages = [[FILE] * 20]
    with pytest.raises(UpstreamError, match="longer than 1000 bytes"):
        take_snapshot([ORIGIN])


def test_a_root_that_does_not_say_sizes_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    listed = {f"/root/{REPO}/rows.jsonl": {"size": None}}
    monkeypatch.setattr(MemoryFileSystem, "find", lambda *_, **__: listed)
    with pytest.raises(UpstreamError, match="is listed with -1 bytes"):
        take_snapshot([ORIGIN], upstream="memory://root")


@pytest.mark.parametrize("header", ["bytes 0-2/²", "bytes 0-2/٣", "bytes ٠-2/3", "bytes 0-2/" + 5000 * "9"])
def test_a_range_with_other_digits_is_refused(header: str) -> None:
    file = HubFile(endpoint="", repo=REPO, path="rows.jsonl", commit=COMMIT, size=3, token=None)
    with pytest.raises((RetryableError, UpstreamError)):
        RangedGet(file, 0, 3)._check_range(header)


@pytest.mark.parametrize("said", ["²", "٣", "9" * 5000, "Mon, 01 Jan 0001 00:00:00 -0000", "Mon, 99 Foo 99999", "-5"])
def test_a_strange_wait_is_no_wait_or_a_long_one(said: str) -> None:
    assert retry.wait_in({"Retry-After": said}) in (None, 0.0, math.inf)


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
    for siblings in ([], [SIBLING | {"rfilename": path}]):
        scripted.info |= {"siblings": siblings}
        with pytest.raises(UpstreamError, match="is not a path inside a repo") as raised:
            take_snapshot([ORIGIN])
        assert str(raised.value).isprintable()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no files of such names")
def test_a_root_may_not_list_paths_that_lead_elsewhere(tmp_path: Path) -> None:
    folder = tmp_path / REPO
    folder.mkdir(parents=True)
    (folder / "rows.jsonl").write_text("{}\n")
    (folder / "Icon\r").write_text("")
    assert len(take_snapshot([ORIGIN], upstream=str(tmp_path)).files) == 1, "what is not read does not matter"
    (folder / "a\\b\x1b.jsonl").write_text("{}\n")
    with pytest.raises(UpstreamError, match="is not a path inside a repo"):
        take_snapshot([ORIGIN], upstream=str(tmp_path))


def test_no_damaged_byte_of_a_footer_hides_rows(parquet: Path) -> None:
    pq.write_table(pa.table({"n": list(range(40))}), parquet, row_group_size=10)
    data = parquet.read_bytes()
    footer = len(data) - 8 - int.from_bytes(data[-8:-4], "little")
    refused = 0
    counts = [at + 1 for at in range(footer, len(data) - 9) if data[at : at + 2] == b"\x16\x14"]  # 10 as a number
    for at in counts:
        for value in (0, 2, 40):
            parquet.write_bytes(data[:at] + bytes([value]) + data[at + 1 :])
            try:
                rows = [raw.data for raw in read(parquet, n="int64")]
            except UpstreamError as error:
                refused += "footer" in str(error)
            else:
                assert rows == [{"n": number} for number in range(40)]
    assert refused >= 4 * 3, "the counts of the four groups, and those of their columns"


def test_row_groups_lie_in_their_file_and_apart() -> None:
    class Chunk:
        dictionary_page_offset, total_compressed_size, total_uncompressed_size = None, 50, 50

        def __init__(self, start: int) -> None:
            self.data_page_offset = start

    def metadata(*starts: int) -> Any:
        made = [SimpleNamespace(num_columns=1, num_rows=5, column=lambda _, at=at: Chunk(at)) for at in starts]
        return SimpleNamespace(num_row_groups=len(made), num_rows=5 * len(made), row_group=made.__getitem__)

    assert [group.start for group in groups(metadata(60, 4), 120, "x")] == [60, 4]
    for starts in ((4, 4), (4, 53), (4, 80), (-20, 60), (4, 1 << 60)):
        with pytest.raises(UpstreamError, match="x: has a damaged footer: the row groups do not lie"):
            groups(metadata(*starts), 120, "x")


@pytest.mark.parametrize("row_group_size", [1, 5])
def test_a_row_that_is_too_long_is_rejected_before_it_is_made(
    parquet: Path, monkeypatch: pytest.MonkeyPatch, row_group_size: int
) -> None:
    texts = ["a", "b" * 2_000_000, "c", "d" * 500_000, "e"]
    pq.write_table(pa.table({"t": texts}), parquet, row_group_size=row_group_size, compression="zstd")
    monkeypatch.setattr(row_groups, "LONGEST", 1_000_000)
    made: list[int] = []
    objects = row_groups.as_objects
    monkeypatch.setattr(row_groups, "as_objects", lambda batch: made.append(batch.nbytes) or objects(batch))
    raws = read(parquet, t="string")
    assert [raw.offset for raw in raws] == [0, 1, 2, 3, 4]
    assert [raw.data and raw.data["t"] for raw in raws] == [texts[0], b"", *texts[2:]]
    assert "a record of at most 1000000 bytes was expected" in raws[1].fault
    assert max(made) <= 1_000_000


def test_a_damaged_page_is_an_error_where_the_file_has_checksums(parquet: Path) -> None:
    pq.write_table(pa.table({"t": ["one row of text"]}), parquet, compression="none", write_page_checksum=True)
    parquet.write_bytes(parquet.read_bytes().replace(b"one row", b"two row", 1))
    with pytest.raises(UpstreamError, match=r"row group 0 cannot be read: .*checksum"):
        read(parquet, t="string")


@pytest.mark.parametrize(
    ("table", "before", "after", "says"),
    [
        (pa.table({"n": [1]}), b"AUAAAAA=", b"AUgAAAA=", "is not a Parquet file: Integers with more than 64 bits"),
        (pa.table({"n": [1]}).select([]), b"", b"", "'n'"),
    ],
    ids=["72 bits", "no columns"],
)
def test_a_schema_that_cannot_be_is_an_error(parquet: Path, table: Any, before: bytes, after: bytes, says: str) -> None:
    pq.write_table(table, parquet)
    parquet.write_bytes(parquet.read_bytes().replace(before, after, 1))
    with pytest.raises(UpstreamError, match=says):
        read(parquet, n="int64")
