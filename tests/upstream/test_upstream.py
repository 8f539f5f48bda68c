"""Reading upstream: what is resolved and listed, from the hub and from roots, and what is said when it cannot be."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import huggingface_hub
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import sera_swezero
from sera_swezero.errors import ConfigError, UpstreamError
from sera_swezero.hub import listing, retry, session
from sera_swezero.hub.retry import RetryPolicy
from sera_swezero.report import Report
from sera_swezero.request.settle import settle
from sera_swezero.sample import ROOT
from sera_swezero.upstream import plan_shards, shard_reader, take_snapshot
from tests.hub import LoopbackHub
from tests.support.forked import fork
from tests.support.processes import python
from tests.support.raw import convert_root, convert_shard
from tests.support.streams import Point, point

__all__ = ["point"]  # a fixture

T2 = "allenai/Sera-4.6-Lite-T2"
ZERO = "AlienKevin/SWE-ZERO-1k-trajectories"
CONFIG = {T2: "glm-4.6-lite-t2", ZERO: "swe-zero-1k-8k"}


def ask(hub: LoopbackHub, name: str, *, env: dict[str, str] | None = None, **arguments: Any) -> dict[str, Any]:
    """Read a whole config in a process of its own whose hub is the loopback one."""
    written = hub.root / "answer.json"
    process = fork(_answer, written, name, arguments, env=hub.env(**(env or {})))
    process.join()
    assert process.exitcode == 0
    answer: dict[str, Any] = json.loads(written.read_bytes())
    return answer


def _answer(written: Path, name: str, arguments: dict[str, Any]) -> None:
    answer: dict[str, Any]
    try:
        rows = sera_swezero.iter_rows(name, **arguments)
        answer = {"rows": list(rows), "commits": dict(rows.snapshot.commits)}
    except sera_swezero.SeraSweZeroError as error:
        answer = {"error": type(error).__name__, "says": str(error)}
    written.write_text(json.dumps(answer))


def read(root: Path | str, name: str, **arguments: Any) -> list[dict[str, Any]]:
    """Read a whole config below a root, here."""
    return convert_root(root, name, **arguments)[0]


def says(answer: dict[str, Any], *words: str) -> bool:
    assert answer.get("error") == "UpstreamError", answer
    return all(word in answer["says"] for word in words)


@pytest.mark.parametrize("repo", [T2, ZERO])
def test_the_hub_gives_the_rows_of_its_files(hub: LoopbackHub, repo: str) -> None:
    commit = hub.add_dataset(repo, ROOT / repo)
    answer = ask(hub, CONFIG[repo])
    assert answer["rows"] == read("sample", CONFIG[repo])
    assert answer["commits"] == {repo: commit}


def test_a_repo_of_few_files_costs_one_request(hub: LoopbackHub) -> None:
    hub.add_dataset(T2, ROOT / T2)
    ask(hub, CONFIG[T2])
    (call,) = [request for request in hub.requests(host="hub") if request.path.startswith("/api/")]
    assert (call.path, call.query) == (f"/api/datasets/{T2}/revision/main", "blobs=true")
    assert not [one for one in hub.requests(host="cdn") if one.authorized]


@pytest.mark.parametrize("count", [99, 100, 1_100])
def test_no_file_is_left_out_of_a_repo_of_many(count: int, hub: LoopbackHub, point: Point) -> None:
    files = {f"rows-{number:04}.jsonl": f"{number}\n" for number in range(count)}
    hub.add_dataset(T2, files)  # and .gitattributes
    point(hub)
    (origin,) = settle(CONFIG[T2]).origins
    assert [file.path for file in take_snapshot([origin]).files] == list(files)
    assert len(hub.requests(path_matches="/tree/")) == {99: 0, 100: 1, 1_100: 2}[count]


@pytest.mark.matrix
def test_a_file_is_listed_the_same_with_its_commit_and_in_the_tree(hub: LoopbackHub, point: Point) -> None:
    commit = hub.add_dataset(T2, {"rows.jsonl": "{}\n", "rows.parquet": b"kept outside git"})
    point(hub)
    tree = {file.path: file for file in listing.list_files(T2, commit, policy=retry.READING)}
    assert [path for path, file in tree.items() if file.sha256] == ["rows.parquet"]
    found, listed = listing.list_repo(T2, "main", token=None)
    assert (found, {file.path: file for file in listed}) == (commit, tree)


def test_a_revision_is_a_commit_a_mapping_or_a_lock_file(hub: LoopbackHub, tmp_path: Path) -> None:
    lines = next((ROOT / T2).glob("*.jsonl")).read_bytes().splitlines(keepends=True)
    old = hub.add_dataset(T2, {"rows.jsonl": b"".join(lines[:3])})
    new = hub.add_dataset(T2, {"rows.jsonl": b"".join(lines[:6])})
    lock = tmp_path / "sera-swezero.lock"
    lock.write_text(json.dumps({"repos": {T2: old}}))
    found = [ask(hub, CONFIG[T2], revision=revision) for revision in (None, old, {T2: old}, str(lock))]
    assert [answer["commits"][T2] for answer in found] == [new, old, old, old]
    assert found[1]["rows"] == found[2]["rows"] == found[3]["rows"]
    assert len(found[0]["rows"]) > len(found[1]["rows"])
    assert says(ask(hub, CONFIG[T2], revision="v9"), T2, "v9", "no such revision", "a tag or a commit")


def test_a_mapping_without_the_repo_is_a_config_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"names no commit of allenai/Sera-4\.6-Lite-T2"):
        take_snapshot(settle("glm-4.6-lite-t2").origins, revision={"allenai/Other": "main"})
    lock = tmp_path / "wrong.lock"
    lock.write_text("[]")
    with pytest.raises(ConfigError, match="is not a lock file"):
        take_snapshot(settle("glm-4.6-lite-t2").origins, revision=str(lock))


@pytest.mark.parametrize("switch", ["HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE"])
def test_what_was_resolved_once_serves_offline(switch: str, hub: LoopbackHub) -> None:
    commit = hub.add_dataset(T2, ROOT / T2)
    offline = {switch: "1"}
    assert says(ask(hub, CONFIG[T2], env=offline), T2, "offline", "never resolved on this machine")
    online = ask(hub, CONFIG[T2])
    before = len(hub.log)
    assert says(ask(hub, CONFIG[T2], env=offline), T2, "not in the hub cache", "hf download")
    fetch = f"from huggingface_hub import snapshot_download as d; d('{T2}', repo_type='dataset', revision='{commit}')"
    python("-c", fetch, env=hub.env(), well=True)
    before = len(hub.log)
    assert ask(hub, CONFIG[T2], env=offline) == online
    assert len(hub.log) == before


def test_a_repo_that_is_not_open_says_so(hub: LoopbackHub) -> None:
    assert says(ask(hub, CONFIG[T2]), T2, "no such dataset", hub.endpoint)
    hub.add_dataset(T2, ROOT / T2, gated=True)
    assert says(ask(hub, CONFIG[T2]), T2, "is gated", "HF_TOKEN")
    hub.grant(T2)
    assert ask(hub, CONFIG[T2])["rows"]
    hub.add_dataset(ZERO, ROOT / ZERO, private=True)
    assert says(ask(hub, CONFIG[ZERO], env={"HF_TOKEN": "hf_nobody"}), ZERO)
    assert ask(hub, CONFIG[ZERO])["rows"]


@pytest.mark.matrix
def test_a_refused_token_is_named(hub: LoopbackHub) -> None:
    hub.add_dataset(T2, ROOT / T2)
    refused = ask(hub, CONFIG[T2], env={"HF_TOKEN": "hf_expired"})
    assert says(refused, T2, "the token is refused: set HF_TOKEN to a valid one")
    assert "http" not in refused["says"]


def test_a_repo_that_moved_or_is_empty_says_so(hub: LoopbackHub) -> None:
    hub.add_dataset(ZERO, {"README.md": "nothing yet"})
    assert says(ask(hub, CONFIG[ZERO]), ZERO, "no file matches '*.parquet'", "README.md")
    hub.add_dataset(T2, ROOT / T2)
    hub.move(T2, "allenai/Elsewhere")
    assert says(ask(hub, CONFIG[T2]), T2, "has moved to allenai/Elsewhere")


def test_a_hub_that_fails_for_now_is_asked_again_and_one_that_goes_on_failing_says_so(
    hub: LoopbackHub, point: Point, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retry, "READING", RetryPolicy(attempts=3, first=0.01))
    commit = hub.add_dataset(T2, ROOT / T2)
    point(hub)
    for status in (429, 503):
        hub.faults.add("status", path=f"/api/datasets/{T2}/revision", status=status)
    assert take_snapshot(settle(CONFIG[T2]).origins).commits == {T2: commit}
    hub.faults.add("status", path=f"/api/datasets/{T2}", status=500, times=None)
    with pytest.raises(UpstreamError, match=f"{T2}@main: the hub at {hub.endpoint} did not answer .* in 3 att"):
        take_snapshot(settle(CONFIG[T2]).origins)


def test_our_session_is_the_users_and_the_clients_own_stays_as_it_is(
    hub: LoopbackHub, point: Point, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.add_dataset(T2, ROOT / T2)
    point(hub)
    made: list[Any] = []
    default, set_factory = session._factory(), getattr(huggingface_hub, "set_client_factory", None)
    set_factory = set_factory or huggingface_hub.configure_http_backend

    def factory() -> Any:
        made.append(default())
        made[-1].headers["X-Proxy-Pass"] = "secret"
        return made[-1]

    set_factory(factory)
    try:
        shared = huggingface_hub.get_session()
        before = {name: repr(value) for name, value in vars(shared).items()}
        snapshot = take_snapshot(settle(CONFIG[T2]).origins)
        shard = plan_shards(snapshot.files)[0]
        assert next(iter(shard_reader(snapshot, shard, {}))).data
        assert len(made) == 2, "the client's session, and ours"
        assert huggingface_hub.get_session() is shared
        assert {name: repr(value) for name, value in vars(shared).items()} == before
        assert session._session(factory, os.getpid()).headers["X-Proxy-Pass"] == "secret"
    finally:
        set_factory(default)


def place(root: Path, repo: str, name: str, content: bytes) -> Path:
    path = root / repo / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def lines_of(repo: str, count: int) -> list[bytes]:
    return next((ROOT / repo).glob("*.jsonl")).read_bytes().splitlines(keepends=True)[:count]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (
            b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n",
            "is not JSON Lines; it begins with b'version",
        ),
        (b"<html>not found</html>\n", "an object on every line was expected"),
        (b"[1, 2]\n", "an object on every line was expected"),
    ],
)
def test_a_file_that_is_not_json_lines_is_refused_whole(tmp_path: Path, content: bytes, expected: str) -> None:
    place(tmp_path, T2, "rows.jsonl", content)
    with pytest.raises(UpstreamError, match=r"allenai/Sera-4\.6-Lite-T2/rows\.jsonl") as caught:
        read(tmp_path, CONFIG[T2])
    assert expected in str(caught.value)


def test_a_cut_last_line_is_refused_and_a_whole_one_without_newline_is_not(tmp_path: Path) -> None:
    first, second = lines_of(T2, 2)
    file = place(tmp_path, T2, "rows.jsonl", first + second.rstrip(b"\n"))
    assert read(tmp_path, CONFIG[T2]) == read("sample", CONFIG[T2])[:2]
    file.write_bytes(first + second[: len(second) // 2])
    with pytest.raises(UpstreamError, match=f"the last line, at byte {len(first)}, is cut off"):
        read(tmp_path, CONFIG[T2])


def test_a_root_without_the_repo_is_an_upstream_error(tmp_path: Path) -> None:
    with pytest.raises(UpstreamError, match="no file matches"):
        read(tmp_path, CONFIG[T2])
    with pytest.raises(UpstreamError):
        read("nosuchscheme://bucket", CONFIG[T2])


@pytest.mark.parametrize("change", ["missing", "other type", "not parquet"])
def test_parquet_with_other_columns_is_refused_and_says_what_was_expected(tmp_path: Path, change: str) -> None:
    table = pq.read_table(next((ROOT / ZERO).rglob("*.parquet")))
    index = table.schema.get_field_index("n_turns")
    if change == "missing":
        table = table.drop_columns(["n_turns"])
    elif change == "other type":
        table = table.set_column(index, "n_turns", pa.array(["x"] * len(table)))
    file = place(tmp_path, ZERO, "data/train-00000-of-00001.parquet", b"PAR0 no")
    if change != "not parquet":
        pq.write_table(table, file)
    with pytest.raises(UpstreamError, match=f"{ZERO}/data/train-00000-of-00001.parquet") as caught:
        read(tmp_path, CONFIG[ZERO])
    expected = "is not a Parquet file" if change == "not parquet" else "column 'n_turns' is"
    assert expected in str(caught.value)


def test_shards_of_any_size_give_the_same_rows() -> None:
    for config in CONFIG.values():
        request = settle(config, upstream="sample")
        snapshot = take_snapshot(request.origins, upstream="sample")
        whole = read("sample", config)
        for size in (1_000_000_000, 300_000, 20_000):
            shards = plan_shards(snapshot.files, size)
            rows = [made.text_row for shard in shards for _, made in convert_shard(shard, snapshot, request, Report())]
            assert rows == whole, f"{config} in {len(shards)} shards"
