//! The Open Inference Protocol, version 2, over HTTP, with the extension for binary tensors.
//!
//! Paths and bodies are those of <https://kserve.github.io/website/docs/concepts/architecture/data-plane/v2-protocol> and
//! <https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_binary_data.md>.

mod datatype;
mod infer;
mod request;

use crate::params::Params;
use crate::problem::{Answer, Problem, json, object};
use crate::served::{Served, Tensor};
use crate::service::Service;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use serde_json::{Value, json};
use std::sync::Arc;

/// `GET /v2`.
pub async fn server() -> Answer {
    Ok(object(&json!({ "name": "maobi", "version": env!("CARGO_PKG_VERSION"), "extensions": ["binary_tensor_data"] })))
}

/// `GET /v2/health/live`.
pub async fn live() -> Answer {
    Ok(object(&json!({ "live": true })))
}

/// `GET /v2/health/ready`: 503 while the server stops.
pub async fn ready(State(service): State<Arc<Service>>) -> Answer {
    let ready = service.models.ready() && !service.is_draining();
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    Ok(json(status, json!({ "ready": ready }).to_string().into_bytes()))
}

/// `GET /v2/models/{NAME}` and `GET /v2/models/{NAME}/versions/{VERSION}`.
pub async fn model(State(service): State<Arc<Service>>, params: Params) -> Answer {
    let served = find(&service, &params)?;
    let tensors = |tensors: &[Tensor]| {
        let one = |tensor: &Tensor| json!({ "name": tensor.name, "datatype": "FP32", "shape": shape(tensor) });
        tensors.iter().map(one).collect::<Value>()
    };
    let versions: Vec<String> = service.models.versions(&served.name).iter().map(ToString::to_string).collect();
    Ok(object(&json!({
        "name": &*served.name,
        "versions": versions,
        "platform": "maobi",
        "inputs": tensors(&served.inputs),
        "outputs": tensors(&served.outputs),
    })))
}

/// `GET /v2/models/{NAME}/ready` and the same of a version.
pub async fn model_ready(State(service): State<Arc<Service>>, params: Params) -> Answer {
    let served = find(&service, &params)?;
    Ok(object(&json!({ "name": &*served.name, "ready": true })))
}

/// `POST /v2/models/{NAME}/infer` and the same of a version.
pub async fn infer(State(service): State<Arc<Service>>, params: Params, request: Request) -> Answer {
    let served = find(&service, &params)?;
    infer::infer(&service, served, request).await
}

/// Shape and values of each tensor of a request body, of which `json` bytes are text; none when it cannot be read.
pub(crate) fn tensors(body: &[u8], json: Option<usize>) -> Vec<(Vec<usize>, Vec<f32>)> {
    let inputs = request::Request::parse(body, json).map(|request| request.inputs).unwrap_or_default();
    inputs.into_iter().map(|input| (input.shape, input.values)).collect()
}

fn find(service: &Service, params: &Params) -> Result<Arc<Served>, Problem> {
    let (name, version) = (params.get("model"), params.find("version"));
    let number = version.map(|version| {
        version.parse().map_err(|_| Problem::bad(format!("version '{version}': expected a number; see /v2/models/{name}")))
    });
    let unknown = |_| {
        let version = version.map(|version| format!(" version '{version}'")).unwrap_or_default();
        Problem::not_found(format!("Request for unknown model: '{name}'{version} is not found"))
    };
    service.models.get(name, number.transpose()?).map_err(unknown)
}

/// Of a tensor of any number of samples.
fn shape(tensor: &Tensor) -> Vec<i64> {
    std::iter::once(-1).chain(tensor.shape.iter().map(|&side| side as i64)).collect()
}
