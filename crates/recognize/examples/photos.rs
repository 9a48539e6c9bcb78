//! How well a table of labelled pictures is read.
//!
//! `photos MODEL TABLE.csv [LAYOUT] [OUT.json]`: the table has the columns `file`, `label` or `truth` (lines joined by `|`), `kind`,
//! `certain` and `source`; `-` is the model in the box. Prints, by kind and by half of the sources (those at even places are for tuning), how many were read
//! right and the character error rate. OUT gets a line of JSON for each picture.

use maobi_recognize::{Layout, Options, Recognizer};
use maobi_vision::{Limits, decode_file};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::Path;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (model, table) = match &arguments[..] {
        [model, table, ..] => (Path::new(model), Path::new(table)),
        _ => return Err("usage: photos MODEL TABLE.csv [auto|single|line|many] [OUT.json]".into()),
    };
    let layout: Layout = arguments.get(2).map_or(Ok(Layout::Auto), |name| name.parse())?;
    let mut out = arguments.get(3).map(std::fs::File::create).transpose()?;
    let recognizer = if model.as_os_str() == "-" { Recognizer::built_in()? } else { Recognizer::open(model)? };
    let rows: Vec<BTreeMap<String, String>> = csv::Reader::from_path(table)?.deserialize().collect::<Result<_, _>>()?;
    let sources: BTreeSet<&String> = rows.iter().filter_map(|row| row.get("source")).collect();
    let sources: Vec<&String> = sources.into_iter().collect();
    // (half, kind): pictures, right, digits, errors.
    let mut tally: BTreeMap<(&str, &str), [usize; 4]> = BTreeMap::new();
    let mut slowest = 0.0f64;
    for row in rows.iter().filter(|row| row.get("certain").is_none_or(|c| c != "ambiguous" && c != "likely")) {
        let field = |name: &str| row.get(name).map(String::as_str).unwrap_or_default();
        let file = table.with_file_name(field("file"));
        let truth = if row.contains_key("truth") { field("truth").replace('|', "\n") } else { field("label").to_owned() };
        let picture = decode_file(&file, &Limits::default())?;
        let start = std::time::Instant::now();
        let reading = recognizer.recognize(&picture, &Options::new().layout(layout))?;
        let took = start.elapsed().as_secs_f64();
        slowest = slowest.max(took);
        let place = sources.iter().position(|source| *source == field("source"));
        let half = if place.is_some_and(|place| place % 2 == 0) { "tuning" } else { "report" };
        let wrong = distance(&truth, &reading.digits);
        for key in [(half, field("kind")), (half, "(all)")] {
            let cell = tally.entry(key).or_default();
            cell[0] += 1;
            cell[1] += usize::from(wrong == 0);
            cell[2] += truth.chars().count();
            cell[3] += wrong;
        }
        if let Some(out) = &mut out {
            let item = |i: &maobi_recognize::Item| {
                let r = i.rect;
                let box_of = [r.x, r.y, r.width, r.height];
                json!({ "class": i.class, "p": i.probability, "none": i.none, "box": box_of, "line": i.line, "rejected": i.rejected })
            };
            let items: Vec<_> = reading.items.iter().map(item).collect();
            let line = json!({ "file": file, "truth": truth, "digits": reading.digits, "confidence": reading.confidence,
                "rejected": reading.rejected, "kind": field("kind"), "half": half, "items": items, "seconds": took });
            writeln!(out, "{line}")?;
        }
    }
    for ((half, kind), [all, right, digits, wrong]) in tally {
        let (exact, error) = (right as f64 / all as f64, wrong as f64 / digits.max(1) as f64);
        println!("{half}  {kind:<36} {all:>5} pictures  exact {exact:.4}  character error {error:.4}");
    }
    println!("slowest picture: {slowest:.3} s");
    Ok(())
}

/// Levenshtein's distance.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut corner = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let replaced = corner + usize::from(x != *y);
            corner = row[j + 1];
            row[j + 1] = replaced.min(corner + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}
