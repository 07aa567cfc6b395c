// Echo server on soketto, as its examples/autobahn_server.rs. What the environment does not set keeps the library's
// default.

use std::{env, io};

use futures::io::{BufReader, BufWriter};
use soketto::extension::deflate::Deflate;
use soketto::handshake::server::{Response, Server};
use soketto::{BoxedError, Data, Mode};
use tokio::net::{TcpListener, TcpStream};
use tokio::signal::unix::{signal, SignalKind};
use tokio_util::compat::TokioAsyncReadCompatExt;

fn octets(name: &str) -> Option<usize> {
    env::var(name).ok()?.parse().ok()
}

async fn echo(stream: TcpStream) -> Result<(), BoxedError> {
    let mut server = Server::new(BufReader::new(BufWriter::new(stream.compat())));
    if env::var("COMPRESSION").as_deref() != Ok("0") {
        server.add_extension(Box::new(Deflate::new(Mode::Server)));
    }
    let key = server.receive_request().await?.key();
    server.send_response(&Response::Accept { key, protocol: None }).await?;
    let mut builder = server.into_builder();
    if let Some(limit) = octets("MAX_MESSAGE_SIZE") {
        builder.set_max_message_size(limit);
    }
    if let Some(limit) = octets("MAX_FRAME_SIZE") {
        builder.set_max_frame_size(limit);
    }
    let (mut sender, mut receiver) = builder.finish();
    let mut message = Vec::new();
    loop {
        message.clear();
        match receiver.receive_data(&mut message).await? {
            Data::Text(_) => sender.send_text(std::str::from_utf8(&message)?).await?,
            Data::Binary(_) => sender.send_binary_mut(&mut message).await?,
        }
        sender.flush().await?;
    }
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
