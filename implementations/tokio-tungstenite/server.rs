// Echo server on tokio-tungstenite. What the environment does not set keeps the library's default.

use std::{env, future, io};

use futures_util::{StreamExt, TryStreamExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::signal::unix::{signal, SignalKind};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

fn octets(name: &str) -> Option<usize> {
    env::var(name).ok()?.parse().ok()
}

fn config() -> WebSocketConfig {
    let mut config = WebSocketConfig::default();
    if let Some(limit) = octets("MAX_MESSAGE_SIZE") {
        config = config.max_message_size(Some(limit));
    }
    if let Some(limit) = octets("MAX_FRAME_SIZE") {
        config = config.max_frame_size(Some(limit));
    }
    config
}

async fn echo(stream: TcpStream) {
    let Ok(websocket) = tokio_tungstenite::accept_async_with_config(stream, Some(config())).await else {
        return;
    };
    let (sender, receiver) = websocket.split();
    let messages = receiver.try_filter(|message| future::ready(message.is_text() || message.is_binary()));
    let _ = messages.forward(sender).await;
}

async fn serve() -> io::Result<()> {
    let host = env::var("HOST").unwrap_or("127.0.0.1".into());
    let port = env::var("PORT").unwrap_or("9001".into());
    let listener = TcpListener::bind(format!("{host}:{port}")).await?;
    loop {
        if let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(echo(stream));
        }
    }
}

#[tokio::main]
async fn main() -> io::Result<()> {
    let mut terminated = signal(SignalKind::terminate())?;
    tokio::select! {
        failed = serve() => failed,
        _ = terminated.recv() => Ok(()),
    }
}
