"""The one HTTP session with which the hub is read, and what goes wrong with it in words.

It is made by whatever makes the sessions of the hub's client, so proxies, certificates and offline mode are the user's.
It is a session of our own all the same: the client closes its session for everyone in the process when one of its
connections fails, and nobody else in the process should get our time limits.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, TypeVar

import huggingface_hub  # its parts are imported where they are needed: reading from a root needs none of them
import msgspec

from sera_swezero.errors import UpstreamError
from sera_swezero.hub import retry
from sera_swezero.hub.background import within
from sera_swezero.hub.retry import RetryPolicy, SteadyError, in_words, is_transient, status_of, with_retries

_T = TypeVar("_T")

TIMEOUT = 30.0
"""Seconds to connect, and between two pieces of a body."""

PATIENCE = 60.0
"""Seconds within which an answer must bring its head and a page of JSON, or its head and `LEAST` bytes of a file."""

LEAST = 16 * 1024
"""Bytes of a file that must arrive in every `PATIENCE` seconds of waiting for them. A modem brings 400 KB a minute."""

REFUSAL = "the token is refused: set HF_TOKEN to a valid one, or log in again (`hf auth login`)"

_LONGEST_JSON = 32 * 1024 * 1024
"""The most bytes of a page of JSON. A page of a listing has about 300 KB."""

_PIECE = 64 * 1024


class Answer:
    """An HTTP answer of requests or of httpx, whose body has not been read yet."""

    def __init__(self, response: Any, pieces: Generator[bytes]) -> None:
        self.response = response
        """The library's own object."""
        self.pieces = pieces
        """The body as it arrives, in pieces of any size."""
        self.status = int(response.status_code)
        """The HTTP status."""
        self.headers: Mapping[str, str] = response.headers
        """The headers, by name in any case."""
        self.url = str(response.url)
        """Where the answer came from, after all redirects."""
        self.redirected = bool(response.history)
        """Whether a redirect led here."""

    def raise_for_status(self) -> None:
        """Raise the client's own error for a status of 400 or more: gated, no such repo, ..."""
        from huggingface_hub.utils import hf_raise_for_status  # type: ignore[attr-defined]

        if self.status >= 400 and hasattr(self.response, "read"):
            self.response.read()  # the error of httpx says more once the body is read
        hf_raise_for_status(self.response)

    def decoded(self) -> Iterator[bytes]:
        """The body without its compression, in pieces of any size."""
        response = self.response
        yield from response.iter_bytes() if hasattr(response, "iter_bytes") else response.iter_content(_PIECE)


@contextmanager
def send(
    method: str, url: str, *, token: str | bool | None, headers: Mapping[str, str] | None = None, follow: bool = True
) -> Iterator[Answer]:
    """Send a request, following redirects if `follow`, and wait for the head of its answer.

    The token is given as huggingface_hub takes it. It is sent to this host alone, and not to another one that a
    redirect leads to.
    """
    from huggingface_hub.utils import build_hf_headers  # type: ignore[attr-defined]

    # "identity", because a range of compressed bytes could not be resumed.
    own = {
        "Accept-Encoding": "identity",
        **build_hf_headers(token=token, library_name="sera-swezero"),
        **(headers or {}),
    }
    session = _session(_factory(), os.getpid())
    if callable(getattr(session, "stream", None)):
        with session.stream(method, url, headers=own, timeout=TIMEOUT, follow_redirects=follow) as response:
            yield Answer(response, response.iter_raw())
    else:
        with session.request(
            method, url, headers=own, timeout=TIMEOUT, allow_redirects=follow, stream=True
        ) as response:
            yield Answer(response, _pieces(response.raw))


def _pieces(raw: Any) -> Generator[bytes]:
    """The body of an answer of requests as it arrives. urllib3 before 2.2 gives a piece only once it is whole."""
    read = getattr(raw, "read1", raw.read)
    while piece := read(_PIECE, decode_content=False):
        yield piece


def promptly(request: Callable[[], _T], late: Callable[[_T], object] = bool) -> _T:
    """The result of a request, unless it takes longer than `PATIENCE`, even if bytes trickle in all the time.

    Args:
        request: sends the request and waits for its answer.
        late: gets a result that comes later, to close it.

    Raises:
        SteadyError: the request takes longer; otherwise whatever the request raises.
    """
    try:
        return within(PATIENCE, request, late)
    except TimeoutError as error:
        msg = f"within {PATIENCE:g} s less than a page of JSON arrived, or fewer than {LEAST} bytes of a file"
        raise SteadyError(msg) from error


