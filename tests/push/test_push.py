"""A push against the loopback hub: what is sent, what is left alone, who wins, and what readers see meanwhile."""

from __future__ import annotations

import json
import textwrap
import threading
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest
from huggingface_hub import CommitOperationAdd, HfApi

from sera_swezero.build import card, manifest, unit_files
from sera_swezero.build.runner import build
from sera_swezero.hub import retry
from sera_swezero.push import repository
from tests.hub import LoopbackHub
from tests.push.test_push_faults import data
from tests.support import forked
from tests.support.built import contents
from tests.support.processes import program, python
from tests.support.publishing import SERA, sera_root, sera_row
from tests.support.pushing import Pusher, plant_pull

REPO = "org/set"


@pytest.fixture
def pusher(hub: LoopbackHub) -> Pusher:
    return Pusher(hub.env())


def made(folder: Path, seeds: range, *, config: str = SERA, **options: Any) -> Path:
    """A built directory `folder` of one row per seed."""
    root = sera_root(folder.parent / f"{folder.name}-root", [sera_row(seed, 3_000) for seed in seeds], config)
    build([config], folder, upstream=root, workers=1, **{"shard_bytes": 15_000, **options})
    return folder


def command(hub: LoopbackHub, *arguments: str | Path, **env: str) -> CompletedProcess[str]:
    return forked.program(*arguments, env=hub.env(**env))


def writes(hub: LoopbackHub, since: int = 0) -> list[str]:
    """The requests that write, by method and path, without the first `since` requests."""
    return [f"{one.method} {one.path}" for one in hub.log[since:] if one.method not in ("GET", "HEAD")]


def test_a_first_push_publishes_everything_in_one_merge_and_tags_it(
    hub: LoopbackHub, pusher: Pusher, tmp_path: Path
) -> None:
    out = made(tmp_path / "v1", range(9))
    (out / "sera_swezero.py").write_text("raise SystemExit")
    (out / "dataset_infos.json").write_text("{}")
    (out / SERA / "train-draft.parquet").write_bytes(b"mine")
    ended = pusher.push(out, REPO, tag="v1")
    assert ended.done == "published"
    local = manifest.read(out)
    assert hub.files(REPO).keys() == {
        ".gitattributes",
        "manifest.json",
        "README.md",
        *(built.path for built in local.files),
    }, "what was built, and nothing else that lay next to it"
    assert data(hub.files(REPO)) == {
        path: content
        for path, content in contents(out).items()
        if path in {"manifest.json", *(b.path for b in local.files)}
    }
    assert hub.files(REPO)["README.md"].decode() == card.render(local, REPO)
    titles = [commit.title for commit in hub.commits(REPO)]
    assert len(titles) == 2
    assert hub.refs(REPO)["refs/tags/v1"] == hub.head(REPO) == ended.outcome["commit"]


def test_nothing_changed_sends_nothing(hub: LoopbackHub, pusher: Pusher, tmp_path: Path) -> None:
    out = made(tmp_path / "v1", range(9))
    pusher.push(out, REPO)
    since = len(hub.log)
    head = hub.head(REPO)
    assert pusher.push(out, REPO).done == "unchanged"
    assert writes(hub, since) == []
    assert hub.head(REPO) == head
    assert pusher.push(out, REPO, tag="late").done == "unchanged"
    assert hub.refs(REPO)["refs/tags/late"] == head, "a tag can be added later, and that is all"
    assert writes(hub, since) == [f"POST /api/datasets/{REPO}/tag/{head}"]


def test_a_new_version_deletes_what_the_old_manifest_lists_and_nothing_else(
    hub: LoopbackHub, pusher: Pusher, tmp_path: Path
) -> None:
    pusher.push(made(tmp_path / "v1", range(9)), REPO)
    hub.add_dataset(REPO, {**hub.files(REPO), "docs/notes.md": b"theirs", "extra/data.parquet": b"theirs too"})
    new = made(tmp_path / "v2", range(5), shard_bytes=1_000_000)
    ended = pusher.push(new, REPO)
    assert ended.done == "published"
    files = hub.files(REPO)
    assert files["docs/notes.md"] == b"theirs"
    assert files["extra/data.parquet"] == b"theirs too"
    assert sorted(path for path in files if path.startswith(SERA)) == [f"{SERA}/train-00000-of-00001.parquet"]
    assert sorted(ended.outcome["deleted"]) == [f"{SERA}/train-0000{i}-of-00003.parquet" for i in range(3)]


