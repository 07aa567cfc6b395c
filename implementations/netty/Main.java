import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelPipeline;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.handler.codec.http.HttpObjectAggregator;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.handler.codec.http.websocketx.WebSocketFrame;
import io.netty.handler.codec.http.websocketx.WebSocketFrameAggregator;
import io.netty.handler.codec.http.websocketx.WebSocketServerProtocolConfig;
import io.netty.handler.codec.http.websocketx.WebSocketServerProtocolHandler;
import io.netty.handler.codec.http.websocketx.extensions.compression.WebSocketServerCompressionHandler;
import java.util.Map;

/** Echo server on Netty's handlers. What the environment does not set keeps the library's default. */
public class Main {
  static final Map<String, String> ENV = System.getenv();
  // The aggregator and the inflater have no default.
  static final int MAX_MESSAGE_SIZE =
      Integer.parseInt(ENV.getOrDefault("MAX_MESSAGE_SIZE", "67108864"));

  static class Echo extends SimpleChannelInboundHandler<WebSocketFrame> {
    @Override
    protected void channelRead0(ChannelHandlerContext context, WebSocketFrame message) {
      context.writeAndFlush(message.retain());
    }
  }

  static class Initializer extends ChannelInitializer<SocketChannel> {
    @Override
    protected void initChannel(SocketChannel channel) {
      WebSocketServerProtocolConfig.Builder config =
          WebSocketServerProtocolConfig.newBuilder()
              .websocketPath("/")
              .checkStartsWith(true)
              .allowExtensions(true);
      if (ENV.containsKey("MAX_FRAME_SIZE")) {
        config.maxFramePayloadLength(Integer.parseInt(ENV.get("MAX_FRAME_SIZE")));
      }
      if (ENV.containsKey("HANDSHAKE_TIMEOUT")) {
        config.handshakeTimeoutMillis(Long.parseLong(ENV.get("HANDSHAKE_TIMEOUT")) * 1000);
      }
      if (ENV.containsKey("CLOSE_TIMEOUT")) {
        config.forceCloseTimeoutMillis(Long.parseLong(ENV.get("CLOSE_TIMEOUT")) * 1000);
      }
      ChannelPipeline pipeline = channel.pipeline();
      pipeline.addLast(new HttpServerCodec());
      pipeline.addLast(new HttpObjectAggregator(65536));
      if (!"0".equals(ENV.get("COMPRESSION"))) {
        pipeline.addLast(new WebSocketServerCompressionHandler(MAX_MESSAGE_SIZE));
      }
      pipeline.addLast(new WebSocketServerProtocolHandler(config.build()));
      pipeline.addLast(new WebSocketFrameAggregator(MAX_MESSAGE_SIZE));
      pipeline.addLast(new Echo());
    }
  }

  public static void main(String[] args) throws InterruptedException {
    MultiThreadIoEventLoopGroup group = new MultiThreadIoEventLoopGroup(NioIoHandler.newFactory());
    new ServerBootstrap()
        .group(group)
        .channel(NioServerSocketChannel.class)
        .childHandler(new Initializer())
        .bind(
            ENV.getOrDefault("HOST", "127.0.0.1"),
            Integer.parseInt(ENV.getOrDefault("PORT", "9001")))
        .sync();
  }
}
