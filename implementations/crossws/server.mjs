// Echo server on crossws, with its adapter for Node.js. What the environment does not set keeps the library's default. It is
// copied to where the packages are, because import does not look where NODE_PATH says.
import { createServer } from "node:http";
import crossws from "crossws/adapters/node";

const { env } = process;

// The opening handshake is the business of Node's HTTP server.
const http = {};
if (env.MAX_HANDSHAKE_SIZE) http.maxHeaderSize = Number(env.MAX_HANDSHAKE_SIZE);
if (env.HANDSHAKE_TIMEOUT) {
  http.headersTimeout = http.requestTimeout = Number(env.HANDSHAKE_TIMEOUT) * 1000;
  http.connectionsCheckingInterval = 250; // or 30 s, and timeouts are told no sooner
}
const server = createServer(http, (_request, response) => response.writeHead(426).end());
if (env.MAX_CONNECTIONS) server.maxConnections = Number(env.MAX_CONNECTIONS);

// They are those of ws, which comes with it.
const serverOptions = { perMessageDeflate: env.COMPRESSION !== "0" };
if (env.MAX_MESSAGE_SIZE) serverOptions.maxPayload = Number(env.MAX_MESSAGE_SIZE);
if (env.MAX_FRAGMENTS) serverOptions.maxFragments = Number(env.MAX_FRAGMENTS);
if (env.CLOSE_TIMEOUT) serverOptions.closeTimeout = Number(env.CLOSE_TIMEOUT) * 1000;
if (env.ALLOWED_ORIGIN) serverOptions.verifyClient = ({ origin }, done) => done(origin === env.ALLOWED_ORIGIN, 403);

const options = { serverOptions, hooks: { message: (peer, message) => peer.send(message.rawData) } };
// Pings go out at this interval, and who has not answered one by the next is cut.
const intervals = [Number(env.PING_INTERVAL ?? 0), Number(env.CONNECTION_TIMEOUT ?? 0) / 2].filter(Boolean);
if (intervals.length) options.idleTimeout = Math.min(...intervals);

server.on("upgrade", crossws(options).handleUpgrade);
server.listen(Number(env.PORT ?? 9001), env.HOST ?? "127.0.0.1");

process.on("SIGTERM", () => process.exit());
