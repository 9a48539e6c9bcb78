//! Second guesses.

use crate::reading::{Item, Reading, spell};

impl Reading {
    /// The `count` likeliest readings that differ from [`Reading::digits`] in one item, the likeliest first, each with its
    /// [confidence](Reading::confidence). `classes` are [`Recognizer::classes`](crate::Recognizer::classes).
    pub fn alternatives(&self, classes: &[String], count: usize) -> Vec<(String, f32)> {
        let kept: Vec<&Item> = self.items.iter().filter(|item| self.rejected || !item.rejected).collect();
        // Which item becomes which class, and how much less likely that is.
        let mut swaps: Vec<(usize, usize, f32)> = Vec::new();
        for (place, item) in kept.iter().enumerate() {
            let others = item.probabilities.iter().take(classes.len()).enumerate().filter(|(class, _)| *class != item.digit);
            swaps.extend(others.map(|(class, &p)| (place, class, p / item.probability.max(f32::MIN_POSITIVE))));
        }
        // Stable: among equals, the first item and the lowest class.
        swaps.sort_by(|a, b| b.2.total_cmp(&a.2));
        let one = |(swapped, class, ratio): (usize, usize, f32)| {
            let named = |(place, item): (usize, &&Item)| {
                (item.line, if place == swapped { classes[class].clone() } else { item.class.clone() })
            };
            (spell(kept.iter().enumerate().map(named)), self.confidence * ratio)
        };
        swaps.into_iter().take(count).map(one).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use maobi_vision::Rect;

    fn item(digit: usize, probabilities: [f32; 3], line: usize, rejected: bool) -> Item {
        let rect = Rect { x: 0, y: 0, width: 1, height: 1 };
        let (class, probability) = (digit.to_string(), probabilities[digit]);
        Item {
            digit,
            class,
            probability,
            probabilities: probabilities.into(),
            none: 0.0,
            rect,
            line,
            rejected,
            pixels: Vec::new(),
        }
    }

    #[test]
    fn the_least_sure_item_changes_first() {
        let items =
            vec![item(0, [1.0, 0.0, 0.0], 0, false), item(2, [0.5, 0.5, 0.0], 0, true), item(1, [0.125, 0.5, 0.375], 1, false)];
        let reading = Reading::of(items, false, false);
        let classes = ["0", "1", "2"].map(String::from);
        assert_eq!((reading.digits.as_str(), reading.confidence), ("0\n1", 0.5));
        assert_eq!(reading.alternatives(&classes, 2), [("0\n2".into(), 0.375), ("0\n0".into(), 0.125)]);
        assert_eq!(reading.alternatives(&classes, 9).len(), 4);
        assert_eq!(Reading::of(Vec::new(), true, false).alternatives(&classes, 2), []);
    }
}
