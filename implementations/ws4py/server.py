"""Echo server on ws4py, with its gevent server. What the environment does not set keeps the library's default."""

from gevent import monkey

monkey.patch_all()

import os  # noqa: E402

from ws4py.server.geventserver import WSGIServer  # noqa: E402
from ws4py.server.wsgiutils import WebSocketWSGIApplication  # noqa: E402
from ws4py.websocket import EchoWebSocket  # noqa: E402

if __name__ == "__main__":
    host, port = os.environ.get("HOST", "127.0.0.1"), int(os.environ.get("PORT", "9001"))
    if "PING_INTERVAL" in os.environ:
        EchoWebSocket.heartbeat_freq = float(os.environ["PING_INTERVAL"]) or None
    app = WebSocketWSGIApplication(handler_cls=EchoWebSocket)
    WSGIServer((host, port), app, log=None, error_log=None).serve_forever()
