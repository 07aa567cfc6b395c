// Echo server on @trufflesuite/uws-js-unofficial. What the environment does not set keeps the library's default. CommonJS, because only require()
// looks where NODE_PATH says.
"use strict";

const uws = require("@trufflesuite/uws-js-unofficial");

const { env } = process;
const behavior = {
  compression: env.COMPRESSION === "0" ? uws.DISABLED : uws.SHARED_COMPRESSOR,
  message: (websocket, message, isBinary) => websocket.send(message, isBinary, true),
};
if (env.MAX_MESSAGE_SIZE) behavior.maxPayloadLength = Number(env.MAX_MESSAGE_SIZE);

uws
  .App()
  .ws("/*", behavior)
  .listen(env.HOST ?? "127.0.0.1", Number(env.PORT ?? 9001), () => {});

process.on("SIGTERM", () => process.exit());
