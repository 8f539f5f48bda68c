"""Where files of the hub lie on its CDN: the signed address that a redirect leads to, remembered while it is valid.

The hub limits the requests of a client in every five minutes, and answers each request for a large file with a
redirect. A process that reads eleven shards per second would use up 3,300 requests of that limit in five minutes. So
the address is asked for once per file, by a HEAD request while the stream is planned, and used until it is about to
expire or is refused; then the hub is asked again. That also saves a round trip per shard.

An address opens the file to anyone who has it, so it is used without the token and never leaves the process by
pickling. A forked process inherits the addresses of its parent, a spawned one asks for its own.
"""

from __future__ import annotations

import calendar
import logging
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from time import strptime, time
from urllib.parse import parse_qs, urlsplit

from sera_swezero.hub.background import within
from sera_swezero.hub.hub_file import HubFile
from sera_swezero.hub.retry import in_words
from sera_swezero.hub.session import TIMEOUT, send

_LOG = logging.getLogger("sera_swezero")

_UNDATED = 600.0  # seconds for which an address without an expiry date is kept
_MARGIN = 60.0  # seconds before its expiry in which an address is no longer used, because clocks differ


class CdnAddresses:
    """The addresses that a process knows."""

    def __init__(self) -> None:
        self._known: dict[HubFile, tuple[str, float]] = {}  # (address, time in seconds until which it is used)

    def look_up(self, files: Iterable[HubFile]) -> None:
        """Ask for the addresses of files that have none, eight at a time. A failure is left for reading to meet."""
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(self._ask, [file for file in files if self.get(file) is None]))

    def get(self, file: HubFile) -> str | None:
        """The address of a file, None if none is known that is still valid."""
        address, until = self._known.get(file, (None, 0.0))
        return address if time() < until else None

    def remember(self, file: HubFile, address: str) -> None:
        """Keep the address that a redirect led to, unless it is on the hub itself."""
        url, hub = urlsplit(address), urlsplit(file.endpoint)
        if url.scheme in {"http", "https"} and url.netloc != hub.netloc:
            self._known[file] = (address, _expiry(url.query) - _MARGIN)

    def forget(self, file: HubFile) -> None:
        """Have the hub asked next time."""
        self._known.pop(file, None)

    def _ask(self, file: HubFile) -> None:
        def ask() -> None:
            with send("HEAD", file.url, token=file.token, follow=False) as answer:
                self.remember(file, answer.headers.get("Location", ""))

        try:
            within(TIMEOUT, ask)
        except Exception as error:  # noqa: BLE001 (errors of the transport share no class; reading will name it)
            _LOG.info("%s: no address beforehand: %s", file.place, in_words(error))


ADDRESSES = CdnAddresses()
"""The addresses of this process."""


def _expiry(query: str) -> float:
    """When a signed address expires, in seconds since 1970: CloudFront's `Expires`, or S3's date and seconds."""
    fields = {name: values[-1] for name, values in parse_qs(query).items()}
    try:
        if "Expires" in fields:
            return float(fields["Expires"])
        signed = calendar.timegm(strptime(fields["X-Amz-Date"], "%Y%m%dT%H%M%SZ"))
        return signed + float(fields["X-Amz-Expires"])
    except (KeyError, ValueError):
        return time() + _UNDATED + _MARGIN
