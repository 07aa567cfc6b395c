// Echo server on Boost.Beast, with coroutines. What the environment does not set keeps the library's suggestion for servers.
#include <utility> // Asio 1.18 uses std::exchange without it
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/websocket.hpp>
#include <algorithm>
#include <cstdlib>
#include <string>

namespace beast = boost::beast;
namespace net = boost::asio;
namespace websocket = beast::websocket;
using net::ip::tcp;
using net::use_awaitable;

const char* variable(const char* name, const char* otherwise) {
    const char* value = std::getenv(name);
    return value ? value : otherwise;
}

// The stream has one time for both handshakes, and one for silence, in whose middle it sends a ping.
void set_seconds(beast::websocket::stream_base::duration& duration, const char* name, double factor = 1) {
    if (const double seconds = std::atof(variable(name, "0")) * factor)
        duration = std::min(duration, std::chrono::duration_cast<websocket::stream_base::duration>(
                                          std::chrono::duration<double>(seconds)));
}

net::awaitable<void> echo(tcp::socket socket) try {
    websocket::stream<beast::tcp_stream> stream(std::move(socket));
    const auto suggested = websocket::stream_base::timeout::suggested(beast::role_type::server);
    auto timeout = suggested;
    set_seconds(timeout.handshake_timeout, "HANDSHAKE_TIMEOUT");
    stream.set_option(timeout);
    websocket::permessage_deflate deflate;
    deflate.server_enable = variable("COMPRESSION", "1") != std::string("0");
    stream.set_option(deflate);
    if (const char* size = std::getenv("MAX_MESSAGE_SIZE")) stream.read_message_max(std::atoll(size));
    co_await stream.async_accept(use_awaitable);

    timeout = suggested;
    set_seconds(timeout.handshake_timeout, "CLOSE_TIMEOUT");
    set_seconds(timeout.idle_timeout, "CONNECTION_TIMEOUT");
    set_seconds(timeout.idle_timeout, "PING_INTERVAL", 2);
    stream.set_option(timeout);
    for (beast::flat_buffer buffer;;) {
        co_await stream.async_read(buffer, use_awaitable);
        stream.text(stream.got_text());
        co_await stream.async_write(buffer.data(), use_awaitable);
        buffer.consume(buffer.size());
    }
} catch (const boost::system::system_error&) {
    // The connection has ended, one way or the other.
}

net::awaitable<void> listen(tcp::endpoint endpoint) {
    tcp::acceptor acceptor(co_await net::this_coro::executor, endpoint);
    for (;;) {
        auto socket = co_await acceptor.async_accept(use_awaitable);
        net::co_spawn(acceptor.get_executor(), echo(std::move(socket)), net::detached);
    }
}

int main() {
    net::io_context context(1);
    const auto address = net::ip::make_address(variable("HOST", "127.0.0.1"));
    const auto port = static_cast<unsigned short>(std::atoi(variable("PORT", "9001")));
    net::co_spawn(context, listen({address, port}), net::detached);
    net::signal_set signals(context, SIGTERM);
    signals.async_wait([&](auto, auto) { context.stop(); });
    context.run();
}
