//! What a recipe's `ModelCheckpoint`s ask for.

use crate::output::count;
use maobi_train::Recipe;
use serde_json::{Map, Value};

fn arguments(recipe: &Recipe) -> impl Iterator<Item = &Map<String, Value>> {
    recipe.callbacks.iter().filter(|(class, _)| class == "ModelCheckpoint").map(|(_, arguments)| arguments)
}

/// The smallest `save_freq` in steps.
pub fn shortest_interval(recipe: &Recipe) -> Option<u64> {
    arguments(recipe).filter_map(|arguments| arguments.get("save_freq")?.as_u64()).min()
}

/// A sentence for each `ModelCheckpoint` of a run by epochs that is due only after the run's end. Runs by steps save their last step
/// anyway.
pub fn remarks(recipe: &Recipe, steps_per_epoch: u64) -> Vec<String> {
    if recipe.training.steps.is_some() {
        return Vec::new();
    }
    let epochs = recipe.training.epochs.unwrap_or(1) as u64;
    let remark = |arguments: &Map<String, Value>| {
        let whole = |key: &str| arguments.get(key).and_then(Value::as_u64);
        let steps = epochs.saturating_mul(steps_per_epoch);
        let (key, interval, length, unit) = match (whole("save_freq"), whole("period")) {
            (Some(every), _) if every > steps => ("save_freq", every, steps, "steps"),
            (None, Some(every)) if every > epochs => ("period", every, epochs, "epochs"),
            _ => return None,
        };
        let file = arguments.get("filepath").and_then(Value::as_str).unwrap_or("the checkpoint");
        Some(format!(
            "ModelCheckpoint {key} = {interval} is more than the {} {unit} of this run: {file} is saved once, at the end",
            count(length)
        ))
    };
    arguments(recipe).filter_map(remark).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_beyond_the_run_are_remarked_on() {
        let recipe = |length: &str, checkpoint: &str| {
            let text = format!(
                "[[layers]]\ntype = \"Flatten\"\n[training]\noptimizer = \"sgd\"\nloss = \"mse\"\n{length}\n[[callbacks]]\n\
                 type = \"ModelCheckpoint\"\nfilepath = \"a.keras\"\n{checkpoint}"
            );
            Recipe::parse(&text, "test").unwrap()
        };
        let of = |length: &str, checkpoint: &str| remarks(&recipe(length, checkpoint), 10);
        assert_eq!(
            of("epochs = 3", "save_freq = 31"),
            ["ModelCheckpoint save_freq = 31 is more than the 30 steps of this run: a.keras is saved once, at the end"]
        );
        assert_eq!(
            of("epochs = 3", "period = 4"),
            ["ModelCheckpoint period = 4 is more than the 3 epochs of this run: a.keras is saved once, at the end"]
        );
        for (length, checkpoint) in
            [("epochs = 3", "save_freq = 30"), ("epochs = 3", "period = 3"), ("epochs = 3", ""), ("steps = 3", "save_freq = 30")]
        {
            assert!(of(length, checkpoint).is_empty(), "{length} {checkpoint}");
        }
        assert_eq!(shortest_interval(&recipe("steps = 3", "save_freq = 30")), Some(30));
        assert_eq!(shortest_interval(&recipe("steps = 3", "")), None);
    }
}
