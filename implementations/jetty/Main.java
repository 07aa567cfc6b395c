import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Map;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.HttpConnectionFactory;
import org.eclipse.jetty.server.NetworkConnectionLimit;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.websocket.api.Callback;
import org.eclipse.jetty.websocket.api.Session;
import org.eclipse.jetty.websocket.api.annotations.OnWebSocketError;
import org.eclipse.jetty.websocket.api.annotations.OnWebSocketMessage;
import org.eclipse.jetty.websocket.api.annotations.WebSocket;
import org.eclipse.jetty.websocket.server.ServerWebSocketContainer;
import org.eclipse.jetty.websocket.server.WebSocketUpgradeHandler;

/** Echo server on Jetty's own WebSocket interface. What the environment does not set keeps the library's default. */
public class Main {
  static final Map<String, String> ENV = System.getenv();

  @WebSocket
  public static class Echo {
    @OnWebSocketMessage
    public void onText(Session session, String message) {
      session.sendText(message, Callback.NOOP);
    }

    @OnWebSocketMessage
    public void onBinary(Session session, ByteBuffer message, Callback callback) {
      session.sendBinary(message, callback);
    }

    @OnWebSocketError
    public void onError(Throwable error) {}
  }

  static void configure(ServerWebSocketContainer container) {
    if (ENV.containsKey("MAX_MESSAGE_SIZE")) {
      container.setMaxTextMessageSize(Long.parseLong(ENV.get("MAX_MESSAGE_SIZE")));
      container.setMaxBinaryMessageSize(Long.parseLong(ENV.get("MAX_MESSAGE_SIZE")));
    }
    if (ENV.containsKey("MAX_FRAME_SIZE")) {
      // With automatic fragmentation a larger frame is cut into pieces, and not refused.
      container.setAutoFragment(false);
      container.setMaxFrameSize(Long.parseLong(ENV.get("MAX_FRAME_SIZE")));
    }
    if (ENV.containsKey("CONNECTION_TIMEOUT")) {
      container.setIdleTimeout(Duration.ofSeconds(Long.parseLong(ENV.get("CONNECTION_TIMEOUT"))));
    }
    container.addMapping("/*", (request, response, callback) -> new Echo());
  }

  public static void main(String[] args) throws Exception {
    Server server = new Server();
    HttpConfiguration http = new HttpConfiguration();
    if (ENV.containsKey("MAX_HANDSHAKE_SIZE")) {
      http.setRequestHeaderSize(Integer.parseInt(ENV.get("MAX_HANDSHAKE_SIZE")));
    }
    ServerConnector connector = new ServerConnector(server, new HttpConnectionFactory(http));
    connector.setHost(ENV.getOrDefault("HOST", "127.0.0.1"));
    connector.setPort(Integer.parseInt(ENV.getOrDefault("PORT", "9001")));
    if (ENV.containsKey("HANDSHAKE_TIMEOUT")) {
      connector.setIdleTimeout(Long.parseLong(ENV.get("HANDSHAKE_TIMEOUT")) * 1000);
    }
    server.addConnector(connector);
    if (ENV.containsKey("MAX_CONNECTIONS")) {
      server.addBean(new NetworkConnectionLimit(Integer.parseInt(ENV.get("MAX_CONNECTIONS")), server));
    }
    server.setHandler(WebSocketUpgradeHandler.from(server, Main::configure));
    server.start();
  }
}
