"""A WebSocket server with a fault (FAULT in the environment): shakes hands, echoes nothing, closes when asked to.

exit | silent | http | wrong-accept | die-after N | die-after-once N FILE (and never starts again) | hang-after N |
busy-after N SECONDS (works so long, once) |
stubborn (ignores SIGTERM) | child | daemon (a child that is nobody's any more) | elsewhere (on another port) |
deaf (never listens) | 404 | memory (eats all there is) |
litter (leaves a temporary folder)
"""

import base64
import contextlib
import hashlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

fault, _, argument = os.environ.get("FAULT", "").partition(" ")
if fault == "die-after-once":
    fault = "die-after"
    marker = Path(argument.split()[1])
    if marker.exists():
        sys.exit(3)
    marker.touch()


def shake_hands(peer: socket.socket) -> None:
    request = b""
    while b"\r\n\r\n" not in request:
        chunk = peer.recv(4096)
        if not chunk:
            return
        request += chunk
    key = next(
        line.split(b":")[1].strip() for line in request.split(b"\r\n") if line.lower().startswith(b"sec-websocket-key")
    )
    accept = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
    if fault == "404":
        peer.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
        return
    if fault == "http":
        peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        return
    if fault == "wrong-accept":
        accept = b"x" * 28
    peer.sendall(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
    )
    if peer.recv(4096):
        peer.sendall(b"\x88\x02\x03\xe8")


def serve_one(peer: socket.socket) -> None:
    with peer:
        if fault == "silent":
            peer.recv(1 << 20)
            time.sleep(3600)
        with contextlib.suppress(OSError):
            shake_hands(peer)


def misbehave() -> None:
    if fault == "litter":
        tempfile.mkdtemp()
    if fault == "child":
        subprocess.Popen([sys.executable, "-c", "import time; time.sleep(3600)"], start_new_session=True)
    if fault == "daemon" and os.fork() == 0:
        os.setsid()
        if os.fork():
            os._exit(0)
        time.sleep(3600)
    if fault == "deaf":
        time.sleep(3600)
    if fault == "memory":
        eaten = []
        while True:
            eaten.append(b"x" * (1 << 26))


def main() -> None:
    if fault == "exit":
        print("first line\n\x1b[31mcannot find libfoo.so\x1b[0m")
        sys.exit(3)
    if fault == "taken":
        sys.exit("OSError: [Errno 98] Address already in use")
    if fault == "stubborn":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    misbehave()
    connections = 0
    port = 0 if fault == "elsewhere" else int(os.environ["PORT"])
    with socket.create_server((os.environ["HOST"], port)) as listener:
        while True:
            peer, _ = listener.accept()
            connections += 1
            if fault == "die-after" and connections > int(argument.split()[0]):
                os.kill(os.getpid(), signal.SIGSEGV)
            if fault == "hang-after" and connections > int(argument):
                time.sleep(3600)
            if fault == "busy-after" and connections == int(argument.split()[0]) + 1:
                until = time.process_time() + float(argument.split()[1])
                while time.process_time() < until:
                    pass
            threading.Thread(target=serve_one, args=(peer,), daemon=True).start()


main()