def test_pushing_one_config_keeps_the_others_and_the_card_tells_of_both(
    hub: LoopbackHub, pusher: Pusher, tmp_path: Path
) -> None:
    first = made(tmp_path / "one", range(4))
    second = made(tmp_path / "two", range(10, 15), config="glm-4.6-lite-t1")
    pusher.push(first, REPO)
    before = hub.files(REPO)
    ended = pusher.push(second, REPO)
    assert ended.done == "published"
    assert not [path for path in ended.outcome["sent"] if path.startswith(SERA)]
    files = hub.files(REPO)
    kept = [path for path in before if path.startswith(SERA)]
    assert kept
    assert all(files[path] == before[path] for path in kept)
    union = manifest.decode(files["manifest.json"], "hub")
    assert sorted(union.configs) == ["glm-4.6-lite-t1", SERA]
    assert files["README.md"].decode() == card.render(union, REPO)
    assert union == manifest.merge(manifest.read(first), manifest.read(second))


def test_a_dry_run_prints_the_plan_and_writes_nothing(hub: LoopbackHub, tmp_path: Path) -> None:
    out = made(tmp_path / "v1", range(9))
    done = command(hub, "push", out, REPO, "--dry-run", "--json", HF_TOKEN="")
    plan = json.loads(done.stdout)
    assert plan["done"] == "planned"
    assert plan["sent"].keys() == {"manifest.json", "README.md", *(b.path for b in manifest.read(out).files)}
    assert writes(hub) == []
    text = command(hub, "push", out, REPO, "--dry-run")
    assert f"would send {SERA}/train-00000-of-00003.parquet" in text.stdout


def test_pr_only_leaves_a_checked_pull_request_that_the_next_push_merges(
    hub: LoopbackHub, pusher: Pusher, tmp_path: Path
) -> None:
    out = made(tmp_path / "v1", range(9))
    assert pusher.push(out, REPO, pr_only=True).done == "proposed"
    assert list(hub.files(REPO)) == [".gitattributes"]
    assert data(hub.files(REPO, "refs/pr/1")) == data(contents(out))
    commits = len(hub.commits(REPO, "refs/pr/1"))
    ended = pusher.push(out, REPO)
    assert (ended.done, ended.outcome["pull"]) == ("published", 1)
    assert len(hub.commits(REPO, "refs/pr/1")) == commits, "nothing is sent twice"
    assert data(hub.files(REPO)) == data(contents(out))


def test_private_repos_are_created_private(hub: LoopbackHub, tmp_path: Path) -> None:
    out = made(tmp_path / "v1", range(3))
    done = command(hub, "push", out, REPO, "--private", "--json")
    assert json.loads(done.stdout)["done"] == "published", done.stderr
    stranger = command(hub, "verify", REPO, HF_TOKEN="")
    assert stranger.returncode == 2
    assert "no such repo or revision, or the token has no access" in stranger.stderr


def test_a_folder_that_was_changed_after_the_build_is_refused(hub: LoopbackHub, pusher: Pusher, tmp_path: Path) -> None:
    out = made(tmp_path / "v1", range(9))
    shard = next((out / SERA).iterdir())
    shard.write_bytes(shard.read_bytes()[:-1] + b"!")
    assert "is missing or not what manifest.json says; build again" in pusher.push(out, REPO).error
    text = (out / "manifest.json").read_text()
    (out / "manifest.json").write_text(text.replace('"max_rows": null', '"max_rows": 7'))
    assert "was changed by hand" in pusher.push(out, REPO).error
    assert "has no manifest.json" in pusher.push(tmp_path, REPO).error
    assert hub.pull_requests(REPO) == []


