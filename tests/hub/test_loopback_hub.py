"""The loopback hub against the real clients: what it serves, what it takes, and that its faults happen."""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import random
import signal
import socket
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi, HfFileSystem
from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, RepositoryNotFoundError, RevisionNotFoundError

from tests.hub import LoopbackHub

HERE = Path(__file__).resolve().parents[2]
CARD = """---
configs:
- config_name: odd
  data_files: odd/*.parquet
  default: true
- config_name: even
  data_files:
  - split: train
    path: even/*.parquet
---
# Numbers
"""


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[LoopbackHub]:
    with LoopbackHub(tmp_path / "hub") as running:
        yield running


def child(hub: LoopbackHub, script: str, **env: str) -> Any:
    """Run a script in a fresh process aimed at the hub; its last line of output is JSON."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        env=hub.env(**env),
        cwd=HERE,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def api(hub: LoopbackHub, token: str | bool | None = None) -> HfApi:
    return HfApi(endpoint=hub.endpoint, token=hub.token if token is None else token)


def get(
    url: str, token: str | None = None, method: str = "GET", timeout: float = 10, body: bytes = b"", **headers: str
) -> tuple[http.client.HTTPResponse, bytes]:
    """One plain HTTP request, redirects not followed; keywords are headers, with `_` for `-`."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=timeout)
    given = {name.replace("_", "-"): text for name, text in headers.items()}
    if token:
        given["Authorization"] = f"Bearer {token}"
    try:
        connection.request(method, f"{parts.path}?{parts.query}", body=body or None, headers=given)
        response = connection.getresponse()
        return response, response.read()
    finally:
        connection.close()


def numbers(folder: Path) -> Path:
    """A small dataset: configs `odd` and `even` of two Parquet shards with 50 rows each."""
    for config, first in (("odd", 1), ("even", 0)):
        (folder / config).mkdir(parents=True)
        for shard in range(2):
            rows = list(range(first + 100 * shard, 100 * (shard + 1), 2))
            pq.write_table(pa.table({"n": rows}), folder / config / f"train-{shard:05d}-of-00002.parquet")
    (folder / "README.md").write_text(CARD)
    return folder


# Reading


@pytest.mark.matrix
def test_load_dataset_reads_both_configs_plain_and_streaming(hub: LoopbackHub, tmp_path: Path) -> None:
    hub.add_dataset("org/numbers", numbers(tmp_path / "numbers"))
    sums = child(
        hub,
        """
        import json
        from datasets import load_dataset
        ways = [(config, stream) for config in ("odd", "even") for stream in (False, True)]
        rows = [load_dataset("org/numbers", config, split="train", streaming=stream) for config, stream in ways]
        print(json.dumps([sum(row["n"] for row in way) for way in rows]))
        """,
    )
    assert sums == [10_000, 10_000, 9_900, 9_900]
    assert len(hub.requests("GET", r"/objects/", host="cdn", status=200)) == 4, "plain loading fetches each shard once"
    assert hub.requests("GET", host="cdn", status=206), "streaming reads ranges"
    assert not [one for one in hub.log if one.host == "cdn" and one.authorized], "the token stays with the hub"
    assert {one.path.rsplit("/", 1)[1] for one in hub.requests(status=404)} >= {"numbers.py", "dataset_infos.json"}


def test_small_files_come_from_the_hub_and_lfs_files_by_a_redirect_to_another_host(hub: LoopbackHub) -> None:
    head = hub.add_dataset("org/two", {"small.txt": "hello", "large.parquet": b"0123456789"})
    small, body = get(f"{hub.endpoint}/datasets/org/two/resolve/main/small.txt")
    assert (small.status, body, small.headers["X-Repo-Commit"]) == (200, b"hello", head)
    large, _ = get(f"{hub.endpoint}/datasets/org/two/resolve/{head}/large.parquet", method="HEAD")
    assert large.status == 302
    assert (large.headers["X-Linked-Size"], large.headers["X-Repo-Commit"]) == ("10", head)
    assert urlsplit(large.headers["Location"]).hostname != urlsplit(hub.endpoint).hostname
    cdn, body = get(large.headers["Location"])
    assert (cdn.status, body, cdn.headers["ETag"]) == (200, b"0123456789", large.headers["X-Linked-Etag"])