def get_json(
    url: str, what: str, kind: type[_T], *, token: str | bool | None, policy: RetryPolicy
) -> tuple[_T, str | None]:
    """The JSON at a URL of the hub, and the URL of the next page if there is one.

    Args:
        url: where it is.
        what: its name, for the log and for errors.
        kind: the type that it must have, for msgspec.
        token: as `send` takes it.
        policy: how often to ask.

    Raises:
        HfHubHTTPError: the hub refuses it.
        UpstreamError: the answer is not JSON of this type, is too long, or takes too long.
        Exception: whatever the transport raised in the last attempt.
    """

    def ask() -> tuple[_T, str | None]:
        with send("GET", url, token=token) as answer:
            answer.raise_for_status()
            body = bytearray()
            for piece in answer.decoded():
                body += piece
                if len(body) > _LONGEST_JSON:
                    msg = f"{what}: the answer of {url} is longer than {_LONGEST_JSON} bytes; expected a page of JSON"
                    raise UpstreamError(msg)
            try:
                found = msgspec.json.decode(body, type=kind)
            except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
                msg = f"{what}: {url} did not answer with the JSON of the hub: {error}; it begins {bytes(body[:40])!r}"
                raise UpstreamError(msg) from None
            return found, answer.response.links.get("next", {}).get("url")

    return with_retries(lambda: promptly(ask), what, policy)


@lru_cache(maxsize=1)
def _session(factory: Callable[[], Any], process: int) -> Any:
    """One session per process, since connections do not survive a fork, and per factory, which the user may change."""
    del process
    return factory()


def _factory() -> Callable[[], Any]:
    """What the hub's client makes its sessions with, as set by `configure_http_backend` (0.x) or `set_client_factory`.

    If a later client keeps it elsewhere, the client's own session is used instead, without changing it.
    """
    from huggingface_hub.utils import _http

    names = ("_GLOBAL_CLIENT_FACTORY", "_GLOBAL_BACKEND_FACTORY")
    found = [getattr(_http, name) for name in names if hasattr(_http, name)]
    return found[0] if found else huggingface_hub.get_session


def is_offline() -> bool:
    """Whether the hub must not be asked: `HF_HUB_OFFLINE` is set, or `HF_DATASETS_OFFLINE`, which `datasets` heeds."""
    from huggingface_hub import constants

    return constants.HF_HUB_OFFLINE or os.environ.get("HF_DATASETS_OFFLINE", "").upper() in {"1", "ON", "YES", "TRUE"}


@contextmanager
def explained(repo: str, place: str) -> Iterator[None]:
    """Say in words what goes wrong inside: errors of the hub and of its transport become an UpstreamError.

    Args:
        repo: the id of the dataset repo that is read.
        place: what is asked for: a repo at a revision, or a file.
    """
    try:
        yield
    except UpstreamError:
        raise
    except Exception as error:
        problem = _problem(error, repo, place)
        if problem is None:
            raise
        raise UpstreamError(problem) from error


def _problem(error: Exception, repo: str, place: str) -> str | None:
    """What the error means; None for an error that comes neither from the hub nor from its transport."""
    from huggingface_hub import constants
    from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, RepositoryNotFoundError, RevisionNotFoundError

    hub = constants.ENDPOINT
    if isinstance(error, GatedRepoError):
        return f"{repo} is gated: ask for access on its page, then log in (`hf auth login`) or set HF_TOKEN"
    if isinstance(error, RevisionNotFoundError):
        return f"{place}: there is no such revision; expected a branch, a tag or a commit of {repo}"
    if isinstance(error, RepositoryNotFoundError):
        return f"{repo}: no such dataset on {hub}, or it is private and the token has no access"
    transient = is_transient(error)
    if isinstance(error, HfHubHTTPError) and not transient:
        refusal = REFUSAL if status_of(error) == 401 else f"the hub refuses it: {in_words(error)}"
        return f"{place}: {refusal}"
    if isinstance(error, OSError | ValueError) or transient:
        attempts = f" in {retry.READING.attempts} attempts" if transient else ""
        return f"{place}: the hub at {hub} did not answer as expected{attempts}: {in_words(error)}"
    return None
