"""The read half of the hub: repo info, listings, refs, and the files themselves."""

from __future__ import annotations

from hashlib import sha1
from itertools import islice
from time import time
from typing import Any
from urllib.parse import parse_qs, quote

from tests.hub.card import parse
from tests.hub.messages import Answer, Ask, RefusalError, Route, as_json, content
from tests.hub.objects import Entry
from tests.hub.site import REPO, Site, page, split_revision
from tests.hub.store import Commit, Repo

Item = dict[str, object]

SIBLINGS = 1_000
"""Files that are listed with a commit. The real hub leaves some out of a repo that has more, sooner or later."""


def repo_info(site: Site, ask: Ask) -> Answer:
    """Everything about a repo at a revision, with the list of its files."""
    repo = site.repo(ask)
    commit = site.commit(repo, ask.args.get("revision") or "main")
    siblings: list[Item] = []
    for path, entry in islice(commit.files.items(), SIBLINGS):
        more: Item = {"size": entry.size, "blobId": entry.oid}
        if entry.sha256:
            more["lfs"] = {"size": entry.size, "sha256": entry.sha256, "pointerSize": 134}
        siblings.append({"rfilename": path} | (more if ask.flag("blobs") else {}))
    readme = commit.files.get("README.md")
    card = parse(site.store.objects.read(readme.key).decode()) if readme else {}
    return as_json(
        {
            "_id": sha1(repo.id.encode()).hexdigest()[:24],
            "id": repo.id,
            "author": repo.id.split("/")[0],
            "sha": commit.id,
            "createdAt": repo.created,
            "lastModified": commit.date,
            "private": repo.private,
            "gated": repo.gated,
            "disabled": False,
            "tags": [],
            "downloads": 0,
            "likes": 0,
            "cardData": card,
            "siblings": siblings,
            "usedStorage": sum(entry.size for entry in commit.files.values()),
            "xetEnabled": True,
        }
    )


def describe(site: Site, commits: dict[str, Commit], path: str, entry: Entry, expand: bool) -> Item:
    """A file as tree and paths-info list it."""
    item: Item = {"type": "file", "oid": entry.oid, "size": entry.size, "path": path}
    if entry.sha256:
        item["lfs"] = {"oid": entry.sha256, "size": entry.size, "pointerSize": 134}
        if xet_hash := site.xet_hash(entry):
            item["xetHash"] = xet_hash
    if expand:
        last = commits[entry.commit]
        item["lastCommit"] = {"id": last.id, "title": last.title, "date": last.date}
    return item


def folder(site: Site, commits: dict[str, Commit], commit: Commit, path: str, expand: bool) -> Item:
    """A folder as tree and paths-info list it."""
    inside = [(name, entry) for name, entry in commit.files.items() if name.startswith(path + "/")]
    oid = sha1(repr([(name, entry.oid) for name, entry in inside]).encode()).hexdigest()
    item: Item = {"type": "directory", "oid": oid, "size": 0, "path": path}
    if expand:
        last = max((commits[entry.commit] for _, entry in inside), key=lambda one: one.date)
        item["lastCommit"] = {"id": last.id, "title": last.title, "date": last.date}
    return item


def _changers(site: Site, repo: Repo, commit: Commit) -> dict[str, Commit]:
    """The commits that the entries of a commit name as their last change."""
    return {entry.commit: repo.commits[entry.commit] for entry in commit.files.values()}


def tree(site: Site, ask: Ask) -> Answer:
    """Files and folders below a path, one level or all, in pages."""
    repo = site.repo(ask)
    revision, path = split_revision(ask.args["rest"])
    commit = site.commit(repo, revision)
    prefix = f"{path.rstrip('/')}/" if path.strip("/") else ""
    below = [name for name in commit.files if name.startswith(prefix)]
    if prefix and not below:
        raise RefusalError(404, "EntryNotFound", f"{path} does not exist on {revision}")
    recursive, expand = ask.flag("recursive"), ask.flag("expand")
    folders: set[str] = set()
    names: list[str] = []
    for name in below:
        steps = name[len(prefix) :].split("/")
        folders.update(
            prefix + "/".join(steps[:depth]) for depth in range(1, len(steps) if recursive else min(2, len(steps)))
        )
        if recursive or len(steps) == 1:
            names.append(name)
    commits = _changers(site, repo, commit)
    part, headers = page(site, ask, [*sorted(folders), *names], ask.number("limit", 0) or None)
    answer = as_json(
        [
            folder(site, commits, commit, name, expand)
            if name in folders
            else describe(site, commits, name, commit.files[name], expand)
            for name in part
        ]
    )
    answer.headers |= headers
    return answer


