//! The server: accepts connections, bounds their number, watches the files of models, and stops without losing a request.

use crate::connection::Connections;
use crate::http::router;
use crate::log::Log;
use crate::models::Models;
use crate::options::Options;
use crate::service::Service;
use crate::signals::{Hangups, Signal, Signals};
use std::future::{Future, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};
use std::task::Poll;
use std::thread::{JoinHandle, Thread};
use std::time::Duration;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{sleep, timeout};

/// For how long connections are accepted and answered after the server was asked to stop: those that a client has opened already, and
/// those that are idle, so that a request on its way finds somebody.
const GRACE: Duration = Duration::from_millis(250);
/// How long connections that came in that time may take to send what they came for.
const LAST: Duration = Duration::from_secs(1);

/// Signals that a server acts on: [`Server::listen_to_signals`].
pub struct Asked {
    first: Signals,
    /// Sees the same signals: the first of them, too.
    second: Signals,
    hangups: Hangups,
}

/// A server that listens.
#[derive(Debug)]
pub struct Server {
    runtime: Runtime,
    listener: TcpListener,
    service: Arc<Service>,
    watch: Arc<Watch>,
}

impl Server {
    /// Listens at `address`; port 0 takes any that is free.
    ///
    /// # Errors
    /// When the address is taken, or the system gives no threads.
    pub fn bind(address: SocketAddr, options: Options, models: Models, log: Log) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(options.threads.max(1))
            // Pictures are read there.
            .max_blocking_threads(options.threads.max(1) + 8)
            .thread_name("http")
            .enable_io()
            .enable_time()
            .build()?;
        let service = Arc::new(Service::new(options, models, log)?);
        let listener = runtime.block_on(async { listen(address, service.options.connections) })?;
        Ok(Self { runtime, listener, service, watch: Arc::default() })
    }

    /// Where it listens.
    ///
    /// # Errors
    /// When the system does not tell.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// All that requests need, for routes of one's own and tests.
    pub fn service(&self) -> &Arc<Service> {
        &self.service
    }

    /// Answers until `stop` is over, and then all that was accepted, unless `now` is over before. How many requests were left
    /// unanswered in the end.
    pub fn run(self, stop: impl Future<Output = ()>, now: impl Future<Output = ()>) -> usize {
        let Self { runtime, listener, service, watch } = self;
        let watcher = Watcher::start(watch, &service);
        let left = runtime.block_on(serve(listener, &service, stop, now));
        drop(watcher);
        // What was not answered in time is not computed any more, and what reads a picture that nobody waits for holds up nothing.
        runtime.shutdown_background();
        service.batcher.end();
        service.log.flush();
        left
    }

    /// Listens to SIGTERM, SIGHUP and Ctrl-C from here on, instead of ending by them.
    ///
    /// # Errors
    /// When the system does not let it.
    pub fn listen_to_signals(&self) -> io::Result<Asked> {
        let _runtime = self.runtime.enter();
        Ok(Asked { first: Signals::listen()?, second: Signals::listen()?, hangups: Hangups::listen()? })
    }

    /// [`Server::run`] until SIGTERM or Ctrl-C; a second one ends it at once. SIGHUP reads all models again. Which came, and how many requests
    /// were left unanswered.
    pub fn run_until(self, asked: Asked) -> (Signal, usize) {
        let Asked { mut first, mut second, mut hangups } = asked;
        let watch = Arc::clone(&self.watch);
        self.runtime.spawn(async move {
            loop {
                hangups.next().await;
                watch.ask(&watch.reload);
            }
        });
        let mut came = Signal::Terminate;
        let left = self.run(async { came = first.next().await }, async {
            second.next().await;
            second.next().await;
        });
        (came, left)
    }
}

async fn serve(
    listener: TcpListener,
    service: &Arc<Service>,
    stop: impl Future<Output = ()>,
    now: impl Future<Output = ()>,
) -> usize {
    let open = Open {
        connections: Connections::new(Arc::clone(service), router(Arc::clone(service))),
        room: Arc::new(Semaphore::new(service.options.connections.clamp(1, Semaphore::MAX_PERMITS))),
        service: Arc::clone(service),
    };
    let (mut stop, mut now) = (pin!(stop), pin!(now));
    while let Some(accepted) = before(stop.as_mut(), open.accept(&listener)).await {
        open.spawn(accepted).await;
    }
    service.log.event("stop", &[("in_flight", &service.metrics.in_flight.load(Relaxed))]);
    service.drain();
    let grace = async {
        loop {
            let accepted = open.accept(&listener).await;
            open.spawn(accepted).await;
        }
    };
    let unanswered = || usize::try_from(service.metrics.in_flight.load(Relaxed)).unwrap_or(0);
    let graced: Option<Result<(), _>> = before(now.as_mut(), timeout(GRACE, grace)).await;
    if graced.is_none() {
        // `now` is over, and may not be asked again.
        return unanswered();
    }
    // Connections that the system has accepted in the meantime are answered, too.
    if let Ok(listener) = listener.into_std() {
        loop {
            match listener.accept() {
                Ok((stream, _)) => {
                    let ready = stream.set_nonblocking(true).and_then(|()| TcpStream::from_std(stream));
                    open.spawn(ready.map(|stream| (stream, None))).await;
                }
                // This client has gone; others may wait behind it.
                Err(error) if matches!(error.kind(), io::ErrorKind::ConnectionAborted | io::ErrorKind::Interrupted) => {}
                Err(_) => break,
            }
        }
    }
    // From here on every answer ends its connection.
    let quiet = async {
        while service.metrics.connections.load(Relaxed) > 0 {
            sleep(Duration::from_millis(5)).await;
        }
    };
    if before(now.as_mut(), timeout(LAST, quiet)).await.is_none() {
        return unanswered();
    }
    match before(now.as_mut(), timeout(service.options.drain, open.connections.end())).await {
        Some(Ok(())) => 0,
        _ => unanswered(),
    }
}

