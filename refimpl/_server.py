"""The server: accepts connections, a thread each, and closes all of them when it stops."""

import contextlib
import logging
import selectors
import socket
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from time import monotonic
from types import TracebackType
from typing import Self, TypeAlias

from refimpl._connection import Connection
from refimpl._errors import HandshakeError, UnexpectedError, WebSocketError
from refimpl._handshake import Request, parse_request, refusal_response, split_request, upgrade_response
from refimpl._parameters import Parameters
from refimpl._timekeeper import Timekeeper
from refimpl._websocket import ConcurrentWebSocket, WebSocket

Handler: TypeAlias = Callable[[WebSocket], object]
OnError: TypeAlias = Callable[[WebSocketError], object]

SHUTDOWN_GRACE = 2.0  # seconds that peers have to answer 1001 when the server stops, or close_timeout if less
_CUT_GRACE = 0.5  # seconds that handlers have to notice that they were cut
_REFUSERS = 16  # threads over max_connections that answer 503; beyond them a connection is just closed
_POOL_SIZE = 4  # threads that assemble messages of the concurrent interface
_BACKLOG = 1024
_ALLOCATOR_HINT = 4 * 1024 * 1024  # bytes
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
        self._listener.setblocking(False)
        self.host, self.port = self._listener.getsockname()[:2]
        self._wake_reader, self._wake_writer = socket.socketpair()
        # glibc gives memory back to the kernel as soon as it is free, and a large message would fault it in
        # again page by page; an allocation of this size, once freed, raises that threshold.
        bytes(_ALLOCATOR_HINT)
        self._lock = threading.Lock()
        self._threads: dict[threading.Thread, Connection] = {}
        self._websockets: dict[threading.Thread, WebSocket] = {}
        self._refusing = 0
        self._stopping = False
        self._timekeeper = Timekeeper()
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

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.shutdown()

    def stop(self) -> None:
        """Make `serve_forever` return; a signal handler may call it."""
        with contextlib.suppress(OSError):
            self._wake_writer.send(b"\0")

    def serve_forever(self) -> None:
        """Accept connections until `stop`."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._listener, selectors.EVENT_READ)
            selector.register(self._wake_reader, selectors.EVENT_READ)
            while not any(key.fileobj is self._wake_reader for key, _ in selector.select()):
                try:
                    sock, _ = self._listener.accept()
                except (BlockingIOError, ConnectionError):
                    continue  # the peer gave up before it was accepted
                except OSError as error:
                    logger.warning("cannot accept a connection: %s", error)
                    self._wake_reader.settimeout(_OUT_OF_DESCRIPTORS_PAUSE)
                    with contextlib.suppress(TimeoutError):
                        self._wake_reader.recv(1, socket.MSG_PEEK)
                    continue
                self._start(sock)

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
            sock.setblocking(True)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection = Connection(sock, self._parameters, self._timekeeper)
            thread = threading.Thread(
                target=self._run, args=(connection, refuse), name="refimpl-connection", daemon=True
            )
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
            self._websockets.pop(thread, None)

    def _run(self, connection: Connection, refuse: bool) -> None:
        try:
            if opened := self._shake_hands(connection, refuse=refuse):
                self._serve(connection, *opened)
        finally:
            connection.finish()
            self._forget(threading.current_thread(), refuse)

    def _serve(self, connection: Connection, request: Request, first: bytes) -> None:
        connection.open()
        websocket = (
            ConcurrentWebSocket(connection, request, first, self._pool)
            if self._pool
            else WebSocket(connection, request, first)
        )
        with self._lock:
            self._websockets[threading.current_thread()] = websocket
            stopping = self._stopping
        if stopping:
            websocket.go_away()
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
        try:
            data = b""
            while not (head := split_request(data, self._parameters.max_handshake_size)):
                more = connection.read()
                if not more:
                    return None
                data += more
            request = parse_request(head[0])
            if refuse:
                status, body = 503, "there are too many connections\n"
            elif self._parameters.accept_connection(request):
                connection.write_raw(upgrade_response(request))
                return request, head[1]
            else:
                status, body = self._parameters.access_denied(request)
            connection.write_raw(refusal_response(status, body))
        except HandshakeError as error:
            with contextlib.suppress(WebSocketError):
                connection.write_raw(refusal_response(error.status, f"{error}\n", error.headers))
        except WebSocketError:
            pass  # the peer is gone
        except Exception as error:  # noqa: BLE001 - accept_connection and access_denied are user code
            unexpected = UnexpectedError(f"the opening handshake raised {type(error).__name__}: {error}")
            unexpected.__cause__ = error
            with contextlib.suppress(WebSocketError):
                connection.write_raw(refusal_response(500, "internal error\n"))
            self._on_error(unexpected)
        return None

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
            self._stopping = True
            threads = dict(self._threads)
            for websocket in self._websockets.values():
                websocket.go_away()
            for thread in threads.keys() - self._websockets.keys():
                threads[thread].cut()  # still in the opening handshake
        self._join(threads, min(self._parameters.close_timeout or SHUTDOWN_GRACE, SHUTDOWN_GRACE))
        for connection in threads.values():
            connection.cut()
        self._join(threads, _CUT_GRACE)
        self._timekeeper.stop()
        if self._pool:
            self._pool.shutdown(wait=False)
        self._wake_reader.close()
        self._wake_writer.close()

    @staticmethod
    def _join(threads: dict[threading.Thread, Connection], seconds: float) -> None:
        end = monotonic() + seconds
        for thread in threads:
            thread.join(max(0.0, end - monotonic()))
