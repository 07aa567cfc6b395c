// Echo server on ws. What the environment does not set keeps the library's default. CommonJS, because only require()
// looks where NODE_PATH says.
"use strict";

const { WebSocketServer } = require("ws");

const { env } = process;
const options = {
  host: env.HOST ?? "127.0.0.1",
  port: Number(env.PORT ?? 9001),
  // Off unless asked for, in the library; on unless refused, in every echo server of this project.
  perMessageDeflate: env.COMPRESSION !== "0",
};
if (env.MAX_MESSAGE_SIZE) options.maxPayload = Number(env.MAX_MESSAGE_SIZE);
if (env.MAX_FRAGMENTS) options.maxFragments = Number(env.MAX_FRAGMENTS);
if (env.CLOSE_TIMEOUT) options.closeTimeout = Number(env.CLOSE_TIMEOUT) * 1000;
if (env.ALLOWED_ORIGIN) options.verifyClient = ({ origin }) => origin === env.ALLOWED_ORIGIN;

const server = new WebSocketServer(options);
server.on("connection", (websocket) => {
  websocket.on("error", console.error);
  websocket.on("message", (data, isBinary) => websocket.send(data, { binary: isBinary }));
});

process.on("SIGTERM", () => {
  server.close();
  for (const websocket of server.clients) websocket.terminate();
});
