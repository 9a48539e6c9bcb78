//! What clients send to the server.

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, Request, Uri};
use http_body_util::BodyExt;
use maobi_serve::{Log, Models, Options, Service, Source, fuzzing, router};
use serde_json::Value;
use std::sync::{Arc, LazyLock};
use tokio::runtime::{Builder, Runtime};
use tower::ServiceExt;

static RUNTIME: LazyLock<Option<Runtime>> = LazyLock::new(|| Builder::new_current_thread().enable_time().build().ok());

/// The built-in model, with small limits.
static SERVICE: LazyLock<Option<Arc<Service>>> = LazyLock::new(|| {
    let models = Models::open(vec![Source { name: "digits".into(), path: None }], Box::new(|_| Err("no files".into()))).ok()?;
    let options =
        Options { threads: 1, max_body: 1 << 18, max_held: 1 << 20, max_pixels: 1 << 14, runs: None, ..Options::default() };
    Service::new(options, models, Log::silent()).ok().map(Arc::new)
});

/// Any request is answered: a status below 500, or 501 to 504; errors are `{"error": …}`.
///
/// The input is a head of lines, `METHOD TARGET` and then `NAME: VALUE` each, an empty line, and the body.
pub fn http(bytes: &[u8]) {
    let (Some(runtime), Some(service)) = (&*RUNTIME, &*SERVICE) else { return };
    let end = bytes.windows(2).position(|two| two == b"\n\n").unwrap_or(bytes.len());
    let (head, body) = (&bytes[..end], bytes.get(end + 2..).unwrap_or_default());
    let mut lines = head.split(|&byte| byte == b'\n');
    let first = lines.next().unwrap_or_default();
    let Some(space) = first.iter().position(|&byte| byte == b' ') else { return };
    let Ok(target) = Uri::try_from(&first[space + 1..]) else { return };
    // Event streams never end.
    if target.path().ends_with("/events") {
        return;
    }
    let Ok(mut request) = Request::builder().method(&first[..space]).uri(target).body(Body::from(body.to_vec())) else { return };
    for line in lines {
        let Some(colon) = line.iter().position(|&byte| byte == b':') else { continue };
        let (name, value) = (HeaderName::from_bytes(&line[..colon]), HeaderValue::from_bytes(line[colon + 1..].trim_ascii()));
        if let (Ok(name), Ok(value)) = (name, value) {
            request.headers_mut().append(name, value);
        }
    }
    let (status, bytes) = runtime.block_on(async {
        let Ok(response) = router(Arc::clone(service)).oneshot(request).await;
        let status = response.status();
        (status, response.into_body().collect().await.map(|body| body.to_bytes()))
    });
    assert_ne!(status.as_u16(), 500, "an answer for which the server is at fault");
    let Ok(bytes) = bytes else { return };
    if status.is_client_error() || status.is_server_error() {
        let empty = bytes.is_empty() && first.starts_with(b"HEAD ");
        let error = serde_json::from_slice::<Value>(&bytes).ok().filter(|body| body["error"].is_string());
        assert!(empty || error.is_some(), "{status} without an error in JSON: {}", String::from_utf8_lossy(&bytes));
    }
}

/// Numbers of JSON text are what the standard library makes of them.
pub fn json_numbers(bytes: &[u8]) {
    fuzzing::numbers(bytes);
}

/// Any bytes are a request of the Open Inference Protocol or an error. The first two bytes are the length of its JSON; `ff ff` stands for
/// a request without binary tensors.
pub fn v2_request(bytes: &[u8]) {
    let Some((length, body)) = bytes.split_first_chunk::<2>() else { return };
    let length = u16::from_le_bytes(*length);
    fuzzing::v2_request(body, (length != u16::MAX).then_some(usize::from(length)));
}

/// Any bytes are a form or an error, and any text names a boundary or none. The first line is the content type.
pub fn multipart(bytes: &[u8]) {
    let end = bytes.iter().position(|&byte| byte == b'\n').unwrap_or(bytes.len());
    fuzzing::multipart(&String::from_utf8_lossy(&bytes[..end]), bytes.get(end + 1..).unwrap_or_default());
}
