//! Routes, and what holds for every request: an identity, a line in the log, figures, and an answer in JSON whatever goes wrong.

use crate::batcher::Refused;
use crate::log::Requests;
use crate::memory::NoRoom;
use crate::metrics::Protocol;
use crate::models::NotServed;
use crate::problem::{Problem, Reason};
use crate::service::Service;
use crate::{cors, openapi, outgoing, page, recognize, tf_serving, v2};
use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
use std::task::Poll;
use std::time::Instant;

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        let message = refused.to_string();
        match refused {
            Refused::TooLarge { .. } => Self::too_large(message),
            Refused::Full { .. } | Refused::Stopping | Refused::NoMemory(_) => Self::busy(message),
            Refused::Late(_) => Self::late(message),
            Refused::Failed(_) => Self::internal(message),
        }
    }
}

impl From<NoRoom> for Problem {
    fn from(error: NoRoom) -> Self {
        Self::busy(error.to_string())
    }
}

impl From<NotServed> for Problem {
    fn from(missing: NotServed) -> Self {
        Self::not_found(missing.to_string())
    }
}

/// All routes.
pub fn router(service: Arc<Service>) -> Router {
    Router::new()
        .route("/v1/models", get(tf_serving::list))
        .route("/v1/models/{model}", any(tf_serving::model))
        .route("/v1/models/{model}/metadata", get(tf_serving::metadata))
        .route("/v1/models/{model}/versions/{version}", any(tf_serving::version))
        .route("/v1/models/{model}/versions/{version}/metadata", get(tf_serving::version_metadata))
        .route("/v1/models/{model}/labels/{label}", any(tf_serving::label))
        .route("/v1/recognize", post(recognize::recognize))
        .route("/v2", get(v2::server))
        .route("/v2/health/live", get(v2::live))
        .route("/v2/health/ready", get(v2::ready))
        .route("/v2/models/{model}", get(v2::model))
        .route("/v2/models/{model}/ready", get(v2::model_ready))
        .route("/v2/models/{model}/infer", post(v2::infer))
        .route("/v2/models/{model}/versions/{version}", get(v2::model))
        .route("/v2/models/{model}/versions/{version}/ready", get(v2::model_ready))
        .route("/v2/models/{model}/versions/{version}/infer", post(v2::infer))
        .route("/metrics", get(metrics))
        .route("/openapi.json", get(openapi::document))
        .merge(page::routes())
        .fallback(unknown)
        .method_not_allowed_fallback(method)
        .layer(from_fn_with_state(Arc::clone(&service), around))
        .with_state(service)
}

async fn metrics(State(service): State<Arc<Service>>) -> Response {
    let text = service.metrics.text(service.memory.held(), service.models.list());
    ([(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; version=0.0.4"))], text).into_response()
}

async fn unknown(request: Request) -> Problem {
    Problem::not_found(format!("there is nothing at {}; what there is: /openapi.json", request.uri().path()))
}

async fn method(request: Request) -> Problem {
    let (method, path) = (request.method(), request.uri().path());
    // axum tells what is allowed.
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, format!("{method} is not for {path}; see /openapi.json"))
}

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What happens around every handler.
async fn around(State(service): State<Arc<Service>>, request: Request, next: Next) -> Response {
    let began = Instant::now();
    let in_flight = InFlight::new(&service.metrics.in_flight);
    let id = id_of(&request).unwrap_or_else(|| service.ids.next());
    let protocol = Protocol::of(request.uri().path());
    let origin = cors::allowed(&service.options.cors, request.headers());
    let told = (service.log.requests != Requests::None).then(|| (request.method().clone(), request.uri().path().to_owned()));
    let free = request.uri().path() == "/metrics";
    let response = match service.hosts.check(request.version(), request.uri(), request.headers()) {
        Err(problem) => problem.into_response(),
        Ok(()) if cors::is_preflight(&request) && origin.is_some() => cors::preflight(),
        Ok(()) => caught(next.run(request)).await,
    };
    // Figures are wanted most when there is no memory left.
    let mut response =
        if free { response } else { outgoing::count(&service.memory, response).unwrap_or_else(Problem::into_response) };
    drop(in_flight);
    let took = began.elapsed();
    let status = response.status();
    service.metrics.response(protocol, status.as_u16(), took);
    if let Some((method, path)) = told
        && (service.log.requests == Requests::All || status.is_client_error() || status.is_server_error())
    {
        let milliseconds = format!("{:.3}", took.as_secs_f64() * 1e3);
        let reason = response.extensions_mut().remove::<Reason>().map(|Reason(text)| text);
        let id = String::from_utf8_lossy(id.as_bytes());
        let mut fields: Vec<(&str, &dyn std::fmt::Display)> =
            vec![("id", &id), ("method", &method), ("path", &path), ("ms", &milliseconds)];
        let code = status.as_u16();
        fields.insert(3, ("status", &code));
        reason.iter().for_each(|reason| fields.push(("error", reason)));
        if status.is_server_error() { service.log.warning("request", &fields) } else { service.log.event("request", &fields) }
    }
    let headers = response.headers_mut();
    headers.insert(REQUEST_ID, id);
    if let Some(origin) = origin {
        cors::allow(headers, origin);
    }
    if service.is_draining() {
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// A panic is our fault and nobody's connection.
async fn caught(work: impl Future<Output = Response>) -> Response {
    let mut work = pin!(work);
    let safe = poll_fn(|context| {
        let polled = catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(context)));
        polled.unwrap_or_else(|_| Poll::Ready(Problem::internal("answering the request failed").into_response()))
    });
    safe.await
}

/// The client's own identity of a request, if it does for a log.
fn id_of(request: &Request) -> Option<HeaderValue> {
    let id = request.headers().get(REQUEST_ID)?;
    ((1..=128).contains(&id.len()) && id.as_bytes().iter().all(u8::is_ascii_graphic)).then(|| id.clone())
}

/// Counts a request until it is answered, or its client has gone.
struct InFlight<'a>(&'a AtomicI64);

impl<'a> InFlight<'a> {
    fn new(count: &'a AtomicI64) -> Self {
        count.fetch_add(1, Relaxed);
        Self(count)
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}
