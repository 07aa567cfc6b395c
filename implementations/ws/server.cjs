// Echo server on ws. What the environment does not set keeps the library's default. CommonJS, because only require()
// looks where NODE_PATH says.
"use strict";

const { createServer } = require("node:http");
const { Server: WebSocketServer } = require("ws"); // its name before 8.0, and still

const { env } = process;
const milliseconds = (name) => Number(env[name] ?? 0) * 1000;

// The opening handshake is the HTTP server's business: Node's, which ws makes for itself unless it is given one.
const http = {};
if (env.MAX_HANDSHAKE_SIZE) http.maxHeaderSize = Number(env.MAX_HANDSHAKE_SIZE);
if (env.HANDSHAKE_TIMEOUT) {
  http.headersTimeout = http.requestTimeout = milliseconds("HANDSHAKE_TIMEOUT");
  http.connectionsCheckingInterval = 250; // or 30 s, and timeouts are told no sooner
}
// 426 to what is no handshake, as ws' own server says.
const server = createServer(http, (_request, response) => response.writeHead(426).end());
if (env.MAX_CONNECTIONS) server.maxConnections = Number(env.MAX_CONNECTIONS);
server.listen(Number(env.PORT ?? 9001), env.HOST ?? "127.0.0.1");

// Compression is off unless asked for, in the library; on unless refused, in every echo server of this project.
const options = { server, perMessageDeflate: env.COMPRESSION !== "0" };
if (env.MAX_MESSAGE_SIZE) options.maxPayload = Number(env.MAX_MESSAGE_SIZE);
if (env.MAX_FRAGMENTS) options.maxFragments = Number(env.MAX_FRAGMENTS);
if (env.CLOSE_TIMEOUT) options.closeTimeout = milliseconds("CLOSE_TIMEOUT");
if (env.ALLOWED_ORIGIN) options.verifyClient = ({ origin }, done) => done(origin === env.ALLOWED_ORIGIN, 403);

const websockets = new WebSocketServer(options);
websockets.on("connection", (websocket) => {
  websocket.on("error", console.error);
  // Before 8.0 text came as a string, and nothing told binary.
  websocket.on("message", (data, isBinary = typeof data !== "string") => websocket.send(data, { binary: isBinary }));
});

// "How to detect and close broken connections?" of ws' README, with a timer for each connection: whoever has not
// answered a ping when the next one is due is cut.
const intervals = [milliseconds("PING_INTERVAL"), milliseconds("CONNECTION_TIMEOUT") / 2].filter(Boolean);
if (intervals.length) {
  websockets.on("connection", (websocket) => {
    let alive = true;
    websocket.on("pong", () => {
      alive = true;
    });
    const timer = setInterval(() => {
      if (!alive) return websocket.terminate();
      alive = false;
      websocket.ping();
    }, Math.min(...intervals));
    websocket.on("close", () => clearInterval(timer));
  });
}

process.on("SIGTERM", () => {
  server.close();
  server.closeAllConnections();
  for (const websocket of websockets.clients) websocket.terminate();
});
