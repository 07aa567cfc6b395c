// Echo server on faye-websocket. What the environment does not set keeps the library's default. CommonJS, because only require()
// looks where NODE_PATH says.
"use strict";

const { createServer } = require("node:http");
const WebSocket = require("faye-websocket");
const deflate = require("permessage-deflate");

const { env } = process;

// The opening handshake is the business of Node's HTTP server.
const http = {};
if (env.MAX_HANDSHAKE_SIZE) http.maxHeaderSize = Number(env.MAX_HANDSHAKE_SIZE);
if (env.HANDSHAKE_TIMEOUT) {
  http.headersTimeout = http.requestTimeout = Number(env.HANDSHAKE_TIMEOUT) * 1000;
  http.connectionsCheckingInterval = 250; // or 30 s, and timeouts are told no sooner
}
const server = createServer(http, (_request, response) => response.writeHead(404).end());
if (env.MAX_CONNECTIONS) server.maxConnections = Number(env.MAX_CONNECTIONS);

const options = {};
if (env.COMPRESSION !== "0") options.extensions = [deflate];
if (env.MAX_MESSAGE_SIZE) options.maxLength = Number(env.MAX_MESSAGE_SIZE);
if (env.PING_INTERVAL) options.ping = Number(env.PING_INTERVAL);

server.on("upgrade", (request, socket, body) => {
  if (!WebSocket.isWebSocket(request)) return;
  const websocket = new WebSocket(request, socket, body, [], options);
  websocket.on("message", (event) => websocket.send(event.data));
});
server.listen(Number(env.PORT ?? 9001), env.HOST ?? "127.0.0.1");

process.on("SIGTERM", () => process.exit());