def paths_info(site: Site, ask: Ask) -> Answer:
    """Files and folders by name; names that do not exist are left out."""
    repo = site.repo(ask)
    commit = site.commit(repo, ask.args["revision"])
    if "json" in (ask.headers.get("Content-Type") or ""):
        body: dict[str, Any] = ask.json()
        paths, expand = list(body["paths"]), bool(body.get("expand"))
    else:
        form = parse_qs(ask.body.read().decode(), keep_blank_values=True)
        paths, expand = form.get("paths", []), form.get("expand", ["false"])[-1].lower() == "true"
    if len(paths) > 1000:
        raise RefusalError(413, message="too many parameters")
    commits = _changers(site, repo, commit)
    items = []
    for path in (path.strip("/") for path in paths):
        if path in commit.files:
            items.append(describe(site, commits, path, commit.files[path], expand))
        elif any(name.startswith(path + "/") for name in commit.files):
            items.append(folder(site, commits, commit, path, expand))
    return as_json(items)


def resolve(site: Site, ask: Ask) -> Answer:
    """A file: regular ones at once, LFS ones by a redirect to the CDN."""
    repo = site.repo(ask, "files")
    revision, path = split_revision(ask.args["rest"])
    commit = site.commit(repo, revision)
    try:
        entry = site.entry(commit, path)
    except RefusalError as refusal:
        refusal.answer.headers["X-Repo-Commit"] = commit.id
        raise
    span = site.store.objects.span(entry.key)
    assert span is not None, "a commit's files are in the store"
    headers = {"X_Repo_Commit": commit.id, "Accept_Ranges": "bytes"}
    if entry.sha256 is None:
        return content(ask, span, entry.oid, **headers)
    answer = as_json({}, 302, **headers, X_Linked_Size=str(entry.size), X_Linked_ETag=f'"{entry.sha256}"')
    name = quote(path.rsplit("/", 1)[-1])
    answer.headers["Location"] = f"{site.cdn}/objects/{entry.sha256}?name={name}&{signature(site)}"
    if xet_hash := site.xet_hash(entry):
        answer.headers["X-Xet-Hash"] = xet_hash
        token = f"{site.hub}/api/datasets/{repo.id}/xet-read-token/{commit.id}"
        parts = f"{site.cas}/v1/reconstructions/{xet_hash}"
        answer.headers["Link"] = f'<{token}>; rel="xet-auth", <{parts}>; rel="xet-reconstruction-info"'
    return answer


def refs(site: Site, ask: Ask) -> Answer:
    """Branches and tags with the commits they point at."""
    repo = site.repo(ask)

    def named(prefix: str) -> list[Item]:
        found = sorted(ref for ref in repo.refs if ref.startswith(prefix))
        return [{"name": ref.removeprefix(prefix), "ref": ref, "targetCommit": repo.refs[ref]} for ref in found]

    return as_json({"branches": named("refs/heads/"), "tags": named("refs/tags/"), "converts": []})


def signature(site: Site) -> str:
    """What makes an address on the CDN one that may be read, for a while."""
    return f"signature=loopback&Expires={int(time()) + site.signed_seconds}"


def cdn_object(site: Site, ask: Ask) -> Answer:
    """A file on the CDN. Anyone with the signed URL may read it; an expired one answers 403 or 404."""
    if "expired" in ask.query:
        return Answer(
            ask.number("expired", 403), {"Content-Type": "application/xml"}, b"<Error><Code>AccessDenied</Code></Error>"
        )
    span = site.store.objects.span(ask.args["key"])
    if span is None or "signature" not in ask.query or ask.number("Expires", 0) <= time():
        raise RefusalError(403, message="AccessDenied")
    return content(ask, span, ask.args["key"])


_INFO = rf"/api/datasets/{REPO}"
ROUTES = [
    Route("GET", _INFO, repo_info),
    Route("GET", rf"{_INFO}/revision/(?P<revision>.+)", repo_info),
    Route("GET", rf"{_INFO}/tree/(?P<rest>.+)", tree),
    Route("POST", rf"{_INFO}/paths-info/(?P<revision>.+)", paths_info),
    Route("GET", rf"{_INFO}/refs", refs),
    Route("GET", rf"/datasets/{REPO}/resolve/(?P<rest>.+)", resolve),
]
CDN_ROUTES = [Route("GET", r"/objects/(?P<key>[0-9a-f]{40,64})", cdn_object)]
