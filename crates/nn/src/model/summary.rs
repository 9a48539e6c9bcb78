//! `summary()` as Keras 3 prints it.

use super::Model;
use crate::graph::Kind;
use crate::layers::show;
use crate::text::escaped;
use std::fmt::Write;

impl Model {
    /// The table that Keras' `model.summary()` prints: layers, output shapes, parameters (keras/src/utils/summary_utils.py).
    pub fn summary(&self) -> String {
        let functional = self.outline().kind == Kind::Functional;
        let chain = !functional || self.is_chain();
        let mut rows: Vec<Vec<String>> = Vec::new();
        let mut done = vec![false; self.outline().layers.len()];
        for node in &self.outline().nodes {
            let layer = &self.outline().layers[node.layer];
            let class = layer.layer.class_name();
            if self.outline().is_entry(node.layer) || std::mem::replace(&mut done[node.layer], true) {
                continue;
            }
            let params = self.part_params(node.layer);
            let mut row = vec![format!("{} ({class})", layer.name), show(&node.shape), thousands(params)];
            if !chain {
                let from: Vec<String> = self
                    .outline()
                    .nodes
                    .iter()
                    .filter(|n| n.layer == node.layer)
                    .flat_map(|n| &n.inputs)
                    .map(|&i| {
                        let input = &self.outline().nodes[i];
                        format!("{}[{}][0]", self.outline().layers[input.layer].name, input.call)
                    })
                    .collect();
                row.push(if from.is_empty() { "-".into() } else { from.join(", ") });
            }
            rows.push(row);
        }
        let mut head = vec!["Layer (type)", "Output Shape", "Param #"];
        if !chain {
            head.push("Connected to");
        }
        let mut out = format!("Model: \"{}\"\n", escaped(&self.outline().name));
        table(&mut out, &head, &rows);
        let count = |trainable: Option<bool>| -> usize {
            self.weights().iter().filter(|w| trainable.is_none_or(|t| w.trainable == t)).map(|w| w.len()).sum()
        };
        let optimizer = self.optimizer_params();
        // All values take 4 bytes but the iteration, a 64-bit integer.
        let iteration = if optimizer > 0 { 4 } else { 0 };
        let mut line = |label: &str, n: usize, extra: usize| {
            let _ = writeln!(out, " {label} params: {} ({})", thousands(n), bytes(n * 4 + extra));
        };
        line("Total", count(None) + optimizer, iteration);
        line("Trainable", count(Some(true)), 0);
        line("Non-trainable", count(Some(false)), 0);
        if optimizer > 0 {
            line("Optimizer", optimizer, iteration);
        }
        out
    }

    /// Weight values of a layer of the outline.
    fn part_params(&self, layer: usize) -> usize {
        self.parts()[layer].layers().into_iter().flat_map(|layer| self.layer_weights(layer)).map(|weight| weight.len()).sum()
    }

    fn is_chain(&self) -> bool {
        self.outline().nodes.iter().enumerate().all(|(i, n)| n.inputs.iter().copied().eq(i.checked_sub(1)))
    }
}

/// Column widths that Keras has in a terminal of 80 columns, without and with connections.
const WIDTHS: [&[usize]; 2] = [&[31, 22, 13], &[19, 17, 10, 17]];

/// Draws the box; columns of numbers (the third) are right-aligned, long cells go over several lines.
fn table(out: &mut String, head: &[&str], rows: &[Vec<String>]) {
    let widths = WIDTHS[usize::from(head.len() > 3)];
    let line = |out: &mut String, [left, fill, middle, right]: [char; 4]| {
        let cells: Vec<String> = widths.iter().map(|w| fill.to_string().repeat(w + 2)).collect();
        let _ = writeln!(out, "{left}{}{right}", cells.join(&middle.to_string()));
    };
    let row = |out: &mut String, bar: char, cells: &[String]| {
        let cells: Vec<Vec<String>> = cells.iter().zip(widths).map(|(text, &width)| wrap(&escaped(text), width)).collect();
        for i in 0..cells.iter().map(Vec::len).max().unwrap_or(0) {
            let texts = cells.iter().enumerate().map(|(c, lines)| {
                let (text, w) = (lines.get(i).map_or("", String::as_str), widths[c]);
                if c == 2 { format!(" {text:>w$} ") } else { format!(" {text:<w$} ") }
            });
            let _ = writeln!(out, "{bar}{}{bar}", texts.collect::<Vec<_>>().join(&bar.to_string()));
        }
    };
    line(out, ['┏', '━', '┳', '┓']);
    row(out, '┃', &head.iter().map(|h| h.to_string()).collect::<Vec<_>>());
    line(out, ['┡', '━', '╇', '┩']);
    for (i, cells) in rows.iter().enumerate() {
        if i > 0 {
            line(out, ['├', '─', '┼', '┤']);
        }
        row(out, '│', cells);
    }
    line(out, ['└', '─', '┴', '┘']);
}

