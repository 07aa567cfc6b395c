import io.undertow.Handlers;
import io.undertow.Undertow;
import io.undertow.UndertowOptions;
import io.undertow.websockets.WebSocketProtocolHandshakeHandler;
import io.undertow.websockets.core.AbstractReceiveListener;
import io.undertow.websockets.core.BufferedBinaryMessage;
import io.undertow.websockets.core.BufferedTextMessage;
import io.undertow.websockets.core.WebSocketCallback;
import io.undertow.websockets.core.WebSocketChannel;
import io.undertow.websockets.core.WebSockets;
import io.undertow.websockets.extensions.PerMessageDeflateHandshake;
import java.nio.ByteBuffer;
import java.util.Map;
import org.xnio.Pooled;

/** Echo server on Undertow's own WebSocket interface. What the environment does not set keeps the library's default. */
public class Main {
  static final Map<String, String> ENV = System.getenv();
  static final long MAX_MESSAGE_SIZE = Long.parseLong(ENV.getOrDefault("MAX_MESSAGE_SIZE", "-1"));

  static class Echo extends AbstractReceiveListener {
    @Override
    protected void onFullTextMessage(WebSocketChannel channel, BufferedTextMessage message) {
      WebSockets.sendText(message.getData(), channel, null);
    }

    @Override
    protected void onFullBinaryMessage(WebSocketChannel channel, BufferedBinaryMessage message) {
      Pooled<ByteBuffer[]> data = message.getData();
      WebSockets.sendBinary(
          data.getResource(),
          channel,
          new WebSocketCallback<Void>() {
            @Override
            public void complete(WebSocketChannel channel, Void context) {
              data.free();
            }

            @Override
            public void onError(WebSocketChannel channel, Void context, Throwable error) {
              data.free();
            }
          });
    }

    @Override
    protected long getMaxTextBufferSize() {
      return MAX_MESSAGE_SIZE;
    }

    @Override
    protected long getMaxBinaryBufferSize() {
      return MAX_MESSAGE_SIZE;
    }
  }

  public static void main(String[] args) {
    WebSocketProtocolHandshakeHandler websocket =
        Handlers.websocket(
            (exchange, channel) -> {
              if (ENV.containsKey("CONNECTION_TIMEOUT")) {
                channel.setIdleTimeout(Integer.parseInt(ENV.get("CONNECTION_TIMEOUT")) * 1000L);
              }
              channel.getReceiveSetter().set(new Echo());
              channel.resumeReceives();
            });
    if (!"0".equals(ENV.get("COMPRESSION"))) {
      websocket.addExtension(new PerMessageDeflateHandshake());
    }
    Undertow.Builder builder =
        Undertow.builder()
            .addHttpListener(
                Integer.parseInt(ENV.getOrDefault("PORT", "9001")),
                ENV.getOrDefault("HOST", "127.0.0.1"))
            .setHandler(websocket);
    if (ENV.containsKey("MAX_HANDSHAKE_SIZE")) {
      builder.setServerOption(
          UndertowOptions.MAX_HEADER_SIZE, Integer.parseInt(ENV.get("MAX_HANDSHAKE_SIZE")));
    }
    if (ENV.containsKey("HANDSHAKE_TIMEOUT")) {
      int milliseconds = Integer.parseInt(ENV.get("HANDSHAKE_TIMEOUT")) * 1000;
      builder.setServerOption(UndertowOptions.NO_REQUEST_TIMEOUT, milliseconds);
      builder.setServerOption(UndertowOptions.REQUEST_PARSE_TIMEOUT, milliseconds);
    }
    builder.build().start();
  }
}
