"""Echo server on Qt's WebSockets, by PySide6. What the environment does not set keeps the library's default."""

import os
import signal

from PySide6.QtCore import QByteArray, QCoreApplication
from PySide6.QtNetwork import QHostAddress
from PySide6.QtWebSockets import QWebSocketCorsAuthenticator, QWebSocketServer


class EchoServer(QWebSocketServer):
    def __init__(self) -> None:
        super().__init__("echo", QWebSocketServer.SslMode.NonSecureMode)
        self.newConnection.connect(self.accept)
        if "ALLOWED_ORIGIN" in os.environ:
            self.originAuthenticationRequired.connect(self.authenticate)
        if "HANDSHAKE_TIMEOUT" in os.environ:
            self.setHandshakeTimeout(int(float(os.environ["HANDSHAKE_TIMEOUT"]) * 1000))

    def authenticate(self, authenticator: QWebSocketCorsAuthenticator) -> None:
        authenticator.setAllowed(authenticator.origin() == os.environ["ALLOWED_ORIGIN"])

    def accept(self) -> None:
        while websocket := self.nextPendingConnection():
            if "MAX_FRAME_SIZE" in os.environ:
                websocket.setMaxAllowedIncomingFrameSize(int(os.environ["MAX_FRAME_SIZE"]))
            if "MAX_MESSAGE_SIZE" in os.environ:
                websocket.setMaxAllowedIncomingMessageSize(int(os.environ["MAX_MESSAGE_SIZE"]))
            websocket.textMessageReceived.connect(self.echo_text)
            websocket.binaryMessageReceived.connect(self.echo_binary)
            websocket.disconnected.connect(websocket.deleteLater)

    def echo_text(self, message: str) -> None:
        self.sender().sendTextMessage(message)

    def echo_binary(self, message: QByteArray) -> None:
        self.sender().sendBinaryMessage(message)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    app = QCoreApplication()
    server = EchoServer()
    if not server.listen(QHostAddress(os.environ.get("HOST", "127.0.0.1")), int(os.environ.get("PORT", "9001"))):
        raise SystemExit(server.errorString())
    app.exec()
