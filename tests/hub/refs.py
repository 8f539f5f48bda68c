"""Branches and tags."""

from __future__ import annotations

from tests.hub.messages import Answer, Ask, RefusalError, Route, as_json
from tests.hub.site import REPO, Site

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


def create_tag(site: Site, ask: Ask) -> Answer:
    """A tag at a revision; 409 when it exists, wherever it points."""
    repo, ref = site.repo(ask, "write"), f"refs/tags/{ask.json()['tag']}"
    with site.store.lock:
        target = site.commit(repo, ask.args["name"])
        if ref in repo.refs:
            raise RefusalError(409, message=f"Reference {ref} exists already")
        repo.refs[ref] = target.id
    return as_json({"ref": ref, "targetCommit": target.id})


_DATASET = rf"/api/datasets/{REPO}"
ROUTES = [
    Route("GET", rf"{_DATASET}/refs", refs),
    Route("POST", rf"{_DATASET}/tag/(?P<name>.+)", create_tag),
]
