//! Inference: from a request's tensors to the network and back.

use super::request::{Request as Asked, Wanted};
use crate::problem::{Answer, Problem, json};
use crate::served::Served;
use crate::service::Service;
use crate::{body, outgoing, write};
use axum::body::HttpBody;
use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use std::sync::Arc;

/// How many bytes of a body are JSON; the rest are tensors.
const LENGTH: HeaderName = HeaderName::from_static("inference-header-content-length");

pub(super) async fn infer(service: &Service, served: Arc<Served>, request: Request) -> Answer {
    let json = request.headers().get(LENGTH).map(|value| {
        let number = value.to_str().ok().and_then(|text| text.parse::<usize>().ok());
        number.ok_or_else(|| Problem::bad("Inference-Header-Content-Length: expected a number of bytes"))
    });
    let json = json.transpose()?;
    let mut body = body::read(service, request).await?;
    service.batcher.admit(&served)?;
    // A tensor may hold its values as bytes, which take four each when they are read.
    body.reserve(4)?;
    let Asked { id, inputs, outputs: wanted, binary } = Asked::parse(&body, json).map_err(Problem::bad)?;
    let share = body.parsed();
    // An empty list asks for all, as Triton has it.
    let wanted = wanted
        .filter(|wanted| !wanted.is_empty())
        .unwrap_or_else(|| served.outputs.iter().map(|output| Wanted { name: output.name.clone(), binary: None }).collect());
    let wanted = wanted.into_iter().map(|Wanted { name, binary: own }| {
        let place = served.outputs.iter().position(|output| output.name == name);
        let place =
            place.ok_or_else(|| Problem::bad(format!("unexpected inference output '{name}' for model '{}'", served.name)))?;
        Ok((place, own.unwrap_or(binary)))
    });
    let wanted = wanted.collect::<Result<Vec<_>, Problem>>()?;
    let (inputs, samples) = fit(&served, inputs).map_err(Problem::bad)?;
    let (outputs, mut share) = service.predict(&served, inputs, samples, share).await?;
    let answer = answer(&served, id.as_deref(), samples, &wanted, &outputs);
    share.set(answer.body().size_hint().exact().and_then(|size| usize::try_from(size).ok()).unwrap_or(0))?;
    Ok(outgoing::counted(answer, share))
}

/// The tensors in the model's order, and how many samples they hold.
fn fit(served: &Served, inputs: Vec<super::request::Input>) -> Result<(Vec<Vec<f32>>, usize), String> {
    let mut ordered: Vec<Option<Vec<f32>>> = vec![None; served.inputs.len()];
    let mut samples = None;
    for input in inputs {
        let place = served.inputs.iter().position(|known| known.name == input.name).ok_or_else(|| {
            let names: Vec<&str> = served.inputs.iter().map(|known| known.name.as_str()).collect();
            format!(
                "unexpected inference input '{}' for model '{}'; its inputs are: {}",
                input.name,
                served.name,
                names.join(", ")
            )
        })?;
        let known = &served.inputs[place];
        let fitting = input.shape.split_first().filter(|(samples, sample)| **samples > 0 && *sample == &known.shape[..]);
        let Some((&count, _)) = fitting else {
            let expected = super::shape(known);
            return Err(format!(
                "unexpected shape for input '{}' for model '{}': expected {expected:?}, got {:?}",
                known.name, served.name, input.shape
            ));
        };
        if count != *samples.get_or_insert(count) {
            return Err(format!("input '{}' has {count} samples, others have another number", known.name));
        }
        if ordered[place].replace(input.values).is_some() {
            return Err(format!("input '{}' is there twice", known.name));
        }
    }
    let missing = served.inputs.iter().zip(&ordered).find(|(_, values)| values.is_none());
    match (missing, samples) {
        (None, Some(samples)) => Ok((ordered.into_iter().flatten().collect(), samples)),
        (Some((input, _)), _) => {
            Err(format!("expected {} inputs for model '{}'; '{}' is missing", served.inputs.len(), served.name, input.name))
        }
        (None, None) => Err("no inputs".into()),
    }
}

fn answer(served: &Served, id: Option<&str>, samples: usize, wanted: &[(usize, bool)], outputs: &[Vec<f32>]) -> Response {
    let mut text = Vec::with_capacity(256);
    let mut tail: Vec<u8> = Vec::new();
    text.extend_from_slice(b"{\"model_name\":");
    write::string(&mut text, &served.name);
    text.extend_from_slice(b",\"model_version\":");
    write::string(&mut text, &served.version.to_string());
    if let Some(id) = id {
        text.extend_from_slice(b",\"id\":");
        write::string(&mut text, id);
    }
    text.extend_from_slice(b",\"outputs\":[");
    for (index, &(place, binary)) in wanted.iter().enumerate() {
        if index > 0 {
            text.push(b',');
        }
        let (output, values) = (&served.outputs[place], outputs.get(place).map(Vec::as_slice).unwrap_or_default());
        let shape = [&[samples], &output.shape[..]].concat();
        text.extend_from_slice(b"{\"name\":");
        write::string(&mut text, &output.name);
        text.extend_from_slice(b",\"datatype\":\"FP32\",\"shape\":");
        text.extend_from_slice(json!(shape).to_string().as_bytes());
        if binary {
            text.extend_from_slice(format!(",\"parameters\":{{\"binary_data_size\":{}}}}}", 4 * values.len()).as_bytes());
            tail.extend(values.iter().flat_map(|value| value.to_le_bytes()));
        } else {
            text.extend_from_slice(b",\"data\":");
            write::nested(&mut text, &[values.len()], values);
            text.push(b'}');
        }
    }
    text.extend_from_slice(b"]}");
    if !wanted.iter().any(|(_, binary)| *binary) {
        return json(StatusCode::OK, text);
    }
    let length = HeaderValue::from(text.len());
    text.append(&mut tail);
    let kind = HeaderValue::from_static("application/octet-stream");
    ([(header::CONTENT_TYPE, kind), (LENGTH, length)], text).into_response()
}
