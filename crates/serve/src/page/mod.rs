//! The page for people, at `/`: draw or photograph digits, see what the network sees, teach it, look at training runs.
//!
//! What the browser gets lies in `crates/serve/page` and is part of the program ([`assets`]). The routes below `/page/` are the page's own:
//! they may change with it, so no document promises them. One idea a file: [`look`] reads a picture, [`samples`] keeps what was taught,
//! [`teach`] takes it, [`tune`] learns from it, [`runs`] reads run folders, [`origin`] says whose requests are taken.

mod answer;
mod assets;
mod events;
mod kept;
mod look;
mod origin;
mod runs;
mod samples;
mod teach;
mod tune;

use crate::problem::Problem;
use crate::service::Service;
use axum::Router;
use axum::middleware::from_fn;
use axum::routing::{get, post};
pub use kept::Page;
use serde_json::Value;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

/// The page's routes, to be merged into the service's.
pub fn routes() -> Router<Arc<Service>> {
    let own = Router::new()
        .route("/page/models", get(look::models))
        .route("/page/look", post(look::look))
        .route("/page/inside", post(look::inside))
        .route("/page/samples", get(teach::list).post(teach::add))
        .route("/page/samples/remove", post(teach::remove))
        .route("/page/samples/{label}/{id}", get(teach::picture))
        .route("/page/tune", get(tune::state).post(tune::start))
        .route("/page/tune/events", get(tune::events))
        .route("/page/tune/stop", post(tune::stop))
        .route("/page/tune/keep", post(tune::keep))
        .route("/page/tune/undo", post(tune::undo))
        .route("/page/runs", get(runs::list))
        .route("/page/runs/{run}", get(runs::one))
        .route("/page/runs/{run}/events", get(runs::events))
        .route("/page/runs/{run}/files/{file}", get(runs::file))
        .layer(from_fn(origin::check));
    Router::new().route("/", get(assets::index)).route("/page/static/{file}", get(assets::file)).merge(own)
}

/// A body of JSON: an object.
async fn object_of(service: &Service, request: axum::extract::Request) -> Result<Value, Problem> {
    let kind = request.headers().get(axum::http::header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if !kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json") {
        return Err(Problem::unsupported(format!("Content-Type '{kind}': expected application/json")));
    }
    let body = crate::body::read(service, request).await?;
    let value: Value = serde_json::from_slice(&body).map_err(|e| Problem::bad(format!("the body is no JSON: {e}")))?;
    if value.is_object() { Ok(value) } else { Err(Problem::bad("expected a JSON object")) }
}

/// Work with files, on a thread of its own. `what` it was to do is told when it breaks down.
async fn aside<T: Send + 'static>(what: &str, work: impl FnOnce() -> Result<T, Problem> + Send + 'static) -> Result<T, Problem> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|_| Err(Problem::internal(format!("{what} failed"))))
}

/// Most bytes of a file that are read.
const MOST_BYTES: u64 = 32 << 20;

/// The content of a file of `folder`, which may be behind links as long as these stay inside the folder. `None` for what is somewhere else,
/// is no plain file (a pipe would be waited for), is too large, or cannot be read.
fn content(folder: &Path, file: &Path) -> Option<Vec<u8>> {
    let real = file.canonicalize().ok()?;
    let fits = |about: &std::fs::Metadata| about.is_file() && about.len() <= MOST_BYTES;
    if !real.starts_with(folder.canonicalize().ok()?) || !real.metadata().is_ok_and(|about| fits(&about)) {
        return None;
    }
    let mut bytes = Vec::new();
    // It may grow meanwhile.
    std::fs::File::open(real).ok()?.take(MOST_BYTES).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

/// A picture of `folder` as it is.
async fn png_file(folder: std::path::PathBuf, file: std::path::PathBuf) -> crate::problem::Answer {
    let read = move || content(&folder, &file).ok_or_else(|| Problem::not_found("there is no such picture"));
    let bytes = aside("reading the picture", read).await?;
    let kind = axum::http::HeaderValue::from_static("image/png");
    Ok(axum::response::IntoResponse::into_response(([(axum::http::header::CONTENT_TYPE, kind)], bytes)))
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
