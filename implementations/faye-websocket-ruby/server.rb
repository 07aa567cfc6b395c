# Echo server on faye-websocket in Puma. What the environment does not set keeps the library's default.
require "faye/websocket"
require "puma"
require "puma/events"
require "puma/server"

OPTIONS = {}
OPTIONS[:max_length] = Integer(ENV["MAX_MESSAGE_SIZE"]) if ENV["MAX_MESSAGE_SIZE"]
OPTIONS[:ping] = Float(ENV["PING_INTERVAL"]) if ENV["PING_INTERVAL"]

App = lambda do |env|
  return [426, {}, []] unless Faye::WebSocket.websocket?(env)

  ws = Faye::WebSocket.new(env, nil, OPTIONS)
  ws.on(:message) { |event| ws.send(event.data) }
  ws.rack_response
end

trap("TERM") { exit! }
server = Puma::Server.new(App, Puma::Events.null)
server.add_tcp_listener(ENV.fetch("HOST", "127.0.0.1"), Integer(ENV.fetch("PORT", "9001")))
server.run.join
