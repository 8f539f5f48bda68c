"""Branches, tags and history."""

from __future__ import annotations

from tests.hub.messages import Answer, Ask, RefusalError, Route, as_json
from tests.hub.site import REPO, Site, page
from tests.hub.store import Repo

Item = dict[str, object]


def refs(site: Site, ask: Ask) -> Answer:
    """Branches, tags and, if asked, pull requests with the commits they point at."""
    repo = site.repo(ask)

    def named(prefix: str) -> list[Item]:
        found = sorted(ref for ref in repo.refs if ref.startswith(prefix))
        return [{"name": ref.removeprefix(prefix), "ref": ref, "targetCommit": repo.refs[ref]} for ref in found]

    with site.store.lock:
        listed = {"branches": named("refs/heads/"), "tags": named("refs/tags/"), "converts": []}
        if ask.flag("include_prs"):
            listed["pullRequests"] = named("refs/pr/")
    return as_json(listed)


def commits(site: Site, ask: Ask) -> Answer:
    """The history of a revision, newest first, in pages."""
    repo = site.repo(ask)
    history = site.store.history(repo, site.commit(repo, ask.args["revision"]))
    items: list[Item] = [
        {
            "id": one.id,
            "title": one.title,
            "message": one.message,
            "date": one.date,
            "authors": [{"user": one.author, "avatar": ""}],
        }
        for one in history
    ]
    part, headers = page(site, ask, items)
    answer = as_json(part)
    answer.headers |= headers
    return answer


def create_branch(site: Site, ask: Ask) -> Answer:
    """A branch at a revision; 409 when it exists."""
    repo = site.repo(ask, "write")
    name = ask.args["name"]
    if name.startswith("refs/"):
        raise RefusalError(400, message=f"Invalid reference for a branch: {name}")
    return _new_ref(site, repo, f"refs/heads/{name}", ask.json().get("startingPoint") or "main")


def create_tag(site: Site, ask: Ask) -> Answer:
    """A tag at a revision; 409 when it exists, wherever it points."""
    repo = site.repo(ask, "write")
    return _new_ref(site, repo, f"refs/tags/{ask.json()['tag']}", ask.args["name"])


def _new_ref(site: Site, repo: Repo, ref: str, revision: str) -> Answer:
    with site.store.lock:
        target = site.commit(repo, revision)
        if ref in repo.refs:
            raise RefusalError(409, message=f"Reference {ref} exists already")
        repo.refs[ref] = target.id
        site.store.save(repo)
    return as_json({"ref": ref, "targetCommit": target.id})


def delete_branch(site: Site, ask: Ask) -> Answer:
    """Delete a branch, but never main."""
    if ask.args["name"] == "main":
        raise RefusalError(403, message="The branch main is protected")
    return _delete_ref(site, ask, "refs/heads/")


def delete_tag(site: Site, ask: Ask) -> Answer:
    """Delete a tag."""
    return _delete_ref(site, ask, "refs/tags/")


def _delete_ref(site: Site, ask: Ask, prefix: str) -> Answer:
    repo = site.repo(ask, "write")
    with site.store.lock:
        if repo.refs.pop(prefix + ask.args["name"], None) is None:
            raise RefusalError(404, "RevisionNotFound", f"Invalid rev id: {ask.args['name']}")
        site.store.save(repo)
    return as_json({})


_DATASET = rf"/api/datasets/{REPO}"
ROUTES = [
    Route("GET", rf"{_DATASET}/refs", refs),
    Route("GET", rf"{_DATASET}/commits/(?P<revision>.+)", commits),
    Route("POST", rf"{_DATASET}/branch/(?P<name>.+)", create_branch),
    Route("DELETE", rf"{_DATASET}/branch/(?P<name>.+)", delete_branch),
    Route("POST", rf"{_DATASET}/tag/(?P<name>.+)", create_tag),
    Route("DELETE", rf"{_DATASET}/tag/(?P<name>.+)", delete_tag),
]
