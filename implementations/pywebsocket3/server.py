"""Run pywebsocket3's standalone server with the handlers of this folder."""

import os
from pathlib import Path

from pywebsocket3 import standalone

if __name__ == "__main__":
    host, port = os.environ.get("HOST", "127.0.0.1"), os.environ.get("PORT", "9001")
    handlers = str(Path(__file__).parent / "handlers")
    standalone._main(["-H", host, "-p", port, "-d", handlers, "-w", handlers, "--log-level", "critical"])  # noqa: SLF001
