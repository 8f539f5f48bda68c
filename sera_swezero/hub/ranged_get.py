"""Bytes of a file on the hub by one streamed ranged GET, resumed at the first missing byte where it breaks off.

The token goes to the hub and is taken off where a redirect leads to another host. Where the address behind the redirect
is known (`cdn_addresses`), that is asked at once, without the token. A request is repeated, as `retry.READING` says,
after

* a connection that is refused, reset or silent, and the statuses 408, 425, 429 and 5xx;
* a body that breaks off, ends early or comes too slowly (`session.LEAST`): from the first byte that is missing;
* an address that has expired: at the hub, which signs a fresh one;
* a range other than the one asked for, which is never read;
* the whole file in place of a range, a compressed body, or an answer that comes too slowly: only once more.

It ends in an UpstreamError when all attempts in a row brought next to nothing, and at once if the file has another
size than it was listed with.
"""

from __future__ import annotations

import logging
import re
import weakref
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import chain
from time import monotonic
from urllib.parse import urlsplit

from sera_swezero.errors import UpstreamError
from sera_swezero.hub import retry, session
from sera_swezero.hub.cdn_addresses import ADDRESSES
from sera_swezero.hub.hub_file import HubFile
from sera_swezero.hub.retry import (
    RetryableError,
    SteadyError,
    in_words,
    is_busy,
    is_transient,
    is_transport_error,
    wait_in,
)
from sera_swezero.hub.session import Answer, explained, promptly, send

_LOG = logging.getLogger("sera_swezero")

_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18}|\*)", re.ASCII)
_EXPIRED = frozenset({400, 401, 403, 404, 410})
_REMEDY = "go around whatever lies between here and the hub, or download the files and give upstream= their folder"


class _ExpiredError(RetryableError):
    """The address on the CDN is refused; the hub gives a fresh one."""


_Begun = tuple[Iterator[bytes], Callable[[], object]]
"""The pieces of an answer whose first bytes have arrived, and what ends its connection."""


class RangedGet:
    """The bytes [start, stop) of a file on the hub, as an iterator over pieces of any size; use it once.

    `open` sends the request and waits for the first bytes; otherwise iterating does both. It may be called in another
    thread, so that something else can be done meanwhile.

    Raises:
        UpstreamError: missing, refused, changed since it was listed, or not answered in all attempts.
    """

    def __init__(self, file: HubFile, start: int, stop: int) -> None:
        self._file = file
        self._at, self._stop = start, stop
        self._pieces: Iterator[bytes] | None = None
        self._disconnect: Callable[[], object] = bool

    def open(self) -> None:
        """Send the request, as often as it takes, and wait for the first bytes."""
        if self._pieces is not None or self._at >= self._stop:
            return
        file = self._file
        with explained(file.repo, f"{file.place} at {file.commit}, bytes {self._at} to {self._stop}"):
            self._pieces, close = retry.with_retries(
                lambda: promptly(self._request, lambda late: late[1]()), file.place, retry.READING
            )
        # The connection is also ended when nobody iterates on, and when the process ends with a stream half read.
        self._disconnect = weakref.finalize(self, close)

    def __iter__(self) -> Iterator[bytes]:
        try:
            while self._at < self._stop:
                self.open()
                yield from self._body()
        finally:
            self.close()

    def drain(self) -> None:
        """Read and drop the rest of the answer: if it is short, that is cheaper than a new connection."""
        until = monotonic() + 1
        try:
            for _ in self._pieces or ():
                if monotonic() > until:
                    break
        except Exception as error:
            if not is_transport_error(error):
                raise
        self.close()

    def close(self) -> None:
        """End the connection; unread bytes are dropped with it."""
        self._pieces = None
        self._disconnect()

    def _body(self) -> Iterator[bytes]:
        """The pieces of the answer, until it ends or breaks off."""
        pieces = self._pieces or iter(())
        waited, arrived = 0.0, 0
        while self._at < self._stop:
            began = monotonic()
            try:
                piece = next(pieces, b"")
            except Exception as error:
                if not is_transport_error(error):
                    raise
                _LOG.info("%s: broke off at byte %d: %s", self._file.place, self._at, in_words(error))
                break
            if not piece:
                break
            piece = piece[: self._stop - self._at]
            self._at += len(piece)
            waited, arrived = waited + monotonic() - began, arrived + len(piece)
            yield piece
            if waited > session.PATIENCE:
                if arrived < session.LEAST:
                    _LOG.info("%s: only %d bytes in %.0f s, at byte %d", self._file.place, arrived, waited, self._at)
                    break
                waited, arrived = 0.0, 0
        self.close()

    def _request(self) -> _Begun:
        """Ask once, at the CDN if the address there is known. The answer begins at the byte that is wanted."""
        address = ADDRESSES.get(self._file)
        if address is not None:
            try:
                return self._ask(address, direct=True)
            except Exception as error:
                if not is_transient(error):
                    raise
                ADDRESSES.forget(self._file)
                if not isinstance(error, _ExpiredError):
                    raise
        return self._ask(self._file.url, direct=False)

    def _ask(self, url: str, *, direct: bool) -> _Begun:
        token = False if direct else self._file.token
        wanted = {"Range": f"bytes={self._at}-{self._stop - 1}"}
        with ExitStack() as stack:
            answer = stack.enter_context(send("GET", url, token=token, headers=wanted))
            stack.callback(answer.pieces.close)
            self._check(answer, redirected=direct or answer.redirected)
            first, least = b"", min(session.LEAST, self._stop - self._at)
            while len(first) < least:
                piece = next(answer.pieces, b"")
                if not piece:
                    raise RetryableError(f"an answer that ends after {len(first)} bytes")
                first += piece
            if answer.redirected:
                ADDRESSES.remember(self._file, answer.url)
            return chain([first], answer.pieces), stack.pop_all().close

    def _check(self, answer: Answer, *, redirected: bool) -> None:
        """Refuse an answer that is not what was asked for."""
        status, headers = answer.status, answer.headers
        encoding = headers.get("Content-Encoding") or "identity"
        if status in {200, 206} and encoding != "identity":
            raise SteadyError(f"a body in the encoding {encoding[:30]!r}, where identity was asked for; {_REMEDY}")
        if status == 206:
            self._check_range(headers.get("Content-Range", ""))
        elif status == 200 and self._at == 0:
            self._check_size(headers.get("Content-Length", "*"))
        elif status == 200:
            raise SteadyError(f"the whole file, where bytes from {self._at} on were asked for; {_REMEDY}")
        elif status == 416:
            self._check_size(headers.get("Content-Range", "").rpartition("/")[2])
            raise RetryableError(f"there is no range from byte {self._at} on")
        elif redirected and status in _EXPIRED:
            raise _ExpiredError(f"status {status} from {urlsplit(answer.url).netloc}")
        elif is_busy(status):
            raise RetryableError(f"status {status}", wait_in(headers))
        else:
            answer.raise_for_status()
            raise RetryableError(f"status {status}, expected 206")

    def _check_range(self, header: str) -> None:
        match = _RANGE.fullmatch(header.strip())
        if match is None or int(match[1]) != self._at or not self._at <= int(match[2]) < self._stop:
            raise RetryableError(f"Content-Range {header!r}, where bytes {self._at}-{self._stop - 1} were asked for")
        self._check_size(match[3])

    def _check_size(self, size: str) -> None:
        if size not in ("", "*") and size != str(self._file.size):
            msg = f"{self._file.place} has {size:.30} bytes, but was listed with {self._file.size}; list it again"
            raise UpstreamError(msg)
