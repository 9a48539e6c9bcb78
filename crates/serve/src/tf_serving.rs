//! TensorFlow Serving's REST API, version 1: `…:predict` in both of its formats, status and metadata.
//!
//! Paths, bodies and errors are those of <https://www.tensorflow.org/tfx/serving/api_rest>; the wording of errors is that of
//! `tensorflow_serving/util/json_tensor.cc` where clients may look for it.

use crate::params::Params;
use crate::problem::{Answer, Problem, json, object};
use crate::scan::Scan;
use crate::served::Served;
use crate::service::Service;
use crate::{body, outgoing, write};
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use std::sync::Arc;

/// The only signature that a network has.
const SIGNATURE: &str = "serving_default";

/// `GET /v1/models`: what is served. Not TF Serving's, which answers 400 here.
pub async fn list(State(service): State<Arc<Service>>) -> Answer {
    let describe = |(name, versions, _): (&str, Vec<u64>, _)| {
        let newest = service.models.get(name, None).ok()?;
        let reads = newest.recognizer();
        let classes = reads.map(|recognizer| recognizer.classes().to_vec()).unwrap_or_default();
        Some(json!({ "name": name, "versions": strings(&versions), "reads_pictures": reads.is_some(), "classes": classes }))
    };
    let models: Vec<Value> = service.models.list().filter_map(describe).collect();
    Ok(object(&json!({ "models": models })))
}

/// `/v1/models/{NAME}` and `/v1/models/{NAME}:predict`.
pub async fn model(State(service): State<Arc<Service>>, params: Params, request: Request) -> Answer {
    let (name, verb) = split(params.get("model"));
    dispatch(&service, name, None, verb, request).await
}

/// `/v1/models/{NAME}/versions/{VERSION}` and `…:predict`.
pub async fn version(State(service): State<Arc<Service>>, params: Params, request: Request) -> Answer {
    let (version, verb) = split(params.get("version"));
    let number = number(version)?;
    dispatch(&service, params.get("model"), Some(number), verb, request).await
}

/// `/v1/models/{NAME}/labels/{LABEL}`: versions have no labels here.
pub async fn label(params: Params) -> Answer {
    let (label, _) = split(params.get("label"));
    Err(Problem::bad(format!("Unrecognized servable version label: {label}; versions are asked for by their numbers")))
}

/// `GET /v1/models/{NAME}/metadata`.
pub async fn metadata(State(service): State<Arc<Service>>, params: Params) -> Answer {
    metadata_of(&*service.models.get(params.get("model"), None)?)
}

/// `GET /v1/models/{NAME}/versions/{VERSION}/metadata`.
pub async fn version_metadata(State(service): State<Arc<Service>>, params: Params) -> Answer {
    metadata_of(&*service.models.get(params.get("model"), Some(number(params.get("version"))?))?)
}

async fn dispatch(service: &Service, name: &str, version: Option<u64>, verb: Option<&str>, request: Request<Body>) -> Answer {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    match verb {
        None if method == Method::GET || method == Method::HEAD => status(service, name, version),
        None => Err(Problem::method("GET, HEAD")),
        Some("predict" | "classify" | "regress") if method != Method::POST => Err(Problem::method("POST")),
        Some("predict") => predict(service, name, version, request).await,
        Some(verb @ ("classify" | "regress")) => {
            service.models.get(name, version)?;
            Err(Problem::bad(format!("Expected {verb} signature method_name; this model has predict only, use :predict")))
        }
        Some(_) => Err(Problem::bad(format!("Malformed request: {method} {path}; expected {name}:predict"))),
    }
}

/// A path's last part, cut at its last colon.
fn split(part: &str) -> (&str, Option<&str>) {
    part.rsplit_once(':').map_or((part, None), |(name, verb)| (name, Some(verb)))
}

fn number(version: &str) -> Result<u64, Problem> {
    version.parse().map_err(|_| Problem::bad(format!("Failed to convert version: {version} to numeric.")))
}

fn strings(versions: &[u64]) -> Vec<String> {
    versions.iter().map(ToString::to_string).collect()
}

fn status(service: &Service, name: &str, version: Option<u64>) -> Answer {
    let mut versions = service.models.versions(name);
    if versions.is_empty() {
        return Err(Problem::not_found(format!("Could not find any versions of model {name}")));
    }
    versions.retain(|known| version.is_none_or(|version| version == *known));
    if let (Some(version), true) = (version, versions.is_empty()) {
        return Err(Problem::not_found(format!("Could not find version {version} of model {name}")));
    }
    // TF Serving tells the newest first.
    let one = |version: &u64| json!({ "version": version.to_string(), "state": "AVAILABLE", "status": { "error_code": "OK", "error_message": "" } });
    let statuses: Vec<Value> = versions.iter().rev().map(one).collect();
    Ok(object(&json!({ "model_version_status": statuses })))
}