def test_ranges_are_answered_as_rfc_9110_has_it(hub: LoopbackHub) -> None:
    hub.add_dataset("org/ranges", {"digits.txt": "0123456789"})
    url = f"{hub.endpoint}/datasets/org/ranges/resolve/main/digits.txt"
    cases = {
        "bytes=2-4": (b"234", "bytes 2-4/10"),
        "bytes=7-": (b"789", "bytes 7-9/10"),
        "bytes=-2": (b"89", "bytes 8-9/10"),
    }
    for asked, (data, said) in cases.items():
        response, body = get(url, Range=asked)
        assert (response.status, body, response.headers["Content-Range"]) == (206, data, said)
    past, body = get(url, Range="bytes=10-")
    assert (past.status, body, past.headers["Content-Range"]) == (416, b"", "bytes */10")
    changed, body = get(url, Range="bytes=2-4", If_Range='"of an older version"')
    assert (changed.status, body) == (200, b"0123456789")


@pytest.mark.matrix
def test_a_sparse_file_of_five_gigabytes_is_served_from_where_it_lies(hub: LoopbackHub, tmp_path: Path) -> None:
    huge = tmp_path / "huge.jsonl"
    with huge.open("wb") as file:
        file.seek(5 << 30)
        file.write(b"the end")
    hub.add_dataset("org/huge", {"huge.jsonl": huge})
    with HfFileSystem(endpoint=hub.endpoint, token=hub.token).open(
        "datasets/org/huge/huge.jsonl", block_size=4096
    ) as file:
        assert file.seek(5 << 30) == 5 << 30
        assert file.read() == b"the end"
    assert sum(one.sent for one in hub.requests(host="cdn")) < 100_000
    assert sum(path.stat().st_size for path in hub.root.rglob("*") if path.is_file()) < 100_000


def test_the_clients_see_the_hubs_own_error_classes(hub: LoopbackHub, tmp_path: Path) -> None:
    hub.add_dataset("org/open", {"a.txt": "a"})
    hub.add_dataset("org/hidden", {"a.txt": "a"}, private=True)
    hub.add_dataset("org/gated", {"a.txt": "a"}, gated=True)
    for asked in (api(hub).dataset_info, api(hub, False).dataset_info):
        with pytest.raises(RepositoryNotFoundError):
            asked("org/missing")
    with pytest.raises(RepositoryNotFoundError):
        api(hub, False).dataset_info("org/hidden")
    assert api(hub).dataset_info("org/hidden").private
    with pytest.raises(RevisionNotFoundError):
        api(hub).dataset_info("org/open", revision="v9")
    assert not api(hub).file_exists("org/open", "b.txt", repo_type="dataset")
    with pytest.raises(GatedRepoError):
        api(hub).hf_hub_download("org/gated", "a.txt", repo_type="dataset", cache_dir=tmp_path)
    hub.grant("org/gated")
    assert (
        Path(api(hub).hf_hub_download("org/gated", "a.txt", repo_type="dataset", cache_dir=tmp_path)).read_text() == "a"
    )


@pytest.mark.matrix
def test_a_moved_repo_is_found_under_its_old_name(hub: LoopbackHub, tmp_path: Path) -> None:
    hub.add_dataset("org/old", {"a.txt": "text", "b.parquet": b"bytes"})
    hub.move("org/old", "org/new")
    assert api(hub).dataset_info("org/old").id == "org/new"
    for name, data in (("a.txt", b"text"), ("b.parquet", b"bytes")):
        path = api(hub).hf_hub_download("org/old", name, repo_type="dataset", cache_dir=tmp_path)
        assert Path(path).read_bytes() == data
    assert hub.requests(path_matches="org/old", status=307)


def test_listings_come_in_pages(tmp_path: Path) -> None:
    with LoopbackHub(tmp_path, page_size=3) as hub:
        hub.add_dataset("org/many", {f"{folder}/{n}.txt": f"{n}" for folder in "ab" for n in range(4)})
        listed = list(api(hub).list_repo_tree("org/many", repo_type="dataset", recursive=True, expand=True))
        assert sorted(one.path for one in listed) == sorted([*hub.files("org/many"), "a", "b"])
        assert len(hub.requests("GET", "/tree/")) == 4
        assert [one.path for one in api(hub).list_repo_tree("org/many", "a", repo_type="dataset")] == [
            f"a/{n}.txt" for n in range(4)
        ]
        assert [
            one.path for one in api(hub).get_paths_info("org/many", ["a", "b/2.txt", "c"], repo_type="dataset")
        ] == ["a", "b/2.txt"]


