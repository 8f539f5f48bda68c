"""The write half of the hub: repos, tags, cards, preupload, commits."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from typing import Any

from tests.hub import pulls
from tests.hub.card import problems
from tests.hub.messages import Answer, Ask, RefusalError, Route, as_json
from tests.hub.objects import LFS_BYTES, Entry, is_lfs
from tests.hub.site import REPO, USER, Site
from tests.hub.store import Repo

Operation = tuple[str, dict[str, Any]]


def create_repo(site: Site, ask: Ask) -> Answer:
    """A new dataset repo; 409 with its address when it is there already."""
    who = site.identity(ask)
    if who is None:
        raise RefusalError(401, message="Invalid username or password.")
    wanted = ask.json()
    if wanted.get("type") != "dataset":
        raise RefusalError(400, message="this hub has dataset repos only")
    if who.role != "write" or who.only is not None:
        raise RefusalError(403, message="You don't have the rights to create a dataset under this namespace")
    name = f"{wanted.get('organization') or USER}/{wanted['name']}"
    url = f"{site.hub}/datasets/{name}"
    with site.store.lock:
        if name in site.store.repos:
            raise RefusalError(409, message="You already created this dataset repo", url=url)
        private = wanted.get("visibility") == "private" or bool(wanted.get("private"))
        repo = site.store.create(name, private)
    return as_json({"url": url, "name": repo.id, "id": repo.id})


def create_tag(site: Site, ask: Ask) -> Answer:
    """A tag at a revision; 409 when it exists, wherever it points."""
    repo, ref = site.repo(ask, "write"), f"refs/tags/{ask.json()['tag']}"
    with site.store.lock:
        target = site.commit(repo, ask.args["name"])
        if ref in repo.refs:
            raise RefusalError(409, message=f"Reference {ref} exists already")
        repo.refs[ref] = target.id
    return as_json({"ref": ref, "targetCommit": target.id})


def validate_yaml(site: Site, ask: Ask) -> Answer:
    """The hub's check of a card before it is committed."""
    errors = problems(ask.json().get("content", ""))
    return as_json({"errors": [{"message": one} for one in errors], "warnings": []}, 400 if errors else 200)


def preupload(site: Site, ask: Ask) -> Answer:
    """How each file is to be sent, and the hash of what is already there under its name."""
    repo = site.repo(ask, "write")
    commit = site.commit(repo, ask.args["revision"])
    wanted = ask.json()["files"]
    if len(wanted) > 256:
        raise RefusalError(413, message="too many files: at most 256 per request")
    files = []
    for file in wanted:
        there = commit.files.get(file["path"])
        mode = "lfs" if is_lfs(file["path"], file["size"]) else "regular"
        oid = there.key if there else None
        files.append({"path": file["path"], "uploadMode": mode, "shouldIgnore": False, "oid": oid})
    return as_json({"files": files})


def commit(site: Site, ask: Ask) -> Answer:
    """One commit on a branch or a pull request: all of it or nothing."""
    repo = site.repo(ask, "write")
    header, operations = _operations(ask.body.read())
    with site.store.lock:
        ref = target_ref(repo, ask.args["revision"])
        head = site.commit(repo, ref)
        if header.get("parentCommit") not in (None, head.id):
            raise RefusalError(412, message="A commit has happened since. Please refresh and try again.")
        files = _apply(site, head.files, operations)
        made = site.store.commit(repo, ref, files, header["summary"])
        pulls.note_commit(repo, ref, made)
    url = f"{site.hub}/datasets/{repo.id}/commit/{made.id}"
    return as_json({"success": True, "commitOid": made.id, "commitUrl": url, "hookOutput": ""})


def target_ref(repo: Repo, revision: str) -> str:
    """The full ref that commits to a revision go to; RefusalError for what is not a branch or open pull request."""
    ref = revision if revision.startswith("refs/") else f"refs/heads/{revision}"
    if ref not in repo.refs or ref.startswith("refs/tags/"):
        raise RefusalError(404, "RevisionNotFound", f"Invalid rev id: {revision}")
    for pull in repo.pulls:
        if pull.ref == ref and pull.status in ("closed", "merged"):
            raise RefusalError(403, message=f"Pull request {pull.num} is {pull.status} and takes no commits")
    return ref


def _operations(body: bytes) -> tuple[dict[str, Any], list[Operation]]:
    """The header and the operations of a commit in newline-delimited JSON."""
    items = [json.loads(line) for line in filter(None, body.split(b"\n"))]
    (header,) = (item["value"] for item in items if item["key"] == "header")
    return header, [(item["key"], item["value"]) for item in items if item["key"] != "header"]


def _apply(site: Site, files: dict[str, Entry], operations: Iterable[Operation]) -> dict[str, Entry]:
    """The files after the operations; raises RefusalError when one of them cannot be done."""
    after = dict(files)
    for key, value in operations:
        path = value["path"]
        if key == "deletedFile":
            if path not in after:
                raise RefusalError(404, "EntryNotFound", f"A file with this name doesn't exist: {path}")
            del after[path]
        elif any(part in ("", ".", "..", ".git") for part in path.split("/")):
            raise RefusalError(400, message=f"Invalid path: {path!r}")
        elif key == "file":
            after[path] = _regular(site, path, value)
        elif key == "lfsFile":
            after[path] = _lfs(site, path, value)
        else:
            raise RefusalError(400, message=f"Unknown operation: {key}")
    return after


def _lfs(site: Site, path: str, value: dict[str, Any]) -> Entry:
    """The entry of a file that was uploaded before."""
    span = site.store.objects.span(value["oid"])
    if span is None or value.get("size", span.stop) != span.stop:
        raise RefusalError(400, message=f"LFS pointer {path} points to a file that does not exist: {value['oid']}")
    return site.store.objects.lfs_entry(value["oid"], span.stop)


def _regular(site: Site, path: str, value: dict[str, Any]) -> Entry:
    """Store the content of a file that came inside the commit."""
    data = base64.b64decode(value["content"], validate=True)
    if len(data) > LFS_BYTES:
        raise RefusalError(400, message=f"{path}: files larger than {LFS_BYTES} bytes have to go to LFS or xet")
    errors = problems(data.decode(errors="replace")) if path == "README.md" else []
    if errors:
        raise RefusalError(400, message="Invalid metadata in README.md: " + "; ".join(errors))
    return site.store.objects.put_regular(data)


_DATASET = rf"/api/datasets/{REPO}"
ROUTES = [
    Route("POST", r"/api/repos/create", create_repo),
    Route("POST", rf"{_DATASET}/tag/(?P<name>.+)", create_tag),
    Route("POST", r"/api/validate-yaml", validate_yaml),
    Route("POST", rf"{_DATASET}/preupload/(?P<revision>.+)", preupload),
    Route("POST", rf"{_DATASET}/commit/(?P<revision>.+)", commit),
]
