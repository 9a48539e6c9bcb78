//! Bodies of requests: read as a whole, within bounds of size, time and memory.

use crate::http::Service;
use crate::memory::Share;
use crate::problem::Problem;
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode, header};
use http_body_util::BodyExt;
use std::ops::Deref;
use tokio::time::timeout;

/// A body, and the memory that is counted for it.
#[derive(Debug)]
pub struct Held {
    bytes: Bytes,
    share: Share,
}

impl Held {
    /// Counts memory for what will be read from the body, too: up to `times` its size.
    ///
    /// # Errors
    /// 503 when there is not so much left.
    pub fn reserve(&mut self, times: usize) -> Result<(), Problem> {
        Ok(self.share.set(self.bytes.len().saturating_mul(times + 1))?)
    }

    /// Lets the bytes go. What is counted stays the same until it is set anew.
    pub fn parsed(self) -> Share {
        self.share
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
    let whole = timeout(service.options.read_timeout, collect(service, body, hint.lower() as usize, too_large));
    whole.await.unwrap_or_else(|_| {
        let seconds = service.options.read_timeout.as_secs_f64();
        Err(Problem::new(StatusCode::REQUEST_TIMEOUT, format!("the body took more than {seconds} s")))
    })
}

/// All of a body. Memory is counted as it arrives, so that a body that is only announced takes nothing from others.
async fn collect(service: &Service, mut body: Body, announced: usize, too_large: impl Fn() -> Problem) -> Result<Held, Problem> {
    let room = announced.min(1 << 20);
    let mut share = service.memory.none();
    let mut whole: Option<Vec<u8>> = None;
    let mut first: Option<Bytes> = None;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| Problem::bad(format!("the body cannot be read: {}", causes(&error))))?;
        let Ok(data) = frame.into_data() else { continue };
        let held = whole.as_ref().map_or(0, Vec::len) + first.as_ref().map_or(0, Bytes::len);
        if held + data.len() > service.options.max_body {
            return Err(too_large());
        }
        share.set(held + data.len())?;
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
    Ok(Held { bytes: whole.map(Bytes::from).or(first).unwrap_or_default(), share })
}

/// An error with all that caused it: hyper's own texts name the fault in a cause only.
fn causes(error: &dyn std::error::Error) -> String {
    let mut texts: Vec<String> = Vec::new();
    for error in std::iter::successors(Some(error), |error| error.source()) {
        let text = error.to_string();
        if texts.last() != Some(&text) {
            texts.push(text);
        }
    }
    texts.join(": ")
}