def test_versions_keep_their_files(hub: LoopbackHub) -> None:
    first = hub.add_dataset("org/versions", {"a.txt": "1", "b.txt": "same"})
    second = hub.add_dataset("org/versions", {"a.txt": "2", "b.txt": "same"})
    assert [one.commit_id for one in api(hub).list_repo_commits("org/versions", repo_type="dataset")][:2] == [
        second,
        first,
    ]
    assert hub.files("org/versions", first)["a.txt"] == b"1"
    listed = api(hub).get_paths_info("org/versions", ["a.txt", "b.txt"], repo_type="dataset", expand=True)
    changed = [one.last_commit.oid for one in listed if one.last_commit]
    assert changed == [second, first], "each file names the commit that last changed it"


# Faults


DATA = bytes(range(256)) * 40


@pytest.fixture
def url(hub: LoopbackHub) -> str:
    """The CDN address of a file with DATA."""
    hub.add_dataset("org/faulty", {"data.parquet": DATA})
    return str(get(f"{hub.endpoint}/datasets/org/faulty/resolve/main/data.parquet")[0].headers["Location"])


@pytest.mark.parametrize("status", [429, 500, 503])
def test_status_faults_hit_as_often_as_ordered(hub: LoopbackHub, url: str, status: int) -> None:
    fault = hub.faults.add("status", status=status, retry_after=7, host="cdn", skip=1, times=2)
    answers = [get(url)[0] for _ in range(4)]
    assert [one.status for one in answers] == [200, status, status, 200]
    assert answers[1].headers["Retry-After"] == "7"
    assert fault.hits == 2
    assert [one.faults for one in hub.requests(host="cdn")] == [[], ["status"], ["status"], []]


def test_a_client_that_retries_rides_out_a_rate_limit(hub: LoopbackHub) -> None:
    hub.add_dataset("org/limited", {"a.txt": "a"})
    hub.faults.add("status", status=429, retry_after=0, path="/tree/")
    assert "a.txt" in [one.path for one in api(hub).list_repo_tree("org/limited", repo_type="dataset")]
    assert [one.status for one in hub.requests(path_matches="/tree/")] == [429, 200]


@pytest.mark.parametrize(("kind", "sent"), [("reset_before", 0), ("reset_after", 0), ("reset_mid_body", 1000)])
def test_resets(hub: LoopbackHub, url: str, kind: Any, sent: int) -> None:
    hub.faults.add(kind, host="cdn", after=1000)
    with pytest.raises(ConnectionResetError):
        get(url)
    assert hub.requests(host="cdn")[-1].sent == sent
    assert get(url)[1] == DATA


def test_a_truncated_body_ends_cleanly_before_its_announced_length(hub: LoopbackHub, url: str) -> None:
    hub.faults.add("truncated", host="cdn", after=1000)
    with pytest.raises(http.client.IncompleteRead) as caught:
        get(url)
    assert (caught.value.partial, caught.value.expected) == (DATA[:1000], len(DATA) - 1000)


def test_wrong_and_ignored_ranges(hub: LoopbackHub, url: str) -> None:
    hub.faults.add("wrong_content_range", host="cdn", after=5)
    wrong, body = get(url, Range="bytes=100-199")
    assert (wrong.status, wrong.headers["Content-Range"], body) == (206, f"bytes 105-199/{len(DATA)}", DATA[105:200])
    hub.faults.add("ignore_range", host="cdn")
    ignored, body = get(url, Range="bytes=100-199")
    assert (ignored.status, body) == (200, DATA)


def test_a_stale_redirect_leads_to_an_expired_url_and_the_next_one_works(hub: LoopbackHub, url: str) -> None:
    hub.faults.add("stale_redirect", path="data.parquet", status=404)
    resolve = f"{hub.endpoint}/datasets/org/faulty/resolve/main/data.parquet"
    stale, fresh = (get(resolve)[0].headers["Location"] for _ in range(2))
    assert [get(stale)[0].status, get(stale)[0].status, get(fresh)[0].status] == [404, 404, 200]


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("stall", {"seconds": 60.0}),
        ("stall", {"seconds": 60.0, "after": 100}),
        ("latency", {"seconds": 60.0, "times": None}),
        ("bandwidth", {"bytes_per_second": 100}),
    ],
)
def test_a_client_gives_up_on_a_slow_answer(hub: LoopbackHub, url: str, kind: Any, options: dict[str, Any]) -> None:
    hub.faults.add(kind, host="cdn", **options)
    with pytest.raises(TimeoutError):
        get(url, timeout=0.3)
    hub.faults.clear()
    hub.faults.add(kind, host="cdn", **options | {"seconds": 0.01, "bytes_per_second": 1 << 20})
    assert get(url)[1] == DATA


