"""The server: accepts connections, a thread each, and closes all of them when it stops."""

import contextlib
import logging
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from time import monotonic
from typing import Self, TypeAlias

from refimpl._connection import LINGER_SECONDS, Connection
from refimpl._errors import HandshakeError, UnexpectedError, WebSocketError
from refimpl._handshake import Request, parse_request, refusal_response, split_request, upgrade_response
from refimpl._parameters import Parameters
from refimpl._websocket import ConcurrentWebSocket, WebSocket

Handler: TypeAlias = Callable[[WebSocket], object]
OnError: TypeAlias = Callable[[WebSocketError], object]

SHUTDOWN_GRACE = 2.0  # seconds that peers have to answer 1001 when the server stops, or close_timeout if less
_CUT_GRACE = 0.5  # seconds that handlers have to notice that they were cut
_REFUSERS = 16  # threads over max_connections that answer 503; beyond them a connection is just closed
_POOL_SIZE = 4  # threads that assemble messages of the concurrent interface
_BACKLOG = 1024
_THREAD_NAME = "refimpl-connection"
_ALLOCATOR_HINT = 4 * 1024 * 1024  # bytes
_TICK = 0.04  # of the shortest time among the parameters: how late a deadline may be noticed
_LEAST_TICK = 0.001  # seconds
_OUT_OF_DESCRIPTORS_PAUSE = 0.05  # seconds; connections that end meanwhile free some

logger = logging.getLogger("refimpl")


def log_error(error: WebSocketError) -> None:
    """Log an error that no handler can be told, the default `on_error`."""
    logger.error("%s", error, exc_info=error)


