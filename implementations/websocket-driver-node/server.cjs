// Echo server on websocket-driver, with its own HTTP parser (the other way, behind Node's HTTP server, is
// that of faye-websocket). What the environment does not set keeps the library's default. CommonJS, because only require()
// looks where NODE_PATH says.
"use strict";

const net = require("node:net");
const deflate = require("permessage-deflate");
const websocket = require("websocket-driver");

const { env } = process;
const options = {};
if (env.MAX_MESSAGE_SIZE) options.maxLength = Number(env.MAX_MESSAGE_SIZE);

const server = net.createServer((connection) => {
  const driver = websocket.server(options);
  if (env.COMPRESSION !== "0") driver.addExtension(deflate);

  driver.on("connect", () => {
    if (websocket.isWebSocket(driver)) driver.start();
    else connection.end("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
  });
  driver.on("close", () => connection.end());
  connection.on("error", () => {});

  connection.pipe(driver.io).pipe(connection);
  driver.messages.pipe(driver.messages);
});
if (env.MAX_CONNECTIONS) server.maxConnections = Number(env.MAX_CONNECTIONS);
server.listen(Number(env.PORT ?? 9001), env.HOST ?? "127.0.0.1");

process.on("SIGTERM", () => process.exit());
