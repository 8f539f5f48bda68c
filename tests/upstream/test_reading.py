"""Reading a file in ranges: which bytes are asked for, and that faults change no row."""

from __future__ import annotations

import itertools
import pickle
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sera_swezero.errors import UpstreamError
from sera_swezero.hub import cdn_addresses, retry, session
from sera_swezero.hub.background import within
from sera_swezero.hub.cdn_addresses import ADDRESSES
from sera_swezero.hub.retry import RetryPolicy
from sera_swezero.loading import stream_plan
from sera_swezero.upstream import File, Shard, line_reader, look_up_addresses, plan_shards, shard_reader, take_snapshot
from sera_swezero.upstream.line_reader import split_lines
from sera_swezero.upstream.records import LONGEST
from tests.hub import LoopbackHub
from tests.support.streams import CONFIG, FINE, T2, ZERO, Point, hub, large, make, places, point, stream

__all__ = ["hub", "large", "point"]  # fixtures
pytestmark = pytest.mark.matrix


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, large: Path) -> Iterator[LoopbackHub]:
    """A hub with the 12 MB set, on its CDN."""
    with LoopbackHub(tmp_path_factory.mktemp("hub")) as running:
        running.add_dataset(T2, large / T2)
        yield running


@pytest.fixture
def cdn(served: LoopbackHub, point: Point, monkeypatch: pytest.MonkeyPatch) -> Iterator[LoopbackHub]:
    """The same, without faults, with an empty log and no address known; attempts follow each other at once."""
    served.faults.clear()
    served.request_log.clear()
    monkeypatch.setattr(retry, "READING", RetryPolicy(first=0.01))
    monkeypatch.setattr(ADDRESSES, "_known", {})
    point(served)
    yield served
    served.faults.clear()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Answers must come at 2,000 bytes per second."""
    monkeypatch.setattr(session, "PATIENCE", 0.5)
    monkeypatch.setattr(session, "LEAST", 1000)


def whole(large: Path) -> list[tuple[str, str, int]]:
    return places(stream(upstream=str(large)))


def bodies(hub: LoopbackHub) -> list[tuple[int, int]]:
    """The ranges that were asked for from the CDN."""
    ranges = [re.fullmatch(r"bytes=(\d+)-(\d+)", one.range or "") for one in hub.requests("GET", host="cdn")]
    return [(int(match[1]), int(match[2])) for match in ranges if match]


def resolved(hub: LoopbackHub) -> list[str]:
    """The methods of the requests that asked the hub where a file lies."""
    return [one.method for one in hub.requests(path_matches="/resolve/", host="hub")]


def test_a_shard_is_one_get_and_the_token_stays_with_the_hub(cdn: LoopbackHub, large: Path) -> None:
    rows = stream(shard_bytes=1 << 20)
    assert places(rows) == whole(large)
    assert len(bodies(cdn)) == rows.num_shards == 16
    assert all(one.authorized for one in cdn.requests(host="hub"))
    assert not any(one.authorized for one in cdn.requests(host="cdn"))
    assert resolved(cdn) == ["HEAD"], "the address on the CDN is asked for once per file, not once per shard"
    sent = sum(one.sent for one in cdn.requests("GET", host="cdn"))
    size = next(iter((large / T2).iterdir())).stat().st_size
    assert sent < 1.3 * size, "beyond the shards' own bytes come at most 256 KiB each, a quarter of a small shard"


def test_planning_lists_once_and_reads_nothing(cdn: LoopbackHub) -> None:
    rows = stream()
    assert rows.num_shards > 1
    assert len(cdn.requests(path_matches="/api/")) == 1
    assert resolved(cdn) == ["HEAD"]
    assert cdn.requests(host="cdn") == []
    list(rows.take(3))
    assert len(cdn.requests(path_matches="/api/")) == 1


@pytest.mark.parametrize(
    ("kind", "options", "more"),
    [
        ("reset_before", {"host": "cdn"}, 1),
        ("reset_mid_body", {"host": "cdn", "after": 300_000, "times": 3}, 3),
        ("truncated", {"host": "cdn", "after": 300_000, "times": 3}, 3),
        ("status", {"host": "cdn", "status": 503, "times": 2}, 2),
        ("status", {"host": "hub", "path": "/resolve/", "status": 429, "retry_after": 0}, 0),
        ("status", {"host": "hub", "path": "/resolve/", "status": 500, "times": 2}, 0),
        ("wrong_content_range", {"host": "cdn"}, 1),
        ("ignore_range", {"host": "cdn", "skip": 2}, 1),
        ("stale_redirect", {"host": "hub", "path": "/resolve/", "status": 403}, 1),
        ("stale_redirect", {"host": "hub", "path": "/resolve/", "status": 404}, 1),
    ],
)
def test_a_fault_changes_no_row(cdn: LoopbackHub, large: Path, kind: Any, options: dict[str, Any], more: int) -> None:
    fault = cdn.faults.add(kind, **options)
    rows = stream(shard_bytes=1 << 20)
    assert places(rows) == whole(large)
    assert fault.hits == options.get("times", 1)
    # A reset may take those connections with it that wait in the pool, of up to three shards that are asked for ahead.
    assert 0 <= len(cdn.requests("GET", host="cdn")) - rows.num_shards - more <= 3
    assert not any(one.authorized for one in cdn.requests(host="cdn"))


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410])
def test_an_address_that_is_refused_is_asked_for_anew(
    cdn: LoopbackHub, large: Path, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream_plan, "_PREFETCHED", 3)
    fault = cdn.faults.add("status", host="cdn", status=status, skip=5)
    assert places(stream(shard_bytes=1 << 20)) == whole(large)
    assert fault.hits == 1
    # Up to three more shards may have been asked for between the refusal and the fresh address.
    assert resolved(cdn)[:2] == ["HEAD", "GET"]
    assert len(resolved(cdn)) <= 5
    assert not any(one.authorized for one in cdn.requests(host="cdn"))


def test_an_address_that_is_about_to_expire_is_not_used(
    tmp_path: Path, large: Path, point: Point, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ADDRESSES, "_known", {})
    with LoopbackHub(tmp_path, signed_seconds=30) as brief:
        brief.add_dataset(T2, large / T2)
        point(brief)
        assert places(stream(shard_bytes=1 << 20)) == whole(large)
        assert resolved(brief) == ["HEAD", *["GET"] * 16]
        assert len(bodies(brief)) == 16


def test_an_address_that_nobody_answers_at_is_left(cdn: LoopbackHub, large: Path) -> None:
    rows = stream(shard_bytes=1 << 20)
    (file,) = ADDRESSES._known
    ADDRESSES.remember(file, "http://localhost:1/gone?Expires=99999999999")
    assert places(rows) == whole(large)
    assert "GET" in resolved(cdn)


def test_an_address_stays_in_its_process_and_another_asks_for_its_own(
    cdn: LoopbackHub, large: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = pickle.dumps(stream(shard_bytes=1 << 20)._ex_iterable)
    assert b"signature" not in sent
    monkeypatch.setattr(ADDRESSES, "_known", {})
    assert places(row for _, row in pickle.loads(sent)) == whole(large)
    assert resolved(cdn)[:2] == ["HEAD", "GET"]
    assert len(resolved(cdn)) < 16


def test_when_an_address_expires_is_read_from_it() -> None:
    assert cdn_addresses._expiry("X-Amz-Date=20300101T000000Z&X-Amz-Expires=3600&Expires=1893459601") == 1_893_459_601
    assert cdn_addresses._expiry("X-Amz-Date=20300101T000000Z&X-Amz-Expires=3600") == 1_893_459_600
    in_ten_minutes = time.time() + 600
    for unsaid in ("", "Expires=soon", "X-Amz-Expires=3600", "X-Amz-Date=today&X-Amz-Expires=3600"):
        assert in_ten_minutes <= cdn_addresses._expiry(unsaid) <= in_ten_minutes + 120


def test_of_very_many_files_no_address_is_asked_for_beforehand(cdn: LoopbackHub) -> None:
    snapshot = stream()._ex_iterable._plan.snapshot
    cdn.request_log.clear()
    ADDRESSES._known.clear()
    many = tuple(snapshot.files[0]._replace(path=f"{number}.jsonl") for number in range(65))
    look_up_addresses(replace(snapshot, files=many))
    assert cdn.log == []
    look_up_addresses(replace(snapshot, files=many[:64]))
    assert resolved(cdn) == ["HEAD"] * 64, "what is not there is left to reading"


@pytest.mark.parametrize("kind", ["reset_mid_body", "bandwidth"])
def test_a_body_that_breaks_off_or_slows_down_goes_on_at_the_missing_byte(
    cdn: LoopbackHub, impatient: None, large: Path, kind: Any
) -> None:
    cdn.faults.add(kind, host="cdn", after=200_000, bytes_per_second=20)
    assert places(stream(shard_bytes=1 << 30).take(60)) == whole(large)[:60]
    (first, last), (again, end) = [one for one in bodies(cdn) if one[0] < 1 << 20][:2]
    assert (first, last) == (0, end)
    assert 200_000 - 65_536 < again <= 200_100, "no more than a piece of what had arrived is asked for twice"


def test_waiting_is_what_the_server_asks_for() -> None:
    assert retry.wait_in({"Retry-After": "7"}) == 7
    assert retry.wait_in({"Retry-After": "Fri, 01 Jan 2021 00:00:00 GMT"}) == 0
    assert retry.wait_in({"RateLimit": '"resolvers";r=0;t=55'}) == 55
    assert retry.wait_in({"Retry-After": "soon"}) is None
    assert retry.wait_in({}) is None


def test_a_429_is_asked_again_after_the_seconds_it_names(
    cdn: LoopbackHub, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(retry, "READING", RetryPolicy(first=0.01, longest=0.5))
    fault = cdn.faults.add("status", host="cdn", status=429, retry_after=1, times=2)
    with caplog.at_level("WARNING", "sera_swezero"):
        assert len(list(stream().take(1))) == 1
    assert fault.hits == 2
    assert len([one for one in caplog.messages if "status 429; the next one in 1.0 s" in one]) == 1


def test_a_wait_of_a_day_is_not_begun(cdn: LoopbackHub) -> None:
    cdn.faults.add("status", host="cdn", status=503, retry_after=86400, times=None)
    with pytest.raises(UpstreamError, match=r"503: the server asks for a pause of 86,400 s, more than the 300 s"):
        next(iter(stream()))


@pytest.mark.parametrize(
    ("kind", "options", "says"),
    [
        ("status", {"host": "cdn", "status": 503}, "status 503"),
        ("wrong_content_range", {"host": "cdn"}, "Content-Range"),
        ("stale_redirect", {"path": "/resolve/"}, "status 403"),
        ("reset_before", {"host": "cdn"}, ""),
    ],
)
def test_a_fault_that_stays_is_an_upstream_error_that_names_the_file(
    cdn: LoopbackHub, monkeypatch: pytest.MonkeyPatch, kind: Any, options: dict[str, Any], says: str
) -> None:
    monkeypatch.setattr(retry, "READING", RetryPolicy(attempts=3, first=0.01))
    cdn.faults.add(kind, times=None, **options)
    plan = stream(shard_bytes=1 << 20)._ex_iterable._plan
    shard = plan.shards[3]
    with pytest.raises(UpstreamError, match=rf"{T2}/.*in 3 attempts.*{says}"):
        list(shard_reader(plan.snapshot, shard, {}))
    hit = [one for one in cdn.log if one.faults and (one.range or "").startswith(f"bytes={shard.start - 1}-")]
    assert len(hit) == 3


@pytest.mark.parametrize(
    ("kind", "says"), [("ignore_range", "the whole file, where bytes from"), ("compressed", "in the encoding 'gzip'")]
)
def test_a_server_that_gives_no_ranges_is_an_error_after_the_second_answer(
    cdn: LoopbackHub, kind: Any, says: str
) -> None:
    fault = cdn.faults.add(kind, host="cdn", times=None)
    plan = stream(shard_bytes=1 << 20)._ex_iterable._plan
    with pytest.raises(UpstreamError, match=rf"{T2}/.*: two answers in a row were unusable: .*{says}.*upstream="):
        list(shard_reader(plan.snapshot, plan.shards[3], {}))
    assert fault.hits == 2


def test_a_compressed_listing_is_read(cdn: LoopbackHub, large: Path) -> None:
    fault = cdn.faults.add("compressed", path="/revision/")
    assert places(stream()) == whole(large)
    assert fault.hits == 1


@pytest.mark.parametrize("after", [None, 0], ids=["head", "body"])
@pytest.mark.parametrize(
    ("options", "others"),
    [
        ({"path": "/revision/"}, []),
        ({"path": "/resolve/", "method": "GET"}, [{"kind": "status", "path": "/resolve/", "status": 404}]),
        ({"host": "cdn"}, []),
    ],
    ids=["listing", "refusal", "file"],
)
def test_an_answer_that_trickles_in_is_an_error_after_the_second_one(
    cdn: LoopbackHub, impatient: None, options: dict[str, Any], others: list[dict[str, Any]], after: int | None
) -> None:
    fault = cdn.faults.add("bandwidth", bytes_per_second=20, after=after, times=None, **options)
    for other in others:
        cdn.faults.add(times=None, **other)
    with pytest.raises(UpstreamError, match=r"two answers in a row were unusable: within 0\.5 s .*1000 bytes"):
        list(stream())
    assert fault.hits == 2


def test_an_answer_that_comes_too_late_is_closed() -> None:
    begin, closed = threading.Event(), threading.Event()
    with pytest.raises(TimeoutError, match=r"no answer within 0\.01 s"):
        within(0.01, lambda: begin.wait(10) and closed, threading.Event.set)
    assert not closed.is_set()
    begin.set()
    assert closed.wait(10)


def test_a_file_that_changed_since_it_was_listed_is_an_error(cdn: LoopbackHub) -> None:
    rows = stream()
    files = rows._ex_iterable._plan.snapshot.files
    longer = files[0]._replace(size=files[0].size + 1)
    with pytest.raises(UpstreamError, match=f"has {files[0].size} bytes, but was listed with {longer.size}"):
        list(shard_reader(rows._ex_iterable._plan.snapshot, Shard(T2, longer.path, 0, 100, longer.size), {}))


def test_a_file_that_is_gone_is_an_error(cdn: LoopbackHub) -> None:
    snapshot = stream()._ex_iterable._plan.snapshot
    with pytest.raises(UpstreamError, match=f"{T2}/no.jsonl at .*the hub refuses it"):
        list(shard_reader(snapshot, Shard(T2, "no.jsonl", 0, 100, 100), {}))


def test_what_is_not_read_on_is_not_asked_for(cdn: LoopbackHub, large: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_plan, "_PREFETCHED", 3)
    rows = iter(stream(shard_bytes=1 << 20))
    next(rows)
    assert len(bodies(cdn)) == 1, "the next shards are asked for once a second row is wanted"
    next(rows)
    patience = time.monotonic() + 10
    while len(bodies(cdn)) < 4 and time.monotonic() < patience:
        time.sleep(0.01)
    assert len(bodies(cdn)) == 4, "and then three of them"


@given(
    data=st.lists(st.binary(max_size=30).map(lambda line: line.replace(b"\n", b"")), max_size=40),
    tail=st.booleans(),
    cuts=st.lists(st.integers(0, 1300), max_size=8),
    step=st.integers(1, 64),
)
def test_every_line_is_in_exactly_one_range(data: list[bytes], tail: bool, cuts: list[int], step: int) -> None:
    text = b"\n".join(data) + (b"" if tail else b"\n")
    edges = sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})
    lines = [
        line
        for lo, hi in itertools.pairwise(edges)
        for line in split_lines(
            (text[i : i + step] for i in range(max(lo - 1, 0), len(text), step)), max(lo - 1, 0), hi, skip=lo > 0
        )
    ]
    assert b"".join(line.data or b"" for line in lines) == text
    assert all(text[line.offset : line.after] == line.data for line in lines)


def test_no_piece_is_asked_for_beyond_the_last_line() -> None:
    pieces_read: list[int] = []

    def pieces() -> Iterator[bytes]:
        for number in range(1000):
            pieces_read.append(number)
            yield b"x" * 100

    assert list(split_lines(pieces(), 0, 5000, skip=True)) == []
    assert len(pieces_read) == 50, "a range inside a long line ends where the range does"


def test_a_line_that_is_too_long_is_reported_and_not_kept_in_memory() -> None:
    pieces = itertools.chain([b"{}\n"], itertools.repeat(b"x" * (1 << 20), LONGEST // (1 << 20) + 5), [b"\n{}\n"])
    first, long, last = split_lines(pieces, 0, 1 << 40, skip=False)
    assert (first.data, long.data, last.data) == (b"{}\n", None, b"{}\n")
    assert (long.offset, last.after - long.after) == (3, 3)


@pytest.mark.parametrize("step", [1, 3, 7, 10, 64])
def test_the_limit_of_a_line_is_the_same_wherever_the_cuts_fall(monkeypatch: pytest.MonkeyPatch, step: int) -> None:
    monkeypatch.setattr(line_reader, "LONGEST", 10)
    text = b"".join(b"x" * length + b"\n" for length in (3, 9, 10, 11, 12, 10, 25, 2)) + b"y" * 11
    for stop in range(1, len(text)):
        pieces = (text[i : i + step] for i in range(0, len(text), step))
        for line in split_lines(pieces, 0, stop, skip=False):
            whole = text[line.offset :].partition(b"\n")[0]
            assert (line.data or b"").rstrip(b"\n") == (whole if len(whole) <= 10 else b"")


@given(
    sizes=st.lists(st.integers(1, 4 << 30), min_size=1, max_size=6),
    shard_bytes=st.sampled_from([1 << 20, 16 << 20, 256 << 20]),
)
def test_shards_tile_every_file_and_their_count_suits_usual_world_sizes(sizes: list[int], shard_bytes: int) -> None:
    files = [File("org/set", f"{number}.jsonl", size, "") for number, size in enumerate(sizes)]
    shards = plan_shards(files, shard_bytes)
    for file in files:
        mine = [shard for shard in shards if shard.file == file.path]
        assert [shard.start for shard in mine] == [0, *(shard.stop for shard in mine[:-1])]
        assert mine[-1].stop == file.size
    assert all(shard.stop - shard.start <= shard_bytes for shard in shards)
    if sum(sizes) >= 128 << 20:
        assert len(shards) % 64 == 0
    assert plan_shards(files, shard_bytes) == shards


def test_parquet_shards_begin_at_row_groups_and_none_is_empty(hub: LoopbackHub) -> None:
    rows = stream(CONFIG[ZERO], shard_bytes=FINE)
    plan = rows._ex_iterable._plan
    files = len(plan.snapshot.files)
    assert len(hub.requests("GET", host="cdn")) == files, "one GET per file, for its footer"
    assert {(s.repo, s.file, s.start) for s in plan.shards if s.start} <= {
        (repo, file, start) for (repo, file), starts in plan.starts.items() for start in starts
    }
    counts = [len(list(shard_reader(plan.snapshot, shard, {"instance_id": "string"}))) for shard in plan.shards]
    assert all(counts)
    assert sum(counts) == 126


def test_parquet_survives_faults_too(hub: LoopbackHub) -> None:
    quiet = list(stream(CONFIG[ZERO], shard_bytes=FINE))
    hub.faults.add("reset_mid_body", host="cdn", path="objects", after=2000, times=2)
    hub.faults.add("status", host="cdn", status=503, skip=5)
    assert list(stream(CONFIG[ZERO], shard_bytes=FINE)) == quiet


def test_other_roots_and_the_hub_give_the_same_rows(cdn: LoopbackHub, large: Path) -> None:
    import fsspec

    memory = fsspec.filesystem("memory")
    file = next(iter((large / T2).iterdir()))
    memory.pipe(f"/mirror/{T2}/{file.name}", file.read_bytes())
    for root in ("memory://mirror", large.as_uri()):
        assert places(stream(upstream=root, shard_bytes=1 << 20)) == whole(large), root
    assert places(stream()) == whole(large)
    memory.rm("/mirror", recursive=True)


def test_a_file_that_shrank_below_a_root_is_an_error(tmp_path: Path) -> None:
    file = make(tmp_path, 8)
    rows = stream(upstream=str(tmp_path))
    file.write_bytes(file.read_bytes()[:-1000])
    with pytest.raises(UpstreamError, match="the file changed or is incomplete"):
        list(rows)


def test_listing_marks_make_no_plan(tmp_path: Path) -> None:
    make(tmp_path, 8)
    before = stream(upstream=str(tmp_path))._ex_iterable._plan
    moved = tmp_path.rename(tmp_path.parent / "moved")
    next(iter((moved / T2).iterdir())).touch()
    assert stream(upstream=str(moved))._ex_iterable._plan.identity == before.identity
    assert take_snapshot(before.request.origins, upstream=str(moved)).digest != before.snapshot.digest
