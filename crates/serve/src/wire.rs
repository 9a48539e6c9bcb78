//! The socket under a connection: it gives up a client that takes too little of its answers, knows whether anything is under way, answers
//! a client that has ended its side after its last request, and holds back the empty answers that hyper gives to what is no HTTP, so that
//! [`crate::connection`] can answer in JSON.

use crate::lock::lock;
use socket2::SockRef;
use std::future::Future;
use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU16, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep};

/// From this length on, the first line is what makes a head too large.
const LONG_LINE: usize = 16 << 10;
/// For how long a client that has ended its side is answered: it may only have no more to ask (`nc -N`), or it may have gone. Work for one
/// that has gone is wasted, so a busy server does not wait for longer.
const HALF_CLOSED: Duration = Duration::from_secs(1);
/// Bytes that a client has to take each time it is waited for.
const AT_LEAST: usize = 1 << 20;
/// Bytes that the system keeps of an answer beyond those that are on the line.
#[cfg(any(target_os = "linux", target_os = "android"))]
const UNSENT: u32 = 128 << 10;

/// What is known of a connection. All of it is used by one task, the connection's own; it is shared between hyper, which owns what it reads
/// and writes, and the task that serves the connection.
#[derive(Debug)]
pub struct Wire {
    stream: Mutex<TcpStream>,
    /// Requests that are not answered, or whose answer is not yet handed over.
    calls: AtomicUsize,
    /// Something was handed over since all was last sent.
    unsent: AtomicBool,
    /// The client takes nothing at the moment.
    blocked: AtomicBool,
    /// Bytes of the first line of a request.
    line: AtomicUsize,
    /// That line has arrived as a whole.
    lined: AtomicBool,
    /// The status of the empty answer that was held back; 0 when there was none.
    refused: AtomicU16,
}

/// A request, until its answer is handed over.
#[derive(Debug)]
pub struct Call(Arc<Wire>);

impl Drop for Call {
    fn drop(&mut self) {
        self.0.unsent.store(true, Relaxed);
        self.0.lined.store(false, Relaxed);
        self.0.line.store(0, Relaxed);
        self.0.calls.fetch_sub(1, Relaxed);
    }
}

impl Wire {
    pub fn new(stream: TcpStream) -> Arc<Self> {
        // Answers are small and wanted now. Both are wishes: a system that lacks them is slower, or holds more.
        let _ = stream.set_nodelay(true);
        #[cfg(any(target_os = "linux", target_os = "android"))]
        let _ = SockRef::from(&stream).set_tcp_notsent_lowat(UNSENT);
        let (calls, unsent, blocked, line, lined, refused) = Default::default();
        Arc::new(Self { stream: Mutex::new(stream), calls, unsent, blocked, line, lined, refused })
    }

    /// Counts a request.
    pub fn call(self: &Arc<Self>) -> Call {
        self.calls.fetch_add(1, Relaxed);
        Call(Arc::clone(self))
    }

    /// Waits until the client takes what it was sent. No request of a connection is worked on before.
    pub async fn sent(&self) {
        // What ends the wait wakes the task.
        std::future::poll_fn(|_| if self.blocked.load(Relaxed) { Poll::Pending } else { Poll::Ready(()) }).await;
    }

    /// Whether no request is under way: none to be answered, no answer to be sent, and no byte of a further one has arrived.
    pub fn is_idle(&self) -> bool {
        let under_way = self.calls.load(Relaxed) > 0 || self.unsent.load(Relaxed);
        // The system is asked itself: the runtime may not know yet.
        !under_way && !matches!(SockRef::from(&*lock(&self.stream)).peek(&mut [MaybeUninit::uninit()]), Ok(1..))
    }

    /// Whether a request is being answered.
    pub fn is_called(&self) -> bool {
        self.calls.load(Relaxed) > 0
    }

    /// Whether the client has not been sent all of its answers.
    pub fn is_unsent(&self) -> bool {
        self.unsent.load(Relaxed)
    }

    /// The status with which hyper refused the request. Its answer was held back.
    pub fn refused(&self) -> Option<u16> {
        match self.refused.load(Relaxed) {
            0 => None,
            // hyper's own bound of an address lies above that of a head.
            431 if self.line.load(Relaxed) > LONG_LINE => Some(414),
            status => Some(status),
        }
    }

