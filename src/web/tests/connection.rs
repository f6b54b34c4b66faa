//! The interface over real connections.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::*;

/// A served station: where, how to stop it, and its end.
async fn served(site: &Site) -> (SocketAddr, watch::Sender<bool>, tokio::task::JoinHandle<io::Result<()>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, mut stopping) = watch::channel(false);
    let stopped = async move { drop(stopping.wait_for(|stop| *stop).await) };
    (address, stop, tokio::spawn(serve(listener, site.state.clone(), stopped)))
}

async fn ask(address: SocketAddr, request: &str) -> (TcpStream, String) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut bytes = vec![0; 16_384];
    let count = stream.read(&mut bytes).await.unwrap();
    (stream, String::from_utf8_lossy(&bytes[..count]).into_owned())
}

#[tokio::test]
async fn acts_are_kept_with_where_they_came_from() {
    let site = Site::new();
    site.sounds("2026-11-23/sang/chuyen-muc/0");
    let (address, _stop, _serving) = served(&site).await;
    let token = &site.tokens["operator"];
    let request = format!(
        "POST /api/v1/outputs/loa-xa/stop HTTP/1.1\r\nHost: loa\r\nAuthorization: Bearer {token}\r\n\
         X-Forwarded-For: 203.0.113.9\r\nContent-Length: 0\r\n\r\n"
    );
    let (_, answer) = ask(address, &request).await;
    assert!(answer.starts_with("HTTP/1.1 202"), "{answer}");
    let acts = site.state.store.acts(Timestamp::MIN, Timestamp::MAX, 10).unwrap();
    assert_eq!((acts[0].what.as_str(), acts[0].origin.as_str()), ("output.stop", "127.0.0.1"));
}

#[tokio::test]
async fn a_listener_who_stays_does_not_keep_the_program_from_stopping() {
    let site = Site::new();
    let (address, stop, serving) = served(&site).await;
    let token = &site.tokens["auditor"];
    let request =
        format!("GET /api/v1/events HTTP/1.1\r\nHost: loa\r\nAuthorization: Bearer {token}\r\n\r\n");
    let (listening, first) = ask(address, &request).await;
    assert!(first.contains("text/event-stream"), "{first}");
    stop.send_replace(true);
    let ended = tokio::time::timeout(GRACE + Duration::from_secs(20), serving).await;
    assert!(ended.unwrap().unwrap().is_ok());
    drop(listening);
}

/// Waits until a connection on which nothing moves has been closed: as long as any may be silent.
async fn as_long_as_a_connection_may_be_silent(address: SocketAddr) {
    let mut silent = TcpStream::connect(address).await.unwrap();
    assert_eq!(silent.read(&mut [0]).await.unwrap(), 0, "nothing was sent, and nothing is answered");
}

#[tokio::test]
async fn a_connection_stays_for_as_long_as_its_request_is_at_work() {
    let short = Duration::from_millis(200);
    let limits = Limits { idle: short, head: short, ..Limits::default() };
    let site = Site::with(limits, Bounds::default());
    let (address, _stop, _serving) = served(&site).await;
    let free = hang(&site);
    let body = form(&[Part::file("bài.wav", &wav(440.0, 1.0))]);
    let head = format!(
        "POST /api/v1/segments HTTP/1.1\r\nHost: loa\r\nAuthorization: Bearer {}\r\n\
         Content-Type: multipart/form-data; boundary=xxx\r\nContent-Length: {}\r\n\r\n",
        site.tokens["uploader"],
        body.len()
    );
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(&[head.as_bytes(), &body].concat()).await.unwrap();
    // The first began to be silent before the last bytes of the recording were read, maybe; the second did not.
    as_long_as_a_connection_may_be_silent(address).await;
    as_long_as_a_connection_may_be_silent(address).await;
    free.send(()).unwrap();
    let mut answer = String::new();
    // All of it: once it is answered, nobody is waited for but the client.
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    assert_eq!(site.state.store.catalog().unwrap().iter().count(), 1);
}
