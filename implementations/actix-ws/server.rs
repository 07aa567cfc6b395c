// Echo server on actix-ws. What the environment does not set keeps the library's default.

use std::{env, io, time::Duration};

use actix_web::{rt, web, App, Error, HttpRequest, HttpResponse, HttpServer};
use actix_ws::{AggregatedMessage, AggregatedMessageStream, Closed, Session};

fn number<T: std::str::FromStr>(name: &str) -> Option<T> {
    env::var(name).ok()?.parse().ok()
}

async fn upgrade(request: HttpRequest, body: web::Payload) -> Result<HttpResponse, Error> {
    let (response, session, mut frames) = actix_ws::handle(&request, body)?;
    if let Some(limit) = number("MAX_FRAME_SIZE") {
        frames = frames.max_frame_size(limit);
    }
    let mut messages = frames.aggregate_continuations();
    if let Some(limit) = number("MAX_MESSAGE_SIZE") {
        messages = messages.max_continuation_size(limit);
    }
    rt::spawn(echo(session, messages));
    Ok(response)
}

async fn echo(mut session: Session, mut messages: AggregatedMessageStream) -> Result<(), Closed> {
    while let Some(Ok(message)) = messages.recv().await {
        match message {
            AggregatedMessage::Text(text) => session.text(text).await?,
            AggregatedMessage::Binary(data) => session.binary(data).await?,
            AggregatedMessage::Ping(data) => session.pong(&data).await?,
            AggregatedMessage::Pong(_) => {}
            AggregatedMessage::Close(reason) => return session.close(reason).await,
        }
    }
    session.close(None).await
}

#[actix_web::main]
async fn main() -> io::Result<()> {
    let host = env::var("HOST").unwrap_or("127.0.0.1".into());
    let port = number("PORT").unwrap_or(9001);
    let mut server = HttpServer::new(|| App::new().default_service(web::get().to(upgrade)));
    if let Some(seconds) = number("HANDSHAKE_TIMEOUT") {
        server = server.client_request_timeout(Duration::from_secs_f64(seconds));
    }
    // On SIGTERM actix waits for open connections, 30 s by default; an echo server has nothing to finish.
    server.shutdown_timeout(1).bind((host, port))?.run().await
}