    /// Writes the whole of `bytes`.
    ///
    /// # Errors
    /// When the connection is broken.
    pub async fn write(&self, bytes: &[u8]) -> io::Result<()> {
        let mut written = 0;
        while written < bytes.len() {
            let more = std::future::poll_fn(|context| {
                Pin::new(&mut *lock(&self.stream)).poll_write(context, bytes.get(written..).unwrap_or_default())
            });
            match more.await? {
                0 => return Err(io::ErrorKind::WriteZero.into()),
                more => written += more,
            }
        }
        Ok(())
    }

    /// Ends our side, then reads what still comes, at most `most` bytes, until the client ends its own: closed before, the connection would
    /// be reset, and the client might lose the answer with it.
    pub async fn close(&self, most: usize) {
        let ended = std::future::poll_fn(|context| Pin::new(&mut *lock(&self.stream)).poll_shutdown(context)).await;
        if ended.is_err() {
            return;
        }
        let mut read = 0;
        std::future::poll_fn(|context| {
            let mut stream = lock(&self.stream);
            let mut bytes = [0; 4096];
            loop {
                let mut into = ReadBuf::new(&mut bytes);
                match Pin::new(&mut *stream).poll_read(context, &mut into) {
                    Poll::Ready(Ok(())) if !into.filled().is_empty() && read < most => read += into.filled().len(),
                    Poll::Ready(_) => return Poll::Ready(()),
                    Poll::Pending => return Poll::Pending,
                }
            }
        })
        .await;
    }

    /// Drops what the system still keeps of an answer when the connection is closed.
    pub fn abort(&self) {
        let _ = SockRef::from(&*lock(&self.stream)).set_linger(Some(Duration::ZERO));
    }
}

/// The stream that hyper reads and writes.
pub struct Patient {
    wire: Arc<Wire>,
    most: Duration,
    /// Runs while the client does not take all it is sent.
    waits: Option<Pin<Box<Sleep>>>,
    /// Bytes that were taken since.
    taken: usize,
    /// Runs since the client ended its side while a request was being answered.
    ended: Option<Pin<Box<Sleep>>>,
}

impl Patient {
    /// Fails once the client has taken less than a megabyte, and not all, in the time of `most`.
    pub fn new(wire: Arc<Wire>, most: Duration) -> Self {
        Self { wire, most, waits: None, taken: 0, ended: None }
    }

    /// What writing gave, unless that was too little for too long.
    fn bounded(&mut self, context: &mut Context<'_>, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        match written {
            Poll::Ready(Ok(more)) => {
                self.taken += more;
                self.ended = None;
                if self.taken >= AT_LEAST {
                    self.waits = None;
                }
                if self.wire.blocked.swap(false, Relaxed) {
                    // A request may have waited for this.
                    context.waker().wake_by_ref();
                }
                Poll::Ready(Ok(more))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => {
                self.wire.blocked.store(true, Relaxed);
                let (most, taken) = (self.most, &mut self.taken);
                let waits = self.waits.get_or_insert_with(|| {
                    *taken = 0;
                    Box::pin(sleep(most))
                });
                waits.as_mut().poll(context).map(|()| Err(io::ErrorKind::TimedOut.into()))
            }
        }
    }
}

impl AsyncRead for Patient {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = into.filled().len();
        let read = Pin::new(&mut *lock(&self.wire.stream)).poll_read(context, into);
        if matches!(read, Poll::Ready(Ok(()))) && into.filled().len() == before && into.remaining() > 0 && self.wire.is_called() {
            // The end of what the client sends. hyper would drop the request; it asks again once the answer is handed over.
            return self.ended.get_or_insert_with(|| Box::pin(sleep(HALF_CLOSED))).as_mut().poll(context).map(Ok);
        }
        if !self.wire.is_called() && !self.wire.lined.load(Relaxed) {
            let new = into.filled().get(before..).unwrap_or_default();
            let end = new.iter().position(|byte| *byte == b'\n');
            self.wire.line.fetch_add(end.unwrap_or(new.len()), Relaxed);
            self.wire.lined.store(end.is_some(), Relaxed);
        }
        read
    }
}

