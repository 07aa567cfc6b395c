import io.vertx.core.Vertx;
import io.vertx.core.http.HttpServerOptions;
import java.util.Map;
import java.util.function.IntConsumer;

/** Echo server on Vert.x. What the environment does not set keeps the library's default. */
public class Main {
  static final Map<String, String> ENV = System.getenv();

  static void ifSet(String name, IntConsumer option) {
    if (ENV.containsKey(name)) option.accept(Integer.parseInt(ENV.get(name)));
  }

  public static void main(String[] args) {
    HttpServerOptions options = new HttpServerOptions();
    ifSet("MAX_FRAME_SIZE", options::setMaxWebSocketFrameSize);
    ifSet("MAX_MESSAGE_SIZE", options::setMaxWebSocketMessageSize);
    ifSet("MAX_HANDSHAKE_SIZE", options::setMaxHeaderSize);
    ifSet("CLOSE_TIMEOUT", options::setWebSocketClosingTimeout);
    ifSet("CONNECTION_TIMEOUT", options::setIdleTimeout);
    if ("0".equals(ENV.get("COMPRESSION"))) {
      options.setPerMessageWebSocketCompressionSupported(false);
      options.setPerFrameWebSocketCompressionSupported(false);
    }
    Vertx.vertx()
        .createHttpServer(options)
        .webSocketHandler(
            webSocket ->
                webSocket
                    .textMessageHandler(webSocket::writeTextMessage)
                    .binaryMessageHandler(webSocket::writeBinaryMessage))
        .listen(
            Integer.parseInt(ENV.getOrDefault("PORT", "9001")),
            ENV.getOrDefault("HOST", "127.0.0.1"));
  }
}