/// What `work` gives, unless `stop` comes first.
async fn before<T>(mut stop: Pin<&mut impl Future<Output = ()>>, work: impl Future<Output = T>) -> Option<T> {
    let mut work = pin!(work);
    poll_fn(|context| match stop.as_mut().poll(context) {
        Poll::Ready(()) => Poll::Ready(None),
        Poll::Pending => work.as_mut().poll(context).map(Some),
    })
    .await
}

/// Listens. As many clients may connect in one moment as the server may have open: a connection beyond the system's queue is lost, and
/// its client tries again after a second only.
fn listen(address: SocketAddr, connections: usize) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // A server that is started again takes the address that the last one has just left.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(u32::try_from(connections).unwrap_or(u32::MAX).clamp(128, 4096))
}

/// What accepting connections needs.
struct Open {
    connections: Connections,
    /// Connections that may still be opened.
    room: Arc<Semaphore>,
    service: Arc<Service>,
}

impl Open {
    /// Waits for room, then for a client.
    async fn accept(&self, listener: &TcpListener) -> io::Result<(TcpStream, Option<OwnedSemaphorePermit>)> {
        // The semaphore is never closed.
        let room = Arc::clone(&self.room).acquire_owned().await.ok();
        let (stream, _) = listener.accept().await?;
        Ok((stream, room))
    }

    async fn spawn(&self, accepted: io::Result<(TcpStream, Option<OwnedSemaphorePermit>)>) {
        let (stream, room) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Too many open files, most likely: trying again at once would only keep the processor busy.
                self.service.log.warning("accept", &[("error", &error)]);
                return sleep(Duration::from_millis(50)).await;
            }
        };
        self.connections.serve(stream, room);
    }
}

/// What a [`Watcher`] is asked for.
#[derive(Debug, Default)]
struct Watch {
    ended: AtomicBool,
    reload: AtomicBool,
    thread: OnceLock<Thread>,
}

impl Watch {
    fn ask(&self, what: &AtomicBool) {
        what.store(true, Relaxed);
        self.thread.get().map(Thread::unpark);
    }

    /// Looks after the files of models until it is to end.
    fn look(&self, service: &Service) {
        let every = service.options.reload;
        loop {
            match every {
                Some(every) => std::thread::park_timeout(every),
                None => std::thread::park(),
            }
            if self.ended.load(Relaxed) {
                return;
            }
            if self.reload.swap(false, Relaxed) {
                service.log.event("hangup", &[("note", &"all models are read again")]);
                service.models.reload(&service.log);
            } else if every.is_some() {
                service.models.refresh(&service.log);
            }
        }
    }
}

/// The thread that looks after the files of models, ended when this is dropped.
struct Watcher {
    watch: Arc<Watch>,
    thread: Option<JoinHandle<()>>,
}

impl Watcher {
    fn start(watch: Arc<Watch>, service: &Arc<Service>) -> Self {
        let (service, theirs) = (Arc::clone(service), Arc::clone(&watch));
        let thread = std::thread::Builder::new().name("models".into()).spawn(move || theirs.look(&service)).ok();
        if let Some(thread) = &thread {
            let _ = watch.thread.set(thread.thread().clone());
            // A request may have come before there was a thread.
            thread.thread().unpark();
        }
        Self { watch, thread }
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.watch.ask(&self.watch.ended);
        self.thread.take().map(JoinHandle::join);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::Source;

    #[test]
    fn it_ends_when_it_is_told_to_stop_and_at_once_together() {
        let models =
            Models::open(vec![Source { name: "digits".into(), path: None }], Box::new(|_| Err("no files".into()))).unwrap();
        let server = Server::bind(([127, 0, 0, 1], 0).into(), Options::default(), models, Log::silent()).unwrap();
        // An async block that has ended panics when it is polled again.
        assert_eq!(server.run(async {}, async {}), 0);
    }
}
