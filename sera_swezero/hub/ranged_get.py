"""Bytes of a file on the hub by one streamed ranged GET, resumed at the last byte where it breaks off.

The hub client's own session carries it, so proxies, certificates, redirects and the token's rules are the user's: the
token goes to the hub and is taken off where a redirect leads to another host. Where the address behind the redirect is
known (`addresses`), it is asked at once, without the token. The client's own retries differ by version (0.34 retries no
429, none goes on inside a body), so this module asks again by itself, the same way with all of them:

* connection refused, reset or silent for 30 s, 408, 429 and 5xx: again, after the seconds that the answer names
  (`Retry-After`, or `t=` of the hub's `RateLimit`), else after 0.5, 1, 2 ... 30 s;
* a body that breaks off or ends early: again, from the first byte that is missing;
* an address that has expired: again, from the hub, which signs a fresh one;
* a range other than the one asked for, or the whole file: again; an answer of that kind is never read from.

`retry.ATTEMPTS` in a row without a single byte are an UpstreamError; a file of another size than listed is one at once.
"""

from __future__ import annotations

import logging
import re
import weakref
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from importlib import import_module
from itertools import chain
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import huggingface_hub  # its parts are imported where they are needed: who reads a root has no use for them

from sera_swezero.errors import UpstreamError
from sera_swezero.hub import cdn_addresses, retry
from sera_swezero.hub.retry import AgainError, named_wait, told

_LOG = logging.getLogger("sera_swezero")

_TIMEOUT = 30.0  # seconds to connect, and between two pieces of a body
_PIECE = 64 * 1024  # requests loses an unfinished piece when the connection drops; httpx gives what there is
_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)")
_EXPIRED = frozenset({400, 401, 403, 404, 410})
_BUSY = frozenset({408, 425, 429})


class Remote(NamedTuple):
    """A file on the hub: endpoint, dataset repo, path inside it, commit, size in bytes as listed, token."""

    endpoint: str
    repo: str
    path: str
    commit: str
    size: int
    token: str | bool | None

    @property
    def place(self) -> str:
        """Repo and path, for messages."""
        return f"{self.repo}/{self.path}"

    @property
    def url(self) -> str:
        """Where the hub gives it, or redirects from."""
        return huggingface_hub.hf_hub_url(
            self.repo, self.path, repo_type="dataset", revision=self.commit, endpoint=self.endpoint
        )


class _ExpiredError(AgainError):
    """The address on the CDN is refused; the hub gives a fresh one."""