fn metadata_of(served: &Served) -> Answer {
    let dim = |size: String| json!({ "size": size, "name": "" });
    let tensors = |tensors: &[crate::served::Tensor], prefix: &str| {
        let one = |(index, tensor): (usize, &crate::served::Tensor)| {
            let sizes = tensor.shape.iter().map(ToString::to_string);
            let dims: Vec<Value> = std::iter::once("-1".to_owned()).chain(sizes).map(dim).collect();
            let shape = json!({ "dim": dims, "unknown_rank": false });
            // Names within the graph, as SavedModels of Keras have them.
            let name = if prefix.is_empty() {
                format!("StatefulPartitionedCall:{index}")
            } else {
                format!("{prefix}_{}:0", tensor.name)
            };
            (tensor.name.clone(), json!({ "dtype": "DT_FLOAT", "tensor_shape": shape, "name": name }))
        };
        Value::Object(tensors.iter().enumerate().map(one).collect())
    };
    let signature = json!({
        "inputs": tensors(&served.inputs, SIGNATURE),
        "outputs": tensors(&served.outputs, ""),
        "method_name": "tensorflow/serving/predict",
        "defaults": {},
    });
    Ok(object(&json!({
        "model_spec": { "name": &*served.name, "signature_name": "", "version": served.version.to_string() },
        "metadata": { "signature_def": { "signature_def": { (SIGNATURE): signature } } },
    })))
}

async fn predict(service: &Service, name: &str, version: Option<u64>, request: Request<Body>) -> Answer {
    let served = service.models.get(name, version)?;
    let mut body = body::read(service, request).await?;
    service.batcher.admit(&served)?;
    // A number takes two bytes at least, with what stands between it and the next, and four when it is read.
    body.reserve(2)?;
    let Parsed { inputs, samples, rows } = parse(&body, &served).map_err(Problem::bad)?;
    let (outputs, mut share) = service.predict(&served, inputs, samples, body.parsed()).await?;
    let text = answer(&served, &outputs, samples, rows);
    share.set(text.len())?;
    Ok(outgoing::counted(json(StatusCode::OK, text), share))
}

/// What a body asks for.
#[derive(Debug, PartialEq)]
struct Parsed {
    /// `[samples, …]` for each input of the model.
    inputs: Vec<Vec<f32>>,
    samples: usize,
    /// Whether it had `instances`, by rows, and no `inputs`, by columns.
    rows: bool,
}

fn parse(body: &[u8], served: &Served) -> Result<Parsed, String> {
    if body.is_empty() {
        return Err("JSON Parse error: The document is empty".into());
    }
    let mut scan = Scan::new(body);
    let mut parsed: Option<Parsed> = None;
    scan.object(|scan, key| {
        match key {
            "instances" | "inputs" if parsed.is_some() => {
                return Err("Not formatted correctly expecting only one of 'inputs' or 'instances' keys to exist".into());
            }
            "instances" => parsed = Some(instances(scan, served)?),
            "inputs" => parsed = Some(columns(scan, served)?),
            "signature_name" => {
                let name: Value = scan.value()?;
                let name = name.as_str().ok_or("Not formatted correctly. 'signature_name' key must be a string value.")?;
                if !name.is_empty() && name != SIGNATURE {
                    return Err(format!("Serving signature name: \"{name}\" not found in signature def"));
                }
            }
            _ => scan.skip()?,
        }
        Ok(())
    })?;
    scan.end()?;
    parsed.ok_or_else(|| "Missing 'inputs' or 'instances' key".into())
}

fn names(served: &Served) -> String {
    served.inputs.iter().map(|input| input.name.as_str()).collect::<Vec<_>>().join(",")
}

