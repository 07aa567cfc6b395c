// Echo server on RESTinio, which hands out frames. What the environment does not set keeps the library's default.
#include <restinio/all.hpp>
#include <restinio/websocket/websocket.hpp>
#include <chrono>
#include <cstdlib>
#include <map>

namespace rws = restinio::websocket::basic;

const char* variable(const char* name, const char* otherwise) {
    const char* value = std::getenv(name);
    return value ? value : otherwise;
}

std::map<std::uint64_t, rws::ws_handle_t> websockets;

restinio::request_handling_status_t upgrade(restinio::request_handle_t request) {
    if (request->header().connection() != restinio::http_connection_header_t::upgrade)
        return restinio::request_rejected();
    auto websocket = rws::upgrade<restinio::default_single_thread_traits_t>(
        *request, rws::activation_t::immediate, [](rws::ws_handle_t handle, rws::message_handle_t message) {
            if (message->opcode() == rws::opcode_t::ping_frame) {
                message->set_opcode(rws::opcode_t::pong_frame);
                handle->send_message(*message);
            } else if (message->opcode() == rws::opcode_t::connection_close_frame) {
                websockets.erase(handle->connection_id());
            } else if (message->opcode() != rws::opcode_t::pong_frame) {
                handle->send_message(*message);
            }
        });
    websockets.emplace(websocket->connection_id(), websocket);
    return restinio::request_accepted();
}

int main() {
    auto settings = restinio::on_this_thread<restinio::default_single_thread_traits_t>()
                        .address(variable("HOST", "127.0.0.1"))
                        .port(std::atoi(variable("PORT", "9001")))
                        .request_handler(upgrade)
                        .cleanup_func([] { websockets.clear(); });
    if (const char* seconds = std::getenv("HANDSHAKE_TIMEOUT"))
        settings.read_next_http_message_timelimit(std::chrono::milliseconds(int(std::atof(seconds) * 1000)));
    restinio::run(std::move(settings));
}
