// Echo server on warp. What the environment does not set keeps the library's default.

use std::{env, future, io};

use futures_util::{StreamExt, TryStreamExt};
use tokio::net::TcpListener;
use tokio::signal::unix::{signal, SignalKind};
use warp::ws::{WebSocket, Ws};
use warp::{Filter, Reply};

fn octets(name: &str) -> Option<usize> {
    env::var(name).ok()?.parse().ok()
}

fn upgrade(mut upgrade: Ws) -> impl Reply {
    if let Some(limit) = octets("MAX_MESSAGE_SIZE") {
        upgrade = upgrade.max_message_size(limit);
    }
    if let Some(limit) = octets("MAX_FRAME_SIZE") {
        upgrade = upgrade.max_frame_size(limit);
    }
    upgrade.on_upgrade(echo)
}

async fn echo(websocket: WebSocket) {
    let (sender, receiver) = websocket.split();
    let messages = receiver.try_filter(|message| future::ready(message.is_text() || message.is_binary()));
    let _ = messages.forward(sender).await;
}

async fn serve() -> io::Result<()> {
    let host = env::var("HOST").unwrap_or("127.0.0.1".into());
    let port = env::var("PORT").unwrap_or("9001".into());
    let listener = TcpListener::bind(format!("{host}:{port}")).await?;
    warp::serve(warp::ws().map(upgrade)).incoming(listener).run().await;
    Ok(())
}

#[tokio::main]
async fn main() -> io::Result<()> {
    let mut terminated = signal(SignalKind::terminate())?;
    tokio::select! {
        failed = serve() => failed,
        _ = terminated.recv() => Ok(()),
    }
}
