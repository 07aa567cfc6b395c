// Echo server on @fastify/websocket. What the environment does not set keeps the library's default. CommonJS, because only require()
// looks where NODE_PATH says.
"use strict";

const fastify = require("fastify");
const websocket = require("@fastify/websocket");

const { env } = process;

// The opening handshake is the business of Node's HTTP server.
const http = {};
if (env.MAX_HANDSHAKE_SIZE) http.maxHeaderSize = Number(env.MAX_HANDSHAKE_SIZE);
if (env.HANDSHAKE_TIMEOUT) {
  http.headersTimeout = http.requestTimeout = Number(env.HANDSHAKE_TIMEOUT) * 1000;
  http.connectionsCheckingInterval = 250; // or 30 s, and timeouts are told no sooner
}
const app = fastify({ http });
if (env.MAX_CONNECTIONS) app.server.maxConnections = Number(env.MAX_CONNECTIONS);

// They are those of ws.
const options = { perMessageDeflate: env.COMPRESSION !== "0" };
if (env.MAX_MESSAGE_SIZE) options.maxPayload = Number(env.MAX_MESSAGE_SIZE);
if (env.MAX_FRAGMENTS) options.maxFragments = Number(env.MAX_FRAGMENTS);
if (env.CLOSE_TIMEOUT) options.closeTimeout = Number(env.CLOSE_TIMEOUT) * 1000;
if (env.ALLOWED_ORIGIN) options.verifyClient = ({ origin }, done) => done(origin === env.ALLOWED_ORIGIN, 403);

app.register(websocket, { options });
app.register(async () => {
  app.get("/*", { websocket: true }, (socket) => {
    socket.on("message", (message, isBinary) => socket.send(message, { binary: isBinary }));
  });
});
app.listen({ port: Number(env.PORT ?? 9001), host: env.HOST ?? "127.0.0.1" });

process.on("SIGTERM", () => process.exit());