def test_a_hook_runs_at_the_moment_of_the_request(hub: LoopbackHub, url: str) -> None:
    seen: list[str] = []
    hub.faults.add("hook", host="cdn", method="HEAD", hook=lambda ask: seen.append(ask.headers["Range"]))
    get(url, Range="bytes=0-0")
    get(url, method="HEAD", Range="bytes=0-1")
    assert seen == ["bytes=0-1"]


def test_an_unknown_fault_is_refused(hub: LoopbackHub) -> None:
    with pytest.raises(ValueError, match="no fault of kind 'flood'"):
        hub.faults.add("flood")  # type: ignore[arg-type]


# Stopping and starting


def test_a_stopped_hub_cuts_its_connections_and_comes_back_on_the_same_ports(hub: LoopbackHub, url: str) -> None:
    hub.faults.add("hook", host="cdn", hook=lambda ask: hub.stop())
    with pytest.raises((ConnectionError, http.client.HTTPException)):
        get(url)
    with pytest.raises(ConnectionRefusedError):
        get(url)
    hub.start()
    assert get(url)[1] == DATA


def test_a_hub_killed_as_a_process_goes_on_where_it_was(tmp_path: Path) -> None:
    with LoopbackHub(tmp_path) as hub:
        head = hub.add_dataset("org/kept", {"a.txt": "kept"})
    lines = []
    for _ in range(2):
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.hub", "--root", str(tmp_path)], cwd=HERE, stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        lines.append(process.stdout.readline())
        assert api(hub).dataset_info("org/kept").sha == head
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()
    assert lines == [f"HF_ENDPOINT={hub.endpoint} HF_TOKEN={hub.token}\n"] * 2


# Writing


def add(path: str, text: str) -> CommitOperationAdd:
    return CommitOperationAdd(path, text.encode())


@pytest.fixture
def repo(hub: LoopbackHub) -> Callable[..., Any]:
    """A repo org/mine with a.txt; the fixture commits to it with the real client."""
    hub.add_dataset("org/mine", {"a.txt": "first"})

    def commit(*operations: Any, **options: Any) -> Any:
        return api(hub).create_commit("org/mine", operations, commit_message="change", repo_type="dataset", **options)

    return commit


def status_of(caught: pytest.ExceptionInfo[HfHubHTTPError]) -> int:
    return int(caught.value.response.status_code)


UPLOAD = """
    import json, os, random
    from pathlib import Path
    from huggingface_hub import HfApi, hf_hub_download
    folder = Path(os.environ["FOLDER"])
    api = HfApi()
    api.create_repo("org/pushed", repo_type="dataset")
    first = api.upload_folder(repo_id="org/pushed", repo_type="dataset", folder_path=folder).oid
    again = api.upload_folder(repo_id="org/pushed", repo_type="dataset", folder_path=folder).oid
    files = api.list_repo_files("org/pushed", repo_type="dataset")
    paths = [Path(hf_hub_download("org/pushed", name, repo_type="dataset", revision=first)) for name in files]
    print(json.dumps([first, again, sum(path.stat().st_size for path in paths)]))
"""


def upload(hub: LoopbackHub, folder: Path, **env: str) -> int:
    """Push a folder of a card and two Parquet files with the real client, twice, and read it back; returns its size."""
    files = {
        "README.md": CARD.encode(),
        "odd/a.parquet": random.Random(3).randbytes(3_000_000),
        "odd/b.parquet": b"text " * 99_999,
    }
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    first, again, size = child(hub, UPLOAD, FOLDER=str(folder), **env)
    attributes = hub.files("org/pushed").pop(".gitattributes")
    assert hub.files("org/pushed") == files | {".gitattributes": attributes}
    assert first == again == hub.head("org/pushed"), "what is there already makes no commit"
    assert size == sum(len(data) for data in hub.files("org/pushed").values())
    assert len(hub.requests("POST", "/commit/main")) == 1
    return int(size)


