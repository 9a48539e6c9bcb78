//! What the network reads on a picture and what happens inside it: one answer while somebody draws.

use super::answer::Parts;
use crate::body;
use crate::pictures::{Waits, failed};
use crate::problem::{Answer, Problem, object};
use crate::recognize::query;
use crate::served::Served;
use crate::service::Service;
use axum::extract::{Request, State};
use axum::http::header;
use axum::response::IntoResponse;
use maobi_recognize::{Options, Recognizer};
use maobi_vision::{Cost, Picture, Rect, explain};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Instant;

/// Most bytes of feature maps in an answer, and most channels of a layer.
const MOST_MAPS: usize = 1 << 20;
const MOST_CHANNELS: usize = 64;
/// Longest side of a drawing's pixels.
const MOST_SIDE: usize = 4096;

/// Stages that only a single digit has.
const OF_ONE: [&str; 3] = ["the pieces chosen", "stroke evened out", "what the network sees"];

/// What a request asks for.
#[derive(Debug, Default)]
struct Wishes {
    model: Option<String>,
    width: usize,
    height: usize,
    item: usize,
    class: Option<usize>,
    stages: bool,
    maps: bool,
    heat: bool,
    options: Options,
}

impl Wishes {
    fn of(request: &Request) -> Result<Self, Problem> {
        let mut wishes = Self::default();
        for (key, value) in query(request.uri().query().unwrap_or_default()) {
            let number = || value.parse::<usize>().map_err(|_| Problem::bad(format!("{key}: expected a number, got '{value}'")));
            match key.as_str() {
                "model" => wishes.model = Some(value),
                "width" => wishes.width = number()?,
                "height" => wishes.height = number()?,
                "item" => wishes.item = number()?,
                "class" => wishes.class = Some(number()?),
                "layout" => {
                    let layout = value.parse().map_err(|_| Problem::bad(format!("layout: there is no '{value}'")))?;
                    wishes.options = wishes.options.layout(layout);
                }
                "show" => value.split(',').for_each(|what| match what {
                    "stages" => wishes.stages = true,
                    "maps" => wishes.maps = true,
                    "heat" => wishes.heat = true,
                    _ => {}
                }),
                _ => return Err(Problem::bad(format!("{key}: is not known"))),
            }
        }
        Ok(wishes)
    }

    fn served(&self, service: &Service) -> Result<Arc<Served>, Problem> {
        let served = match &self.model {
            Some(model) => service.models.get(model, None)?,
            None => service.models.default_model()?,
        };
        recognizer(&served)?;
        Ok(served)
    }
}

/// What reads pictures.
pub(super) fn recognizer(served: &Served) -> Result<&Recognizer, Problem> {
    served.recognizer().ok_or_else(|| Problem::bad(format!("the model {} reads no pictures", served.name)))
}

/// `GET /page/models`: those that read pictures.
pub async fn models(State(service): State<Arc<Service>>) -> Answer {
    let found = service.models.list().filter_map(|(name, ..)| service.models.get(name, None).ok());
    let one = |served: Arc<Served>| {
        let recognizer = served.recognizer()?;
        let (height, width) = recognizer.frame();
        let model = recognizer.model();
        Some(json!({
            "name": &*served.name, "version": served.version.to_string(), "classes": recognizer.classes(),
            "frame": [height, width], "none": recognizer.knows_none(), "parameters": model.count_params(),
            "layers": model.graph().layers.len(), "teachable": super::samples::can_learn(recognizer),
        }))
    };
    let models: Vec<Value> = found.filter_map(one).collect();
    Ok(object(
        &json!({ "models": models, "samples": service.page.samples.folder().is_some(), "program": env!("CARGO_PKG_VERSION") }),
    ))
}

/// `POST /page/look`: a picture file, or grey pixels of a drawing with their `width` and `height`.
pub async fn look(State(service): State<Arc<Service>>, request: Request) -> Answer {
    let wishes = Wishes::of(&request)?;
    let served = wishes.served(&service)?;
    let raw = wishes.width > 0 && wishes.height > 0;
    if wishes.width.max(wishes.height) > MOST_SIDE {
        return Err(Problem::too_large(format!("a drawing may have {MOST_SIDE} pixels a side, a picture file more")));
    }
    let (parts, body) = request.into_parts();
    if !raw && parts.headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"multipart/")) {
        return Err(Problem::unsupported("expected the picture itself as the body"));
    }
    let held = body::read_body(&service, &parts.headers, body).await?;
    if raw {
        let (width, height) = (wishes.width, wishes.height);
        let cost = Cost::of_grey(width, height).bytes();
        let work = move |until| {
            let unfit = || Problem::bad(format!("expected {} bytes, got {}", width * height, held.len()));
            let picture = Picture::from_grey(width, height, held.to_vec()).ok_or_else(unfit);
            timed(&served, || picture, wishes, until)
        };
        return Ok(service.pictures.run(cost, work).await??.into_response());
    }
    let all = 0..held.len();
    let (picture, cost) = Waits::new(service.options.max_pixels, held, all, None).cost().await?;
    let work = move |until| timed(&served, || picture.decode(), wishes, until);
    Ok(service.pictures.run(cost, work).await??.into_response())
}

