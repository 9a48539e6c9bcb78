//! Bodies of requests: read as a whole, within bounds of size, time and memory.

use crate::http::Service;
use crate::metrics::Rejected;
use crate::problem::Problem;
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode, header};
use http_body_util::BodyExt;
use std::ops::Deref;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;

/// Bytes that one permit of the memory's semaphore stands for.
pub(crate) const UNIT: usize = 1024;

/// A body, and its share of the memory for bodies.
#[derive(Debug)]
pub struct Held {
    bytes: Bytes,
    share: Option<OwnedSemaphorePermit>,
}

/// The memory that a request takes until it is answered.
#[derive(Debug)]
pub struct Share {
    _permit: Option<OwnedSemaphorePermit>,
}

impl Held {
    /// Lets the bytes go: what was read from them takes their place until it is answered.
    pub fn parsed(self) -> Share {
        Share { _permit: self.share }
    }
}

impl Deref for Held {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

/// Reads a body.
///
/// # Errors
/// 413 when it is too large, 415 when it is compressed, 408 when it takes too long, 503 when too many are held, 400 when it breaks off.
pub async fn read(service: &Service, request: Request) -> Result<Held, Problem> {
    let (parts, body) = request.into_parts();
    read_body(service, &parts.headers, body).await
}

/// The same for a request that was taken apart.
///
/// # Errors
/// As [`read`].
pub async fn read_body(service: &Service, headers: &HeaderMap, body: Body) -> Result<Held, Problem> {
    let encoding = headers.get(header::CONTENT_ENCODING).map(|value| value.as_bytes());
    if encoding.is_some_and(|encoding| !encoding.eq_ignore_ascii_case(b"identity")) {
        return Err(Problem::unsupported("compressed bodies are not read; send it without Content-Encoding"));
    }
    let most = service.options.max_body;
    let too_large = || Problem::too_large(format!("the body is larger than {most} bytes"));
    let hint = body.size_hint();
    if hint.lower() > most as u64 {
        return Err(too_large());
    }
    // Without a length, as large as it may become.
    let size = hint.exact().map_or(most, |exact| exact as usize);
    let share = if size <= UNIT { None } else { Some(service.memory(size)?) };
    let whole = timeout(service.options.read_timeout, collect(body, size.min(1 << 20), most));
    match whole.await {
        Ok(Ok(Some(bytes))) => Ok(Held { bytes, share }),
        Ok(Ok(None)) => Err(too_large()),
        Ok(Err(error)) => Err(Problem::bad(format!("the body cannot be read: {error}"))),
        Err(_) => {
            let seconds = service.options.read_timeout.as_secs_f64();
            Err(Problem::new(StatusCode::REQUEST_TIMEOUT, format!("the body took more than {seconds} s")))
        }
    }
}

impl Service {
    /// A share of the memory for bodies.
    fn memory(&self, size: usize) -> Result<OwnedSemaphorePermit, Problem> {
        let units = u32::try_from(size.div_ceil(UNIT)).unwrap_or(u32::MAX);
        self.memory.clone().try_acquire_many_owned(units).map_err(|_| {
            self.metrics.reject(Rejected::Memory);
            Problem::busy("the server holds as many requests as it has memory for; try again")
        })
    }
}

/// All of a body; `None` when it is larger than `most`.
async fn collect(mut body: Body, room: usize, most: usize) -> Result<Option<Bytes>, axum::Error> {
    let mut whole: Option<Vec<u8>> = None;
    let mut first: Option<Bytes> = None;
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else { continue };
        let held = whole.as_ref().map_or(0, Vec::len) + first.as_ref().map_or(0, Bytes::len);
        if held + data.len() > most {
            return Ok(None);
        }
        match (&mut whole, first.take()) {
            (Some(whole), _) => whole.extend_from_slice(&data),
            // A small body comes as one piece, which is not copied.
            (None, None) => first = Some(data),
            (None, Some(before)) => {
                let mut all = Vec::with_capacity(room.max(before.len() + data.len()));
                all.extend_from_slice(&before);
                all.extend_from_slice(&data);
                whole = Some(all);
            }
        }
    }
    Ok(Some(whole.map(Bytes::from).or(first).unwrap_or_default()))
}
