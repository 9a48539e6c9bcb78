//! Server-sent events (<https://html.spec.whatwg.org/multipage/server-sent-events.html>): a state is told whenever it has changed.

use crate::memory::Share;
use crate::service::Service;
use axum::body::{Body, Bytes};
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use hyper::body::Frame;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::mpsc::{Receiver, channel};

/// How often a state is looked at.
const EVERY: Duration = Duration::from_millis(100);
/// After so many looks without news a comment shows whether somebody still listens.
const QUIET: u32 = 100;

/// Tells what `look` gives, at once and whenever it differs from before, until it gives `None`, the client has gone or the server stops.
/// `look` may take its time: it runs on a thread of its own.
pub fn told(service: &Arc<Service>, look: impl Fn(&Service) -> Option<String> + Send + Sync + 'static) -> Response {
    let (sender, receiver) = channel::<Bytes>(1);
    let (service, look) = (Arc::clone(service), Arc::new(look));
    tokio::spawn(async move {
        let (mut before, mut quiet) = (String::new(), 0);
        while !service.is_draining() {
            let (at, looks) = (Arc::clone(&service), Arc::clone(&look));
            let Ok(Some(now)) = tokio::task::spawn_blocking(move || looks(&at)).await else { break };
            quiet += 1;
            let message = if now != before {
                let lines: String = now.lines().map(|line| format!("data: {line}\n")).collect();
                Some(format!("{lines}\n"))
            } else {
                (quiet >= QUIET).then(|| ":\n\n".to_owned())
            };
            if let Some(text) = message {
                quiet = 0;
                // The state, the one before it, and the message. Without memory the stream ends; browsers ask again after a while.
                let Ok(share) = service.memory.share(3 * text.len()) else { break };
                if sender.send(Bytes::from_owner(Message { text, _share: share })).await.is_err() {
                    break;
                }
            }
            before = now;
            if tokio::time::timeout(EVERY, sender.closed()).await.is_ok() {
                break;
            }
        }
    });
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        // Proxies that gather answers would gather these for ever.
        (HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no")),
    ];
    (headers, Body::new(Messages(receiver))).into_response()
}

/// A message, counted until it is sent.
struct Message {
    text: String,
    _share: Share,
}

impl AsRef<[u8]> for Message {
    fn as_ref(&self) -> &[u8] {
        self.text.as_bytes()
    }
}

/// Messages as a body.
struct Messages(Receiver<Bytes>);

impl hyper::body::Body for Messages {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.poll_recv(context).map(|message| message.map(|bytes| Ok(Frame::data(bytes))))
    }
}
