"""Pull requests: opened, committed to at refs/pr/N, merged at most once."""

from __future__ import annotations

from typing import Any

from tests.hub.messages import Answer, Ask, RefusalError, Route, as_json
from tests.hub.objects import Entry
from tests.hub.site import PAGE, REPO, USER, Site
from tests.hub.store import Commit, PullRequest, Repo, now

MAIN = "refs/heads/main"


def note_commit(repo: Repo, ref: str, commit: Commit) -> None:
    """Add a commit to the events of the pull request whose ref it went to, if any."""
    for pull in repo.pulls:
        if pull.ref == ref:
            pull.events.append(_event(pull, "commit", {"subject": commit.title, "oid": commit.id}))


def merge(site: Site, ask: Ask) -> Answer:
    """Merge into main: one merge commit. Refused on conflicts, and unless open."""
    repo = site.repo(ask, "write")
    with site.store.lock:
        pull = _pull(repo, ask)
        if pull.status != "open":
            raise RefusalError(409, message=f"Pull request {pull.num} is {pull.status} and cannot be merged")
        files, conflicts = _merged(site, repo, pull)
        if conflicts:
            raise RefusalError(409, message=f"Pull request {pull.num} has conflicts: {', '.join(conflicts)}")
        made = site.store.commit(repo, MAIN, files, f"{pull.title} (#{pull.num})", (repo.refs[pull.ref],))
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
    """A pull request without commits, at main. It starts as a draft, as those made through the API do."""
    repo = site.repo(ask, "write")
    wanted = ask.json()
    if not 3 <= len(wanted["title"]) <= 200:
        raise RefusalError(400, message='"title" must have 3 to 200 characters')
    with site.store.lock:
        pull = PullRequest(len(repo.pulls) + 1, wanted["title"], USER, "draft", now(), repo.refs[MAIN])
        comment = {"edited": False, "hidden": False, "latest": {"raw": wanted.get("description", "")}}
        pull.events.append(_event(pull, "comment", comment))
        repo.pulls.append(pull)
        repo.refs[pull.ref] = pull.base
    return as_json({"num": pull.num, "url": f"{site.hub}/datasets/{repo.id}/discussions/{pull.num}"})


def list_pulls(site: Site, ask: Ask) -> Answer:
    """The pull requests, newest first, in pages."""
    repo = site.repo(ask)
    start = ask.number("p", 0) * PAGE
    summaries = [_summary(repo, pull) for pull in repo.pulls[::-1][start : start + PAGE]]
    return as_json({"discussions": summaries, "count": len(repo.pulls), "start": start})


def details(site: Site, ask: Ask) -> Answer:
    """One pull request with its events and its conflicts with main."""
    repo = site.repo(ask)
    with site.store.lock:
        pull = _pull(repo, ask)
        _, conflicts = _merged(site, repo, pull)
    changes = {"base": MAIN, "mergeCommitId": pull.merge_commit}
    more = {"events": pull.events, "filesWithConflicts": conflicts or False, "changes": changes}
    return as_json(_summary(repo, pull) | more)


def _merged(site: Site, repo: Repo, pull: PullRequest) -> tuple[dict[str, Entry], list[str]]:
    """The files of main with the pull request's changes, and the paths that both sides changed differently."""
    base, theirs = site.commit(repo, pull.base).files, site.commit(repo, pull.ref).files
    ours = dict(site.commit(repo, MAIN).files)
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
