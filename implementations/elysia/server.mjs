// Echo server on Elysia, on Bun. What the environment does not set keeps the library's default. It is copied to where the packages
// are, because import does not look where NODE_PATH says.
import { Elysia } from "elysia";

const { env } = process;
const websocket = { perMessageDeflate: env.COMPRESSION !== "0" };
if (env.MAX_MESSAGE_SIZE) websocket.maxPayloadLength = Number(env.MAX_MESSAGE_SIZE);
if (env.CONNECTION_TIMEOUT) websocket.idleTimeout = Number(env.CONNECTION_TIMEOUT);

new Elysia({ websocket })
  .ws("/*", {
    message(ws, message) {
      ws.send(message, true); // what a handler returns is sent too
    },
  })
  .listen({ hostname: env.HOST ?? "127.0.0.1", port: Number(env.PORT ?? 9001) });

process.on("SIGTERM", () => process.exit());
