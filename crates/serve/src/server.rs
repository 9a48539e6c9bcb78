//! Connections: accepted, bounded in number and time, and ended in good order.

use crate::http::{Service, router};
use crate::log::Log;
use crate::models::Models;
use crate::options::Options;
use crate::patient::Patient;
use crate::signals::{Signal, Signals};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use std::future::{Future, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::task::Poll;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{sleep, timeout};

/// For how long connections are accepted and answered after the server was asked to stop: those that a client has opened already, and
/// those that are idle, so that a request on its way finds somebody.
const GRACE: Duration = Duration::from_millis(250);
/// How long connections that came in that time may take to send what they came for.
const LAST: Duration = Duration::from_secs(1);

/// Signals that are to end a server: [`Server::listen_to_signals`].
pub struct Asked {
    first: Signals,
    /// Sees the same signals: the first of them, too.
    second: Signals,
}

/// A server that listens.
#[derive(Debug)]
pub struct Server {
    runtime: Runtime,
    listener: TcpListener,
    service: Arc<Service>,
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
        let listener = runtime.block_on(TcpListener::bind(address))?;
        Ok(Self { runtime, listener, service })
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
        let Self { runtime, listener, service } = self;
        let watcher = Watcher::start(&service);
        let left = runtime.block_on(serve(listener, &service, stop, now));
        drop(watcher);
        // What was not answered in time is not computed any more, and what reads a picture that nobody waits for holds up nothing.
        runtime.shutdown_background();
        service.batcher.end();
        service.log.flush();
        left
    }

    /// Listens to SIGTERM and Ctrl-C from here on, instead of ending by them.
    ///
    /// # Errors
    /// When the system does not let it.
    pub fn listen_to_signals(&self) -> io::Result<Asked> {
        let _runtime = self.runtime.enter();
        Ok(Asked { first: Signals::listen()?, second: Signals::listen()? })
    }

    /// [`Server::run`] until a signal comes; a second one ends it at once. Which came, and how many requests were left unanswered.
    pub fn run_until(self, asked: Asked) -> (Signal, usize) {
        let Asked { mut first, mut second } = asked;
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
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(service.options.read_timeout).max_buf_size(64 * 1024).pipeline_flush(true);
    let open = Open {
        http,
        router: TowerToHyperService::new(router(Arc::clone(service))),
        room: Arc::new(Semaphore::new(service.options.connections.clamp(1, Semaphore::MAX_PERMITS))),
        graceful: GracefulShutdown::new(),
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
    let _: Option<Result<(), _>> = before(now.as_mut(), timeout(GRACE, grace)).await;
    // What the system has accepted for us in the meantime is ours to answer, too.
    if let Ok(listener) = listener.into_std() {
        while let Ok((stream, _)) = listener.accept() {
            let ready = stream.set_nonblocking(true).and_then(|()| TcpStream::from_std(stream));
            open.spawn(ready.map(|stream| (stream, None))).await;
        }
    }
    // Answers close their connections by now.
    let quiet = async {
        while service.metrics.connections.load(Relaxed) > 0 {
            sleep(Duration::from_millis(5)).await;
        }
    };
    let _: Option<Result<(), _>> = before(now.as_mut(), timeout(LAST, quiet)).await;
    let Open { graceful, .. } = open;
    match before(now.as_mut(), timeout(service.options.drain, graceful.shutdown())).await {
        Some(Ok(())) => 0,
        _ => usize::try_from(service.metrics.in_flight.load(Relaxed)).unwrap_or(0),
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

/// What a connection needs.
struct Open {
    http: http1::Builder,
    router: TowerToHyperService<axum::Router>,
    /// Connections that may still be opened.
    room: Arc<Semaphore>,
    graceful: GracefulShutdown,
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
        // Answers are small and wanted now.
        let _ = stream.set_nodelay(true);
        let stream = Patient::new(stream, self.service.options.read_timeout);
        let connection = self.http.serve_connection(TokioIo::new(stream), self.router.clone());
        let connection = self.graceful.watch(connection);
        let service = Arc::clone(&self.service);
        service.metrics.connections.fetch_add(1, Relaxed);
        tokio::spawn(async move {
            // A client that goes or sends no HTTP is its own affair.
            let _ = connection.await;
            service.metrics.connections.fetch_sub(1, Relaxed);
            drop(room);
        });
    }
}

/// A thread that looks after the files of models.
struct Watcher {
    ended: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Watcher {
    fn start(service: &Arc<Service>) -> Option<Self> {
        let every = service.options.reload?;
        let ended = Arc::new(AtomicBool::new(false));
        let (service, end) = (Arc::clone(service), Arc::clone(&ended));
        let watch = move || {
            while !end.load(Relaxed) {
                std::thread::park_timeout(every);
                if !end.load(Relaxed) {
                    service.models.refresh(&service.log);
                }
            }
        };
        let thread = std::thread::Builder::new().name("models".into()).spawn(watch).ok();
        Some(Self { ended, thread })
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.ended.store(true, Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            let _ = thread.join();
        }
    }
}
