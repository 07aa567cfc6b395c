"""Echo server on LIBRARY. What the environment does not set keeps the library's default."""

import os

HOST = os.environ.get("HOST", "127.0.0.1")
PORT = int(os.environ.get("PORT", "9001"))
MAX_MESSAGE_SIZE = os.environ.get("MAX_MESSAGE_SIZE")

raise SystemExit(f"fill in: echo every message on {HOST}:{PORT}, text as text and binary as binary")
