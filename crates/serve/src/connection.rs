//! One connection, from its first byte to its last: requests one after the other, none before the answer to the one before it is taken;
//! an answer in JSON for what is no HTTP; and an end that loses nothing.

use crate::outgoing::Outgoing;
use crate::problem::Problem;
use crate::service::Service;
use crate::wire::{Call, Patient, Wire};
use axum::Router;
use axum::http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::task::Poll;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::time::timeout;

/// Largest head of a request in bytes, and what is kept of answers before they are sent.
const BUFFER: usize = 32 << 10;
/// For how long a client may go on sending after its last answer, up to the size of the largest body.
const CLOSING: Duration = Duration::from_secs(1);

/// What connections have in common.
pub struct Connections {
    http: http1::Builder,
    router: TowerToHyperService<Router>,
    service: Arc<Service>,
    /// Becomes true when those that are idle are to end.
    leave: watch::Sender<bool>,
}

impl Connections {
    pub fn new(service: Arc<Service>, router: Router) -> Self {
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new())
            .header_read_timeout(service.options.read_timeout)
            .max_buf_size(BUFFER)
            .max_header_size(BUFFER);
        // Answers lie in one buffer in the order of their requests: `refusal` in `wire` relies on it.
        http.writev(false);
        Self { http, router: TowerToHyperService::new(router), service, leave: watch::Sender::new(false) }
    }

    /// Serves a connection on a task of its own.
    pub fn serve(&self, stream: TcpStream, room: Option<OwnedSemaphorePermit>) {
        let open = Open::new(&self.service, room);
        let wire = Wire::new(stream);
        let stream = TokioIo::new(Patient::new(Arc::clone(&wire), self.service.options.read_timeout));
        let gate = Gate { router: self.router.clone(), wire: Arc::clone(&wire) };
        let connection = self.http.serve_connection(stream, gate);
        let mut leave = self.leave.subscribe();
        tokio::spawn(async move {
            let ended = {
                let (mut connection, mut leave) = (pin!(connection), pin!(leave.wait_for(|leave| *leave)));
                let mut leaving = false;
                poll_fn(|context| {
                    // First, so that what has arrived is read.
                    if let Poll::Ready(ended) = connection.as_mut().poll(context) {
                        return Poll::Ready(ended.map_err(|error| refusal(&error, &wire)));
                    }
                    leaving = leaving || leave.as_mut().poll(context).is_ready();
                    if leaving && wire.is_idle() { Poll::Ready(Ok(())) } else { Poll::Pending }
                })
                .await
            };
            let whole = match ended {
                Ok(()) => true,
                Err(Some(problem)) => {
                    let answer = open.service.refuse(&problem);
                    timeout(open.service.options.read_timeout, wire.write(&answer)).await.is_ok_and(|written| written.is_ok())
                }
                Err(None) => false,
            };
            if whole {
                let _ = timeout(CLOSING, wire.close(open.service.options.max_body)).await;
            } else if wire.is_unsent() {
                wire.abort();
            }
        });
    }

    /// Ends those that are idle, and waits until all others have ended.
    pub async fn end(&self) {
        self.leave.send_replace(true);
        self.leave.closed().await;
    }
}

/// Why a connection ended, if its client can be told.
fn refusal(error: &hyper::Error, wire: &Wire) -> Option<Problem> {
    let text = error.to_string();
    let status = match wire.refused() {
        _ if error.is_parse_version_h2() => StatusCode::HTTP_VERSION_NOT_SUPPORTED,
        Some(400) if text.contains("HTTP version") => StatusCode::HTTP_VERSION_NOT_SUPPORTED,
        Some(status) => StatusCode::from_u16(status).ok()?,
        None if error.is_incomplete_message() && !wire.is_called() => StatusCode::BAD_REQUEST,
        None => return None,
    };
    Some(Problem::new(
        status,
        match status {
            StatusCode::URI_TOO_LONG => format!("the address is too long; the head of a request may have {BUFFER} bytes"),
            StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => {
                format!("the head of the request is too large; it may have {BUFFER} bytes and 100 headers")
            }
            StatusCode::HTTP_VERSION_NOT_SUPPORTED => "this server speaks HTTP/1.1 and HTTP/1.0 only".into(),
            _ => format!("the request is not HTTP that can be read: {text}"),
        },
    ))
}

/// Counts an open connection, whatever ends it.
struct Open {
    service: Arc<Service>,
    _memory: crate::memory::Share,
    _room: Option<OwnedSemaphorePermit>,
}

impl Open {
    fn new(service: &Arc<Service>, room: Option<OwnedSemaphorePermit>) -> Self {
        service.metrics.connections.fetch_add(1, Relaxed);
        Self { service: Arc::clone(service), _memory: service.memory.connection(), _room: room }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.service.metrics.connections.fetch_sub(1, Relaxed);
    }
}

/// Lets requests of one connection through to the routes.
struct Gate {
    router: TowerToHyperService<Router>,
    wire: Arc<Wire>,
}

impl hyper::service::Service<Request<Incoming>> for Gate {
    type Response = Response<Outgoing<Call>>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let (router, wire, call) = (self.router.clone(), Arc::clone(&self.wire), self.wire.call());
        Box::pin(async move {
            wire.sent().await;
            let response = router.call(request).await?;
            Ok(response.map(|body| Outgoing::new(body, call)))
        })
    }
}
