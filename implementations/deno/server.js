// Echo server on Deno.serve. What the environment does not set keeps Deno's default.
const options = {};
const timeout = Deno.env.get("CONNECTION_TIMEOUT");
if (timeout) options.idleTimeout = Number(timeout);

Deno.serve(
  {
    hostname: Deno.env.get("HOST") ?? "127.0.0.1",
    port: Number(Deno.env.get("PORT") ?? 9001),
    onListen() {},
  },
  (request) => {
    if (request.headers.get("upgrade")?.toLowerCase() !== "websocket") return new Response(null, { status: 426 });
    const { socket, response } = Deno.upgradeWebSocket(request, options);
    socket.binaryType = "arraybuffer";
    socket.onmessage = (event) => socket.send(event.data);
    return response;
  },
);

Deno.addSignalListener("SIGTERM", () => Deno.exit());
