"""Xet over HTTP: tokens on the hub, uploads and reconstructions on the CAS host, xorbs from the CDN."""

from __future__ import annotations

import re
import time
from dataclasses import replace
from typing import Any

from tests.hub import xorb
from tests.hub.messages import Answer, Ask, RefusalError, Route, Span, as_json, content
from tests.hub.shard import Term
from tests.hub.site import REPO, Site

TOKEN_SECONDS = 3600
READ, WRITE = "loopback-xet-read", "loopback-xet-write"
_HASH = r"(?P<hash>[0-9a-f]{64})"


def write_token(site: Site, ask: Ask) -> Answer:
    """Leave to upload."""
    site.commit(site.repo(ask, "write"), ask.args["revision"])
    return _token(site, WRITE)


def read_token(site: Site, ask: Ask) -> Answer:
    """Leave to download the files of a revision."""
    site.commit(site.repo(ask, "files"), ask.args["revision"])
    return _token(site, READ)


def _token(site: Site, token: str) -> Answer:
    expires = int(time.time()) + TOKEN_SECONDS
    answer = as_json({"casUrl": site.cas, "accessToken": token, "exp": expires})
    answer.headers |= {"X-Xet-Cas-Url": site.cas, "X-Xet-Access-Token": token, "X-Xet-Token-Expiration": str(expires)}
    return answer


def _authorized(ask: Ask, *tokens: str) -> None:
    given = (ask.headers.get("Authorization") or "").removeprefix("Bearer ")
    if given not in (READ, WRITE):
        raise RefusalError(401, message="missing or unknown xet token")
    if given not in tokens:
        raise RefusalError(403, message="this xet token may only read")


def post_xorb(site: Site, ask: Ask) -> Answer:
    """A xorb, under the hash that the client computed (BLAKE3, which this hub does not check)."""
    _authorized(ask, WRITE)
    return as_json({"was_inserted": site.xet_store.add_xorb(ask.args["hash"], ask.body.read())})


def post_shard(site: Site, ask: Ask) -> Answer:
    """A shard: from now on its files exist."""
    _authorized(ask, WRITE)
    site.xet_store.add_shard(ask.body.read())
    return as_json({"result": 1})


def get_chunk(site: Site, ask: Ask) -> Answer:
    """What else lies next to a chunk that is known here; 404 for an unknown chunk."""
    _authorized(ask, READ, WRITE)
    found = site.xet_store.shard_for(ask.args["hash"])
    if found is None:
        raise RefusalError(404, message="unknown chunk")
    return Answer(200, {"Content-Type": "application/octet-stream"}, found)


def get_reconstruction(site: Site, ask: Ask) -> Answer:
    """The terms of a file, or of a byte range of it, and where to fetch their chunks."""
    _authorized(ask, READ, WRITE)
    file = site.xet_store.file(ask.args["hash"])
    if file is None:
        raise RefusalError(404, message="unknown file")
    wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", ask.headers.get("Range") or "bytes=0-")
    size = sum(term.length for term in file.terms)
    start = int(wanted[1]) if wanted else 0
    stop = min(size, int(wanted[2]) + 1) if wanted and wanted[2] else size
    if size and start >= size:
        raise RefusalError(416, message=f"the file has {size} bytes")
    terms, skipped = _cut(site, file.terms, start, stop)
    fetch: dict[str, list[dict[str, Any]]] = {}
    for term in terms:
        source = _source(site, term)
        if source not in fetch.setdefault(term.xorb, []):
            fetch[term.xorb].append(source)
    listed = [{"hash": term.xorb, "unpacked_length": term.length, "range": _range(term)} for term in terms]
    return as_json({"offset_into_first_range": start - skipped, "terms": listed, "fetch_info": fetch})


def _cut(site: Site, terms: list[Term], start: int, stop: int) -> tuple[list[Term], int]:
    """The chunks that hold the bytes `start`..`stop`, as terms, and the offset in the file at which they begin."""
    kept: list[Term] = []
    begin = at = 0
    for term in terms:
        first, last, length = term.stop, term.stop, 0
        for number in range(term.start, term.stop):
            chunk = _table(site, term.xorb)[number]
            if at + chunk.length > start and at < stop:
                if not kept and not length:
                    begin = at
                first, last, length = min(first, number), number + 1, length + chunk.length
            at += chunk.length
        if length:
            kept.append(replace(term, start=first, stop=last, length=length))
    return kept, begin


def _table(site: Site, xorb_hash: str) -> list[xorb.Chunk]:
    path = site.xet_store.xorb_path(xorb_hash)
    assert path is not None, "the shard of a file was only taken with all its xorbs"
    return xorb.stored_table(path)


def _source(site: Site, term: Term) -> dict[str, Any]:
    chunks = _table(site, term.xorb)[term.start : term.stop]
    url = f"{site.cdn}/xorbs/{term.xorb}?signature=loopback"
    return {"url": url, "range": _range(term), "url_range": {"start": chunks[0].start, "end": chunks[-1].stop - 1}}


def _range(term: Term) -> dict[str, int]:
    return {"start": term.start, "end": term.stop}


def get_xorb(site: Site, ask: Ask) -> Answer:
    """A byte range of a xorb, by its signed URL."""
    path = site.xet_store.xorb_path(ask.args["hash"])
    if path is None or "signature" not in ask.query:
        raise RefusalError(403, message="AccessDenied")
    return content(ask, Span(path, 0, path.stat().st_size), ask.args["hash"])


ROUTES = [
    Route("GET", rf"/api/datasets/{REPO}/xet-write-token/(?P<revision>.+)", write_token),
    Route("GET", rf"/api/datasets/{REPO}/xet-read-token/(?P<revision>.+)", read_token),
]
CAS_ROUTES = [
    Route("POST", rf"/v1/xorbs/[a-z]+/{_HASH}", post_xorb),
    Route("POST", r"/v1/shards", post_shard),
    Route("GET", rf"/v1/chunks/[a-z-]+/{_HASH}", get_chunk),
    Route("GET", rf"/v1/reconstructions/{_HASH}", get_reconstruction),
]
CDN_ROUTES = [Route("GET", rf"/xorbs/{_HASH}", get_xorb)]
