//! What was read.

use maobi_vision::Rect;

/// What stands on a picture.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// The digits in reading order, lines joined by `\n`: the names of the items' classes, with spaces between them when names
    /// are longer than one character. Without what was rejected, unless everything was: then this is the best guess.
    pub digits: String,
    /// Estimated probability that all of `digits` is right: the product over its items of (probability of being a digit at all) ·
    /// [`Item::probability`].
    pub confidence: f32,
    /// Nothing on the picture is a digit; `digits` holds the best guess all the same.
    pub rejected: bool,
    /// There is no ink on the picture. [`Reading::rejected`] is true, too.
    pub blank: bool,
    /// Everything that was looked at, in reading order, with what was rejected.
    pub items: Vec<Item>,
}

/// A glyph and what the network says of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// The likeliest class: index into [`Recognizer::classes`](crate::Recognizer::classes).
    pub digit: usize,
    /// Its name.
    pub class: String,
    /// Its probability among the digits.
    pub probability: f32,
    /// One for each of [`Recognizer::classes`](crate::Recognizer::classes), which "none" is not one of; they add up to 1.
    pub probabilities: Vec<f32>,
    /// Probability of being no digit: the class "none"; 0 for a model without it.
    pub none: f32,
    /// Where it is in the upright picture.
    pub rect: Rect,
    /// Which line it stands in, from 0.
    pub line: usize,
    /// Taken for no digit, see [`OperatingPoint`](crate::OperatingPoint).
    pub rejected: bool,
    /// What the network saw, `[height, width]` of its input, white on black.
    pub pixels: Vec<u8>,
}

impl Item {
    /// Probability that this is a digit, and the one it is taken for.
    pub fn confidence(&self) -> f32 {
        (1.0 - self.none) * self.probability
    }

    /// The likeliest class but one and its probability; `None` for a model of one class.
    pub fn second(&self) -> Option<(usize, f32)> {
        let others = self.probabilities.iter().copied().enumerate().filter(|&(class, _)| class != self.digit);
        others.max_by(|a, b| a.1.total_cmp(&b.1))
    }
}

impl Reading {
    /// Of items in reading order; `doubtful` rejects them as a whole.
    pub(crate) fn of(items: Vec<Item>, blank: bool, doubtful: bool) -> Self {
        let none = items.iter().all(|item| item.rejected);
        let rejected = blank || doubtful || none;
        let read = |item: &&Item| none || !item.rejected;
        let kept: Vec<&Item> = items.iter().filter(read).collect();
        let digits = spell(kept.iter().map(|item| (item.line, item.class.clone())));
        let confidence = if kept.is_empty() { 0.0 } else { kept.iter().map(|item| item.confidence()).product() };
        Self { digits, confidence, rejected, blank, items }
    }
}

/// Names of classes with their lines in reading order, as one text.
pub(crate) fn spell(names: impl Iterator<Item = (usize, String)> + Clone) -> String {
    let long = names.clone().any(|(_, name)| name.chars().count() != 1);
    let (mut text, mut before) = (String::new(), None);
    for (line, name) in names {
        match before {
            Some(last) if last != line => text.push('\n'),
            Some(_) if long => text.push(' '),
            _ => {}
        }
        text.push_str(&name);
        before = Some(line);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(class: &str, probability: f32, line: usize, rejected: bool) -> Item {
        Item {
            digit: 0,
            class: class.into(),
            probability,
            probabilities: vec![probability, 1.0 - probability],
            none: if rejected { 0.75 } else { 0.0 },
            rect: Rect { x: 0, y: 0, width: 1, height: 1 },
            line,
            rejected,
            pixels: vec![],
        }
    }

    #[test]
    fn rejected_items_are_left_out_of_the_line() {
        let reading =
            Reading::of(vec![item("4", 0.5, 0, false), item("1", 1.0, 0, true), item("2", 0.5, 1, false)], false, false);
        assert_eq!((reading.digits.as_str(), reading.confidence, reading.rejected), ("4\n2", 0.25, false));
        assert_eq!(reading.items[0].second(), Some((1, 0.5)));
    }

    #[test]
    fn a_guess_when_all_is_rejected() {
        let reading = Reading::of(vec![item("4", 0.5, 0, true)], false, false);
        assert_eq!((reading.digits.as_str(), reading.confidence, reading.rejected), ("4", 0.125, true));
        let nothing = Reading::of(vec![], true, false);
        assert_eq!((nothing.digits.as_str(), nothing.confidence, nothing.rejected), ("", 0.0, true));
    }

    #[test]
    fn long_names_are_kept_apart() {
        let reading = Reading::of(vec![item("four", 1.0, 0, false), item("two", 1.0, 0, false)], false, false);
        assert_eq!(reading.digits, "four two");
    }
}
