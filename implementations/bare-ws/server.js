// Echo server on bare-ws, for the runtime Bare. What the environment does not set keeps the library's default. It is
// copied to where the packages are, because require() looks nowhere else.
const env = require("bare-env");
const process = require("bare-process");
const ws = require("bare-ws");

const options = { host: env.HOST ?? "127.0.0.1", port: Number(env.PORT ?? 9001) };
if (env.MAX_MESSAGE_SIZE) options.maxPayload = Number(env.MAX_MESSAGE_SIZE);
if (env.MAX_FRAGMENTS) options.maxFragments = Number(env.MAX_FRAGMENTS);
if (env.CONNECTION_TIMEOUT) options.idleTimeout = Number(env.CONNECTION_TIMEOUT) * 1000;
if (env.CLOSE_TIMEOUT) options.closeTimeout = Number(env.CLOSE_TIMEOUT) * 1000;
if (env.ALLOWED_ORIGIN) options.verifyClient = (request) => request.headers.origin === env.ALLOWED_ORIGIN;

new ws.Server(options, (socket) => {
  socket.on("message", (message, isBinary) => socket.write(isBinary ? message : message.toString()));
  socket.on("error", () => {});
  socket.resume();
});

process.on("SIGTERM", () => process.exit());
