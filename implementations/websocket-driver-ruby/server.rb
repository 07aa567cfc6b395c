# Echo server on websocket-driver and EventMachine, as in its README. What the environment does not set keeps the library's
# default.
require "eventmachine"
require "websocket/driver"

OPTIONS = {}
OPTIONS[:max_length] = Integer(ENV["MAX_MESSAGE_SIZE"]) if ENV["MAX_MESSAGE_SIZE"]

module Echo
  def initialize
    @driver = WebSocket::Driver.server(self, OPTIONS)
    @driver.on(:connect) { WebSocket::Driver.websocket?(@driver.env) ? @driver.start : close_connection }
    @driver.on(:message) { |event| event.data.is_a?(String) ? @driver.text(event.data) : @driver.binary(event.data) }
    @driver.on(:close) { close_connection_after_writing }
  end

  def receive_data(data)
    @driver.parse(data)
  end

  def write(data)
    send_data(data)
  end
end

EM.run do
  trap("TERM") { EM.stop }
  EM.start_server(ENV.fetch("HOST", "127.0.0.1"), Integer(ENV.fetch("PORT", "9001")), Echo)
end
