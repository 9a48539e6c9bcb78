//! `POST /v1/recognize`: a picture as the body or in a form, and what stands on it. The answer is the object of `maobi predict --json`.

use crate::body;
use crate::multipart::{boundary, fields};
use crate::pictures::{self, Waits};
use crate::problem::{Answer, Problem, object};
use crate::served::Served;
use crate::service::Service;
use axum::extract::{Request, State};
use axum::http::header;
use maobi_recognize::Options;
use serde_json::{Value, json};
use std::sync::Arc;

/// What a request may say beside the picture, as parameters of its address or fields of its form.
#[derive(Debug)]
struct Wishes {
    model: Option<String>,
    version: Option<u64>,
    options: Options,
    /// How many readings are told.
    top: usize,
}

/// Most readings that are told.
const MOST_READINGS: usize = 1000;

impl Wishes {
    fn new() -> Self {
        Self { model: None, version: None, options: Options::new(), top: 2 }
    }

    fn set(&mut self, key: &str, value: &str) -> Result<(), Problem> {
        let bad = |expected: &str| Problem::bad(format!("{key}: expected {expected}, got '{value}'"));
        match key {
            "model" => self.model = Some(value.to_owned()),
            "version" => self.version = Some(value.parse().map_err(|_| bad("a number"))?),
            "layout" => self.options.layout = value.parse().map_err(|_| bad("auto, single, line or many"))?,
            "preprocess" => self.options.how = value.parse().map_err(|_| bad("auto, invert, threshold or none"))?,
            "top" => {
                let top = value.parse().ok().filter(|top| (1..=MOST_READINGS).contains(top));
                self.top = top.ok_or_else(|| bad(&format!("a number from 1 to {MOST_READINGS}")))?;
            }
            _ => return Err(Problem::bad(format!("{key}: is not known; expected model, version, layout, preprocess or top"))),
        }
        Ok(())
    }
}

/// The handler.
pub async fn recognize(State(service): State<Arc<Service>>, request: Request) -> Answer {
    let mut wishes = Wishes::new();
    for (key, value) in query(request.uri().query().unwrap_or_default()) {
        wishes.set(&key, &value)?;
    }
    let (parts, body) = request.into_parts();
    let kind = parts.headers.get(header::CONTENT_TYPE).map(|kind| String::from_utf8_lossy(kind.as_bytes()).into_owned());
    let kind = kind.unwrap_or_else(|| "application/octet-stream".into());
    let essence = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let form = essence == "multipart/form-data";
    if !(form || essence.starts_with("image/") || essence == "application/octet-stream") {
        return Err(Problem::unsupported(format!(
            "Content-Type '{essence}' is no picture; expected image/…, application/octet-stream or multipart/form-data, as from: \
             curl -F image=@FILE"
        )));
    }
    let held = body::read_body(&service, &parts.headers, body).await?;
    let (mut name, mut range) = (None, 0..held.len());
    if form {
        let boundary = boundary(&kind).ok_or_else(|| Problem::bad("Content-Type multipart/form-data names no boundary"))?;
        let mut pictures = 0;
        for field in fields(&held, boundary).map_err(Problem::bad)? {
            if field.file.is_some() || field.name == "image" {
                pictures += 1;
                name = field.file.filter(|name| !name.is_empty());
                let start = field.bytes.as_ptr().addr() - held.as_ptr().addr();
                range = start..start + field.bytes.len();
            } else {
                let value = str::from_utf8(field.bytes).map_err(|_| Problem::bad(format!("{}: is no text", field.name)))?;
                wishes.set(&field.name, value)?;
            }
        }
        if pictures != 1 {
            return Err(Problem::bad(format!("expected one file in the form, got {pictures}")));
        }
    }
    let served = match &wishes.model {
        Some(model) => service.models.get(model, wishes.version)?,
        None => {
            let default = service.models.default_model()?;
            if wishes.version.is_some() { service.models.get(&default.name, wishes.version)? } else { default }
        }
    };
    if served.recognizer().is_none() {
        let (inputs, outputs) = (&served.inputs[0].shape, &served.outputs[0].shape);
        let name = &served.name;
        let message = format!(
            "model {name} reads no pictures: it takes {inputs:?} and answers {outputs:?}; expected [height, width, 1] and [classes]"
        );
        return Err(Problem::bad(message));
    }
    let picture = Waits::new(service.options.max_pixels, held, range, name);
    let (picture, cost) = picture.cost().await?;
    let read = move |until| read(&served, &picture, wishes.options.clone().until(until), &wishes);
    Ok(object(&service.pictures.run(cost, read).await??))
}

/// Decodes a picture and reads it.
fn read(served: &Served, picture: &Waits, options: Options, wishes: &Wishes) -> Result<Value, Problem> {
    let recognizer = served.recognizer().ok_or_else(|| Problem::internal("the model reads no pictures"))?;
    let reading = recognizer.recognize(&picture.decode()?, &options).map_err(pictures::failed)?;
    let others = reading.alternatives(recognizer.classes(), wishes.top - 1);
    let mut answer = reading.to_json(&others);
    if let Some(name) = &picture.name {
        answer.insert("file".into(), json!(name));
    }
    answer.insert("model".into(), json!(&*served.name));
    answer.insert("version".into(), json!(served.version.to_string()));
    Ok(Value::Object(answer))
}

/// Keys and values of an address, decoded.
pub(crate) fn query(text: &str) -> impl Iterator<Item = (String, String)> + '_ {
    text.split('&').filter(|part| !part.is_empty()).map(|part| {
        let (key, value) = part.split_once('=').unwrap_or((part, ""));
        (decoded(key), decoded(value))
    })
}

/// `%41` and `+` as the characters they stand for; what is no such thing stays.
fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let hex = |offset: usize| bytes.get(at + offset).and_then(|&digit| char::from(digit).to_digit(16));
        match (byte, hex(1), hex(2)) {
            (b'%', Some(high), Some(low)) => {
                out.push((high * 16 + low) as u8);
                at += 2;
            }
            (b'+', ..) => out.push(b' '),
            _ => out.push(byte),
        }
        at += 1;
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_decoded() {
        let pairs: Vec<_> = query("a=%41+b&&c&%zz=%4").collect();
        let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        assert_eq!(pairs, [pair("a", "A b"), pair("c", ""), pair("%zz", "%4")]);
    }

    #[test]
    fn wishes_are_checked() {
        let mut wishes = Wishes::new();
        for (key, value) in [("layout", "line"), ("preprocess", "invert"), ("top", "3"), ("model", "m"), ("version", "2")] {
            wishes.set(key, value).unwrap();
        }
        assert_eq!((wishes.top, wishes.version, wishes.options.layout.name()), (3, Some(2), "line"));
        for (key, value, message) in [
            ("layout", "page", "layout: expected auto, single, line or many, got 'page'"),
            ("top", "0", "top: expected a number from 1 to 1000, got '0'"),
            ("lay", "x", "lay: is not known; expected model, version, layout, preprocess or top"),
        ] {
            assert_eq!(wishes.set(key, value).unwrap_err().message, message);
        }
    }
}
