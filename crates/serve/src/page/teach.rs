//! Requests that teach: samples listed, added, removed and shown.

use super::samples::{SIDE, Sample};
use super::{aside, object_of, png_file};
use crate::body;
use crate::multipart::{boundary, fields};
use crate::problem::{Answer, Problem, object};
use crate::service::Service;
use axum::extract::{Path as At, Request, State};
use axum::http::header;
use std::sync::Arc;

/// `GET /page/samples`.
pub async fn list(State(service): State<Arc<Service>>) -> Answer {
    Ok(object(&aside("listing the samples", move || Ok(service.page.samples.json())).await?))
}

/// `POST /page/samples`: a form with `label`, `glyph` (28 × 28 bytes) and `picture` (a PNG file, perhaps empty).
pub async fn add(State(service): State<Arc<Service>>, request: Request) -> Answer {
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default().to_owned();
    let boundary =
        boundary(&kind).ok_or_else(|| Problem::unsupported(format!("Content-Type '{kind}': expected multipart/form-data")))?;
    let held = body::read(&service, request).await?;
    let form = fields(&held, boundary).map_err(Problem::bad)?;
    let field = |name: &str| form.iter().find(|field| field.name == name).map(|field| field.bytes);
    let label = field("label").and_then(|bytes| str::from_utf8(bytes).ok()).unwrap_or_default();
    let Sample { label, .. } = Sample::of(label, Some(0))?;
    let glyph = field("glyph").filter(|glyph| glyph.len() == SIDE * SIDE);
    let glyph = glyph.ok_or_else(|| Problem::bad(format!("glyph: expected {SIDE} × {SIDE} bytes")))?.to_vec();
    let picture = field("picture").unwrap_or_default();
    if !picture.is_empty() && !picture.starts_with(b"\x89PNG\r\n\x1a\n") {
        return Err(Problem::bad("picture: expected a PNG file"));
    }
    let picture = picture.to_vec();
    let work = move || {
        let samples = &service.page.samples;
        let sample = samples.add(&label, &glyph, &picture)?;
        let mut told = samples.json();
        told["added"] = sample.json();
        Ok(told)
    };
    Ok(object(&aside("keeping the sample", work).await?))
}

/// `POST /page/samples/remove`: `{"label": …, "id": …}`.
pub async fn remove(State(service): State<Arc<Service>>, request: Request) -> Answer {
    let asked = object_of(&service, request).await?;
    let sample = Sample::of(asked["label"].as_str().unwrap_or_default(), asked["id"].as_u64())?;
    let work = move || {
        service.page.samples.remove(&sample)?;
        Ok(service.page.samples.json())
    };
    Ok(object(&aside("removing the sample", work).await?))
}

/// `GET /page/samples/{label}/{id}`: what the network saw.
pub async fn picture(State(service): State<Arc<Service>>, At((label, id)): At<(String, String)>) -> Answer {
    let sample = Sample::of(&label, id.parse().ok())?;
    let folder = service.page.samples.place()?.to_owned();
    let file = sample.file(&folder);
    png_file(folder, file).await
}
