//! Connections in, with a bound: so many at once, so many from one address, and none that only sits there.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::extract::Request;
use axum::extract::connect_info::{ConnectInfo, Connected};
use axum::middleware::Next;
use axum::response::Response;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, Sleep, sleep};

/// Connections at once; a commune has a handful of people.
const CONNECTIONS: usize = 256;
/// Connections from one address: a browser opens six. Behind a proxy all come from one, so this is not small.
const FROM_ONE_ADDRESS: usize = 64;
/// A connection on which nothing moves for so long is closed, unless we are the ones who are waited for; events send
/// something every 15 s.
pub(super) const IDLE: Duration = Duration::from_secs(40);
/// A request's head is there this long after its first byte, the first one's after the connection began: who sends a byte
/// now and then would keep a place for ever. A bad line needs seconds; a body has its own time.
pub(super) const HEAD: Duration = Duration::from_secs(15);

/// The other end of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Peer(pub(crate) SocketAddr);

/// What requests know of the connection they come by.
#[derive(Debug, Clone)]
pub(super) struct Line {
    peer: Peer,
    work: Arc<Work>,
}

impl Connected<IncomingStream<'_, Bounded>> for Line {
    fn connect_info(stream: IncomingStream<'_, Bounded>) -> Self {
        Self { peer: Peer(*stream.remote_addr()), work: Arc::clone(&stream.io().work) }
    }
}

/// Whether a request of a connection is at work, of which HTTP/1 has one at a time.
#[derive(Debug, Default)]
struct Work(AtomicBool);

/// A request at work, until this is dropped.
struct AtWork(Arc<Work>);

impl AtWork {
    fn begin(work: Arc<Work>) -> Self {
        work.0.store(true, Ordering::Relaxed);
        Self(work)
    }
}

impl Drop for AtWork {
    fn drop(&mut self) {
        self.0.0.store(false, Ordering::Relaxed);
    }
}

/// Has a connection stay while a request of it is at work: to examine an hour of sound, or to walk through the log of
/// years, takes longer than a connection may be silent. Whoever reads a body says how long its next bytes may take.
pub(super) async fn at_work(
    ConnectInfo(Line { peer, work }): ConnectInfo<Line>,
    mut request: Request,
    next: Next,
) -> Response {
    request.extensions_mut().insert(ConnectInfo(peer));
    let _at_work = AtWork::begin(work);
    next.run(request).await
}

/// How long a connection is waited for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// Nothing may move for so long while no request is at work.
    pub(super) idle: Duration,
    /// For the whole head of a request.
    pub(super) head: Duration,
}

/// A listener with bounds.
#[derive(Debug)]
pub(super) struct Bounded {
    listener: TcpListener,
    patience: Patience,
    places: Arc<Semaphore>,
    guests: Arc<Guests>,
}

impl Bounded {
    pub(super) fn new(listener: TcpListener, patience: Patience) -> Self {
        Self { listener, patience, places: Arc::new(Semaphore::new(CONNECTIONS)), guests: Arc::default() }
    }
}

impl Listener for Bounded {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        loop {
            // Over the bound new ones wait in the system's queue until a place is free.
            let Ok(place) = Arc::clone(&self.places).acquire_owned().await else {
                std::future::pending::<()>().await;
                continue;
            };
            let (stream, from) = Listener::accept(&mut self.listener).await;
            let Some(guest) = Guests::welcome(&self.guests, from.ip()) else {
                tracing::debug!(peer = %from, "too many connections from one address");
                continue;
            };
            return (
                Connection {
                    stream,
                    patience: self.patience,
                    head_by: Some(Instant::now() + self.patience.head),
                    idle: Box::pin(sleep(self.patience.idle.min(self.patience.head))),
                    work: Arc::default(),
                    _guest: guest,
                    _place: place,
                },
                from,
            );
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// How many connections each address has.
#[derive(Debug, Default)]
struct Guests(Mutex<BTreeMap<IpAddr, usize>>);

impl Guests {
    fn welcome(guests: &Arc<Self>, address: IpAddr) -> Option<Guest> {
        let mut counts = guests.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(address).or_default();
        if *count >= FROM_ONE_ADDRESS {
            return None;
        }
        *count += 1;
        Some(Guest { guests: Arc::clone(guests), address })
    }
}

/// One connection's place among those of its address.
#[derive(Debug)]
struct Guest {
    guests: Arc<Guests>,
    address: IpAddr,
}

impl Drop for Guest {
    fn drop(&mut self) {
        let mut counts = self.guests.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.address);
            }
        }
    }
}

