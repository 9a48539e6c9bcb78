//! `summary()` as Keras 3 prints it.

use super::Model;
use crate::graph::Kind;
use crate::layers::show;
use std::fmt::Write;

impl Model {
    /// The table that Keras' `model.summary()` prints: layers, output shapes, parameters (keras/src/utils/summary_utils.py).
    pub fn summary(&self) -> String {
        let functional = self.graph().kind == Kind::Functional;
        let chain = !functional || self.is_chain();
        let mut rows: Vec<Vec<String>> = Vec::new();
        let mut done = vec![false; self.graph().layers.len()];
        for node in &self.graph().nodes {
            let layer = &self.graph().layers[node.layer];
            let class = layer.layer.class_name();
            let skip = !functional && class == "InputLayer";
            if skip || std::mem::replace(&mut done[node.layer], true) {
                continue;
            }
            let weights = self.layer_weights(node.layer);
            let mut row = vec![
                format!("{} ({class})", layer.name),
                show(&node.shape),
                thousands(weights.iter().map(|w| w.len()).sum()),
            ];
            if !chain {
                let from: Vec<String> = self
                    .graph()
                    .nodes
                    .iter()
                    .filter(|n| n.layer == node.layer)
                    .flat_map(|n| &n.inputs)
                    .map(|&i| {
                        let input = &self.graph().nodes[i];
                        format!("{}[{}][0]", self.graph().layers[input.layer].name, input.call)
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
        let mut out = format!("Model: \"{}\"\n", self.graph().name);
        table(&mut out, &head, &rows);
        let count = |trainable: Option<bool>| -> usize {
            self.weights().iter().filter(|w| trainable.is_none_or(|t| w.trainable == t)).map(|w| w.len()).sum()
        };
        let optimizer = self.optimizer_params();
        for (label, n) in [
            ("Total", count(None) + optimizer),
            ("Trainable", count(Some(true))),
            ("Non-trainable", count(Some(false))),
        ] {
            let _ = writeln!(out, " {label} params: {} ({})", thousands(n), bytes(n * 4));
        }
        if optimizer > 0 {
            let _ = writeln!(out, " Optimizer params: {} ({})", thousands(optimizer), bytes(optimizer * 4));
        }
        out
    }

    fn is_chain(&self) -> bool {
        self.graph().nodes.iter().enumerate().all(|(i, n)| n.inputs.iter().copied().eq(i.checked_sub(1)))
    }
}

/// Draws the box; columns of numbers (the third) are right-aligned.
fn table(out: &mut String, head: &[&str], rows: &[Vec<String>]) {
    let least = [31, 22, 13, 17];
    let widths: Vec<usize> = (0..head.len())
        .map(|c| rows.iter().map(|r| r[c].chars().count()).chain([head[c].len(), least[c]]).max().unwrap_or(0))
        .collect();
    let line = |out: &mut String, [left, fill, middle, right]: [char; 4]| {
        let cells: Vec<String> = widths.iter().map(|w| fill.to_string().repeat(w + 2)).collect();
        let _ = writeln!(out, "{left}{}{right}", cells.join(&middle.to_string()));
    };
    let row = |out: &mut String, bar: char, cells: &[String]| {
        let cells: Vec<String> = cells
            .iter()
            .enumerate()
            .map(|(c, text)| if c == 2 { format!(" {text:>w$} ", w = widths[c]) } else { format!(" {text:<w$} ", w = widths[c]) })
            .collect();
        let _ = writeln!(out, "{bar}{}{bar}", cells.join(&bar.to_string()));
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

fn thousands(n: usize) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, d) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i) % 3 == 0 {
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