@pytest.mark.matrix
def test_a_folder_goes_up_by_lfs_in_one_piece_or_in_parts(tmp_path: Path) -> None:
    with LoopbackHub(tmp_path / "hub", part_bytes=1_000_000) as hub:
        upload(hub, tmp_path / "folder", HF_HUB_DISABLE_XET="1")
        assert sorted(one.received for one in hub.requests("PUT", host="cdn")) == [499_995, *[1_000_000] * 3]
        assert len(hub.requests("POST", "/api/complete_multipart", status=200)) == 1
        assert len(hub.requests("POST", "/info/lfs/verify", status=200)) == 2
        assert not hub.requests(host="cas")


@pytest.mark.matrix
def test_a_folder_goes_up_and_down_by_xet(hub: LoopbackHub, tmp_path: Path) -> None:
    size = upload(hub, tmp_path / "folder")
    assert not hub.requests("PUT"), "nothing goes by LFS"
    sent = sum(one.received for one in hub.requests("POST", "/xorbs/", host="cas"))
    assert 3_000_000 < sent < 3_050_000, "random bytes travel whole, repeated text compressed"
    assert len(hub.requests("GET", "/reconstructions/", host="cas", status=200)) == 2
    assert not hub.requests("GET", "/objects/", host="cdn")
    assert sum(one.sent for one in hub.requests("GET", "/xorbs/", host="cdn", status=206)) < size
    assert not [one for one in hub.requests(host="cdn") if one.authorized]


@pytest.mark.matrix
def test_xet_sends_only_what_is_new_and_serves_it_without_xet_too(hub: LoopbackHub, tmp_path: Path) -> None:
    script = """
        import json, os
        from huggingface_hub import HfApi, HfFileSystem
        path = os.environ["FILE"]
        HfApi().create_repo("org/pushed", repo_type="dataset", exist_ok=True)
        HfApi().upload_file(path_or_fileobj=path, path_in_repo="a.parquet", repo_id="org/pushed", repo_type="dataset")
        with HfFileSystem().open("datasets/org/pushed/a.parquet") as file:
            file.seek(2_999_990)
            print(json.dumps(file.read(20).hex()))
    """
    first = random.Random(6).randbytes(6_000_000)
    second = first[:3_000_000] + b"an insertion" + first[3_000_000:]
    sent = []
    for version, data in enumerate((first, second)):
        (tmp_path / "file").write_bytes(data)
        fresh = str(tmp_path / f"home-{version}")  # no cache of the first run: what is known comes from the hub
        assert child(hub, script, FILE=str(tmp_path / "file"), HF_HOME=fresh) == data[2_999_990:3_000_010].hex()
        assert hub.files("org/pushed")["a.parquet"] == data
        sent.append(sum(one.received for one in hub.requests("POST", "/xorbs/", host="cas")))
    assert sent[0] > 6_000_000
    assert sent[1] - sent[0] < 1_500_000


def test_xet_retries_a_xorb_whose_answer_was_lost(hub: LoopbackHub, tmp_path: Path) -> None:
    lost = hub.faults.add("reset_after", method="POST", path="/xorbs/", host="cas")
    expired = hub.faults.add("status", status=403, path="/xorbs/", host="cdn")
    upload(hub, tmp_path / "folder")
    assert (lost.hits, expired.hits) == (1, 1)
    assert [one.status for one in hub.requests("POST", "/xorbs/")] == [0, 200]


def test_xet_takes_only_whole_shards_and_xorbs_from_those_who_may_write(hub: LoopbackHub) -> None:
    hub.add_dataset("org/mine", {})
    token = f"{hub.endpoint}/api/datasets/org/mine/xet-{{}}-token/main"
    body = get(token.format("write"), token=hub.token)[1]
    cas, write = json.loads(body)["casUrl"], json.loads(body)["accessToken"]
    read = get(token.format("read"))[0].headers["X-Xet-Access-Token"]
    assert get(token.format("write"), token=hub.read_token)[0].status == 403
    places = [f"{cas}/v1/shards", f"{cas}/v1/xorbs/default/{'0' * 64}"]
    for bearer, status in ((None, 401), (read, 403), (write, 400)):
        assert [get(place, token=bearer, method="POST", body=b"junk" * 99)[0].status for place in places] == [
            status
        ] * 2