@pytest.mark.parametrize(("linked", "says"), [(True, "is a link to"), (False, "not Parquet")])
def test_what_no_build_wrote_is_not_sent_even_if_the_manifest_says_so(
    linked: bool, says: str, hub: LoopbackHub, pusher: Pusher, tmp_path: Path
) -> None:
    out = made(tmp_path / "v1", range(3))
    secret = tmp_path / "secret"
    secret.write_text("PAR1, not for anybody's eyes")
    local = manifest.read(out)
    shard = local.configs[SERA].shards[0]
    path = out / shard.data.path
    path.unlink()
    path.symlink_to(secret) if linked else path.write_bytes(secret.read_bytes())
    shard.data.bytes, shard.data.sha256 = secret.stat().st_size, unit_files.sha256(secret)
    (out / "manifest.json").write_bytes(manifest.encode(manifest.make(local.configs)))
    assert says in pusher.push(out, REPO).error
    assert [line for line in writes(hub) if "/repos/create" not in line] == []


def test_a_file_that_the_card_would_take_in_is_refused(hub: LoopbackHub, pusher: Pusher, tmp_path: Path) -> None:
    hub.add_dataset(REPO, {f"{SERA}/train-old.parquet": b"not ours"})
    head = hub.head(REPO)
    assert (
        f"holds {SERA}/train-old.parquet, which no manifest lists"
        in pusher.push(made(tmp_path / "v1", range(3)), REPO).error
    )
    assert hub.head(REPO) == head


# Who may, and with what


def test_no_token_says_how_to_get_one(hub: LoopbackHub, tmp_path: Path) -> None:
    out = made(tmp_path / "v1", range(3))
    done = command(hub, "push", out, REPO, HF_TOKEN="")
    assert done.returncode == 2
    assert "no token to push with: set HF_TOKEN, run `hf auth login`, or in CI set HF_OIDC_RESOURCE" in done.stderr
    assert hub.log == [], "nobody is asked"


def test_made_up_rows_leave_the_machine_only_if_that_is_wanted(hub: LoopbackHub, tmp_path: Path) -> None:
    out = tmp_path / "out"
    build([SERA], out, upstream="sample", workers=1, max_rows=3)
    far = {"HF_ENDPOINT": "http://hub.invalid", "HF_TOKEN": ""}
    done = command(hub, "push", out, REPO, **far)
    assert done.returncode == 2
    assert f"the rows of {SERA} are the made-up sample, not data of upstream; build again without" in done.stderr
    assert "no token to push with" in command(hub, "push", out, REPO, "--allow-sample", **far).stderr
    assert command(hub, "push", out, REPO).returncode == 0, "a hub on this machine takes them"
    assert "are made up" in hub.files(REPO)["README.md"].decode()


def test_a_token_that_may_not_write_is_told_so_and_nothing_changes(hub: LoopbackHub, tmp_path: Path) -> None:
    hub.add_dataset(REPO, {"README.md": "# mine\n"})
    head = hub.head(REPO)
    done = command(hub, "push", made(tmp_path / "v1", range(3)), REPO, HF_TOKEN=hub.read_token)
    assert done.returncode == 2
    assert "nothing was changed: the token may not write here" in done.stderr
    assert hub.head(REPO) == head
    assert hub.pull_requests(REPO) == []


@pytest.mark.parametrize("verb", ["push", "verify"])
def test_a_refused_token_is_named(verb: str, hub: LoopbackHub, tmp_path: Path) -> None:
    folder = [made(tmp_path / "v1", range(3))] if verb == "push" else []
    done = command(hub, verb, *folder, REPO, HF_TOKEN="hf_expired")
    assert done.returncode == 2
    assert "the token is refused: set HF_TOKEN to a valid one" in done.stderr
    assert done.stderr.count("\n") == 1
    assert "http" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["push", "{out}", "notarepo", "--dry-run"], "'notarepo' is not the id of a dataset repo; OWNER/NAME was"),
        (["push", "{out}", REPO, "--dry-run", "--tag", "v 1"], "the tag 'v 1' is not a name that the hub takes"),
        (["verify", "notarepo"], "'notarepo' is not the id of a dataset repo"),
        (["verify", "{out}"], "is a folder, which `sera-swezero check {out}` checks"),
    ],
)
def test_what_can_be_seen_without_the_hub_is_said_before_it_is_asked(
    arguments: list[str], says: str, hub: LoopbackHub, tmp_path: Path
) -> None:
    out = made(tmp_path / "v1", range(3))
    done = command(hub, *(argument.format(out=out) for argument in arguments))
    assert done.returncode == 2
    assert says.format(out=out) in done.stderr
    assert hub.log == []


