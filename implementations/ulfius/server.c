// Echo server on Ulfius. What the environment does not set keeps the library's default.
#include <arpa/inet.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <ulfius.h>

static const char *variable(const char *name, const char *otherwise) {
    const char *value = getenv(name);
    return value ? value : otherwise;
}

static void echo(const struct _u_request *request, struct _websocket_manager *manager,
                 const struct _websocket_message *message, void *data) {
    (void)request, (void)data;
    if (message->opcode == U_WEBSOCKET_OPCODE_TEXT || message->opcode == U_WEBSOCKET_OPCODE_BINARY)
        ulfius_websocket_send_message(manager, message->opcode, message->data_len, message->data);
}

static int upgrade(const struct _u_request *request, struct _u_response *response, void *data) {
    (void)request, (void)data;
    if (ulfius_set_websocket_response(response, NULL, NULL, NULL, NULL, &echo, NULL, NULL, NULL) != U_OK)
        return U_CALLBACK_ERROR;
    if (strcmp(variable("COMPRESSION", "1"), "0")) ulfius_add_websocket_deflate_extension(response);
    return U_CALLBACK_CONTINUE;
}

int main(void) {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);

    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(atoi(variable("PORT", "9001")))};
    inet_pton(AF_INET, variable("HOST", "127.0.0.1"), &address.sin_addr);
    struct _u_instance instance;
    if (ulfius_init_instance(&instance, ntohs(address.sin_port), &address, NULL) != U_OK) return 1;
    if (getenv("HANDSHAKE_TIMEOUT")) instance.timeout = atoi(getenv("HANDSHAKE_TIMEOUT"));
    ulfius_add_endpoint_by_val(&instance, "GET", NULL, "*", 0, &upgrade, NULL);
    if (ulfius_start_framework(&instance) != U_OK) return 1;
    int received;
    sigwait(&signals, &received);
    return 0;
}
