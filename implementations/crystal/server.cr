# Echo server on Crystal's standard library. It has no limits to set but those of its HTTP server.
require "http/server"

server = HTTP::Server.new([HTTP::WebSocketHandler.new do |ws, _context|
  ws.on_message { |text| ws.send(text) }
  ws.on_binary { |data| ws.send(data) }
end])
server.max_headers_size = ENV["MAX_HANDSHAKE_SIZE"].to_i if ENV["MAX_HANDSHAKE_SIZE"]?

Signal::TERM.trap { exit }
server.bind_tcp(ENV.fetch("HOST", "127.0.0.1"), ENV.fetch("PORT", "9001").to_i)
server.listen
