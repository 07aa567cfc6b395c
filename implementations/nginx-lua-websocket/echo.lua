-- Echo server on lua-nginx-websocket. It hands over frames, and they are echoed as frames.
local server = require "nginx.websocket.server"

local ws = server:new { max_payload_len = tonumber(os.getenv "MAX_FRAME_SIZE") }
if not ws then return ngx.exit(400) end

local opcodes = { continuation = 0, text = 1, binary = 2 }
while true do
  local data, kind, more = ws:recv_frame()
  if not data then return ngx.exit(444) end
  if kind == "close" then
    return ws:send_close(more, data)
  elseif kind == "ping" then
    ws:send_pong(data)
  elseif opcodes[kind] then
    ws:send_frame(more ~= "again", opcodes[kind], data)
  end
end
