//! Whether a command printed what a document shows.
//!
//! Text must be equal, spaces aside. So must numbers, but for these:
//!
//! - times and speeds (`5.3 s`, `11,223 images/s`, `"seconds":0.05`) may be anything,
//! - fractions and percentages (accuracies, probabilities, losses) may differ a little, since another instruction set rounds
//!   products differently. `MAOBI_ISA` selects one for these tests, too.

/// By how much an accuracy, a probability or an F1 may differ from the documented one: 20 of 10,000 images. AVX-512, AVX2 and scalar
/// code print the same four digits; this is room for processors that have not been tried, far below what a change of a network does.
const FRACTION: f64 = 0.002;
/// By which share a loss may differ, for the same reason.
const LOSS: f64 = 0.005;

/// A piece of a line.
#[derive(Debug, PartialEq)]
enum Part {
    Text(String),
    Number(String),
}

/// Whether the lines of `output` are those of `expected`, in which a line `…` stands for any number of lines.
pub fn same(expected: &[String], output: &[&str]) -> bool {
    match (expected.first(), output.first()) {
        (None, None) => true,
        (Some(line), _) if line == "…" => (0..=output.len()).any(|skipped| same(&expected[1..], &output[skipped..])),
        (Some(line), Some(out)) if same_line(line, out) => same(&expected[1..], &output[1..]),
        _ => false,
    }
}

fn same_line(expected: &str, output: &str) -> bool {
    let (expected, output) = (parts(expected), parts(output));
    expected.len() == output.len()
        && expected.iter().zip(&output).enumerate().all(|(i, pair)| match pair {
            (Part::Number(a), Part::Number(b)) => same_number(text(&expected, i.wrapping_sub(1)), text(&expected, i + 1), a, b),
            (a, b) => a == b,
        })
}

/// The text at an index; empty where there is none.
fn text(parts: &[Part], index: usize) -> &str {
    match parts.get(index) {
        Some(Part::Text(text)) => text,
        _ => "",
    }
}

fn same_number(before: &str, after: &str, expected: &str, output: &str) -> bool {
    let unit = after.trim_start().split([' ', ',', ')', '}']).next().unwrap_or_default();
    if ["s", "ms", "µs", "images/s"].contains(&unit) || before.ends_with("seconds\":") || before.ends_with("images_per_second\":")
    {
        return true;
    }
    if !expected.contains('.') {
        return expected == output;
    }
    let (Ok(a), Ok(b)) = (expected.parse::<f64>(), output.parse::<f64>()) else { return expected == output };
    if before.trim_end().trim_end_matches([':', '"']).ends_with("loss") {
        return (a - b).abs() <= LOSS * a.abs();
    }
    let percent = if unit == "%" { 100.0 } else { 1.0 };
    (a - b).abs() <= FRACTION * percent
}

/// A line as texts and numbers. Digits within a word (`conv2d`) are text; the names of instruction sets are alike.
fn parts(line: &str) -> Vec<Part> {
    let line = ["avx512", "avx2", "scalar"].iter().fold(line.trim_end().to_owned(), |line, isa| line.replace(isa, "ISA"));
    let characters: Vec<char> = line.chars().collect();
    let mut parts = Vec::new();
    let mut text = String::new();
    let mut i = 0;
    while i < characters.len() {
        let c = characters[i];
        let within_a_word = text.ends_with(|before: char| before.is_alphabetic() || before == '_');
        if !c.is_ascii_digit() || within_a_word {
            text.push(c);
            i += 1;
            // The rest of a word with digits in it.
            while within_a_word && c.is_ascii_digit() && characters.get(i).is_some_and(|c| c.is_alphanumeric()) {
                text.push(characters[i]);
                i += 1;
            }
            continue;
        }
        let digit = |i: usize| characters.get(i).is_some_and(char::is_ascii_digit);
        let start = i;
        while digit(i) || (matches!(characters.get(i), Some('.' | ',')) && digit(i + 1)) {
            i += 1;
        }
        parts.push(Part::Text(squeezed(&text)));
        parts.push(Part::Number(characters[start..i].iter().filter(|c| **c != ',').collect()));
        text.clear();
    }
    parts.push(Part::Text(squeezed(&text)));
    parts
}

/// Columns are as wide as their numbers: any spaces count as one, and lines of a table have any length.
fn squeezed(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn lines_are_told_apart() {
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    assert!(same(&lines("a, 1 s\n…\nend"), &["a, 80 s", "more", "and more", "end"]));
    assert!(same(&lines("…"), &[]));
    assert!(!same(&lines("one"), &["one", "more"]));
    assert!(!same(&lines("one\nmore"), &["one"]));
}

#[test]
fn numbers_must_be_what_was_documented() {
    let same = same_line;
    assert!(same(
        "epoch 1/3: loss 0.8397, accuracy 0.7497, 0.2 s, 91,654 images/s",
        "epoch 1/3: loss 0.8399, accuracy 0.7512, 12.2 s, 654 images/s"
    ));
    assert!(!same("accuracy 0.7497", "accuracy 0.7547"), "an accuracy out of range");
    assert!(!same("loss 0.8397", "loss 0.8497"), "a loss out of range");
    assert!(!same("accuracy 0.75", "loss 0.75"));
    assert!(!same("epoch 1/3", "epoch 2/3"), "counts are exact");
    assert!(!same("13,610 weights", "13,611 weights"));
    assert!(!same("seven.png: 7 (97.1 %)", "seven.png: 1 (97.1 %)"), "what was read is exact");
    assert!(same("seven.png: 7 (97.1 %)", "seven.png: 7 (97.0 %)"));
    assert!(!same("seven.png: 7 (97.1 %)", "seven.png: 7 (96.4 %)"));
    assert!(same("{\"seconds\":0.05,\"accuracy\":0.43}", "{\"seconds\":7.5,\"accuracy\":0.4301}"));
    assert!(!same("conv2d (Conv2D)", "conv3d (Conv3D)"), "digits of a name are text");
    assert!(same("seed 1, avx512", "seed 1, scalar"));
    assert!(same("0    0.9231  1,000", "0  0.9232 1,000"));
}
