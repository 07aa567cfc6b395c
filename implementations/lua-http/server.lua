-- Echo server on lua-http. What the environment does not set keeps the library's default.
local http_server = require "http.server"
local websocket = require "http.websocket"

local function echo(_, stream)
  local headers = assert(stream:get_headers(tonumber(os.getenv "HANDSHAKE_TIMEOUT")))
  local ws = websocket.new_from_stream(stream, headers)
  if not ws then return stream:shutdown() end
  if os.getenv "CLOSE_TIMEOUT" then ws.close_timeout = tonumber(os.getenv "CLOSE_TIMEOUT") end
  assert(ws:accept())
  for data, kind in ws:each() do
    ws:send(data, kind)
  end
  ws:close()
end

local server = assert(http_server.listen {
  host = os.getenv "HOST" or "127.0.0.1",
  port = tonumber(os.getenv "PORT" or "9001"),
  tls = false,
  max_concurrent = tonumber(os.getenv "MAX_CONNECTIONS"),
  connection_setup_timeout = tonumber(os.getenv "HANDSHAKE_TIMEOUT"),
  intra_stream_timeout = tonumber(os.getenv "HANDSHAKE_TIMEOUT"),
  onstream = echo,
  onerror = function() end,
})
assert(server:loop())
