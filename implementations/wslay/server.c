// Echo server on wslay, which leaves sockets and the opening handshake to the application: a thread for each connection.
// What the environment does not set keeps the library's default.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <wslay/wslay.h>

static const char *variable(const char *name, const char *otherwise) {
    const char *value = getenv(name);
    return value ? value : otherwise;
}

static int handshake(int fd) {
    char request[16384], key[128], text[256];
    size_t length = 0;
    do {
        const ssize_t count = recv(fd, request + length, sizeof request - 1 - length, 0);
        if (count <= 0) return -1; // or more than there is room for
        request[length += count] = 0;
    } while (!strstr(request, "\r\n\r\n"));
    const char *field = strcasestr(request, "\r\nSec-WebSocket-Key:");
    if (!field || sscanf(field + 20, " %24[^\r\n]", key) != 1) return -1;
    unsigned char digest[SHA_DIGEST_LENGTH], accept[64];
    const int size = snprintf(text, sizeof text, "%s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", key);
    EVP_EncodeBlock(accept, SHA1((unsigned char *)text, size, digest), sizeof digest);
    return dprintf(fd, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                       "Sec-WebSocket-Accept: %s\r\n\r\n", accept);
}

static ssize_t result(wslay_event_context_ptr context, ssize_t count) {
    if (count > 0) return count;
    const int blocked = count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
    wslay_event_set_error(context, blocked ? WSLAY_ERR_WOULDBLOCK : WSLAY_ERR_CALLBACK_FAILURE);
    return -1;
}

static ssize_t receive(wslay_event_context_ptr context, uint8_t *data, size_t length, int flags, void *fd) {
    (void)flags;
    return result(context, recv((int)(intptr_t)fd, data, length, 0));
}

static ssize_t transmit(wslay_event_context_ptr context, const uint8_t *data, size_t length, int flags, void *fd) {
    return result(context, send((int)(intptr_t)fd, data, length, flags & WSLAY_MSG_MORE ? MSG_MORE : 0));
}

static void echo(wslay_event_context_ptr context, const struct wslay_event_on_msg_recv_arg *message, void *fd) {
    (void)fd;
    if (wslay_is_ctrl_frame(message->opcode)) return;
    const struct wslay_event_msg answer = {message->opcode, message->msg, message->msg_length};
    wslay_event_queue_msg(context, &answer);
}

static void *serve(void *argument) {
    const int fd = (int)(intptr_t)argument;
    const struct wslay_event_callbacks callbacks = {receive, transmit, NULL, NULL, NULL, NULL, echo};
    wslay_event_context_ptr context;
    if (handshake(fd) > 0 && !wslay_event_context_server_init(&context, &callbacks, argument)) {
        fcntl(fd, F_SETFL, O_NONBLOCK);
        if (getenv("MAX_MESSAGE_SIZE"))
            wslay_event_config_set_max_recv_msg_length(context, atoll(getenv("MAX_MESSAGE_SIZE")));
        struct pollfd event = {.fd = fd};
        while (wslay_event_want_read(context) || wslay_event_want_write(context)) {
            event.events = (wslay_event_want_read(context) ? POLLIN : 0) | (wslay_event_want_write(context) ? POLLOUT : 0);
            if (poll(&event, 1, -1) < 0) break;
            if (event.revents & POLLIN && wslay_event_recv(context)) break;
            if (event.revents & POLLOUT && wslay_event_send(context)) break;
            if (event.revents & (POLLERR | POLLHUP)) break;
        }
        wslay_event_context_free(context);
    }
    close(fd);
    return NULL;
}

static void stop(int signal) {
    (void)signal;
    _exit(0);
}

int main(void) {
    signal(SIGTERM, stop);
    signal(SIGPIPE, SIG_IGN);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(atoi(variable("PORT", "9001")))};
    inet_pton(AF_INET, variable("HOST", "127.0.0.1"), &address.sin_addr);
    const int listener = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 1024)) return 1;
    for (;;) {
        const int fd = accept(listener, NULL, NULL);
        pthread_t thread;
        if (fd >= 0 && !pthread_create(&thread, NULL, serve, (void *)(intptr_t)fd)) pthread_detach(thread);
    }
}
