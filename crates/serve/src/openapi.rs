//! The OpenAPI document: what a program can ask, in a form that programs read. Tests hold it against the routes.

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};

/// As it is served.
const DOCUMENT: &str = include_str!("openapi.json");

/// `GET /openapi.json`.
pub async fn document() -> Response {
    ([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], DOCUMENT).into_response()
}