def without_waits() -> None:
    """Ask the hub as often as ever, but at once."""
    for policy in (retry.READING, repository.PUSHING):
        object.__setattr__(policy, "first", 0.01)


@pytest.mark.parametrize("verb", ["push", "verify", "lock"])
def test_a_hub_that_is_not_reachable_is_one_line(verb: str, hub: LoopbackHub, tmp_path: Path) -> None:
    at = "http://127.0.0.1:9"
    out = made(tmp_path / "v1", range(3))
    arguments = {"push": [str(out), REPO, "--dry-run"], "verify": [REPO], "lock": [SERA, "--out", str(tmp_path / "l")]}
    env = hub.env(HF_ENDPOINT=at)
    done = forked.program(verb, *arguments[verb], env=env, prepare=without_waits)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert f"the hub at {at} did not answer" in done.stderr


def test_a_push_in_a_pipe_prints_no_progress_bars(hub: LoopbackHub, tmp_path: Path) -> None:
    env = hub.env()
    del env["HF_HUB_DISABLE_PROGRESS_BARS"]
    done = program("push", made(tmp_path / "v1", range(3)), REPO, env=env, well=True)
    assert all(line.startswith((f"{REPO}: ", "pull request ")) for line in done.stderr.splitlines()), done.stderr
    assert "\x1b" not in done.stderr + done.stdout


def test_the_stored_login_serves(hub: LoopbackHub, tmp_path: Path) -> None:
    home = Path(hub.env()["HF_HOME"])
    home.mkdir(parents=True, exist_ok=True)
    (home / "token").write_text(hub.token)
    done = command(hub, "push", made(tmp_path / "v1", range(3)), REPO, HF_TOKEN="")
    assert done.returncode == 0, done.stderr


def test_a_trusted_ci_job_pushes_without_a_secret(hub: LoopbackHub, tmp_path: Path) -> None:
    out = made(tmp_path / "v1", range(3))
    hub.add_dataset(REPO, {"README.md": "# soon\n"})
    assert Pusher(hub.ci_env(REPO)).push(out, REPO).done == "published"
    assert len(hub.requests("POST", "/oauth/token", status=200)) == 1, "one token for the whole push"
    stranger = Pusher(hub.ci_env("org/other"))
    assert "is this workflow a trusted publisher of that repo?" in stranger.push(out, REPO).error


# Two at once


def test_of_two_different_pushes_one_wins_and_the_other_changes_nothing(hub: LoopbackHub, tmp_path: Path) -> None:
    one, two = made(tmp_path / "one", range(5)), made(tmp_path / "two", range(50, 57))
    hub.add_dataset(REPO, contents(made(tmp_path / "zero", range(100, 103))))
    merges = len(hub.commits(REPO))
    # Each waits with its merge until the other is there too.
    meeting = threading.Barrier(2, timeout=30)
    hub.faults.add("hook", method="POST", path=r"/merge$", times=2, hook=lambda _: meeting.wait())
    first, second = Pusher(hub.env()), Pusher(hub.env(HF_HOME=str(tmp_path / "other-home")))
    first.start(one, REPO)
    second.start(two, REPO)
    ended = [first.wait(), second.wait()]
    assert sorted(end.done for end in ended) == ["", "published"]
    winner, loser = sorted(ended, key=lambda end: end.done, reverse=True)
    assert "another push was first" in loser.error
    assert "Nothing was changed by this one" in loser.error
    assert len(hub.commits(REPO)) == merges + 1
    assert data(hub.files(REPO)) == data(contents(one if winner is ended[0] else two))
    assert sorted(pull.status for pull in hub.pull_requests(REPO)) == ["closed", "merged"]
    assert first.push(two if winner is ended[0] else one, REPO).done == "published", "the loser runs again"


