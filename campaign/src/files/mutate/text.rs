//! Recipes and tables of labels.

use super::json;
use crate::seeded::Random;

/// A changed recipe: the tree of its TOML, as JSON's trees are changed.
pub fn toml(bytes: &[u8], random: &mut Random) -> Option<Vec<u8>> {
    let mut root: serde_json::Value = toml::from_str(std::str::from_utf8(bytes).ok()?).ok()?;
    for _ in 0..=random.below(3) {
        json::change(&mut root, random);
    }
    without_null(&mut root);
    Some(toml::to_string(&root).ok()?.into_bytes())
}

/// TOML knows no null.
fn without_null(value: &mut serde_json::Value) {
    match value {
        serde_json::Value::Array(list) => {
            list.retain(|inner| !inner.is_null());
            list.iter_mut().for_each(without_null);
        }
        serde_json::Value::Object(map) => {
            map.retain(|_, inner| !inner.is_null());
            map.values_mut().for_each(without_null);
        }
        _ => {}
    }
}

/// A changed table: cells, quotes, lines.
pub fn csv(bytes: &[u8], random: &mut Random) -> Vec<u8> {
    let text = String::from_utf8_lossy(bytes);
    let mut lines: Vec<Vec<String>> = text.lines().map(|line| line.split(',').map(str::to_owned).collect()).collect();
    for _ in 0..=random.below(3) {
        let rows = lines.len();
        let Some(line) = lines.get_mut(random.below(rows)) else { break };
        let cells = line.len();
        let at = random.below(cells);
        match random.below(8) {
            0 => line.push("extra".into()),
            1 if cells > 1 => drop(line.remove(at)),
            2 => line[at] = "\"".into(),
            3 => line[at] = "x".repeat(100_000),
            4 => line[at] = ["", "none", "../../..", "/dev/zero", "\u{FEFF}", "a\0b", "7|8|", "|"][random.below(8)].into(),
            5 => {
                let copy = line.clone();
                lines.extend(std::iter::repeat_n(copy, 50));
            }
            6 => line[at] = format!("\"{}\n", line[at]),
            _ => line.clear(),
        }
    }
    lines.iter().map(|line| line.join(",")).collect::<Vec<_>>().join(["\n", "\r\n", "\r"][random.below(3)]).into_bytes()
}
