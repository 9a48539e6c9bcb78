//! A connection that is given up when its client takes nothing of what it is sent.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep};

/// A stream that fails once writing has waited for so long.
pub struct Patient {
    stream: TcpStream,
    most: Duration,
    /// Runs while the client's window is full.
    waits: Option<Pin<Box<Sleep>>>,
}

impl Patient {
    pub fn new(stream: TcpStream, most: Duration) -> Self {
        Self { stream, most, waits: None }
    }

    /// What writing gave, unless that was nothing for too long.
    fn bounded(&mut self, context: &mut Context<'_>, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if written.is_ready() {
            self.waits = None;
            return written;
        }
        let most = self.most;
        let waits = self.waits.get_or_insert_with(|| Box::pin(sleep(most)));
        waits.as_mut().poll(context).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Patient {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, into)
    }
}

impl AsyncWrite for Patient {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.bounded(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.bounded(context, written)
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
    use super::*;
    use std::future::poll_fn;
    use std::io::Read;
    use tokio::net::TcpListener;

    /// More than both ends of a connection buffer.
    const BYTES: usize = 32 << 20;

    #[test]
    fn who_takes_nothing_is_given_up_who_takes_slowly_is_not() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            for takes in [false, true] {
                let mut client = std::net::TcpStream::connect(address).unwrap();
                let (ours, _) = listener.accept().await.unwrap();
                let mut ours = Patient::new(ours, if takes { Duration::from_secs(60) } else { Duration::from_millis(200) });
                let reader = std::thread::spawn(move || {
                    let mut taken = vec![0; 1 << 20];
                    for _ in 0..if takes { BYTES >> 20 } else { 0 } {
                        std::thread::sleep(Duration::from_millis(1));
                        client.read_exact(&mut taken).unwrap();
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
                assert_eq!(written, if takes { Ok(()) } else { Err(io::ErrorKind::TimedOut) });
                reader.join().unwrap();
            }
        });
    }
}