def test_two_pushes_of_the_same_version_make_one_merge(hub: LoopbackHub, tmp_path: Path) -> None:
    out = made(tmp_path / "v", range(5))
    hub.add_dataset(REPO, contents(made(tmp_path / "zero", range(100, 103))))
    merges = len(hub.commits(REPO))
    (tmp_path / "elsewhere").mkdir()
    copy = made(tmp_path / "elsewhere" / "v", range(5))
    first, second = Pusher(hub.env()), Pusher(hub.env(HF_HOME=str(tmp_path / "other-home")))
    first.start(out, REPO)
    second.start(copy, REPO)
    ended = [first.wait(), second.wait()]
    assert {end.done for end in ended} <= {"published", "unchanged"}, [end.error for end in ended]
    assert len(hub.commits(REPO)) == merges + 1
    assert data(hub.files(REPO)) == data(contents(out))


def test_a_push_whose_pull_request_another_one_merges_meanwhile_has_nothing_left_to_do(
    hub: LoopbackHub, pusher: Pusher, tmp_path: Path
) -> None:
    out = made(tmp_path / "v", range(5))
    hub.add_dataset(REPO, contents(made(tmp_path / "zero", range(100, 103))))
    merges = len(hub.commits(REPO))
    other = Pusher(hub.env(HF_HOME=str(tmp_path / "other-home")))
    # The other one finds the pull request, fills and merges it before the first commit of this one arrives.
    hub.faults.add("hook", method="POST", path=r"/commit/", hook=lambda _: other.push(out, REPO) and None)
    ended = pusher.push(out, REPO)
    assert ended.done == "unchanged", ended.error
    assert len(hub.commits(REPO)) == merges + 1
    assert data(hub.files(REPO)) == data(contents(out))


def test_a_push_that_lands_between_the_last_look_and_the_merge_is_not_merged_over(
    hub: LoopbackHub, pusher: Pusher, tmp_path: Path
) -> None:
    out, other = made(tmp_path / "v1", range(5)), made(tmp_path / "v2", range(50, 57))
    hub.add_dataset(REPO, contents(made(tmp_path / "zero", range(100, 103))))
    hub.faults.add(
        "hook", method="POST", path=r"/merge$", hook=lambda _: hub.add_dataset(REPO, contents(other)) and None
    )
    ended = pusher.push(out, REPO)
    assert "another push was first" in ended.error
    assert data(hub.files(REPO)) == data(contents(other))


def titled(hub: LoopbackHub, out: Path) -> str:
    """The title that the next push of this version gives its pull request: anyone can compute it."""
    since = len(hub.pull_requests(REPO))
    assert command(hub, "push", out, REPO, "--pr-only").returncode == 0
    made = hub.pull_requests(REPO)[since]
    made.status = "closed"
    return made.title


def test_a_pull_request_of_a_stranger_is_not_taken_over(hub: LoopbackHub, pusher: Pusher, tmp_path: Path) -> None:
    pusher.push(made(tmp_path / "v1", range(3)), REPO)
    new = made(tmp_path / "v2", range(5))
    title = titled(hub, new)
    plant_pull(hub, REPO, title)
    plant_pull(hub, REPO, title, author="tester")
    ended = pusher.push(new, REPO)
    assert ended.done == "published", ended.error
    assert ended.outcome["pull"] == 5
    assert [pull.status for pull in hub.pull_requests(REPO)[2:]] == ["draft", "draft", "merged"]


def test_only_the_commit_that_was_read_back_is_merged(hub: LoopbackHub, pusher: Pusher, tmp_path: Path) -> None:
    pusher.push(made(tmp_path / "v1", range(3)), REPO)
    head = hub.head(REPO)

    def slip_in(_: object) -> None:
        api = HfApi(endpoint=hub.endpoint, token=hub.token)
        adding = [CommitOperationAdd("script.py", b"print()")]
        api.create_commit(REPO, adding, commit_message="x", repo_type="dataset", revision="refs/pr/2")

    hub.faults.add("hook", method="POST", path=r"/discussions/\d+/status$", hook=slip_in)
    ended = pusher.push(made(tmp_path / "v2", range(5)), REPO)
    assert "which was read back; it was not merged" in ended.error
    assert hub.head(REPO) == head