/// A connection that fails once nothing has moved on it for too long while the other end was waited for, or a request's
/// head takes too long.
#[derive(Debug)]
pub(super) struct Connection {
    stream: TcpStream,
    patience: Patience,
    /// When the head of a request must be there; none where none is on its way.
    head_by: Option<Instant>,
    idle: Pin<Box<Sleep>>,
    work: Arc<Work>,
    _guest: Guest,
    _place: OwnedSemaphorePermit,
}

impl Connection {
    fn is_at_work(&self) -> bool {
        self.work.0.load(Ordering::Relaxed)
    }

    /// Notes that an answer is on its way: the next head has its own time.
    fn answers(&mut self, moved: &Poll<io::Result<usize>>) {
        if matches!(moved, Poll::Ready(Ok(_))) {
            self.head_by = None;
        }
    }

    /// Notes that something moved, or fails when it has been too long.
    fn watch<T>(&mut self, moved: Poll<io::Result<T>>, context: &mut Context<'_>) -> Poll<io::Result<T>> {
        let at_work = self.is_at_work();
        if at_work {
            self.head_by = None;
        }
        if moved.is_ready() || at_work {
            let until = Instant::now() + self.patience.idle;
            let until = self.head_by.map_or(until, |head_by| head_by.min(until));
            self.idle.as_mut().reset(until);
        }
        if moved.is_ready() {
            return moved;
        }
        self.idle.as_mut().poll(context).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let moved = Pin::new(&mut self.stream).poll_read(context, buffer);
        if buffer.filled().len() > before && !self.is_at_work() {
            let head = self.patience.head;
            self.head_by.get_or_insert_with(|| Instant::now() + head);
        }
        self.watch(moved, context)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let moved = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.answers(&moved);
        self.watch(moved, context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let moved = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.answers(&moved);
        self.watch(moved, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    /// Longer than any test takes.
    const LONG: Duration = Duration::from_secs(600);

    #[test]
    fn an_address_gets_its_place_back_when_a_connection_ends() {
        let guests = Arc::new(Guests::default());
        let address = IpAddr::from([127, 0, 0, 1]);
        let mut here: Vec<_> =
            (0..FROM_ONE_ADDRESS).map(|_| Guests::welcome(&guests, address).unwrap()).collect();
        assert!(Guests::welcome(&guests, address).is_none());
        assert!(Guests::welcome(&guests, IpAddr::from([127, 0, 0, 2])).is_some());
        here.pop();
        assert!(Guests::welcome(&guests, address).is_some());
        here.clear();
        assert!(guests.0.lock().unwrap().is_empty());
    }

    #[tokio::test]
    async fn a_connection_that_only_sits_there_is_closed() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let patience = Patience { idle: Duration::from_millis(20), head: LONG };
        let mut bounded = Bounded::new(listener, patience);
        let client = TcpStream::connect(bounded.local_addr().unwrap()).await.unwrap();
        let (mut connection, _) = bounded.accept().await;
        let read = connection.read_u8().await;
        assert_eq!(read.unwrap_err().kind(), io::ErrorKind::TimedOut);
        drop(client);
    }

    #[tokio::test]
    async fn a_head_that_comes_byte_by_byte_is_not_waited_for_and_a_body_is() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let patience = Patience { idle: LONG, head: Duration::from_millis(50) };
        let mut bounded = Bounded::new(listener, patience);
        let mut client = TcpStream::connect(bounded.local_addr().unwrap()).await.unwrap();
        let (mut connection, _) = bounded.accept().await;
        client.write_all(b"GET").await.unwrap();
        // Until nothing more comes: what came has not made it wait longer.
        let read = tokio::time::timeout(patience.head * 100, connection.read_to_end(&mut Vec::new())).await;
        let read = read.expect("it is given up");
        assert_eq!(read.unwrap_err().kind(), io::ErrorKind::TimedOut);

        let mut client = TcpStream::connect(bounded.local_addr().unwrap()).await.unwrap();
        let (mut connection, _) = bounded.accept().await;
        let at_work = AtWork::begin(Arc::clone(&connection.work));
        client.write_all(b"a body").await.unwrap();
        let read = tokio::time::timeout(patience.head * 4, connection.read_to_end(&mut Vec::new())).await;
        assert!(read.is_err(), "it is read on");
        // The next head of the same connection has as long, from its first byte on.
        drop(at_work);
        connection.write_all(b"an answer").await.unwrap();
        let silent = tokio::time::timeout(patience.head * 4, connection.read_u8()).await;
        assert!(silent.is_err(), "nothing of it is there yet");
        client.write_all(b"GET").await.unwrap();
        let read = tokio::time::timeout(patience.head * 100, connection.read_to_end(&mut Vec::new())).await;
        let read = read.expect("it is given up");
        assert_eq!(read.unwrap_err().kind(), io::ErrorKind::TimedOut);
    }
}
