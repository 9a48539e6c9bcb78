//! What was read off a picture, as a line, a JSON object and a row of CSV.

use crate::output::percent;
use maobi_recognize::Reading;
use serde_json::{Map, Value, json};

/// Titles of the columns of [`Answer::row`].
pub const COLUMNS: [&str; 7] = ["file", "digits", "confidence", "rejected", "blank", "second", "second_confidence"];

/// A picture's name, and what was read off it.
pub struct Answer {
    /// As the user named it.
    pub file: String,
    /// What was read.
    pub reading: Reading,
    /// Other readings, the likeliest first.
    pub others: Vec<(String, f32)>,
}

impl Answer {
    /// Keeps the `top` likeliest readings. `classes` are the names of [`Item::probabilities`].
    pub fn new(file: String, reading: Reading, classes: &[String], top: usize) -> Answer {
        let others = reading.alternatives(classes, top.saturating_sub(1));
        Answer { file, reading, others }
    }

    /// The line: `photo.jpg: 2047 (97.1 %), or 2041 (2.0 %)`.
    pub fn text(&self) -> String {
        let one = |(digits, confidence): (&str, f32)| format!("{} ({})", flat(digits), percent(f64::from(confidence)));
        let Reading { digits, confidence, rejected, blank, .. } = &self.reading;
        let readings = std::iter::once((digits.as_str(), *confidence)).chain(self.others.iter().map(|(d, c)| (d.as_str(), *c)));
        let readings = readings.map(one).collect::<Vec<_>>().join(", or ");
        match (blank, rejected) {
            (true, _) => format!("{}: rejected: blank, there is no ink on it", self.file),
            (false, true) if digits.is_empty() => format!("{}: rejected: no digit", self.file),
            (false, true) => format!("{}: rejected: no digit, at best {readings}", self.file),
            (false, false) => format!("{}: {readings}", self.file),
        }
    }

    /// The object of `--json`: the file, and [`Reading::to_json`].
    pub fn json(&self) -> Value {
        let mut object = Map::from_iter([("file".to_owned(), json!(self.file))]);
        object.extend(self.reading.to_json(&self.others));
        Value::Object(object)
    }

    /// The row of CSV, lines of a page joined by a bar.
    pub fn row(&self) -> [String; 7] {
        let Reading { digits, confidence, rejected, blank, .. } = &self.reading;
        let (second, its) = match self.others.first() {
            Some((digits, confidence)) => (digits.replace('\n', "|"), confidence.to_string()),
            None => Default::default(),
        };
        let [rejected, blank] = [rejected, blank].map(ToString::to_string);
        [self.file.clone(), digits.replace('\n', "|"), confidence.to_string(), rejected, blank, second, its]
    }
}

/// Lines of a page on one line.
fn flat(digits: &str) -> String {
    digits.replace('\n', " | ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use maobi_recognize::Item;
    use maobi_vision::Rect;

    fn item(digit: usize, probabilities: [f32; 3], line: usize) -> Item {
        Item {
            digit,
            class: digit.to_string(),
            probability: probabilities[digit],
            probabilities: probabilities.to_vec(),
            none: 0.0,
            rect: Rect { x: 1, y: 2, width: 3, height: 4 },
            line,
            rejected: false,
            pixels: Vec::new(),
        }
    }

    fn answer(reading: Reading) -> Answer {
        Answer::new("a.png".into(), reading, &["0", "1", "2"].map(String::from), 2)
    }

    #[test]
    fn a_page_as_line_object_and_row() {
        let items = vec![item(1, [0.25, 0.5, 0.25], 0), item(2, [0.0, 0.125, 0.875], 1)];
        let page = answer(Reading { digits: "1\n2".into(), confidence: 0.4375, rejected: false, blank: false, items });
        assert_eq!(page.text(), "a.png: 1 | 2 (43.8 %), or 0 | 2 (21.9 %)");
        assert_eq!(page.row(), ["a.png", "1|2", "0.4375", "false", "false", "0|2", "0.21875"]);
        let object = page.json();
        assert_eq!((&object["digits"], &object["items"][1]["box"]), (&json!("1\n2"), &json!([1, 2, 3, 4])));
        assert_eq!((object["items"][1]["digit"].as_u64(), object["items"][0]["line"].as_u64()), (Some(2), Some(0)));
        assert!(object.get("digit").is_none());
    }

    #[test]
    fn rejected_blank_and_single() {
        let mut one = item(0, [0.5, 0.25, 0.25], 0);
        let reading = |item: &Item, rejected, blank| Reading {
            digits: "0".into(),
            confidence: 0.5,
            rejected,
            blank,
            items: vec![item.clone()],
        };
        assert_eq!(answer(reading(&one, false, false)).json()["digit"], 0);
        one.rejected = true;
        assert_eq!(answer(reading(&one, true, false)).text(), "a.png: rejected: no digit, at best 0 (50.0 %), or 1 (25.0 %)");
        assert_eq!(answer(reading(&one, true, true)).text(), "a.png: rejected: blank, there is no ink on it");
        let nothing = Reading { digits: String::new(), confidence: 0.0, rejected: true, blank: false, items: Vec::new() };
        assert_eq!(answer(nothing.clone()).text(), "a.png: rejected: no digit");
        assert_eq!(answer(nothing).row()[5], "");
    }
}