impl AsyncWrite for Patient {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let mut bytes = bytes;
        if !self.wire.is_called()
            && let Some((begins, status)) = refusal(bytes)
        {
            if begins == 0 {
                self.wire.refused.store(status, Relaxed);
                return Poll::Ready(Ok(bytes.len()));
            }
            bytes = bytes.get(..begins).unwrap_or_default();
        }
        let written = Pin::new(&mut *lock(&self.wire.stream)).poll_write(context, bytes);
        self.bounded(context, written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        // hyper asks for this when it has nothing left to write.
        self.waits = None;
        self.wire.unsent.store(false, Relaxed);
        Pin::new(&mut *lock(&self.wire.stream)).poll_flush(context)
    }

    /// Whoever serves the connection closes it.
    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// Where hyper's own answer to what it cannot read begins at the end of `bytes`, and its status. It has no body, and not the identity
/// that every answer of a route has.
fn refusal(bytes: &[u8]) -> Option<(usize, u16)> {
    const BEGINS: &[u8] = b"HTTP/1.";
    if !bytes.ends_with(b"\r\n\r\n") {
        return None;
    }
    let begins = bytes.windows(BEGINS.len()).rposition(|window| window == BEGINS)?;
    let head = str::from_utf8(bytes.get(begins..)?).ok()?;
    let status = head.get(9..12)?.parse().ok()?;
    let empty = head.contains("\r\ncontent-length: 0\r\n") && !head.contains("\r\nx-request-id:");
    (empty && matches!(status, 400 | 414 | 431)).then_some((begins, status))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::poll_fn;
    use std::io::Read;
    use tokio::net::TcpListener;

    /// More than both ends of a connection buffer.
    const BYTES: usize = 32 << 20;

    /// Sends all to a client that takes so many bytes after each pause, until it has all of them.
    fn send(takes: usize, pause: Duration, most: Duration) -> Result<(), io::ErrorKind> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let mut client = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            let wire = Wire::new(listener.accept().await.unwrap().0);
            let mut ours = Patient::new(wire, most);
            let over = Arc::new(AtomicBool::new(takes == 0));
            let told = Arc::clone(&over);
            let reader = std::thread::spawn(move || {
                let mut taken = vec![0; takes];
                while !told.load(Relaxed) {
                    std::thread::sleep(pause);
                    if client.read(&mut taken).unwrap_or(0) == 0 {
                        break;
                    }
                }
                client
            });
            let (bytes, mut sent) = (vec![7; BYTES], 0);
            let written = loop {
                match poll_fn(|context| Pin::new(&mut ours).poll_write(context, &bytes[sent..])).await {
                    Ok(more) if sent + more == BYTES => break Ok(()),
                    Ok(more) => sent += more,
                    Err(error) => break Err(error.kind()),
                }
            };
            over.store(true, Relaxed);
            drop(ours);
            reader.join().unwrap();
            written
        })
    }

    #[test]
    fn who_takes_nothing_or_hardly_anything_is_given_up() {
        let (soon, late) = (Duration::from_millis(300), Duration::from_secs(60));
        assert_eq!(send(0, Duration::ZERO, soon), Err(io::ErrorKind::TimedOut));
        // A byte now and then keeps nobody waiting for ever.
        assert_eq!(send(1, Duration::from_millis(1), soon), Err(io::ErrorKind::TimedOut));
        assert_eq!(send(1 << 20, Duration::from_millis(1), late), Ok(()));
    }

    #[test]
    fn answers_of_hyper_are_told_from_ours() {
        let theirs = "HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\ndate: x\r\n\r\n";
        let ours = "HTTP/1.1 404 Not Found\r\nx-request-id: a\r\ncontent-length: 0\r\n\r\n";
        let body = "HTTP/1.1 200 OK\r\nx-request-id: a\r\ncontent-length: 2\r\n\r\n{}";
        assert_eq!(refusal(theirs.as_bytes()), Some((0, 400)));
        assert_eq!(refusal([body, theirs].concat().as_bytes()), Some((body.len(), 400)));
        for other in [ours, body, "", "\r\n\r\n", &[theirs, ours].concat(), &[theirs, body].concat()] {
            assert_eq!(refusal(other.as_bytes()), None, "{other}");
        }
    }
}
