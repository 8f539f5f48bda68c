"""Where files of the hub lie on its CDN: the signed address that a redirect leads to, remembered while it is valid.

The hub answers every request for a large file with such a redirect: a round trip more for each shard, and one request
more of those that it grants in five minutes. So the address is asked for once a file, by a HEAD in planning, and used
until it is about to expire or is refused; then the hub is asked again. It serves whoever has it, so it is sent without
the token. Addresses are of one process: a forked one has its parent's, a spawned one asks for its own.
"""

from __future__ import annotations

import calendar
import logging
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from time import strptime, time
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import huggingface_hub

from sera_swezero.hub.retry import told

if TYPE_CHECKING:
    from sera_swezero.hub.ranged_get import Remote

_LOG = logging.getLogger("sera_swezero")

_TIMEOUT = 10.0  # seconds; reading asks again anyway, so planning does not wait for long
_UNNAMED = 600.0  # seconds that an address is kept which does not say when it expires
_MARGIN = 60.0  # seconds before that from which on it is not used any more: clocks differ

_known: dict[Remote, tuple[str, float]] = {}  # (address, time in seconds from which on it is not used)


def look_up(remotes: Iterable[Remote]) -> None:
    """Ask for the addresses of files that have none, eight at a time; what goes wrong is left to reading."""
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(_ask, [remote for remote in remotes if known(remote) is None]))


def known(remote: Remote) -> str | None:
    """The address of a file, if there is one that is still valid."""
    address, until = _known.get(remote, (None, 0.0))
    return address if time() < until else None


def remember(remote: Remote, address: str) -> None:
    """Keep the address that a redirect led to; the hub's own is none."""
    url, hub = urlsplit(address), urlsplit(remote.endpoint)
    if url.scheme in {"http", "https"} and url.netloc != hub.netloc:
        _known[remote] = (address, _expiry(url.query) - _MARGIN)


def forget(remote: Remote) -> None:
    """Have the hub asked next time."""
    _known.pop(remote, None)


def _ask(remote: Remote) -> None:
    try:
        found = huggingface_hub.get_hf_file_metadata(
            remote.url, token=remote.token, timeout=_TIMEOUT, library_name="sera-swezero"
        )
    except Exception as error:  # noqa: BLE001 (of the client's or its transport's making; reading meets and names it)
        _LOG.info("%s: no address beforehand: %s", remote.place, told(error))
    else:
        remember(remote, found.location)


def _expiry(query: str) -> float:
    """When a signed address expires, in seconds since 1970: CloudFront's `Expires`, or S3's date and seconds."""
    named = {name: values[-1] for name, values in parse_qs(query).items()}
    try:
        if "Expires" in named:
            return float(named["Expires"])
        signed = calendar.timegm(strptime(named["X-Amz-Date"], "%Y%m%dT%H%M%SZ"))
        return signed + float(named["X-Amz-Expires"])
    except (KeyError, ValueError):
        return time() + _UNNAMED + _MARGIN
