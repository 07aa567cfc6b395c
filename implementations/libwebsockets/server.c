// Echo server on libwebsockets, which hands out messages in pieces. What the environment does not set keeps the library's default.
#include <libwebsockets.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { RING = 4096 };

struct piece {
    unsigned char *data; // behind LWS_PRE octets
    size_t length;
    int flags;
};

struct session {
    struct lws_ring *ring;
    uint32_t tail;
    bool sent, paused;
};

static const char *variable(const char *name, const char *otherwise) {
    const char *value = getenv(name);
    return value ? value : otherwise;
}

static void destroy(void *piece) {
    free(((struct piece *)piece)->data);
}

static int echo(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *data, size_t length) {
    struct session *session = user;
    switch (reason) {
    case LWS_CALLBACK_ESTABLISHED:
        session->ring = lws_ring_create(sizeof(struct piece), RING, destroy);
        return session->ring ? 0 : -1;
    case LWS_CALLBACK_RECEIVE: {
        const int kind = lws_frame_is_binary(wsi) ? LWS_WRITE_BINARY : LWS_WRITE_TEXT;
        struct piece piece = {
            malloc(LWS_PRE + length), length,
            lws_write_ws_flags(kind, lws_is_first_fragment(wsi), lws_is_final_fragment(wsi))};
        memcpy(piece.data + LWS_PRE, data, length);
        if (!lws_ring_insert(session->ring, &piece, 1)) return -1;
        if (lws_ring_get_count_free_elements(session->ring) < 3) lws_rx_flow_control(wsi, 0), session->paused = true;
        lws_callback_on_writable(wsi);
        return 0;
    }
    case LWS_CALLBACK_SERVER_WRITEABLE: {
        // permessage-deflate may need a piece until the next time there is room to write.
        if (session->sent) {
            lws_ring_consume_single_tail(session->ring, &session->tail, 1);
            session->sent = false;
        }
        const struct piece *piece = lws_ring_get_element(session->ring, &session->tail);
        if (!piece) return 0;
        if (lws_write(wsi, piece->data + LWS_PRE, piece->length, piece->flags) < (int)piece->length) return -1;
        session->sent = true;
        lws_callback_on_writable(wsi);
        if (session->paused && lws_ring_get_count_free_elements(session->ring) > RING - 5)
            lws_rx_flow_control(wsi, 1), session->paused = false;
        return 0;
    }
    case LWS_CALLBACK_CLOSED:
        if (session && session->ring) lws_ring_destroy(session->ring);
        return 0;
    default:
        return 0;
    }
}

static const struct lws_protocols protocols[] = {{"echo", echo, sizeof(struct session), 1024}, {0}};
static const struct lws_extension extensions[] = {
    {"permessage-deflate", lws_extension_callback_pm_deflate, "permessage-deflate"}, {0}};

static volatile sig_atomic_t stopped;

static void stop(int signal) {
    (void)signal;
    stopped = 1;
}

int main(void) {
    signal(SIGTERM, stop);
    lws_set_log_level(LLL_ERR, NULL);
    struct lws_context_creation_info info = {
        .iface = variable("HOST", "127.0.0.1"),
        .port = atoi(variable("PORT", "9001")),
        .protocols = protocols,
        .options = LWS_SERVER_OPTION_VALIDATE_UTF8,
        .timeout_secs = atoi(variable("HANDSHAKE_TIMEOUT", "0")),
        .timeout_secs_ah_idle = atoi(variable("HANDSHAKE_TIMEOUT", "0")),
    };
    lws_retry_bo_t policy = {
        .secs_since_valid_ping = atoi(variable("PING_INTERVAL", "300")),
        .secs_since_valid_hangup = atoi(variable("CONNECTION_TIMEOUT", "310")),
    };
    info.retry_and_idle_policy = &policy;
    if (strcmp(variable("COMPRESSION", "1"), "0")) info.extensions = extensions;
    struct lws_context *context = lws_create_context(&info);
    while (context && !stopped && lws_service(context, 0) >= 0) continue;
    lws_context_destroy(context);
    return !context;
}
