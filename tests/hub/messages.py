"""What a handler of the loopback hub gets (`Ask`), gives (`Answer`) and raises (`RefusalError`)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email.message import Message
from pathlib import Path
from typing import Any, BinaryIO

PIECE = 1 << 20


class Body:
    """A request body, read from the socket piece by piece: uploads never have to fit in memory."""

    def __init__(self, stream: BinaryIO, headers: Message) -> None:
        self._stream = stream
        self._chunked = "chunked" in (headers.get("Transfer-Encoding") or "").lower()
        self._left = 0 if self._chunked else int(headers.get("Content-Length") or 0)
        self.received = 0

    def pieces(self) -> Iterator[bytes]:
        """Yield the bytes not read yet. Raises ConnectionError when the client stops before the end it announced."""
        while self._chunked and not self._left:
            self._left = int(self._stream.readline().split(b";")[0] or b"0", 16)
            if not self._left:
                self._chunked = False
                while self._stream.readline().strip():  # trailers
                    pass
                break
            yield from self._counted()
            self._stream.readline()
        yield from self._counted()

    def _counted(self) -> Iterator[bytes]:
        while self._left:
            piece = self._stream.read(min(PIECE, self._left))
            if not piece:
                raise ConnectionResetError("the client went away in the middle of its request body")
            self._left -= len(piece)
            self.received += len(piece)
            yield piece

    def read(self) -> bytes:
        """All bytes not read yet."""
        return b"".join(self.pieces())


@dataclass
class Ask:
    """One request. `path` is still percent-encoded; `args` are the named parts of the matched route, decoded."""

    host: str
    method: str
    path: str
    query: dict[str, list[str]]
    headers: Message
    body: Body
    args: dict[str, str] = field(default_factory=dict)

    def json(self) -> Any:
        """The body as JSON; raises RefusalError 400 when it is none."""
        try:
            return json.loads(self.body.read() or b"{}")
        except ValueError as problem:
            raise RefusalError(400, message=f"the request body is not JSON: {problem}") from problem

    def flag(self, name: str) -> bool:
        """Whether the query has `name` as a true value."""
        return self.query.get(name, ["false"])[-1].lower() in ("1", "true")

    def number(self, name: str, default: int) -> int:
        """An integer of the query."""
        return int(self.query.get(name, [str(default)])[-1])


@dataclass(frozen=True)
class Span:
    """The bytes `start`..`stop` (exclusive) of a file on disk."""

    path: Path
    start: int
    stop: int

    def pieces(self) -> Iterator[bytes]:
        """Yield the span in pieces of at most a mebibyte."""
        with self.path.open("rb") as file:
            file.seek(self.start)
            left = self.stop - self.start
            while left and (piece := file.read(min(PIECE, left))):
                left -= len(piece)
                yield piece


@dataclass
class Answer:
    """What to send. A HEAD request gets the same headers without the body."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | Span = b""

    @property
    def length(self) -> int:
        """Length of the body in bytes."""
        return self.body.stop - self.body.start if isinstance(self.body, Span) else len(self.body)


def as_json(value: Any, status: int = 200, **headers: str) -> Answer:
    """A JSON answer; keywords are headers, with `_` for `-`."""
    named = {key.replace("_", "-"): text for key, text in headers.items()}
    return Answer(status, {"Content-Type": "application/json; charset=utf-8", **named}, json.dumps(value).encode())


class RefusalError(Exception):
    """An error answer. `code` becomes X-Error-Code, by which the hub's clients choose their exception class."""

    def __init__(self, status: int, code: str = "", message: str = "", **extra: Any) -> None:
        super().__init__(message)
        self.answer = as_json({"error": message, **extra}, status)
        if code:
            self.answer.headers["X-Error-Code"] = code
        self.answer.headers["X-Error-Message"] = message.replace("\n", " ")


def content(ask: Ask, span: Span, etag: str, **headers: str) -> Answer:
    """A file, or the single byte range of it that was asked for: 200, 206, or 416 when the range starts past the end.

    A request for several ranges gets the whole file.
    """
    size = span.stop - span.start
    named = {"ETag": f'"{etag}"', "Accept-Ranges": "bytes", "Content-Type": "application/octet-stream"}
    named |= {key.replace("_", "-"): text for key, text in headers.items()}
    wanted = re.fullmatch(r"bytes=(\d*)-(\d*)", (ask.headers.get("Range") or "").strip())
    if wanted is None or wanted[0] == "bytes=-":
        return Answer(200, named, span)
    first, last = wanted[1], wanted[2]
    start = int(first) if first else max(0, size - int(last))
    stop = min(size, int(last) + 1) if first and last else size
    if start >= size or stop <= start:
        return Answer(416, named | {"Content-Range": f"bytes */{size}"})
    named["Content-Range"] = f"bytes {start}-{stop - 1}/{size}"
    return Answer(206, named, Span(span.path, span.start + start, span.start + stop))


@dataclass(frozen=True)
class Route:
    """One line of a route table: a method, a pattern of the whole path, a function (site, ask) -> Answer."""

    method: str
    pattern: str
    handler: Callable[[Any, Ask], Answer]
