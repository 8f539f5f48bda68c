"""Uploads by git LFS: the batch call, single and multipart PUTs to the CDN's host, completion, verification."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.hub.messages import Answer, Ask, RefusalError, Route, Span, as_json
from tests.hub.site import REPO, Site

PART_BYTES = 5 << 20
"""Larger uploads come in parts of so many bytes."""
_OID = r"(?P<oid>[0-9a-f]{64})"


def batch(site: Site, ask: Ask) -> Answer:
    """Where to put each object; none for those that are there. Clients that can are sent to xet."""
    repo = site.repo(ask, "write")
    body = ask.json()
    if len(body["objects"]) > 256:
        raise RefusalError(413, message="too many objects: at most 256 per request")
    if "xet" in body.get("transfers", []):
        return as_json(
            {"transfer": "xet", "objects": [{"oid": one["oid"], "size": one["size"]} for one in body["objects"]]}
        )
    verify = {"href": f"{site.hub}/datasets/{repo.id}.git/info/lfs/verify"}
    objects: list[dict[str, Any]] = []
    for wanted in body["objects"]:
        oid, size = wanted["oid"], wanted["size"]
        item: dict[str, Any] = {"oid": oid, "size": size}
        if site.store.objects.span(oid) is None:
            item["actions"] = {"upload": _upload(site, oid, size), "verify": verify}
        objects.append(item)
    return as_json({"transfer": "basic", "objects": objects})


def _upload(site: Site, oid: str, size: int) -> dict[str, Any]:
    put = f"{site.cdn}/lfs/{oid}"
    if size <= PART_BYTES:
        return {"href": f"{put}?signature=loopback"}
    parts = -(-size // PART_BYTES)
    urls = {str(number): f"{put}/{number}?signature=loopback" for number in range(1, parts + 1)}
    header = {"chunk_size": str(PART_BYTES), **urls}
    return {"href": f"{site.hub}/api/complete_multipart?parts={parts}", "header": header}


def put_object(site: Site, ask: Ask) -> Answer:
    """An object in one piece; its bytes must be what its name says."""
    _signed(ask)
    site.store.objects.put_pieces(ask.args["oid"], ask.body.pieces())
    return Answer(200, {"ETag": f'"{ask.args["oid"]}"'})


def put_part(site: Site, ask: Ask) -> Answer:
    """One part of an object. Parts stay on disk until completion, over restarts of the hub too."""
    _signed(ask)
    folder = _parts_folder(site, ask.args["oid"])
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / f"{ask.args['number']}.{id(ask)}.partial"
    with partial.open("wb") as file:
        file.writelines(ask.body.pieces())
    partial.replace(folder / ask.args["number"])
    return Answer(200, {"ETag": f'"{ask.args["number"]}"'})


def complete(site: Site, ask: Ask) -> Answer:
    """Join the parts. Asked again after a lost answer, it succeeds again."""
    body = ask.json()
    oid, parts = body["oid"], body["parts"]
    if site.store.objects.span(oid) is not None:
        return as_json({"success": True})
    folder = _parts_folder(site, oid)
    paths = [folder / str(part["partNumber"]) for part in parts]
    spans = [Span(path, 0, path.stat().st_size) for path in paths]
    site.store.objects.put_pieces(oid, (piece for span in spans for piece in span.pieces()))
    for path in folder.iterdir():
        path.unlink()
    return as_json({"success": True})


def verify(site: Site, ask: Ask) -> Answer:
    """Whether an object arrived with the size that the client says."""
    site.repo(ask, "write")
    body = ask.json()
    span = site.store.objects.span(body["oid"])
    if span is None or span.stop != body["size"]:
        raise RefusalError(404, message=f"object {body['oid']} of {body['size']} bytes is not here")
    return as_json({})


def _signed(ask: Ask) -> None:
    if "signature" not in ask.query:
        raise RefusalError(403, message="AccessDenied")


def _parts_folder(site: Site, oid: str) -> Path:
    return site.root / "parts" / oid


_LFS = rf"/datasets/{REPO}\.git/info/lfs"
ROUTES = [
    Route("POST", rf"{_LFS}/objects/batch", batch),
    Route("POST", rf"{_LFS}/verify", verify),
    Route("POST", r"/api/complete_multipart", complete),
]
CDN_ROUTES = [
    Route("PUT", rf"/lfs/{_OID}", put_object),
    Route("PUT", rf"/lfs/{_OID}/(?P<number>\d+)", put_part),
]
