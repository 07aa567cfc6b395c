# Echo server on em-websocket. What the environment does not set keeps the library's default.
require "em-websocket"

EM::WebSocket.max_frame_size = Integer(ENV["MAX_FRAME_SIZE"]) if ENV["MAX_FRAME_SIZE"]
EM::WebSocket.close_timeout = Float(ENV["CLOSE_TIMEOUT"]) if ENV["CLOSE_TIMEOUT"]

EM.run do
  trap("TERM") { EM.stop }
  host, port = ENV.fetch("HOST", "127.0.0.1"), Integer(ENV.fetch("PORT", "9001"))
  EM::WebSocket.start(host: host, port: port) do |ws|
    ws.onmessage { |text| ws.send(text) }
    ws.onbinary { |data| ws.send_binary(data) }
    ws.onerror {} # or errors are raised, and stop the server
  end
end
