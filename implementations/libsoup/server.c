// Echo server on libsoup. What the environment does not set keeps the library's default.
#include <libsoup/soup.h>
#include <stdlib.h>
#include <unistd.h>
#include <glib-unix.h>

static const char *variable(const char *name, const char *otherwise) {
    const char *value = g_getenv(name);
    return value ? value : otherwise;
}

static void echo(SoupWebsocketConnection *connection, int type, GBytes *message, gpointer data) {
    (void)data;
    if (soup_websocket_connection_get_state(connection) == SOUP_WEBSOCKET_STATE_OPEN)
        soup_websocket_connection_send_message(connection, type, message);
}

static void opened(SoupServer *server, SoupServerMessage *message, const char *path,
                   SoupWebsocketConnection *connection, gpointer data) {
    (void)server, (void)message, (void)path, (void)data;
    if (g_getenv("MAX_FRAME_SIZE"))
        soup_websocket_connection_set_max_incoming_payload_size(connection, atoll(g_getenv("MAX_FRAME_SIZE")));
    if (g_getenv("PING_INTERVAL"))
        soup_websocket_connection_set_keepalive_interval(connection, atoi(g_getenv("PING_INTERVAL")));
    g_signal_connect(g_object_ref(connection), "message", G_CALLBACK(echo), NULL);
    g_signal_connect(connection, "closed", G_CALLBACK(g_object_unref), NULL);
}

int main(void) {
    SoupServer *server = soup_server_new(NULL, NULL);
    soup_server_add_websocket_handler(server, NULL, g_getenv("ALLOWED_ORIGIN"), NULL, opened, NULL, NULL);
    if (!g_strcmp0(g_getenv("COMPRESSION"), "0"))
        soup_server_remove_websocket_extension(server, SOUP_TYPE_WEBSOCKET_EXTENSION_DEFLATE);
    GSocketAddress *address =
        g_inet_socket_address_new_from_string(variable("HOST", "127.0.0.1"), atoi(variable("PORT", "9001")));
    GError *error = NULL;
    if (!soup_server_listen(server, address, 0, &error)) g_error("%s", error->message);
    GMainLoop *loop = g_main_loop_new(NULL, FALSE);
    g_unix_signal_add(SIGTERM, G_SOURCE_FUNC(g_main_loop_quit), loop);
    g_main_loop_run(loop);
    return 0;
}
