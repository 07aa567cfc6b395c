import jakarta.websocket.Extension;
import jakarta.websocket.OnError;
import jakarta.websocket.OnMessage;
import jakarta.websocket.OnOpen;
import jakarta.websocket.Session;
import jakarta.websocket.server.ServerEndpoint;
import jakarta.websocket.server.ServerEndpointConfig;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import org.glassfish.tyrus.core.TyrusSession;
import org.glassfish.tyrus.core.TyrusWebSocketEngine;
import org.glassfish.tyrus.ext.extension.deflate.PerMessageDeflateExtension;
import org.glassfish.tyrus.server.Server;

/** Echo server on Tyrus with Grizzly. What the environment does not set keeps the library's default. */
public class Main {
  static final Map<String, String> ENV = System.getenv();

  public static class Configurator extends ServerEndpointConfig.Configurator {
    @Override
    public List<Extension> getNegotiatedExtensions(List<Extension> installed, List<Extension> requested) {
      List<Extension> ours =
          "0".equals(ENV.get("COMPRESSION")) ? List.of() : List.of(new PerMessageDeflateExtension());
      return super.getNegotiatedExtensions(ours, requested);
    }

    @Override
    public boolean checkOrigin(String origin) {
      return !ENV.containsKey("ALLOWED_ORIGIN") || ENV.get("ALLOWED_ORIGIN").equals(origin);
    }
  }

  @ServerEndpoint(value = "/{path}", configurator = Configurator.class)
  public static class Echo {
    @OnOpen
    public void onOpen(Session session) {
      if (ENV.containsKey("MAX_MESSAGE_SIZE")) {
        session.setMaxTextMessageBufferSize(Integer.parseInt(ENV.get("MAX_MESSAGE_SIZE")));
        session.setMaxBinaryMessageBufferSize(Integer.parseInt(ENV.get("MAX_MESSAGE_SIZE")));
      }
      if (ENV.containsKey("CONNECTION_TIMEOUT")) {
        session.setMaxIdleTimeout(Long.parseLong(ENV.get("CONNECTION_TIMEOUT")) * 1000);
      }
      if (ENV.containsKey("PING_INTERVAL")) {
        ((TyrusSession) session)
            .setHeartbeatInterval(Long.parseLong(ENV.get("PING_INTERVAL")) * 1000);
      }
    }

    @OnMessage
    public String onText(String message) {
      return message;
    }

    @OnMessage
    public ByteBuffer onBinary(ByteBuffer message) {
      return message;
    }

    @OnError
    public void onError(Throwable error) {}
  }

  public static void main(String[] args) throws Exception {
    Map<String, Object> properties = new HashMap<>();
    if (ENV.containsKey("MAX_FRAME_SIZE")) {
      properties.put(
          TyrusWebSocketEngine.INCOMING_BUFFER_SIZE, Integer.parseInt(ENV.get("MAX_FRAME_SIZE")));
    }
    if (ENV.containsKey("MAX_CONNECTIONS")) {
      properties.put(
          TyrusWebSocketEngine.MAX_SESSIONS_PER_APP, Integer.parseInt(ENV.get("MAX_CONNECTIONS")));
    }
    String host = ENV.getOrDefault("HOST", "127.0.0.1");
    int port = Integer.parseInt(ENV.getOrDefault("PORT", "9001"));
    new Server(host, port, "/", properties, Echo.class).start();
    new CountDownLatch(1).await();
  }
}