class Server:
    """A WebSocket server on a TCP address; port 0 takes a free one.

    As a context manager it serves in the background and shuts down at the end. `handler` is called with
    a `WebSocket`, or a `ConcurrentWebSocket` when `concurrent`, in a thread of the connection's own.
    `on_error` gets, in that thread, UnexpectedError, and with `propagate_common_errors` every error
    that a handler let pass. Raises OSError when the address cannot be listened on.
    """

    def __init__(
        self,
        handler: Handler,
        host: str = "127.0.0.1",
        port: int = 0,
        parameters: Parameters | None = None,
        *,
        concurrent: bool = False,
        on_error: OnError = log_error,
    ) -> None:
        self._handler = handler
        self._parameters = parameters or Parameters()
        self._on_error = on_error
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        self._listener = socket.create_server(address[:2], family=family, backlog=_BACKLOG)
        self._tick = max(_TICK * min(LINGER_SECONDS, *filter(None, self._parameters.times())), _LEAST_TICK)
        self._listener.settimeout(self._tick)
        self._listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # which connections inherit
        self.host, self.port = self._listener.getsockname()[:2]
        # glibc gives memory back to the kernel as soon as it is free, and a large message would fault it in
        # again page by page; an allocation of this size, once freed, raises that threshold.
        bytes(_ALLOCATOR_HINT)
        self._lock = threading.Lock()
        self._threads: dict[threading.Thread, Connection] = {}
        self._refusing = 0
        self._stopping = False
        self._pool = ThreadPoolExecutor(_POOL_SIZE, "refimpl-assemble") if concurrent else None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """The address as a WebSocket URL."""
        return f"ws://{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self.serve_forever, name="refimpl-accept", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()

    def stop(self) -> None:
        """Make `serve_forever` return within 0.2 seconds; a signal handler may call it."""
        self._stopping = True

    def serve_forever(self) -> None:
        """Accept connections, and keep the deadlines of all, until `stop`."""
        due = 0.0
        while not self._stopping:
            try:
                sock, _ = self._listener.accept()
            except (TimeoutError, ConnectionError):
                pass  # nobody came, or gave up before it was accepted
            except OSError as error:
                logger.warning("cannot accept a connection: %s", error)
                time.sleep(_OUT_OF_DESCRIPTORS_PAUSE)
            else:
                self._start(sock)
            if (now := monotonic()) >= due:
                due = now + self._tick
                with self._lock:
                    connections = list(self._threads.values())
                for connection in connections:
                    connection.tick(now)

    def run(self) -> None:
        """Serve until KeyboardInterrupt or `stop`, then shut down."""
        try:
            with contextlib.suppress(KeyboardInterrupt):
                self.serve_forever()
        finally:
            self.shutdown()

    def _start(self, sock: socket.socket) -> None:
        with self._lock:
            refuse = len(self._threads) - self._refusing >= self._parameters.max_connections
            if self._refusing + refuse > _REFUSERS:
                sock.close()
                return
            connection = Connection(sock, self._parameters)
            thread = threading.Thread(target=self._run, args=(connection, refuse), name=_THREAD_NAME, daemon=True)
            self._threads[thread] = connection
            self._refusing += refuse
        try:
            thread.start()
        except RuntimeError as error:  # the system has no more threads
            logger.warning("cannot serve a connection: %s", error)
            connection.cut()
            connection.finish()
            self._forget(thread, refuse)

    def _forget(self, thread: threading.Thread, refuse: bool) -> None:
        with self._lock:
            self._refusing -= refuse
            del self._threads[thread]

    def _run(self, connection: Connection, refuse: bool) -> None:
        try:
            if opened := self._shake_hands(connection, refuse=refuse):
                self._serve(connection, *opened)
        finally:
            connection.finish()
            self._forget(threading.current_thread(), refuse)

    def _serve(self, connection: Connection, request: Request, first: bytes) -> None:
        connection.open()
        if self._stopping:
            connection.go_away()
        websocket = (
            ConcurrentWebSocket(connection, request, first, self._pool)
            if self._pool
            else WebSocket(connection, request, first)
        )
        error: BaseException | None = None
        try:
            self._handler(websocket)
        except BaseException as raised:  # noqa: BLE001 - whatever it is, the connection closes rightly
            error = raised
        told = websocket.conclude(error)
        if told is not None:
            self._on_error(told)

    def _shake_hands(self, connection: Connection, *, refuse: bool) -> tuple[Request, bytes] | None:
        """Read and answer the opening request; None when there will be no WebSocket."""
        opened = None
        try:
            data = b""
            while not (parts := split_request(data, self._parameters.max_handshake_size)):
                more = connection.read()
                if not more:
                    return None
                data += more
            request = parse_request(parts[0])
            if refuse:
                response = refusal_response(503, "there are too many connections\n")
            elif self._parameters.accept_connection(request):
                opened, response = (request, parts[1]), upgrade_response(request)
            else:
                response = refusal_response(*self._parameters.access_denied(request))
        except HandshakeError as error:
            response = refusal_response(error.status, f"{error}\n", error.headers)
        except Exception as error:  # noqa: BLE001 - accept_connection and access_denied are user code
            response = refusal_response(500, "internal error\n")
            self._on_error(UnexpectedError.caused("the opening handshake", error))
        try:
            connection.write(response)
        except WebSocketError:
            return None  # the peer is gone
        return opened

    def shutdown(self) -> None:
        """Stop accepting, close every connection with 1001 and return when all are gone.

        A peer has `close_timeout` to answer, but at most `SHUTDOWN_GRACE` seconds; then it is cut.
        A handler that still runs user code after that is left to itself.
        """
        self.stop()
        if self._thread:
            self._thread.join()
        self._listener.close()
        with self._lock:
            threads = dict(self._threads)
        for connection in threads.values():
            connection.go_away()
        for seconds in (min(self._parameters.close_timeout or SHUTDOWN_GRACE, SHUTDOWN_GRACE), _CUT_GRACE):
            end = monotonic() + seconds
            for thread in threads:
                thread.join(max(0.0, end - monotonic()))
            for connection in threads.values():
                connection.cut()
        if self._pool:
            self._pool.shutdown(wait=False)
