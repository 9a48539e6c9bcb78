//! How well pictures were read: shares, by kind, and what was taken for what.

use crate::pictures::NONE;
use maobi_nn::metrics::{Calibration, ConfusionMatrix};
use maobi_recognize::Reading;
use serde_json::{Map, Value, json};

/// The name under which the confusion matrix has readings that are no class: several digits where there is one, or nothing.
const OTHER: &str = "other";

/// What became of some pictures.
#[derive(Clone, Debug, Default)]
pub struct Score {
    /// Pictures.
    pub pictures: u64,
    /// Read right, to the last character.
    pub right: u64,
    /// Rejected.
    pub rejected: u64,
    /// Read right among those not rejected.
    pub kept_right: u64,
    /// Characters to change, add or leave out in what was read.
    pub edits: u64,
    /// Characters that are there.
    pub characters: u64,
    calibration: Calibration,
}

impl Score {
    /// Adds a picture. What there is nothing to read on is right when it is rejected.
    pub fn add(&mut self, truth: &str, reading: &Reading) {
        let nothing = truth == NONE;
        let right = if nothing { reading.rejected } else { reading.digits == truth };
        self.pictures += 1;
        self.right += u64::from(right);
        self.rejected += u64::from(reading.rejected);
        self.kept_right += u64::from(right && !reading.rejected);
        if !nothing {
            self.edits += edits(&reading.digits, truth);
            self.characters += truth.chars().count() as u64;
            self.calibration.add(reading.confidence, right);
        }
    }

    /// Share of pictures read right.
    pub fn accuracy(&self) -> f64 {
        share(self.right, self.pictures)
    }

    /// Edits per character.
    pub fn character_error_rate(&self) -> f64 {
        share(self.edits, self.characters)
    }

    /// The figures by name. `strings` says whether there is more than one character on some picture.
    pub fn figures(&self, strings: bool) -> Vec<(&'static str, f64)> {
        let mut figures = vec![("accuracy", self.accuracy())];
        if strings {
            figures = vec![("exact match", self.accuracy()), ("character error rate", self.character_error_rate())];
        }
        figures.push(("rejected", share(self.rejected, self.pictures)));
        figures.push(("accuracy of those kept", share(self.kept_right, self.pictures - self.rejected)));
        figures.push(("expected calibration error", self.calibration.error()));
        figures
    }

    /// The same for `--json`.
    pub fn json(&self, strings: bool) -> Map<String, Value> {
        let mut object = Map::new();
        object.insert("accuracy".into(), json!(self.accuracy()));
        object.extend(self.figures(strings).into_iter().map(|(name, value)| (name.replace(' ', "_"), json!(value))));
        object.insert("images".into(), json!(self.pictures));
        object
    }
}

/// A share, 0 of none.
pub fn share(part: u64, all: u64) -> f64 {
    part as f64 / all.max(1) as f64
}

/// Levenshtein's distance: how many characters must be changed, added or left out to make one text the other.
fn edits(read: &str, truth: &str) -> u64 {
    let truth: Vec<char> = truth.chars().collect();
    let mut row: Vec<u64> = (0..=truth.len() as u64).collect();
    for (i, a) in read.chars().enumerate() {
        let mut corner = row[0];
        row[0] = i as u64 + 1;
        for (j, b) in truth.iter().enumerate() {
            let change = corner + u64::from(a != *b);
            corner = row[j + 1];
            row[j + 1] = change.min(corner + 1).min(row[j] + 1);
        }
    }
    row[truth.len()]
}

/// Which classes were taken for which, over the pictures of one class each.
pub struct Taken {
    names: Vec<String>,
    counts: ConfusionMatrix,
}

impl Taken {
    /// Nothing yet.
    pub fn new(classes: &[String]) -> Taken {
        let names: Vec<String> = classes.iter().map(String::as_str).chain([NONE, OTHER]).map(str::to_owned).collect();
        Taken { counts: ConfusionMatrix::new(names.len()), names }
    }

    /// Adds a picture, if it is of one class.
    pub fn add(&mut self, truth: &str, reading: &Reading) {
        let place = |name: &str| self.names.iter().position(|known| known == name);
        let other = self.names.len() - 1;
        let Some(truth) = place(truth).filter(|&at| at != other) else { return };
        // A digit that was rejected was read all the same, if it has to be.
        let nothing = reading.digits.is_empty() || self.names[truth] == NONE && reading.rejected;
        let read = if nothing { place(NONE) } else { place(&reading.digits) };
        self.counts.add(truth, read.unwrap_or(other));
    }

    /// Names and counts, without "none" and "other" where they did not occur; `None` when there were no pictures of one class.
    pub fn matrix(&self) -> Option<(Vec<String>, ConfusionMatrix)> {
        let all = self.names.len();
        let occurs =
            |class: usize| class + 2 < all || (0..all).any(|i| self.counts.count(i, class) + self.counts.count(class, i) > 0);
        let kept: Vec<usize> = (0..all).filter(|&class| occurs(class)).collect();
        let mut counts = ConfusionMatrix::new(kept.len());
        for (row, &truth) in kept.iter().enumerate() {
            for (column, &read) in kept.iter().enumerate() {
                (0..self.counts.count(truth, read)).for_each(|_| counts.add(row, column));
            }
        }
        (counts.total() > 0).then(|| (kept.iter().map(|&class| self.names[class].clone()).collect(), counts))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(digits: &str, confidence: f32, rejected: bool) -> Reading {
        Reading { digits: digits.into(), confidence, rejected, blank: false, items: Vec::new() }
    }

    #[test]
    fn edit_distances() {
        for (read, truth, distance) in
            [("", "", 0), ("", "12", 2), ("123", "", 3), ("123", "123", 0), ("2047", "207", 1), ("13", "31", 2)]
        {
            assert_eq!(edits(read, truth), distance, "{read} {truth}");
        }
        assert_eq!(edits("kitten", "sitting"), 3);
        assert_eq!(edits("12\n3", "123"), 1);
    }

    #[test]
    fn scores_by_hand() {
        let mut score = Score::default();
        score.add("12", &reading("12", 1.0, false));
        score.add("34", &reading("39", 1.0, false));
        score.add("7", &reading("7", 1.0, true));
        score.add("none", &reading("1", 0.1, true));
        score.add("none", &reading("1", 0.9, false));
        assert_eq!((score.pictures, score.right, score.rejected, score.kept_right), (5, 3, 2, 1));
        assert_eq!((score.accuracy(), score.character_error_rate()), (0.6, 0.2));
        let object = score.json(true);
        assert_eq!((&object["exact_match"], &object["images"]), (&json!(0.6), &json!(5)));
        // Three answers given with 1.0, two right.
        assert!((object["expected_calibration_error"].as_f64().unwrap() - 1.0 / 3.0).abs() < 1e-9);
    }

    #[test]
    fn confusions_of_single_classes() {
        let mut taken = Taken::new(&["0", "1"].map(String::from));
        assert!(taken.matrix().is_none());
        taken.add("1", &reading("0", 0.9, true));
        taken.add("11", &reading("11", 0.9, true));
        assert_eq!(taken.matrix().unwrap().0, ["0", "1"]);
        taken.add("1", &reading("11", 0.9, false));
        taken.add("none", &reading("1", 0.9, true));
        let (names, counts) = taken.matrix().unwrap();
        assert_eq!(names, ["0", "1", "none", "other"]);
        assert_eq!((counts.count(1, 0), counts.count(1, 3), counts.count(2, 2), counts.total()), (1, 1, 1, 3));
    }
}
