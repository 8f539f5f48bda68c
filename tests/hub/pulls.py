"""Pull requests: opened, committed to at refs/pr/N, merged at most once."""

from __future__ import annotations

from typing import Any

from tests.hub.messages import Answer, Ask, RefusalError, Route, as_json
from tests.hub.objects import Entry
from tests.hub.site import REPO, USER, Site
from tests.hub.store import Commit, PullRequest, Repo, now

MAIN = "refs/heads/main"


def create(site: Site, repo: Repo, title: str, description: str, status: str, target: str = MAIN) -> PullRequest:
    """A pull request whose own ref starts where its target is."""
    base = repo.refs[target]
    pull = PullRequest(len(repo.pulls) + 1, title, description, USER, status, now(), target, base)
    pull.events.append(_event(pull, "comment", {"edited": False, "hidden": False, "latest": {"raw": description}}))
    repo.pulls.append(pull)
    repo.refs[pull.ref] = base
    return pull


def note_commit(site: Site, repo: Repo, ref: str, commit: Commit) -> None:
    """Add a commit to the events of the pull request whose ref it went to, if any."""
    for pull in repo.pulls:
        if pull.ref == ref:
            pull.events.append(_event(pull, "commit", {"subject": commit.title, "oid": commit.id}))


def merge(site: Site, ask: Ask) -> Answer:
    """Merge into the target: one merge commit. Refused on conflicts, and unless open.

    Pull requests made through the API (by `upload_folder(create_pr=True)` too) are drafts and have to be opened first;
    those that `create_commit(create_pr=True)` makes are open.
    """
    repo = site.repo(ask, "write")
    with site.store.lock:
        pull = _pull(repo, ask)
        if pull.status != "open":
            raise RefusalError(409, message=f"Pull request {pull.num} is {pull.status} and cannot be merged")
        files, conflicts = _merged(site, repo, pull)
        if conflicts:
            raise RefusalError(409, message=f"Pull request {pull.num} has conflicts: {', '.join(conflicts)}")
        title = f"{pull.title} (#{pull.num})"
        made = site.store.commit(repo, pull.target, files, title, pull.description, USER, (repo.refs[pull.ref],))
        pull.merge_commit = made.id
        _set_status(pull, "merged")
    return as_json({"success": True})


def change_status(site: Site, ask: Ask) -> Answer:
    """Open (also a draft) or close; a merged pull request stays merged."""
    repo = site.repo(ask, "write")
    wanted = ask.json().get("status")
    with site.store.lock:
        pull = _pull(repo, ask)
        if wanted not in ("open", "closed") or pull.status == "merged":
            raise RefusalError(400, message=f"Pull request {pull.num} is {pull.status} and cannot become {wanted}")
        event = _set_status(pull, wanted)
    return as_json({"newStatus": event})


def open_pull(site: Site, ask: Ask) -> Answer:
    """A pull request without commits; it starts as a draft, as those made through the API do."""
    repo = site.repo(ask, "write")
    wanted = ask.json()
    if not wanted.get("pullRequest"):
        raise RefusalError(400, message="this hub has pull requests only, no discussions")
    if not 3 <= len(wanted.get("title", "")) <= 200:
        raise RefusalError(400, message='"title" must have 3 to 200 characters')
    with site.store.lock:
        pull = create(site, repo, wanted["title"], wanted.get("description", ""), "draft")
    return as_json({"num": pull.num, "url": f"{site.hub}/datasets/{repo.id}/discussions/{pull.num}"})


def list_pulls(site: Site, ask: Ask) -> Answer:
    """The pull requests, newest first, in pages; `status` narrows to open (drafts too) or closed (merged too)."""
    repo = site.repo(ask)
    wanted = ask.query.get("status", ["all"])[-1]
    kinds = {"open": ("open", "draft"), "closed": ("closed", "merged")}.get(wanted)
    found = [pull for pull in reversed(repo.pulls) if kinds is None or pull.status in kinds]
    if ask.query.get("type") == ["discussion"] or ask.query.get("author", [USER]) != [USER]:
        found = []
    start = ask.number("p", 0) * site.page_size
    summaries = [_summary(repo, pull) for pull in found[start : start + site.page_size]]
    return as_json({"discussions": summaries, "count": len(found), "start": start})


def details(site: Site, ask: Ask) -> Answer:
    """One pull request with its events, its conflicts with its target, and the names of the files it changes."""
    repo = site.repo(ask)
    with site.store.lock:
        pull = _pull(repo, ask)
        _, conflicts = _merged(site, repo, pull)
        before, after = site.commit(repo, pull.base).files, site.commit(repo, pull.ref).files
    changed = sorted(path for path in before | after if _key(before, path) != _key(after, path))
    return as_json(
        _summary(repo, pull)
        | {
            "events": pull.events,
            "filesWithConflicts": conflicts or False,
            "changes": {"base": pull.target, "mergeCommitId": pull.merge_commit},
            "diff": "".join(f"diff --git a/{path} b/{path}\n" for path in changed),
        }
    )


def _merged(site: Site, repo: Repo, pull: PullRequest) -> tuple[dict[str, Entry], list[str]]:
    """The files of the target with the pull request's changes, and the paths that both sides changed differently."""
    base, theirs = site.commit(repo, pull.base).files, site.commit(repo, pull.ref).files
    ours = dict(site.commit(repo, pull.target).files)
    if pull.status == "merged":
        return ours, []
    conflicts = []
    for path in base | theirs:
        if _key(theirs, path) in (_key(base, path), _key(ours, path)):
            continue
        if _key(ours, path) != _key(base, path):
            conflicts.append(path)
        elif path in theirs:
            ours[path] = theirs[path]
        else:
            del ours[path]
    return ours, sorted(conflicts)


def _key(files: dict[str, Entry], path: str) -> str | None:
    return files[path].key if path in files else None


def _pull(repo: Repo, ask: Ask) -> PullRequest:
    num = int(ask.args["num"])
    if not 1 <= num <= len(repo.pulls):
        raise RefusalError(404, message=f"Discussion {num} not found")
    return repo.pulls[num - 1]


def _event(pull: PullRequest, kind: str, data: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": f"{pull.num:012x}{len(pull.events):012x}",
        "type": kind,
        "author": {"name": USER},
        "createdAt": now(),
        "data": data,
    }


def _set_status(pull: PullRequest, status: str) -> dict[str, Any]:
    pull.status = status
    pull.events.append(_event(pull, "status-change", {"status": status}))
    return pull.events[-1]


def _summary(repo: Repo, pull: PullRequest) -> dict[str, Any]:
    return {
        "num": pull.num,
        "title": pull.title,
        "author": {"name": pull.author},
        "status": pull.status,
        "createdAt": pull.date,
        "isPullRequest": True,
        "repo": {"name": repo.id, "type": "dataset"},
    }


_DISCUSSIONS = rf"/api/datasets/{REPO}/discussions"
_ONE = rf"{_DISCUSSIONS}/(?P<num>\d+)"
ROUTES = [
    Route("POST", _DISCUSSIONS, open_pull),
    Route("GET", _DISCUSSIONS, list_pulls),
    Route("GET", _ONE, details),
    Route("POST", rf"{_ONE}/merge", merge),
    Route("POST", rf"{_ONE}/status", change_status),
]
