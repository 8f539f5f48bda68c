"""The three servers of a hub: which request goes to which handler, on which port."""

from __future__ import annotations

import re
import threading
from urllib.parse import unquote

from tests.hub import auth, cas, lfs, pulls, read, write
from tests.hub.faults import Faults
from tests.hub.log import Log
from tests.hub.messages import Answer, Ask, RefusalError, Route
from tests.hub.site import Site
from tests.hub.wire import Dispatch, Server

_ROUTES: dict[str, list[Route]] = {
    "hub": [*auth.ROUTES, *read.ROUTES, *write.ROUTES, *pulls.ROUTES, *lfs.ROUTES, *cas.ROUTES],
    "cdn": [*read.CDN_ROUTES, *lfs.CDN_ROUTES, *cas.CDN_ROUTES],
    "cas": [*cas.CAS_ROUTES],
}


class Servers:
    """Starts and stops the servers of a site. A restart takes the same ports, so that it changes no address."""

    def __init__(self, site: Site, faults: Faults, log: Log) -> None:
        self._site, self._faults, self._log = site, faults, log
        self._ports = dict.fromkeys(_ROUTES, 0)
        self._servers: list[Server] = []
        self._lock = threading.Lock()  # a hook may stop the hub while the test already starts it again

    def start(self) -> None:
        """Listen. Raises OSError when a port of the first start is taken."""
        with self._lock:
            for kind, port in self._ports.items():
                server = Server(port, kind, _dispatch(self._site, kind), self._faults, self._log)
                self._servers.append(server)
                self._ports[kind] = server.server_address[1]
                threading.Thread(
                    target=server.serve_forever, args=(0.05,), name=f"loopback-{kind}", daemon=True
                ).start()
            self._site.hub = f"http://127.0.0.1:{self._ports['hub']}"
            self._site.cdn = f"http://localhost:{self._ports['cdn']}"
            self._site.cas = f"http://127.0.0.1:{self._ports['cas']}"

    def stop(self) -> None:
        """Stop at once; open connections are cut."""
        with self._lock:
            for server in self._servers:
                server.stop()
            self._servers.clear()


def _dispatch(site: Site, kind: str) -> Dispatch:
    routes = [(route.method, re.compile(route.pattern), route.handler) for route in _ROUTES[kind]]

    def dispatch(ask: Ask) -> Answer:
        method = "GET" if ask.method == "HEAD" else ask.method
        for wanted, pattern, handler in routes:
            if wanted == method and (match := pattern.fullmatch(ask.path)):
                named = {name: value for name, value in match.groupdict().items() if value is not None}
                # `rest` is split into revision and path first: only then does %2F differ from a slash
                ask.args = {name: value if name == "rest" else unquote(value) for name, value in named.items()}
                return handler(site, ask)
        raise RefusalError(404, message="Sorry, we can't find the page you are looking for.")

    return dispatch
