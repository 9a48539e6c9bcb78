//! What a request is refused or fails with: a status and a JSON object `{"error": …}`, whatever the protocol.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

/// Why a request was not answered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Problem {
    /// The status of the response.
    pub status: StatusCode,
    /// What was expected, what came, what to do.
    pub message: String,
    /// Methods that would have been allowed, for 405.
    pub allow: Option<&'static str>,
}

/// Result of a handler.
pub type Answer<T = Response> = Result<T, Problem>;

/// Seconds after which a client that was sent away may come again.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("1");

impl Problem {
    /// Any status.
    pub fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), allow: None }
    }

    /// 400: the request makes no sense.
    pub fn bad(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    /// 404.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, message)
    }

    /// 413.
    pub fn too_large(message: impl Into<String>) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, message)
    }

    /// 415.
    pub fn unsupported(message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, message)
    }

    /// 503 with `Retry-After`: there is more to do than can be done.
    pub fn busy(message: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, message)
    }

    /// 504: it took longer than it may.
    pub fn late(message: impl Into<String>) -> Self {
        Self::new(StatusCode::GATEWAY_TIMEOUT, message)
    }

    /// 405 for a path that takes `allow`.
    pub fn method(allow: &'static str) -> Self {
        let message = format!("this path takes {allow}; see /openapi.json");
        Self { status: StatusCode::METHOD_NOT_ALLOWED, message, allow: Some(allow) }
    }

    /// 500: our fault.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, message)
    }
}

/// What a response says went wrong, for the log.
#[derive(Clone, Debug)]
pub(crate) struct Reason(pub String);

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = json(self.status, serde_json::json!({ "error": self.message }).to_string().into_bytes());
        let headers = response.headers_mut();
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, RETRY_AFTER);
        }
        if let Some(allow) = self.allow {
            headers.insert(header::ALLOW, HeaderValue::from_static(allow));
        }
        response.extensions_mut().insert(Reason(self.message));
        response
    }
}

/// A response of JSON text.
pub(crate) fn json(status: StatusCode, text: Vec<u8>) -> Response {
    (status, [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], text).into_response()
}

/// 200 with a JSON value.
pub(crate) fn object(value: &serde_json::Value) -> Response {
    json(StatusCode::OK, value.to_string().into_bytes())
}
