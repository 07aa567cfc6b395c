//! Echo server on LIBRARY. What the environment does not set keeps the library's default.

fn main() {
    let host = std::env::var("HOST").unwrap_or("127.0.0.1".into());
    let port = std::env::var("PORT").unwrap_or("9001".into());
    eprintln!("fill in: echo every message on {host}:{port}, text as text and binary as binary");
    std::process::exit(1);
}