def test_a_tag_of_another_version_is_refused_before_anything_is_sent(
    hub: LoopbackHub, pusher: Pusher, tmp_path: Path
) -> None:
    pusher.push(made(tmp_path / "v1", range(3)), REPO, tag="v1")
    since = len(hub.log)
    ended = pusher.push(made(tmp_path / "v2", range(4)), REPO, tag="v1")
    assert "the tag 'v1' names another version" in ended.error
    assert writes(hub, since) == []


# What the hub does to it


@pytest.mark.parametrize("path", [r"/discussions/\d+/status$", r"/merge$", "/tag/"])
def test_a_tag_that_another_push_makes_meanwhile_is_an_error(
    hub: LoopbackHub, pusher: Pusher, tmp_path: Path, path: str
) -> None:
    pusher.push(made(tmp_path / "v1", range(3)), REPO)
    old = hub.head(REPO)
    api = HfApi(endpoint=hub.endpoint, token=hub.token)

    def tag(_: object) -> None:
        api.create_tag(REPO, tag="v1", revision=old, repo_type="dataset")

    hub.faults.add("hook", method="POST", path=path, hook=tag)
    ended = pusher.push(made(tmp_path / "v2", range(5)), REPO, tag="v1")
    assert "choose another name" in ended.error
    known_before = path.endswith("status$")
    assert (hub.head(REPO) == old) == known_before
    assert ("this version is published" in ended.error) != known_before
    assert hub.refs(REPO)["refs/tags/v1"] == old


def test_what_did_not_arrive_as_sent_is_not_merged(hub: LoopbackHub, pusher: Pusher, tmp_path: Path) -> None:
    out = made(tmp_path / "v1", range(5))
    hub.add_dataset(REPO, {"README.md": "# soon\n"})
    head = hub.head(REPO)

    def meddle(_: object) -> None:
        """Somebody commits to the pull request after the push did."""
        store = hub._site.store
        repo = store.repos[REPO]
        files = dict(store.resolve(repo, "refs/pr/1").files)
        files["surprise.py"] = store.objects.put("surprise.py", b"import os")
        store.commit(repo, "refs/pr/1", files, "a surprise")

    # The first look at the ref is before the push's own commit, the second after it.
    hub.faults.add("hook", method="GET", path=r"/revision/refs%2Fpr%2F1$", skip=1, hook=meddle)
    ended = pusher.push(out, REPO)
    assert "does not hold what was sent; it was not merged: surprise.py: was not sent" in ended.error
    assert hub.head(REPO) == head


def test_a_hub_that_stays_broken_ends_the_push_with_the_old_version(
    hub: LoopbackHub, pusher: Pusher, tmp_path: Path
) -> None:
    hub.add_dataset(REPO, contents(made(tmp_path / "zero", range(100, 103))))
    head = hub.head(REPO)
    hub.faults.add("status", method="POST", path=r"/discussions$", status=503, times=None)
    ended = pusher.push(made(tmp_path / "v1", range(5)), REPO)
    assert "nothing was changed" in ended.error
    assert len(hub.requests("POST", r"/discussions$")) == 6, "the attempts have an end"
    assert hub.head(REPO) == head


def test_a_silent_hub_does_not_hold_a_push_for_ever(hub: LoopbackHub, tmp_path: Path) -> None:
    script = """
        import sys
        from pathlib import Path
        from sera_swezero.hub import session
        from sera_swezero.hub.retry import RetryPolicy
        from sera_swezero.push import readback, repository, repository_reader
        from sera_swezero.push.publish import push
        session.TIMEOUT = 1.0
        readback.SILENCE = repository.SILENCE = repository_reader.SILENCE = 2.0
        print(push(Path(sys.argv[1]), "org/set", policy=RetryPolicy(first=0.05)).done)
    """
    out = made(tmp_path / "v1", range(3))
    for path in (r"/discussions$", r"/commit/", r"/tree/", r"/merge$"):
        hub.faults.add("stall", path=path, seconds=600)
    done = python("-c", textwrap.dedent(script), out, env=hub.env())
    assert done.stdout == "published\n", done.stderr
    assert len(hub.commits(REPO)) == 2