/// Breaks a text at spaces, and words longer than a line where the line ends.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let fits = lines.last().is_none_or(|l| l.is_empty() || l.chars().count() + 1 + word.chars().count() <= width);
        if !fits {
            lines.push(String::new());
        }
        for c in word.chars().enumerate().map(|(i, c)| (i == 0, c)) {
            let Some(line) = lines.last_mut() else { continue };
            if c.0 && !line.is_empty() {
                line.push(' ');
            }
            if line.chars().count() == width {
                lines.push(c.1.to_string());
            } else {
                line.push(c.1);
            }
        }
    }
    lines
}

fn thousands(n: usize) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, d) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(d);
    }
    out
}

fn bytes(n: usize) -> String {
    match n {
        0..1024 => format!("{n}.00 B"),
        1024..1_048_576 => format!("{:.2} KB", n as f64 / 1024.0),
        _ => format!("{:.2} MB", n as f64 / 1_048_576.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::Compile;
    use crate::graph::{Call, Sequential, apply};
    use crate::layers::{BatchNormalization, Concatenate, Conv2D, Dense, Dropout, Flatten, InputLayer, MaxPooling2D};
    use crate::losses::SparseCategoricalCrossentropy;
    use crate::optimizers::Adam;

    #[test]
    fn a_chain_prints_as_in_keras() {
        let mut model = Sequential::new()
            .name("digits")
            .add(InputLayer::new([28, 28, 1]))
            .add(Conv2D::new(32, 3).activation("relu"))
            .add(MaxPooling2D::new(2))
            .add(BatchNormalization::new())
            .add(Flatten::new())
            .add(Dropout::new(0.5))
            .add(Dense::new(10).activation("softmax"))
            .build(1)
            .unwrap();
        model.compile(Compile::new(Adam::new(1e-3), SparseCategoricalCrossentropy::new())).unwrap();
        assert_eq!(model.summary(), include_str!("../../../../fixtures/summary/sequential.txt"));
    }

    #[test]
    fn a_graph_prints_its_connections_as_in_keras() {
        let left = InputLayer::new([8]).name("left").input();
        let right = InputLayer::new([8]).name("right").input();
        let shared = Dense::new(4).name("shared").shared();
        let (a, b) = (apply(&shared, &[&left]).unwrap(), apply(&shared, &[&right]).unwrap());
        let joined = Concatenate::new().name("joined").merge(&[&a, &b]).unwrap();
        let sum = Dense::new(1).name("sum").call(&joined).unwrap();
        let model = Model::new("compare", &[&left, &right], &[&sum], 1).unwrap();
        assert_eq!(model.summary(), include_str!("../../../../fixtures/summary/functional.txt"));
    }

    #[test]
    fn names_cannot_leave_their_cell() {
        let layers = Sequential::new().name("a\nb").add(InputLayer::new([2])).add(Dense::new(1).name("x\u{1b}[2J\ny"));
        let summary = layers.build(1).unwrap().summary();
        assert!(summary.starts_with("Model: \"a\\nb\"\n") && summary.contains("│ x\\u{1b}[2J\\ny (Dense) "), "{summary}");
        assert!(!summary.contains('\u{1b}'));
    }

    #[test]
    fn numbers_are_grouped() {
        assert_eq!(thousands(0), "0");
        assert_eq!(thousands(999), "999");
        assert_eq!(thousands(93322), "93,322");
        assert_eq!(thousands(1663370), "1,663,370");
        assert_eq!(bytes(93322 * 4), "364.54 KB");
        assert_eq!(bytes(0), "0.00 B");
    }
}