def test_an_object_of_other_bytes_or_cut_short_is_not_kept(hub: LoopbackHub, url: str) -> None:
    oid = hashlib.sha256(b"right").hexdigest()
    place = urlsplit(url)._replace(path=f"/lfs/{oid}").geturl()
    assert get(place, method="PUT", body=b"wrong")[0].status == 400
    with socket.create_connection((urlsplit(url).hostname, urlsplit(url).port)) as half:
        half.sendall(f"PUT /lfs/{oid}?signature=loopback HTTP/1.1\r\nContent-Length: 5\r\n\r\nri".encode())
        half.shutdown(socket.SHUT_WR)
        assert half.recv(1) == b""
    assert [path.name for path in (hub.root / "objects").iterdir() if path.name.startswith(("part", oid))] == []
    assert get(place, method="PUT", body=b"right")[0].status == 200
    assert get(urlsplit(url)._replace(path=f"/objects/{oid}").geturl())[1] == b"right"


def test_a_repo_is_made_once(hub: LoopbackHub) -> None:
    assert api(hub).create_repo("org/mine", repo_type="dataset", private=True).repo_id == "org/mine"
    assert api(hub).create_repo("org/mine", repo_type="dataset", exist_ok=True).repo_id == "org/mine"
    with pytest.raises(HfHubHTTPError) as caught:
        api(hub).create_repo("org/mine", repo_type="dataset")
    assert status_of(caught) == 409
    assert api(hub).dataset_info("org/mine").private
    assert [one.title for one in hub.commits("org/mine")] == ["initial commit"]


def test_a_commit_adds_replaces_and_deletes_or_does_nothing(hub: LoopbackHub, repo: Callable[..., Any]) -> None:
    repo(add("b/one.txt", "1"), add("b/two.txt", "2"), add("a.txt", "second"))
    assert set(hub.files("org/mine")) == {".gitattributes", "a.txt", "b/one.txt", "b/two.txt"}
    head = repo(add("c.txt", "3"), CommitOperationDelete("a.txt"), CommitOperationDelete("b/")).oid
    assert set(hub.files("org/mine")) == {".gitattributes", "c.txt"}
    with pytest.raises(HfHubHTTPError):
        repo(add("d.txt", "4"), CommitOperationDelete("nowhere.txt"))
    assert hub.head("org/mine") == head


def test_a_stale_parent_is_refused(hub: LoopbackHub, repo: Callable[..., Any]) -> None:
    parent = hub.head("org/mine")
    second = repo(add("a.txt", "second"), parent_commit=parent).oid
    with pytest.raises(HfHubHTTPError) as caught:
        repo(add("a.txt", "third"), parent_commit=parent)
    assert status_of(caught) == 412
    assert hub.head("org/mine") == second


def test_a_commit_whose_answer_is_lost_has_happened(hub: LoopbackHub, repo: Callable[..., Any]) -> None:
    hub.faults.add("reset_after", path="/commit/")
    with pytest.raises(Exception, match=r"(?i)reset|disconnected|peer"):
        repo(add("a.txt", "second"))
    assert hub.files("org/mine")["a.txt"] == b"second"
    assert [one.status for one in hub.requests(path_matches="/commit/")] == [0]


@pytest.mark.parametrize("card", ["configs: yes", "configs:\n- data_files: x", "dataset_info: 3", "a: [", "- a"])
def test_a_card_that_the_hub_would_refuse_is_refused(hub: LoopbackHub, repo: Callable[..., Any], card: str) -> None:
    with pytest.raises(ValueError, match="Invalid metadata"):
        repo(add("README.md", f"---\n{card}\n---\n"))
    assert hub.requests("POST", "/api/validate-yaml", status=400)
    assert "README.md" not in hub.files("org/mine")


def test_branches_and_tags(hub: LoopbackHub, repo: Callable[..., Any]) -> None:
    start = hub.head("org/mine")
    api(hub).create_tag("org/mine", tag="v1", repo_type="dataset")
    api(hub).create_branch("org/mine", branch="next/big", repo_type="dataset")
    repo(add("a.txt", "second"), revision="next/big")
    assert (hub.head("org/mine"), hub.head("org/mine", "v1")) == (start, start)
    assert hub.files("org/mine", "next/big")["a.txt"] == b"second"
    with pytest.raises(HfHubHTTPError) as caught:
        api(hub).create_tag("org/mine", tag="v1", repo_type="dataset")
    assert status_of(caught) == 409
    api(hub).delete_tag("org/mine", tag="v1", repo_type="dataset")
    api(hub).delete_branch("org/mine", branch="next/big", repo_type="dataset")
    assert list(hub.refs("org/mine")) == ["refs/heads/main"]


