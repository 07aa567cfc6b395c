// Echo server on nodejs-websocket. What the environment does not set keeps the library's default. CommonJS, because only require()
// looks where NODE_PATH says.
"use strict";

const websocket = require("nodejs-websocket");

const { env } = process;
if (env.MAX_FRAME_SIZE) websocket.setMaxBufferLength(Number(env.MAX_FRAME_SIZE));

const server = websocket.createServer((connection) => {
  connection.on("text", (text) => connection.sendText(text));
  connection.on("binary", (stream) => {
    const chunks = [];
    stream.on("data", (chunk) => chunks.push(chunk));
    stream.on("end", () => connection.sendBinary(Buffer.concat(chunks)));
  });
  connection.on("error", () => {});
});
if (env.MAX_CONNECTIONS) server.socket.maxConnections = Number(env.MAX_CONNECTIONS);
server.listen(Number(env.PORT ?? 9001), env.HOST ?? "127.0.0.1");

process.on("SIGTERM", () => process.exit());