/// Makes a picture and reads it, with the time that took.
fn timed(
    served: &Served,
    picture: impl FnOnce() -> Result<Picture, Problem>,
    mut wishes: Wishes,
    until: Instant,
) -> Result<Parts, Problem> {
    let began = Instant::now();
    wishes.options = wishes.options.until(until);
    let mut parts = read(served, &picture()?, &wishes)?;
    parts.set("ms", json!(began.elapsed().as_secs_f64() * 1e3));
    Ok(parts)
}

/// `POST /page/inside`: a glyph in the network's frame, white on black.
pub async fn inside(State(service): State<Arc<Service>>, request: Request) -> Answer {
    let wishes = Wishes::of(&request)?;
    let served = wishes.served(&service)?;
    let held = body::read(&service, request).await?;
    let work = move |_until| {
        let recognizer = recognizer(&served)?;
        let mut parts = Parts::default();
        let (height, width) = recognizer.frame();
        if held.len() != height * width {
            return Err(Problem::bad(format!("expected {height} × {width} bytes, got {}", held.len())));
        }
        within(recognizer, &held, wishes.class.unwrap_or(0), &wishes, &mut parts)?;
        Ok(parts)
    };
    Ok(service.pictures.run(0, work).await??.into_response())
}

fn read(served: &Served, picture: &Picture, wishes: &Wishes) -> Result<Parts, Problem> {
    let recognizer = recognizer(served)?;
    let reading = recognizer.recognize(picture, &wishes.options).map_err(failed)?;
    let others = reading.alternatives(recognizer.classes(), 2);
    let (height, width) = recognizer.frame();
    let mut parts = Parts::of(reading.to_json(&others));
    parts.set("model", json!(&*served.name));
    parts.set("width", json!(picture.full.0));
    parts.set("height", json!(picture.full.1));
    parts.set("frame", json!([height, width]));
    let glyphs: Vec<usize> = reading.items.iter().map(|item| parts.keep(&item.pixels)).collect();
    parts.set("glyphs", json!(glyphs));
    if let Some(item) = reading.items.get(wishes.item).or(reading.items.first()).filter(|_| !reading.blank) {
        within(recognizer, &item.pixels, item.digit, wishes, &mut parts)?;
    }
    if wishes.stages {
        let (_, mut stages) = explain(picture, wishes.options.how, (height, width));
        if reading.items.len() > 1 {
            stages.retain(|stage| !OF_ONE.contains(&stage.title.as_str()));
            if let Some(photo) = stages.first_mut() {
                let scale = |n: usize| n * photo.width / picture.full.0.max(1);
                let boxed = |r: Rect| Rect { x: scale(r.x), y: scale(r.y), width: scale(r.width), height: scale(r.height) };
                photo.boxes = reading.items.iter().map(|item| boxed(item.rect)).collect();
            }
        }
        let told: Vec<Value> = stages
            .iter()
            .map(|stage| {
                let boxes: Vec<_> = stage.boxes.iter().map(|r| [r.x, r.y, r.width, r.height]).collect();
                json!({ "title": stage.title, "width": stage.width, "height": stage.height, "boxes": boxes, "at": parts.keep(&stage.grey) })
            })
            .collect();
        parts.set("stages", json!(told));
    }
    Ok(parts)
}

/// Feature maps and heat of a glyph, as far as they are asked for.
fn within(recognizer: &Recognizer, glyph: &[u8], class: usize, wishes: &Wishes, parts: &mut Parts) -> Result<(), Problem> {
    let failed = |e: maobi_recognize::Error| Problem::bad(e.to_string());
    if wishes.maps {
        let (mut told, mut room) = (Vec::new(), MOST_MAPS);
        for layer in recognizer.activations(glyph).map_err(failed)? {
            let shown = layer.has_weights || layer.shape.len() == 3;
            let &[height, width, channels] = &match layer.shape[..] {
                [height, width, channels] => [height, width, channels],
                [units] => [1, units, 1],
                _ => continue,
            };
            let kept = channels.min(MOST_CHANNELS);
            if !shown || height * width * kept > room {
                continue;
            }
            room -= height * width * kept;
            // Channel after channel, as they are drawn.
            let planes = (0..kept).flat_map(|channel| layer.values.iter().skip(channel).step_by(channels.max(1)).copied());
            let mut one = parts.keep_shades(planes);
            one["layer"] = json!(layer.layer);
            one["class"] = json!(layer.class);
            one["shape"] = json!([height, width, channels]);
            one["kept"] = json!(kept);
            told.push(one);
        }
        parts.set("maps", json!(told));
    }
    if wishes.heat {
        let heat = recognizer.heat(glyph, class).map_err(failed)?;
        // Symmetric, so that 128 is no influence.
        let most = heat.iter().fold(0.0f32, |most, v| most.max(v.abs()));
        let shade = |v: &f32| (128.0 + if most > 0.0 { v / most * 127.0 } else { 0.0 }).round() as u8;
        let shades: Vec<u8> = heat.iter().map(shade).collect();
        let at = parts.keep(&shades);
        parts.set("heat", json!({ "at": at, "most": most, "class": class }));
    }
    Ok(())
}
