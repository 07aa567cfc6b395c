// Echo server on Poco, which hands out frames. What the environment does not set keeps the library's default.
#include <Poco/Net/HTTPRequestHandler.h>
#include <Poco/Net/HTTPRequestHandlerFactory.h>
#include <Poco/Net/HTTPServer.h>
#include <Poco/Net/HTTPServerRequest.h>
#include <Poco/Net/HTTPServerResponse.h>
#include <Poco/Net/NetException.h>
#include <Poco/Net/WebSocket.h>
#include <Poco/ThreadPool.h>
#include <csignal>
#include <cstdlib>

using namespace Poco::Net;

const char* variable(const char* name, const char* otherwise) {
    const char* value = std::getenv(name);
    return value ? value : otherwise;
}

Poco::Timespan seconds(const char* value) {
    return Poco::Timespan::TimeDiff(std::atof(value) * Poco::Timespan::SECONDS);
}

void echo(WebSocket& websocket) {
    if (const char* size = std::getenv("MAX_FRAME_SIZE")) websocket.setMaxPayloadSize(std::atoi(size));
    websocket.setReceiveTimeout(seconds(variable("CONNECTION_TIMEOUT", "0")));
    Poco::Buffer<char> payload(0);
    for (int flags = 0;; payload.resize(0)) {
        const int length = websocket.receiveFrame(payload, flags);
        if (length <= 0 && !flags) return; // the end of the stream, or an empty fragment in the middle of a message
        const int opcode = flags & WebSocket::FRAME_OP_BITMASK;
        if (opcode == WebSocket::FRAME_OP_PONG) continue;
        if (opcode == WebSocket::FRAME_OP_PING) flags = WebSocket::FRAME_FLAG_FIN | WebSocket::FRAME_OP_PONG;
        websocket.sendFrame(payload.begin(), int(payload.size()), flags | WebSocket::FRAME_OP_SETRAW);
        if (opcode == WebSocket::FRAME_OP_CLOSE) return;
    }
}

struct Handler : HTTPRequestHandler {
    void handleRequest(HTTPServerRequest& request, HTTPServerResponse& response) override try {
        WebSocket websocket(request, response);
        try {
            echo(websocket);
        } catch (const WebSocketException& error) {
            if (error.code() == WebSocket::WS_ERR_PAYLOAD_TOO_BIG) websocket.shutdown(WebSocket::WS_PAYLOAD_TOO_BIG);
        }
    } catch (const WebSocketException&) {
        response.setStatusAndReason(HTTPResponse::HTTP_BAD_REQUEST);
        response.setContentLength(0);
        response.send();
    } catch (const Poco::Exception&) {
        // The connection has ended, one way or the other.
    }
};

struct Factory : HTTPRequestHandlerFactory {
    HTTPRequestHandler* createRequestHandler(const HTTPServerRequest&) override { return new Handler; }
};

int main() {
    std::signal(SIGTERM, [](int) { std::_Exit(0); });
    // A connection has a thread for as long as it lasts, and the default pool has 16.
    const int threads = std::atoi(variable("MAX_CONNECTIONS", "1200"));
    Poco::ThreadPool pool(2, threads);
    HTTPServerParams::Ptr parameters = new HTTPServerParams;
    parameters->setMaxThreads(threads);
    if (const char* value = std::getenv("HANDSHAKE_TIMEOUT")) parameters->setTimeout(seconds(value));
    ServerSocket socket(SocketAddress(variable("HOST", "127.0.0.1"), variable("PORT", "9001")), 1024);
    HTTPServer server(new Factory, pool, socket, parameters);
    server.start();
    for (;;) Poco::Thread::sleep(1000);
}
