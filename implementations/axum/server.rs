// Echo server on axum. What the environment does not set keeps the library's default.

use std::{env, io};

use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::response::Response;
use axum::routing::{any, Router};
use tokio::net::TcpListener;
use tokio::signal::unix::{signal, SignalKind};

fn octets(name: &str) -> Option<usize> {
    env::var(name).ok()?.parse().ok()
}

async fn upgrade(mut upgrade: WebSocketUpgrade) -> Response {
    if let Some(limit) = octets("MAX_MESSAGE_SIZE") {
        upgrade = upgrade.max_message_size(limit);
    }
    if let Some(limit) = octets("MAX_FRAME_SIZE") {
        upgrade = upgrade.max_frame_size(limit);
    }
    upgrade.on_upgrade(echo)
}

async fn echo(mut websocket: WebSocket) {
    while let Some(Ok(message)) = websocket.recv().await {
        if matches!(message, Message::Text(_) | Message::Binary(_)) && websocket.send(message).await.is_err() {
            return;
        }
    }
}

async fn serve() -> io::Result<()> {
    let host = env::var("HOST").unwrap_or("127.0.0.1".into());
    let port = env::var("PORT").unwrap_or("9001".into());
    let listener = TcpListener::bind(format!("{host}:{port}")).await?;
    axum::serve(listener, Router::new().fallback(any(upgrade))).await
}

#[tokio::main]
async fn main() -> io::Result<()> {
    let mut terminated = signal(SignalKind::terminate())?;
    tokio::select! {
        failed = serve() => failed,
        _ = terminated.recv() => Ok(()),
    }
}
