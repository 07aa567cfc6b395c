// Echo server on Hono, with its adapter for Node.js. What the environment does not set keeps the library's default. It is
// copied to where the packages are, because import does not look where NODE_PATH says.
import { serve, upgradeWebSocket } from "@hono/node-server";
import { Hono } from "hono";
import { WebSocketServer } from "ws";

const { env } = process;

// The opening handshake is the business of Node's HTTP server.
const http = {};
if (env.MAX_HANDSHAKE_SIZE) http.maxHeaderSize = Number(env.MAX_HANDSHAKE_SIZE);
if (env.HANDSHAKE_TIMEOUT) {
  http.headersTimeout = http.requestTimeout = Number(env.HANDSHAKE_TIMEOUT) * 1000;
  http.connectionsCheckingInterval = 250; // or 30 s, and timeouts are told no sooner
}

const options = { noServer: true, perMessageDeflate: env.COMPRESSION !== "0" };
if (env.MAX_MESSAGE_SIZE) options.maxPayload = Number(env.MAX_MESSAGE_SIZE);
if (env.MAX_FRAGMENTS) options.maxFragments = Number(env.MAX_FRAGMENTS);
if (env.CLOSE_TIMEOUT) options.closeTimeout = Number(env.CLOSE_TIMEOUT) * 1000;

const app = new Hono();
app.get("*", upgradeWebSocket(() => ({ onMessage: (event, websocket) => websocket.send(event.data) })));
const server = serve({
  fetch: app.fetch,
  hostname: env.HOST ?? "127.0.0.1",
  port: Number(env.PORT ?? 9001),
  serverOptions: http,
  websocket: { server: new WebSocketServer(options) },
});
if (env.MAX_CONNECTIONS) server.maxConnections = Number(env.MAX_CONNECTIONS);

process.on("SIGTERM", () => process.exit());
