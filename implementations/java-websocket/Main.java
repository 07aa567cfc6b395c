import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;
import org.java_websocket.WebSocket;
import org.java_websocket.drafts.Draft;
import org.java_websocket.drafts.Draft_6455;
import org.java_websocket.extensions.IExtension;
import org.java_websocket.extensions.permessage_deflate.PerMessageDeflateExtension;
import org.java_websocket.handshake.ClientHandshake;
import org.java_websocket.protocols.IProtocol;
import org.java_websocket.protocols.Protocol;
import org.java_websocket.server.WebSocketServer;

/** Echo server on Java-WebSocket. What the environment does not set keeps the library's default. */
public class Main extends WebSocketServer {
  static final Map<String, String> ENV = System.getenv();

  Main(InetSocketAddress address, Draft draft) {
    super(address, List.of(draft));
  }

  static Draft draft() {
    // One number is the limit of a frame and of what fragments add up to.
    int limit =
        Math.min(
            Integer.parseInt(ENV.getOrDefault("MAX_FRAME_SIZE", "2147483647")),
            Integer.parseInt(ENV.getOrDefault("MAX_MESSAGE_SIZE", "2147483647")));
    List<IExtension> extensions =
        "0".equals(ENV.get("COMPRESSION")) ? List.of() : List.of(new PerMessageDeflateExtension());
    List<IProtocol> protocols = List.of(new Protocol(""));
    return new Draft_6455(extensions, protocols, limit);
  }

  @Override
  public void onMessage(WebSocket connection, String message) {
    connection.send(message);
  }

  @Override
  public void onMessage(WebSocket connection, ByteBuffer message) {
    connection.send(message);
  }

  @Override
  public void onOpen(WebSocket connection, ClientHandshake handshake) {}

  @Override
  public void onClose(WebSocket connection, int code, String reason, boolean remote) {}

  @Override
  public void onError(WebSocket connection, Exception error) {}

  @Override
  public void onStart() {}

  public static void main(String[] args) {
    String host = ENV.getOrDefault("HOST", "127.0.0.1");
    int port = Integer.parseInt(ENV.getOrDefault("PORT", "9001"));
    Main server = new Main(new InetSocketAddress(host, port), draft());
    if (ENV.containsKey("PING_INTERVAL")) {
      server.setConnectionLostTimeout(Integer.parseInt(ENV.get("PING_INTERVAL")));
    }
    server.run();
  }
}
