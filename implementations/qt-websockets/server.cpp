// Echo server on Qt WebSockets. What the environment does not set keeps the library's default.
#include <QCoreApplication>
#include <QHostAddress>
#include <QWebSocket>
#include <QWebSocketCorsAuthenticator>
#include <QWebSocketServer>
#include <csignal>
#include <unistd.h>

int main(int count, char** arguments) {
    std::signal(SIGTERM, [](int) { _exit(0); });
    QCoreApplication application(count, arguments);
    QWebSocketServer server("echo", QWebSocketServer::NonSecureMode);
    if (qEnvironmentVariableIsSet("HANDSHAKE_TIMEOUT"))
        server.setHandshakeTimeout(int(qgetenv("HANDSHAKE_TIMEOUT").toDouble() * 1000));
    if (qEnvironmentVariableIsSet("ALLOWED_ORIGIN"))
        QObject::connect(&server, &QWebSocketServer::originAuthenticationRequired, [](auto* authenticator) {
            authenticator->setAllowed(authenticator->origin() == qEnvironmentVariable("ALLOWED_ORIGIN"));
        });
    QObject::connect(&server, &QWebSocketServer::newConnection, [&server] {
        QWebSocket* socket = server.nextPendingConnection();
        if (qEnvironmentVariableIsSet("MAX_FRAME_SIZE"))
            socket->setMaxAllowedIncomingFrameSize(qgetenv("MAX_FRAME_SIZE").toULongLong());
        if (qEnvironmentVariableIsSet("MAX_MESSAGE_SIZE"))
            socket->setMaxAllowedIncomingMessageSize(qgetenv("MAX_MESSAGE_SIZE").toULongLong());
        QObject::connect(socket, &QWebSocket::textMessageReceived, socket, &QWebSocket::sendTextMessage);
        QObject::connect(socket, &QWebSocket::binaryMessageReceived, socket, &QWebSocket::sendBinaryMessage);
        QObject::connect(socket, &QWebSocket::disconnected, socket, &QWebSocket::deleteLater);
    });
    const QHostAddress host(qEnvironmentVariable("HOST", "127.0.0.1"));
    if (!server.listen(host, qEnvironmentVariable("PORT", "9001").toUShort())) qFatal("cannot listen");
    return application.exec();
}