def test_a_pull_request_is_merged_once(hub: LoopbackHub, repo: Callable[..., Any]) -> None:
    opened = repo(add("b.txt", "1"), create_pr=True)
    repo(add("c.txt", "2"), CommitOperationDelete("a.txt"), revision=opened.pr_revision)
    repo(add("d.txt", "on main meanwhile"))
    assert set(hub.files("org/mine")) == {".gitattributes", "a.txt", "d.txt"}
    raw, body = get(f"{hub.endpoint}/datasets/org/mine/resolve/refs/pr/1/c.txt")
    quoted, same = get(f"{hub.endpoint}/datasets/org/mine/resolve/refs%2Fpr%2F1/c.txt")
    assert (raw.status, body, quoted.status, same) == (200, b"2", 200, b"2")
    api(hub).merge_pull_request("org/mine", opened.pr_num, repo_type="dataset")
    assert set(hub.files("org/mine")) == {".gitattributes", "b.txt", "c.txt", "d.txt"}
    details = api(hub).get_discussion_details("org/mine", opened.pr_num, repo_type="dataset")
    assert (details.status, details.merge_commit_oid) == ("merged", hub.head("org/mine"))
    with pytest.raises(HfHubHTTPError):
        api(hub).merge_pull_request("org/mine", opened.pr_num, repo_type="dataset")
    with pytest.raises(HfHubHTTPError):
        repo(add("e.txt", "late"), revision=opened.pr_revision)
    assert [one.title for one in hub.commits("org/mine")][:2] == ["change (#1)", "change"]


def test_drafts_conflicts_and_closed_pull_requests_are_not_merged(hub: LoopbackHub, repo: Callable[..., Any]) -> None:
    draft = api(hub).create_pull_request("org/mine", "A title", repo_type="dataset")
    repo(add("a.txt", "theirs"), revision=draft.git_reference)
    merge = partial(api(hub).merge_pull_request, "org/mine", draft.num, repo_type="dataset")
    with pytest.raises(HfHubHTTPError) as caught:
        merge()
    assert (status_of(caught), hub.pull_requests("org/mine")[0].status) == (409, "draft")
    api(hub).change_discussion_status("org/mine", draft.num, "open", repo_type="dataset")
    repo(add("a.txt", "ours"))
    with pytest.raises(HfHubHTTPError) as caught:
        merge()
    assert status_of(caught) == 409
    details = api(hub).get_discussion_details("org/mine", draft.num, repo_type="dataset")
    assert details.conflicting_files == ["a.txt"]
    api(hub).change_discussion_status("org/mine", draft.num, "closed", repo_type="dataset")
    with pytest.raises(HfHubHTTPError):
        merge()
    assert [one.status for one in api(hub).get_repo_discussions("org/mine", repo_type="dataset")] == ["closed"]
    assert hub.files("org/mine")["a.txt"] == b"ours"


def test_a_token_that_may_only_read_does_not_write(hub: LoopbackHub, repo: Callable[..., Any]) -> None:
    for token, status in ((hub.read_token, 403), (False, 401), ("hf_unknown", 401)):
        with pytest.raises(HfHubHTTPError) as caught:
            api(hub, token).create_tag("org/mine", tag="v1", repo_type="dataset")
        assert status_of(caught) == status


def test_a_trusted_ci_job_pushes_to_its_own_repo_without_a_token(hub: LoopbackHub, repo: Callable[..., Any]) -> None:
    hub.add_dataset("org/other", {})
    script = """
        import json
        from huggingface_hub import HfApi
        from huggingface_hub.errors import HfHubHTTPError
        def push(repo):
            try:
                HfApi().upload_file(path_or_fileobj=b"ci", path_in_repo="ci.txt", repo_id=repo, repo_type="dataset")
            except HfHubHTTPError as error:
                return error.response.status_code
        print(json.dumps([push("org/mine"), push("org/other")]))
    """
    assert child(hub, script, **hub.ci_env("org/mine"), HF_TOKEN="") == [None, 403]
    assert hub.files("org/mine")["ci.txt"] == b"ci"
    assert len(hub.requests("POST", "/oauth/token", status=200)) == 1
