"""Behaves like `wstest --mode fuzzingclient` 25.10.1 as far as a harness can see, without testing anything.

It connects once for each case, gives up at the first refused connection, writes its output only at the end, and
always exits 0. FAKE_WSTEST, words separated by commas, makes it misbehave:
hang=ID (for ever in this case), skip=ID (no verdict), fail=ID (FAILED), crash=ID (exit 1), version=V, flood=ID
"""

import json
import os
import re
import socket
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

faults: dict[str, set[str]] = {}
for word in filter(None, os.environ.get("FAKE_WSTEST", "").split(",")):
    fault, _, value = word.partition("=")
    faults.setdefault(fault, set()).add(value)


def connect(url: str) -> bool:
    """Whether the peer shook hands; OSError if nobody listens."""
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname, parts.port), 5) as peer:
        peer.settimeout(5)
        try:
            peer.sendall(
                f"GET / HTTP/1.1\r\nHost: {parts.netloc}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
            )
            answer = peer.recv(4096)
            peer.sendall(b"\x88\x82\0\0\0\0\x03\xe8")
            return answer.startswith(b"HTTP/1.1 101")
        except OSError:
            return False


def record(case: str, ok: bool) -> dict[str, object]:
    return {
        "id": case,
        "behavior": "OK" if ok else "FAILED",
        "behaviorClose": "OK" if ok else "FAILED",
        "description": "Sends <b>nothing</b>.<br>&lt;tag&gt;",
        "expectation": "Nothing.",
        "result": "Actual events match at least one expected.",
        "resultClose": "Connection was properly closed",
        "expected": {"OK": []},
        "expectedClose": {"closeCode": [1000], "closedByMe": True, "requireClean": True},
        "received": [],
        "httpRequest": "GET / HTTP/1.1\r\n\r\n",
        "httpResponse": "HTTP/1.1 101 Switching Protocols\r\n\r\n",
        "wasClean": ok,
        "wasNotCleanReason": None,
        "closedByMe": True,
        "failedByMe": False,
        "droppedByMe": False,
        "localCloseCode": 1000,
        "localCloseReason": None,
        "remoteCloseCode": 1000 if ok else None,
        "remoteCloseReason": None,
        "wirelog": [["TO", [8, "888200000000"], False], ["KL", 1]],
    }


def main() -> None:
    if "-a" in sys.argv:
        version = next(iter(faults.get("version", ["25.10.1"])))
        print(f"Autobahn 0.10.9\nAutobahnTestSuite {version}")
        return
    spec = json.loads(Path(sys.argv[sys.argv.index("--spec") + 1]).read_text())
    server = spec["servers"][0]
    agent = server["agent"]
    outdir = Path(spec["outdir"])
    index = {}
    for case in spec["cases"]:
        try:
            answered = connect(server["url"])
        except OSError:
            print(f"Connection to {server['url']} failed (Connection was refused by other side: 111.)", flush=True)
            break
        print(f"Running test case ID {case} for agent {agent} from peer tcp4:127.0.0.1", flush=True)
        if case in faults.get("hang", ()):
            time.sleep(3600)
        if case in faults.get("crash", ()):
            sys.exit("Traceback: crashed")
        if case in faults.get("skip", ()):
            continue
        verdict = record(case, answered and case not in faults.get("fail", ()))
        name = re.sub(r"[^a-z0-9]", "_", agent.lower()) + "_case_" + case.replace(".", "_")
        (outdir / f"{name}.json").write_text(json.dumps(verdict))
        (outdir / f"{name}.html").write_text("<html></html>")
        index[case] = {
            "behavior": verdict["behavior"],
            "behaviorClose": verdict["behaviorClose"],
            "remoteCloseCode": verdict["remoteCloseCode"],
            "duration": 1,
            "reportfile": f"{name}.json",
        }
    (outdir / "index.json").write_text(json.dumps({agent: index} if index else {}))


main()