class RangedGet:
    """The bytes [start, stop) of a remote file, as an iterator over pieces of any size; use it once.

    `open` sends the request and waits for the first bytes; without it, iterating does. It may be called in another
    thread, so that the latency passes while something else is done.

    Raises:
        UpstreamError: missing, refused, changed since it was listed, or not to be had after `retry.ATTEMPTS` attempts.
    """

    def __init__(self, remote: Remote, start: int, stop: int) -> None:
        self._remote = remote
        self._at, self._stop = start, stop
        self._pieces: Iterator[bytes] | None = None
        self._let_go: Callable[[], object] = bool
        self._broken = _transport_errors()
        self._again: tuple[type[Exception], ...] = (AgainError, *self._broken)

    def open(self) -> None:
        """Send the request, as often as it takes, and wait for the first bytes."""
        if self._pieces is not None or self._at >= self._stop:
            return
        from huggingface_hub.errors import GatedRepoError, HfHubHTTPError

        try:
            self._pieces = retry.retrying(self._again, self._remote.place)(self._request)
        except self._again as error:
            msg = (
                f"{self._remote.place}: bytes {self._at} to {self._stop} are not to be had from "
                f"{self._remote.endpoint} after {retry.ATTEMPTS} attempts; the last one: {told(error)}"
            )
            raise UpstreamError(msg) from error
        except GatedRepoError as error:
            page = f"{self._remote.repo} is gated: ask for access on its page"
            msg = f"{page}, then log in (`hf auth login`) or set HF_TOKEN"
            raise UpstreamError(msg) from error
        except HfHubHTTPError as error:
            msg = f"{self._remote.place} at {self._remote.commit}: the hub refuses it: {told(error)}"
            raise UpstreamError(msg) from error

    def __iter__(self) -> Iterator[bytes]:
        try:
            while self._at < self._stop:
                self.open()
                yield from self._body()
        finally:
            self.close()

    def drain(self) -> None:
        """Read what is left of the answer under way and drop it: cheaper than another connection if it is little."""
        try:
            for _ in self._pieces or ():
                pass
        except self._broken:
            pass
        self.close()

    def close(self) -> None:
        """Let go of the connection; unread bytes are dropped with it."""
        self._pieces = None
        self._let_go()

    def _body(self) -> Iterator[bytes]:
        """Pieces of the answer under way, until it ends or breaks off."""
        try:
            for piece in self._pieces or ():
                wanted = piece[: self._stop - self._at]
                self._at += len(wanted)
                yield wanted
                if len(wanted) < len(piece):
                    break
        except self._broken as error:
            _LOG.info("%s: broke off at byte %d (%s); going on from there", self._remote.place, self._at, told(error))
        self.close()

    def _request(self) -> Iterator[bytes]:
        """Ask once, the CDN if its address is known; gives the pieces of an answer that begins at the byte wanted."""
        address = cdn_addresses.known(self._remote)
        if address is not None:
            try:
                return self._ask(address, direct=True)
            except self._again as error:
                cdn_addresses.forget(self._remote)
                if not isinstance(error, _ExpiredError):
                    raise
        return self._ask(self._remote.url, direct=False)

    def _ask(self, url: str, *, direct: bool) -> Iterator[bytes]:
        from huggingface_hub.utils import build_hf_headers  # type: ignore[attr-defined]

        headers = build_hf_headers(token=False if direct else self._remote.token, library_name="sera-swezero")
        # identity: a range of compressed bytes could not be resumed.
        headers |= {"Range": f"bytes={self._at}-{self._stop - 1}", "Accept-Encoding": "identity"}
        with ExitStack() as stack:
            response, pieces = stack.enter_context(_get(url, headers))
            stack.callback(pieces.close)
            self._check(response, redirected=direct or bool(response.history))
            first = next(pieces, b"")
            if not first:
                raise AgainError("an answer without a body")
            # Also when nobody iterates on, or the process ends with a stream half read.
            self._let_go = weakref.finalize(self, stack.pop_all().close)
        if response.history:
            cdn_addresses.remember(self._remote, str(response.url))
        return chain([first], pieces)

    def _check(self, response: Any, *, redirected: bool) -> None:
        status, headers = response.status_code, response.headers
        if status == 206:
            self._check_range(headers.get("Content-Range", ""))
        elif status == 200 and self._at == 0:
            self._check_size(headers.get("Content-Length", "*"))
        elif status == 200:
            raise AgainError(f"the whole file, where bytes from {self._at} on were asked for")
        elif status == 416:
            self._check_size(headers.get("Content-Range", "").rpartition("/")[2])
            raise AgainError(f"there is no range from byte {self._at} on")
        elif redirected and status in _EXPIRED:
            raise _ExpiredError(f"status {status} from {urlsplit(str(response.url)).netloc}")
        elif status in _BUSY or status >= 500:
            raise AgainError(f"status {status}", named_wait(headers))
        else:
            _ = response.content if not _modern(response) else response.read()
            from huggingface_hub.utils import hf_raise_for_status  # type: ignore[attr-defined]

            hf_raise_for_status(response)
            raise AgainError(f"status {status}, expected 206")

    def _check_range(self, header: str) -> None:
        match = _RANGE.fullmatch(header.strip())
        if match is None or int(match[1]) != self._at or not self._at <= int(match[2]) < self._stop:
            raise AgainError(f"Content-Range {header!r}, where bytes {self._at}-{self._stop - 1} were asked for")
        self._check_size(match[3])

    def _check_size(self, told: str) -> None:
        if told.isdigit() and int(told) != self._remote.size:
            msg = f"{self._remote.place} has {told} bytes, but was listed with {self._remote.size}; list it again"
            raise UpstreamError(msg)


@contextmanager
def _get(url: str, headers: Mapping[str, str]) -> Iterator[tuple[Any, Generator[bytes]]]:
    """Send a GET with the hub client's session, requests' or httpx's; gives the answer and its raw pieces."""
    session: Any = huggingface_hub.get_session()
    if callable(getattr(session, "stream", None)):
        with session.stream("GET", url, headers=headers, timeout=_TIMEOUT, follow_redirects=True) as response:
            yield response, response.iter_raw()
    else:
        with session.get(url, headers=headers, timeout=_TIMEOUT, stream=True) as response:
            yield response, response.iter_content(_PIECE)


def _modern(response: Any) -> bool:
    """Whether the answer is httpx's, not requests'."""
    return hasattr(response, "iter_raw")


def _transport_errors() -> tuple[type[Exception], ...]:
    """What the session in use raises when a connection fails."""
    for kind in type(huggingface_hub.get_session()).__mro__:
        library = kind.__module__.partition(".")[0]
        if library in {"httpx", "httpx2"}:
            return (import_module(library).TransportError,)
        if library == "requests":
            errors = import_module("requests.exceptions")
            return errors.ConnectionError, errors.Timeout, errors.ChunkedEncodingError
    return (OSError,)
