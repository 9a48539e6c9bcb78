//! JSON: values, keys and parts changed, moved, repeated and nested.

use super::extreme;
use crate::seeded::Random;
use serde_json::{Number, Value, json};

/// Stands for what is nested too deeply for a tree.
const NEST: &str = "@@nested@@";

/// A changed copy of a JSON text.
pub fn damaged(bytes: &[u8], random: &mut Random) -> Option<Vec<u8>> {
    let mut root: Value = serde_json::from_slice(bytes).ok()?;
    for _ in 0..=random.below(3) {
        change(&mut root, random);
    }
    let mut text = serde_json::to_string(&root).ok()?;
    if text.contains(NEST) {
        let depth = [50, 130, 1000, 100_000][random.below(4)];
        let (open, close) = *random.pick(&[("[", "]"), ("{\"config\":", "}"), ("{\"layers\":[", "]}")]);
        text = text.replacen(&format!("\"{NEST}\""), &format!("{}1{}", open.repeat(depth), close.repeat(depth)), 1);
    }
    Some(text.into_bytes())
}

/// Changes one place of a tree.
pub fn change(root: &mut Value, random: &mut Random) {
    let total = count(root);
    let donor = find(root, &mut random.below(total)).map(|value| value.clone()).unwrap_or_default();
    // Values at the ends of the tree are more interesting than their number says: every second time one of them is taken.
    for _ in 0..8 {
        let Some(value) = find(root, &mut random.below(total)) else { return };
        if value.is_array() || value.is_object() {
            if random.one_in(3) {
                return container(value, donor, random);
            }
        } else {
            return scalar(value, donor, random);
        }
    }
}

fn container(value: &mut Value, donor: Value, random: &mut Random) {
    match value {
        Value::Array(list) if !list.is_empty() => {
            let at = random.below(list.len());
            match random.below(6) {
                0 => drop(list.remove(at)),
                1 => list.push(donor),
                2 => list.insert(at, list[at].clone()),
                3 => {
                    let (copy, times) = (list[at].clone(), [8, 300][random.below(2)]);
                    list.extend(std::iter::repeat_n(copy, times));
                }
                4 => {
                    let other = random.below(list.len());
                    list.swap(at, other);
                }
                _ => list.clear(),
            }
        }
        Value::Object(map) if !map.is_empty() => {
            let key = map.keys().nth(random.below(map.len())).cloned().unwrap_or_default();
            match random.below(5) {
                0 => drop(map.remove(&key)),
                1 => {
                    if let Some(value) = map.remove(&key) {
                        map.insert(format!("{key}_"), value);
                    }
                }
                2 => drop(map.insert(key, donor)),
                3 => map.clear(),
                _ => drop(map.insert("unknown".into(), donor)),
            }
        }
        other => *other = donor,
    }
}

fn scalar(value: &mut Value, donor: Value, random: &mut Random) {
    *value = match (random.below(8), &*value) {
        (0, _) => donor,
        (1, _) => random.pick(&[Value::Null, json!(true), json!([]), json!({}), json!(""), json!(NEST)]).clone(),
        (2, Value::String(text)) => json!(text.repeat([2, 1000][random.below(2)])),
        (3, Value::String(text)) => json!(format!("{text}\0/../{}", '\u{202E}')),
        (_, Value::String(text)) => {
            let mut letters: Vec<char> = text.chars().collect();
            match letters.len() {
                0 => letters.push('x'),
                len => letters[random.below(len)] = *random.pick(&['x', '0', '/', '\u{7F}', 'Z']),
            }
            json!(letters.into_iter().collect::<String>())
        }
        (2, Value::Number(n)) => json!(n.as_f64().unwrap_or_default() * [1e3, 1e6, -1.0, 1e-9, 0.5][random.below(5)]),
        (3, Value::Number(_)) => json!([1e308, -1e308, 1e-310, 0.1, -1.0][random.below(5)]),
        (4, Value::Number(n)) => json!(n.as_i64().unwrap_or_default().saturating_mul([1000, 1_000_000, 40][random.below(3)])),
        (_, Value::Number(_)) => Value::Number(Number::from(extreme(random))),
        (_, Value::Bool(flag)) => json!(!flag),
        _ => json!(extreme(random)),
    };
}

/// All values of a tree.
fn count(value: &Value) -> usize {
    1 + match value {
        Value::Array(list) => list.iter().map(count).sum(),
        Value::Object(map) => map.values().map(count).sum(),
        _ => 0,
    }
}

/// The value number `at`, from the root on.
fn find<'a>(value: &'a mut Value, at: &mut usize) -> Option<&'a mut Value> {
    if *at == 0 {
        return Some(value);
    }
    *at -= 1;
    match value {
        Value::Array(list) => list.iter_mut().find_map(|inner| find(inner, at)),
        Value::Object(map) => map.values_mut().find_map(|inner| find(inner, at)),
        _ => None,
    }
}
