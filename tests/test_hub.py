"""The loopback hub against the real clients: what it serves, what it takes, and that its faults happen."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from huggingface_hub import HfApi, HfFileSystem
from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError, RevisionNotFoundError

from tests.hub import LoopbackHub

HERE = Path(__file__).resolve().parent.parent
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
    url: str, token: str | None = None, method: str = "GET", **headers: str
) -> tuple[http.client.HTTPResponse, bytes]:
    """One plain HTTP request, redirects not followed."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=10)
    given = {name.replace("_", "-"): text for name, text in headers.items()}
    if token:
        given["Authorization"] = f"Bearer {token}"
    connection.request(method, f"{parts.path}?{parts.query}", headers=given)
    response = connection.getresponse()
    body = response.read()
    connection.close()
    return response, body


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


def test_slow_answers(hub: LoopbackHub, url: str) -> None:
    waits: list[float] = []
    for kind, options in {"stall": {}, "stall mid body": {"after": 100}, "latency": {"times": None}}.items():
        hub.faults.add(kind.split()[0], host="cdn", seconds=0.3, **options)  # type: ignore[arg-type]
        begin = time.monotonic()
        assert get(url)[1] == DATA
        waits.append(time.monotonic() - begin)
        hub.faults.clear()
    hub.faults.add("bandwidth", host="cdn", bytes_per_second=len(DATA) * 5)
    begin = time.monotonic()
    assert get(url)[1] == DATA
    assert min([*waits, time.monotonic() - begin + 0.1]) >= 0.3, "a lower bound only: the machine may be slow"


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
