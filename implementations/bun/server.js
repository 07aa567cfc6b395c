// Echo server on Bun.serve. What the environment does not set keeps Bun's default.
const { env } = process;

const websocket = {
  message: (ws, message) => ws.send(message, true),
  perMessageDeflate: env.COMPRESSION !== "0",
};
if (env.MAX_MESSAGE_SIZE) websocket.maxPayloadLength = Number(env.MAX_MESSAGE_SIZE);
if (env.CONNECTION_TIMEOUT) websocket.idleTimeout = Number(env.CONNECTION_TIMEOUT);

const options = {
  hostname: env.HOST ?? "127.0.0.1",
  port: Number(env.PORT ?? 9001),
  fetch: (request, server) => (server.upgrade(request) ? undefined : new Response("no WebSocket", { status: 400 })),
  websocket,
};
if (env.HANDSHAKE_TIMEOUT) options.idleTimeout = Number(env.HANDSHAKE_TIMEOUT);
Bun.serve(options);

process.on("SIGTERM", () => process.exit());
