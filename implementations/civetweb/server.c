// Echo server on CivetWeb, which hands out frames. What the environment does not set keeps the library's default.
#include <civetweb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct message {
    int opcode;
    size_t length;
    char *data;
};

static const char *variable(const char *name, const char *otherwise) {
    const char *value = getenv(name);
    return value ? value : otherwise;
}

static const char *milliseconds(const char *name, const char *otherwise) {
    char text[32];
    snprintf(text, sizeof text, "%.0f", atof(getenv(name) ? getenv(name) : otherwise) * 1000);
    return strdup(text);
}

static void opened(struct mg_connection *connection, void *data) {
    (void)data;
    mg_set_user_connection_data(connection, calloc(1, sizeof(struct message)));
}

static int received(struct mg_connection *connection, int bits, char *data, size_t length, void *unused) {
    (void)unused;
    struct message *message = mg_get_user_connection_data(connection);
    const int opcode = bits & 0x0f;
    if (opcode == MG_WEBSOCKET_OPCODE_CONNECTION_CLOSE) {
        mg_websocket_write(connection, opcode, data, length);
        return 0;
    }
    // Fragments cannot be sent, so they are joined.
    if (opcode != MG_WEBSOCKET_OPCODE_CONTINUATION) message->opcode = opcode, message->length = 0;
    message->data = realloc(message->data, message->length + length + 1);
    memcpy(message->data + message->length, data, length);
    message->length += length;
    if (bits & 0x80) {
        mg_websocket_write(connection, message->opcode, message->data, message->length);
        message->length = 0;
    }
    return 1;
}

static void closed(const struct mg_connection *connection, void *data) {
    (void)data;
    struct message *message = mg_get_user_connection_data(connection);
    if (message) free(message->data);
    free(message);
}

static void stop(int signal) {
    (void)signal;
    _exit(0);
}

int main(void) {
    signal(SIGTERM, stop);
    mg_init_library(0);
    char address[128];
    snprintf(address, sizeof address, "%s:%s", variable("HOST", "127.0.0.1"), variable("PORT", "9001"));
    // A connection has a thread for as long as it lasts; the default is 50.
    const char *options[] = {"listening_ports", address, "num_threads", variable("MAX_CONNECTIONS", "1200"),
                             "enable_websocket_ping_pong", "yes",
                             "request_timeout_ms", milliseconds("HANDSHAKE_TIMEOUT", "30"),
                             "websocket_timeout_ms", milliseconds("PING_INTERVAL", "30"),
                             "max_request_size", variable("MAX_HANDSHAKE_SIZE", "16384"), NULL};
    struct mg_callbacks callbacks = {0};
    struct mg_context *context = mg_start(&callbacks, NULL, options);
    if (!context) return 1;
    mg_set_websocket_handler(context, "**", NULL, opened, received, closed, NULL);
    for (;;) pause();
}
