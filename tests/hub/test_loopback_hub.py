"""The loopback hub against the real clients: what it serves, what it takes, and that its faults happen."""

from __future__ import annotations

import http.client
from collections.abc import Callable
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import pytest
from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi
from huggingface_hub.errors import HfHubHTTPError

from tests.hub import LoopbackHub


def api(hub: LoopbackHub) -> HfApi:
    return HfApi(endpoint=hub.endpoint, token=hub.token)


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


# Reading


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
    for wanted, (data, said) in cases.items():
        response, body = get(url, Range=wanted)
        assert (response.status, body, response.headers["Content-Range"]) == (206, data, said)
    past, body = get(url, Range="bytes=10-")
    assert (past.status, body, past.headers["Content-Range"]) == (416, b"", "bytes */10")


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
        ("bandwidth", {"bytes_per_second": 1}),
    ],
)
def test_a_client_gives_up_on_a_slow_answer(hub: LoopbackHub, url: str, kind: Any, options: dict[str, Any]) -> None:
    hub.faults.add(kind, host="cdn", **options)
    with pytest.raises(TimeoutError):
        get(url, timeout=0.3)
    hub.faults.clear()
    hub.faults.add(kind, host="cdn", **options | {"seconds": 0.01, "bytes_per_second": 1 << 20})
    assert get(url)[1] == DATA


# Stopping and starting


def test_a_stopped_hub_cuts_its_connections_and_comes_back_on_the_same_ports(hub: LoopbackHub, url: str) -> None:
    hub.faults.add("hook", host="cdn", hook=lambda ask: hub.stop())
    with pytest.raises((ConnectionError, http.client.HTTPException)):
        get(url)
    with pytest.raises(ConnectionRefusedError):
        get(url)
    hub.start()
    assert get(url)[1] == DATA


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


def test_a_commit_adds_replaces_and_deletes_or_does_nothing(hub: LoopbackHub, repo: Callable[..., Any]) -> None:
    repo(add("b/one.txt", "1"), add("b/two.txt", "2"), add("a.txt", "second"))
    assert set(hub.files("org/mine")) == {".gitattributes", "a.txt", "b/one.txt", "b/two.txt"}
    head = repo(add("c.txt", "3"), CommitOperationDelete("a.txt"), CommitOperationDelete("b/one.txt")).oid
    assert set(hub.files("org/mine")) == {".gitattributes", "b/two.txt", "c.txt"}
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


@pytest.mark.parametrize("card", ["configs: yes", "configs:\n- data_files: x", "dataset_info: 3", "a: [", "- a"])
def test_a_card_that_the_hub_would_refuse_is_refused(hub: LoopbackHub, repo: Callable[..., Any], card: str) -> None:
    with pytest.raises(ValueError, match="Invalid metadata"):
        repo(add("README.md", f"---\n{card}\n---\n"))
    assert hub.requests("POST", "/api/validate-yaml", status=400)
    assert "README.md" not in hub.files("org/mine")


def test_a_pull_request_is_merged_once(hub: LoopbackHub, repo: Callable[..., Any]) -> None:
    opened = api(hub).create_pull_request("org/mine", "change", repo_type="dataset")
    repo(add("b.txt", "1"), revision=opened.git_reference)
    repo(add("c.txt", "2"), CommitOperationDelete("a.txt"), revision=opened.git_reference)
    api(hub).change_discussion_status("org/mine", opened.num, "open", repo_type="dataset")
    repo(add("d.txt", "on main meanwhile"))
    assert set(hub.files("org/mine")) == {".gitattributes", "a.txt", "d.txt"}
    raw, body = get(f"{hub.endpoint}/datasets/org/mine/resolve/refs/pr/1/c.txt")
    quoted, same = get(f"{hub.endpoint}/datasets/org/mine/resolve/refs%2Fpr%2F1/c.txt")
    assert (raw.status, body, quoted.status, same) == (200, b"2", 200, b"2")
    api(hub).merge_pull_request("org/mine", opened.num, repo_type="dataset")
    assert set(hub.files("org/mine")) == {".gitattributes", "b.txt", "c.txt", "d.txt"}
    details = api(hub).get_discussion_details("org/mine", opened.num, repo_type="dataset")
    assert (details.status, details.merge_commit_oid) == ("merged", hub.head("org/mine"))
    with pytest.raises(HfHubHTTPError):
        api(hub).merge_pull_request("org/mine", opened.num, repo_type="dataset")
    with pytest.raises(HfHubHTTPError):
        repo(add("e.txt", "late"), revision=opened.git_reference)
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
