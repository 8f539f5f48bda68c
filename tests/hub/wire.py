"""HTTP/1.1 on sockets: reads requests, lets the faults happen, sends answers. Knows nothing about datasets."""

from __future__ import annotations

import contextlib
import gzip
import socket
import struct
import sys
import threading
import traceback
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.hub.faults import Fault, Faults, Kind
from tests.hub.log import Log, Request
from tests.hub.messages import Answer, Ask, Body, RefusalError, Span

Dispatch = Callable[[Ask], Answer]


class Server(ThreadingHTTPServer):
    """One listening socket of the hub, for one kind of host."""

    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, port: int, host_kind: str, dispatch: Dispatch, faults: Faults, log: Log) -> None:
        self.host_kind, self.dispatch, self.faults, self.log = host_kind, dispatch, faults, log
        self.stopping = threading.Event()
        self._sockets: set[socket.socket] = set()
        self._sockets_lock = threading.Lock()
        super().__init__(("127.0.0.1", port), Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Remember the connection, so that `stop` can end it."""
        with self._sockets_lock:
            self._sockets.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Forget the connection."""
        with self._sockets_lock:
            self._sockets.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is not an error of the hub; anything else is printed as usual."""
        if not isinstance(sys.exception(), (ConnectionError, TimeoutError)):
            super().handle_error(request, client_address)

    def stop(self) -> None:
        """Stop listening and cut every open connection, as a killed process would."""
        self.stopping.set()
        self.shutdown()
        self.server_close()
        with self._sockets_lock:
            for connection in self._sockets:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)


class Handler(BaseHTTPRequestHandler):
    """One connection. Answers are buffered and Nagle is off: without both, a request costs a delayed ACK of 40 ms."""

    protocol_version = "HTTP/1.1"
    server_version = "LoopbackHub"
    sys_version = ""
    wbufsize = 1 << 16
    disable_nagle_algorithm = True
    server: Server

    def log_message(self, *args: Any) -> None:
        """Silent: the request log has it all."""

    def handle_expect_100(self) -> bool:
        """Let a client that asks first send its body, at once in spite of the buffer."""
        going_on = super().handle_expect_100()
        self.wfile.flush()
        return going_on

    def serve(self) -> None:
        """Take one request from arrival to its logged end."""
        url = urlsplit(self.path)
        query = parse_qs(url.query, keep_blank_values=True)
        body = Body(self.rfile, self.headers)  # type: ignore[arg-type]
        ask = Ask(self.server.host_kind, self.command, url.path, query, self.headers, body)
        authorized = "Authorization" in self.headers
        request = Request(ask.host, ask.method, ask.path, url.query, self.headers.get("Range"), authorized)
        self.server.log.open(request)
        try:
            self._exchange(ask, request)
        except ConnectionError:
            self.close_connection = True
        finally:
            request.received = ask.body.received

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = serve  # noqa: N815

    def _exchange(self, ask: Ask, request: Request) -> None:
        faults = self.server.faults.take(ask)
        request.faults = [str(kind) for kind in faults]
        if "latency" in faults:
            self._wait(faults["latency"].seconds)
        if "stall" in faults and faults["stall"].after is None:
            self._wait(faults["stall"].seconds)
        if "hook" in faults and (hook := faults["hook"].hook):
            hook(ask)
            self._wait(0)  # a hook that stops the hub stops it before the request is handled
        if "reset_before" in faults:
            self._reset()
            return
        answer = self._handled(ask, faults)
        for _ in ask.body.pieces():  # what a handler left unread would be taken for the next request
            pass
        request.received = ask.body.received
        if "reset_after" in faults:
            self._reset()
            return
        self._send(ask, answer, faults, request)

    def _handled(self, ask: Ask, faults: dict[Kind, Fault]) -> Answer:
        if "status" in faults:
            fault = faults["status"]
            answer = RefusalError(fault.status, message=f"injected fault {fault.status}").answer
            if fault.retry_after is not None:
                answer.headers["Retry-After"] = str(fault.retry_after)
            return answer
        wanted = ask.headers.get("Range", "")
        if "ignore_range" in faults:
            del ask.headers["Range"]
        elif "wrong_content_range" in faults and wanted:
            first, _, last = wanted.removeprefix("bytes=").partition("-")
            ask.headers.replace_header(
                "Range", f"bytes={int(first or 0) + (faults['wrong_content_range'].after or 1)}-{last}"
            )
        try:
            answer = self.server.dispatch(ask)
        except RefusalError as refusal:
            answer = refusal.answer
        except ConnectionError:
            raise
        except Exception:  # noqa: BLE001  a mistake of the hub must be seen, not hang its client
            traceback.print_exc()
            answer = Answer(500, {"X-Error-Message": "the loopback hub failed, see its stderr"})
        if "compressed" in faults and answer.status in {200, 206}:
            body = b"".join(answer.body.pieces()) if isinstance(answer.body, Span) else answer.body
            answer = Answer(answer.status, answer.headers | {"Content-Encoding": "gzip"}, gzip.compress(body, 1))
        if "stale_redirect" in faults and "Location" in answer.headers:
            joint = "&" if "?" in answer.headers["Location"] else "?"
            answer.headers["Location"] += f"{joint}expired={faults['stale_redirect'].status}"
        return answer

    def _send(self, ask: Ask, answer: Answer, faults: dict[Kind, Fault], request: Request) -> None:
        request.status = answer.status
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(answer.length))
        slow = faults.get("bandwidth")
        if slow and slow.after is None:
            head, self._headers_buffer = b"".join(self._headers_buffer), []
            self._trickle(head, slow)
        self.end_headers()
        if ask.method == "HEAD":
            return
        cut = next((faults[kind] for kind in _CUTS if kind in faults), None)
        limit = answer.length if cut is None else min(cut.after or 1024, answer.length // 2)
        self._write(answer, 0, limit, faults, request)
        if cut is None or limit == answer.length:
            return
        self.wfile.flush()
        if cut.kind == "stall":
            self._wait(cut.seconds)
            self._write(answer, limit, answer.length, faults, request)
        elif cut.kind == "reset_mid_body":
            self._wait(0.05)  # a reset that overtakes the data would hide it from the client
            self._reset()
        self.close_connection = True

    def _write(self, answer: Answer, start: int, stop: int, faults: dict[Kind, Fault], request: Request) -> None:
        body = answer.body
        if isinstance(body, Span):
            pieces = Span(body.path, body.start + start, body.start + stop).pieces()
        else:
            pieces = iter([body[start:stop]])
        slow = faults.get("bandwidth")
        for piece in pieces:
            free = max(0, (slow.after or 0) - start) if slow else len(piece)
            request.sent += len(piece)
            self.wfile.write(piece[:free])
            if slow:
                self._trickle(piece[free:], slow)
            start += len(piece)

    def _trickle(self, data: bytes, slow: Fault) -> None:
        """Write in small slices, at a limited bandwidth: it trickles instead of coming in gushes."""
        step = max(1, min(16 << 10, slow.bytes_per_second // 10))
        for at in range(0, len(data), step):
            self.wfile.write(data[at : at + step])
            self.wfile.flush()
            self._wait(len(data[at : at + step]) / slow.bytes_per_second)

    def _wait(self, seconds: float) -> None:
        if self.server.stopping.wait(seconds):
            raise ConnectionAbortedError("the hub is stopping")

    def _reset(self) -> None:
        """Close with RST instead of FIN."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()
        self.wfile = _Nowhere()  # type: ignore[assignment]


_CUTS: tuple[Kind, ...] = ("truncated", "reset_mid_body", "stall")


class _Nowhere:
    """Takes the place of a reset connection's writer: the base class still flushes and closes it."""

    closed = True

    def flush(self) -> None:
        """Nothing to do."""

    def close(self) -> None:
        """Nothing to do."""
