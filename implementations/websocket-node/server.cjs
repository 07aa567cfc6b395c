// Echo server on websocket. What the environment does not set keeps the library's default. CommonJS, because only
// require() looks where NODE_PATH says.
"use strict";

const { createServer } = require("node:http");
const { server: WebSocketServer } = require("websocket");

const { env } = process;
const milliseconds = (name) => Number(env[name] ?? 0) * 1000;

// The opening handshake is the business of Node's HTTP server.
const http = {};
if (env.MAX_HANDSHAKE_SIZE) http.maxHeaderSize = Number(env.MAX_HANDSHAKE_SIZE);
if (env.HANDSHAKE_TIMEOUT) {
  http.headersTimeout = http.requestTimeout = milliseconds("HANDSHAKE_TIMEOUT");
  http.connectionsCheckingInterval = 250; // or 30 s, and timeouts are told no sooner
}
const server = createServer(http, (_request, response) => response.writeHead(404).end());
if (env.MAX_CONNECTIONS) server.maxConnections = Number(env.MAX_CONNECTIONS);
server.listen(Number(env.PORT ?? 9001), env.HOST ?? "127.0.0.1");

const config = { httpServer: server };
if (env.MAX_FRAME_SIZE) config.maxReceivedFrameSize = Number(env.MAX_FRAME_SIZE);
if (env.MAX_MESSAGE_SIZE) {
  config.maxReceivedMessageSize = Number(env.MAX_MESSAGE_SIZE);
  // That one is for messages in fragments; one in a single frame has the frame's limit, 64 KiB by default.
  config.maxReceivedFrameSize = Math.min(config.maxReceivedFrameSize ?? 0x10000, config.maxReceivedMessageSize);
}
if (env.CLOSE_TIMEOUT) config.closeTimeout = milliseconds("CLOSE_TIMEOUT");
const [interval, timeout] = [milliseconds("PING_INTERVAL"), milliseconds("CONNECTION_TIMEOUT")];
if (env.PING_INTERVAL === "0") config.keepalive = timeout > 0;
if (interval || timeout) config.keepaliveInterval = interval || timeout / 2;
// A peer that does not answer a ping is cut after the two together.
if (timeout) config.keepaliveGracePeriod = timeout - config.keepaliveInterval;

const websockets = new WebSocketServer(config);
websockets.on("request", (request) => {
  if (env.ALLOWED_ORIGIN && request.origin !== env.ALLOWED_ORIGIN) return request.reject();
  const websocket = request.accept(null, request.origin);
  websocket.on("message", ({ type, utf8Data, binaryData }) => {
    if (type === "utf8") websocket.sendUTF(utf8Data);
    else websocket.sendBytes(binaryData);
  });
});

process.on("SIGTERM", () => {
  server.close();
  server.closeAllConnections();
  for (const websocket of [...websockets.connections]) websocket.drop(1001);
});
