//! `--explain`: how a picture was read, as a drawing.

use crate::output::percent;
use crate::pictures::{Reader, Seen};
use anyhow::bail;
use maobi_draw::explain_png;
use maobi_formats::atomic_write;
use maobi_recognize::Item;
use maobi_vision::{Rect, explain};
use std::path::Path;

/// Titles of the stages that only a single digit has.
const OF_ONE: [&str; 3] = ["the pieces chosen", "stroke evened out", "what the network sees"];

/// Writes the stages, what the network saw of each item and the probabilities of its classes.
pub fn write(out: &Path, file: &Path, seen: &Seen, reader: &Reader) -> anyhow::Result<()> {
    let (Some(picture), Some(recognizer)) = (&seen.picture, reader.recognizer()) else {
        bail!("--explain {}: there are no stages to draw, the network takes color pictures as they are", out.display());
    };
    let (height, width) = recognizer.frame();
    let (_, mut stages) = explain(picture, reader.options().how, (height, width));
    let items = &seen.reading.items;
    if let Some(photo) = stages.first_mut().filter(|_| items.len() > 1) {
        // The last stages are those of one digit, which the picture is not; each digit is shown below.
        let (x, y) = (photo.width as f64 / picture.full.0 as f64, photo.height as f64 / picture.full.1 as f64);
        photo.boxes = items.iter().map(|item| scaled(item.rect, x, y)).collect();
        stages.retain(|stage| !OF_ONE.contains(&stage.title.as_str()));
    }
    let captions: Vec<String> = items.iter().map(caption).collect();
    let answers: Vec<maobi_draw::Seen<'_>> = items
        .iter()
        .zip(&captions)
        .map(|(item, caption)| maobi_draw::Seen {
            image: &item.pixels,
            height,
            width,
            names: reader.classes(),
            probabilities: &item.probabilities,
            caption,
            rejected: item.rejected,
        })
        .collect();
    atomic_write(out, &explain_png(&file.display().to_string(), &stages, &answers))?;
    Ok(())
}

fn caption(item: &Item) -> String {
    let answer = format!("{}, {}", item.class, percent(f64::from(item.probability)));
    if item.rejected { format!("no digit; at best {answer}") } else { answer }
}

fn scaled(rect: Rect, x: f64, y: f64) -> Rect {
    let along = |n: usize, by: f64| (n as f64 * by) as usize;
    let size = |n: usize, by: f64| (n as f64 * by).ceil() as usize;
    Rect { x: along(rect.x, x), y: along(rect.y, y), width: size(rect.width, x), height: size(rect.height, y) }
}
