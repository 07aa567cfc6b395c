// Echo server on @encharm/cws. What the environment does not set keeps the library's default. CommonJS, because only require()
// looks where NODE_PATH says.
"use strict";

const { createServer } = require("node:http");
const { WebSocketServer } = require("@encharm/cws");

const { env } = process;

// The opening handshake is the business of Node's HTTP server.
const http = {};
if (env.MAX_HANDSHAKE_SIZE) http.maxHeaderSize = Number(env.MAX_HANDSHAKE_SIZE);
if (env.HANDSHAKE_TIMEOUT) {
  http.headersTimeout = http.requestTimeout = Number(env.HANDSHAKE_TIMEOUT) * 1000;
  http.connectionsCheckingInterval = 250; // or 30 s, and timeouts are told no sooner
}
const server = createServer(http, (_request, response) => response.writeHead(426).end());

const options = { server, perMessageDeflate: env.COMPRESSION !== "0" };
if (env.MAX_MESSAGE_SIZE) options.maxPayload = Number(env.MAX_MESSAGE_SIZE);
if (env.ALLOWED_ORIGIN) options.verifyClient = ({ origin }, done) => done(origin === env.ALLOWED_ORIGIN, 403);

const websockets = new WebSocketServer(options);
websockets.on("connection", (websocket) => {
  websocket.on("message", (message) => websocket.send(message));
});
// Who has not answered a ping when the next one is due is cut.
const intervals = [Number(env.PING_INTERVAL ?? 0), Number(env.CONNECTION_TIMEOUT ?? 0) / 2].filter(Boolean);
if (intervals.length) websockets.startAutoPing(Math.min(...intervals) * 1000);

server.listen(Number(env.PORT ?? 9001), env.HOST ?? "127.0.0.1");

process.on("SIGTERM", () => process.exit());