# The versions of the hub's client


@pytest.mark.matrix
def test_push_and_verify_with_this_version_of_the_client(hub: LoopbackHub, tmp_path: Path) -> None:
    one, two = made(tmp_path / "one", range(5)), made(tmp_path / "two", range(3, 8))
    hub.faults.add("reset_after", method="POST", path="/commit/")
    hub.faults.add("status", method="POST", path="/merge$", status=503)
    first = program("push", one, REPO, "--tag", "v1", "--json", env=hub.env())
    assert first.returncode == 0, first.stderr
    second = program("push", two, REPO, "--json", env=hub.env(HF_HUB_DISABLE_XET="1"))
    assert second.returncode == 0, second.stderr
    assert [json.loads(done.stdout)["done"] for done in (first, second)] == ["published", "published"]
    assert len(hub.commits(REPO)) == 3
    assert data(hub.files(REPO)) == data(contents(two))
    assert hub.requests("PUT", host="cdn"), "the second went the way of LFS"
    checked = program("verify", REPO, env=hub.env())
    assert checked.returncode == 0, checked.stdout + checked.stderr


# As readers get it


def test_verify_finds_what_is_wrong_with_a_published_set(hub: LoopbackHub, pusher: Pusher, tmp_path: Path) -> None:
    pusher.push(made(tmp_path / "v1", range(8)), REPO, tag="v1")
    good = command(hub, "verify", REPO, "--rows", "0", "--json")
    assert good.returncode == 0
    assert json.loads(good.stdout)["rows"] == 8
    files = hub.files(REPO)
    first, second, third = sorted(path for path in files if path.startswith(SERA))
    files[first] = files[third]
    del files[second]
    files[f"{SERA}/train-extra.parquet"] = files[third]
    files["dataset_infos.json"] = b"{}"
    files["README.md"] = files["README.md"].replace(b"num_examples: 8", b"num_examples: 7")
    hub.add_dataset(REPO, files)
    bad = command(hub, "verify", REPO)
    assert bad.returncode == 1
    for problem in (
        f"{first}: ",
        f"{second}: is missing",
        "train-extra.parquet: is not in the manifest",
        "dataset_infos.json: does not belong",
        "rows of 'glm-4.6-lite-t2' are [7]",
        "rows in its footer",
    ):
        assert problem in bad.stdout
    assert command(hub, "verify", REPO, "--revision", "v1").returncode == 0, "the tag still holds the good version"
    hub.add_dataset("org/other", {"README.md": "# none\n"})
    assert "has no manifest.json" in command(hub, "verify", "org/other").stderr


def test_rows_that_break_their_schema_are_found(hub: LoopbackHub, tmp_path: Path) -> None:
    """A set whose files and manifest agree, and whose rows are wrong all the same."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    out = made(tmp_path / "v1", range(3), shard_bytes=1 << 20)
    local = manifest.read(out)
    (built,) = local.configs[SERA].shards
    path = out / built.data.path
    table = pq.read_table(path)
    at = table.schema.get_field_index("scale")
    broken = table.set_column(at, table.schema.field(at), pa.array(["huge"] * 3))
    pq.write_table(broken.replace_schema_metadata(table.schema.metadata), path, write_page_index=True)
    built.data.bytes, built.data.sha256 = path.stat().st_size, unit_files.sha256(path)
    (out / "manifest.json").write_bytes(manifest.encode(manifest.make(local.configs)))
    ended = Pusher(hub.env()).push(out, REPO)
    assert "does not hold what was sent; it was not merged" in ended.error
    assert "'huge'" in ended.error
    assert list(hub.files(REPO)) == [".gitattributes"]
    hub.add_dataset(REPO, {**contents(out), "README.md": card.render(manifest.read(out), REPO).encode()})
    assert "huge" in command(hub, "verify", REPO).stdout
