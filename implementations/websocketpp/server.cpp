// Echo server on WebSocket++ with its Asio transport. What the environment does not set keeps the library's default.
#include <websocketpp/config/asio_no_tls.hpp>
#include <websocketpp/extensions/permessage_deflate/enabled.hpp>
#include <websocketpp/server.hpp>
#include <cstdlib>
#include <string>

// Extensions are chosen when one compiles.
struct config : websocketpp::config::asio {
    typedef websocketpp::extensions::permessage_deflate::enabled<permessage_deflate_config> permessage_deflate_type;
};
using Server = websocketpp::server<config>;

const char* variable(const char* name, const char* otherwise) {
    const char* value = std::getenv(name);
    return value ? value : otherwise;
}

int main() {
    Server server;
    server.clear_access_channels(websocketpp::log::alevel::all);
    server.clear_error_channels(websocketpp::log::elevel::all);
    if (const char* size = std::getenv("MAX_MESSAGE_SIZE")) server.set_max_message_size(std::atoll(size));
    if (const char* seconds = std::getenv("HANDSHAKE_TIMEOUT"))
        server.set_open_handshake_timeout(std::atof(seconds) * 1000);
    if (const char* seconds = std::getenv("CLOSE_TIMEOUT"))
        server.set_close_handshake_timeout(std::atof(seconds) * 1000);
    if (const char* origin = std::getenv("ALLOWED_ORIGIN"))
        server.set_validate_handler([&server, origin](websocketpp::connection_hdl handle) {
            auto connection = server.get_con_from_hdl(handle);
            if (connection->get_origin() == origin) return true;
            connection->set_status(websocketpp::http::status_code::forbidden);
            return false;
        });
    server.set_message_handler([&server](websocketpp::connection_hdl handle, Server::message_ptr message) {
        websocketpp::lib::error_code error;
        server.send(handle, message->get_payload(), message->get_opcode(), error);
    });

    server.init_asio();
    server.set_reuse_addr(true);
    server.listen(variable("HOST", "127.0.0.1"), variable("PORT", "9001"));
    server.start_accept();
    boost::asio::signal_set signals(server.get_io_service(), SIGTERM);
    signals.async_wait([&server](auto, auto) { server.stop(); });
    server.run();
}