/// `"instances": [sample, …]`; a sample is a list, or an object with a list for each input.
fn instances(scan: &mut Scan<'_>, served: &Served) -> Result<Parsed, String> {
    if scan.peek() != Some(b'[') {
        return Err(scan.wrong("'instances' to be a list"));
    }
    let mut inputs: Vec<Vec<f32>> = served.inputs.iter().map(|input| Vec::with_capacity(input.len())).collect();
    let mut objects = None;
    let samples = scan.list(|scan, index| {
        let is_object = scan.peek() == Some(b'{');
        if *objects.get_or_insert(is_object) != is_object {
            let (wanted, got) = if is_object { ("value/list", "object") } else { ("object", "list") };
            return Err(format!("Expecting {wanted} but got {got} at item {index} of input list"));
        }
        let failed = |error: String| format!("Failed to process element: {index} of 'instances' list. Error: {error}");
        if is_object {
            let mut seen = vec![false; inputs.len()];
            scan.object(|scan, key| {
                let place = served.inputs.iter().position(|input| input.name == key);
                let place = place.ok_or_else(|| format!("JSON object: does not have named input: {key}"))?;
                if std::mem::replace(&mut seen[place], true) {
                    return Err(format!("input {key} is there twice"));
                }
                scan.nested(&served.inputs[place].shape, &mut inputs[place], Scan::float)
            })
            .map_err(failed)?;
            if seen.contains(&false) {
                return Err(failed(format!("keys must be equal to: {}", names(served))));
            }
            return Ok(());
        }
        match (&served.inputs[..], &mut inputs[..]) {
            ([input], [values]) => scan.nested(&input.shape, values, Scan::float).map_err(failed),
            _ => Err(format!(
                "instances is a plain list, but expecting list of objects as multiple input tensors required: {}",
                names(served)
            )),
        }
    })?;
    if samples == 0 {
        return Err("No values in 'instances' array".into());
    }
    Ok(Parsed { inputs, samples, rows: true })
}

/// `"inputs": samples`, or an object with the samples of each input.
fn columns(scan: &mut Scan<'_>, served: &Served) -> Result<Parsed, String> {
    let mut inputs: Vec<Vec<f32>> = vec![Vec::new(); served.inputs.len()];
    let mut samples: Vec<Option<usize>> = vec![None; inputs.len()];
    let mut column = |scan: &mut Scan<'_>, place: usize| {
        let shape = &served.inputs[place].shape;
        samples[place] = Some(scan.list(|scan, _| scan.nested(shape, &mut inputs[place], Scan::float))?);
        Ok(())
    };
    if scan.peek() == Some(b'{') {
        let mut seen = vec![false; served.inputs.len()];
        scan.object(|scan, key| {
            let place = served.inputs.iter().position(|input| input.name == key);
            let place =
                place.ok_or_else(|| format!("JSON object: does not have named input: {key}; it has: {}", names(served)))?;
            if std::mem::replace(&mut seen[place], true) {
                return Err(format!("input {key} is there twice"));
            }
            column(scan, place)
        })?;
    } else if served.inputs.len() == 1 {
        column(scan, 0)?;
    } else {
        let names = names(served);
        return Err(format!("inputs is a plain value/list, but expecting an object as multiple input tensors required: {names}"));
    }
    let mut count = None;
    for (input, samples) in served.inputs.iter().zip(samples) {
        let samples = samples.ok_or_else(|| format!("Missing named input: {} in 'inputs' object.", input.name))?;
        if samples != *count.get_or_insert(samples) {
            return Err(format!("Expecting as many samples for each input but got: {samples} for {}", input.name));
        }
    }
    match count {
        Some(samples) if samples > 0 => Ok(Parsed { inputs, samples, rows: false }),
        _ => Err("No values in 'inputs'".into()),
    }
}

fn answer(served: &Served, outputs: &[Vec<f32>], samples: usize, rows: bool) -> Vec<u8> {
    // A number takes some ten characters.
    let mut text = Vec::with_capacity(32 + 12 * outputs.iter().map(Vec::len).sum::<usize>());
    let named = |text: &mut Vec<u8>, shape: &dyn Fn(usize) -> Vec<usize>, values: &dyn Fn(usize) -> std::ops::Range<usize>| {
        let one = |text: &mut Vec<u8>, place: usize| {
            write::nested(text, &shape(place), outputs.get(place).and_then(|all| all.get(values(place))).unwrap_or_default());
        };
        if served.outputs.len() == 1 {
            return one(text, 0);
        }
        for (place, output) in served.outputs.iter().enumerate() {
            text.push(if place == 0 { b'{' } else { b',' });
            write::string(text, &output.name);
            text.push(b':');
            one(text, place);
        }
        text.push(b'}');
    };
    if rows {
        text.extend_from_slice(b"{\"predictions\": [");
        for sample in 0..samples {
            if sample > 0 {
                text.push(b',');
            }
            let values = |place: usize| {
                let len = served.outputs[place].len();
                sample * len..(sample + 1) * len
            };
            named(&mut text, &|place| served.outputs[place].shape.clone(), &values);
        }
        text.push(b']');
    } else {
        text.extend_from_slice(b"{\"outputs\": ");
        let shape = |place: usize| [&[samples], &served.outputs[place].shape[..]].concat();
        named(&mut text, &shape, &|place| 0..samples * served.outputs[place].len());
    }
    text.push(b'}');
    text
}

#[cfg(test)]
#[path = "tf_serving_tests.rs"]
mod tests;
