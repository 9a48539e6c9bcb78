//! What the command line changes in a recipe, and whether it agrees with a run that has begun.

use anyhow::{anyhow, bail};
use maobi_nn::Precision;
use toml::{Table, Value};

/// Changes to a recipe's training; absent ones leave it alone.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Overrides {
    /// Epochs instead of the recipe's epochs or steps.
    pub epochs: Option<u64>,
    /// Steps instead of the recipe's epochs or steps.
    pub steps: Option<u64>,
    /// Images a step.
    pub batch_size: Option<u64>,
    /// The rate, or a schedule's first one.
    pub learning_rate: Option<f64>,
    /// The dtype policy.
    pub precision: Option<Precision>,
}

impl Overrides {
    /// Writes the changes into the recipe's table.
    pub fn apply(&self, recipe: &mut Table) -> anyhow::Result<()> {
        let training = recipe.entry("training").or_insert_with(|| Value::Table(Table::new()));
        let training = training.as_table_mut().ok_or_else(|| anyhow!("[training]: expected a table"))?;
        let whole = |n: u64| i64::try_from(n).map(Value::Integer);
        if let Some(epochs) = self.epochs {
            training.remove("steps");
            training.insert("epochs".into(), whole(epochs)?);
        }
        if let Some(steps) = self.steps {
            training.remove("epochs");
            training.insert("steps".into(), whole(steps)?);
        }
        if let Some(batch_size) = self.batch_size {
            training.insert("batch_size".into(), whole(batch_size)?);
        }
        // The default is not written where the recipe says nothing: that is no change.
        if let Some(precision) = self.precision
            && (precision != Precision::default() || training.contains_key("precision"))
        {
            training.insert("precision".into(), precision.name().into());
        }
        if let Some(rate) = self.learning_rate {
            let optimizer = training.entry("optimizer").or_insert_with(|| "adam".into());
            set_learning_rate(optimizer, rate)?;
        }
        Ok(())
    }

    /// Checks that nothing contradicts the recipe of a run that goes on. Epochs and steps are not looked at: a run may go further.
    pub fn agree(&self, recipe: &Table) -> anyhow::Result<()> {
        let mut changed = recipe.clone();
        Overrides { epochs: None, steps: None, ..self.clone() }.apply(&mut changed)?;
        let (old, new) = (recipe.get("training"), changed.get("training"));
        let keys = [("batch_size", "--batch-size"), ("optimizer", "--learning-rate"), ("precision", "--precision")];
        for (key, flag) in keys {
            let (old, new) = (old.and_then(|t| t.get(key)), new.and_then(|t| t.get(key)));
            if old != new {
                let show = |value: Option<&Value>| value.map_or_else(|| "nothing".to_owned(), ToString::to_string);
                bail!(
                    "{flag} contradicts the run: its config.toml has {key} = {}, {flag} makes it {}. Leave {flag} out to go on with this run, or start another with --out",
                    show(old),
                    show(new)
                );
            }
        }
        Ok(())
    }
}

/// Calls `with` on the arguments of an object: its own, or what Keras' form keeps below `config`.
fn with_arguments<T>(object: &mut Table, with: impl FnOnce(&mut Table) -> T) -> T {
    if let Some(Value::Table(config)) = object.get_mut("config") {
        return with(config);
    }
    with(object)
}

fn set_learning_rate(optimizer: &mut Value, rate: f64) -> anyhow::Result<()> {
    if let Value::String(name) = optimizer {
        let mut table = Table::new();
        table.insert("type".into(), Value::String(name.clone()));
        *optimizer = Value::Table(table);
    }
    let Value::Table(object) = optimizer else { bail!("[training] optimizer: expected a name or a table, got {optimizer}") };
    with_arguments(object, |arguments| match arguments.get_mut("learning_rate") {
        Some(Value::Table(schedule)) => with_arguments(schedule, |schedule| set_schedule(schedule, rate)),
        _ => {
            arguments.insert("learning_rate".into(), Value::Float(rate));
        }
    });
    Ok(())
}

/// The rate a schedule starts from; the one it climbs to where it starts with a climb.
fn set_schedule(schedule: &mut Table, rate: f64) {
    if let Some(Value::Array(values)) = schedule.get_mut("values") {
        let number = |v: &Value| v.as_float().or_else(|| v.as_integer().map(|n| n as f64));
        let first = values.first().and_then(number).filter(|first| *first != 0.0).unwrap_or(rate);
        for value in values {
            if let Some(old) = number(value) {
                *value = Value::Float(old * rate / first);
            }
        }
        return;
    }
    let key = ["max_learning_rate", "warmup_target"].into_iter().find(|key| schedule.contains_key(*key));
    schedule.insert(key.unwrap_or("initial_learning_rate").into(), Value::Float(rate));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(text: &str, overrides: &Overrides) -> String {
        let mut table: Table = text.parse().unwrap();
        overrides.apply(&mut table).unwrap();
        table["training"].to_string()
    }

    #[test]
    fn epochs_and_steps_replace_each_other() {
        let epochs = Overrides { epochs: Some(2), ..Overrides::default() };
        assert_eq!(changed("[training]\nsteps = 5", &epochs), "{ epochs = 2 }");
        let steps = Overrides { steps: Some(7), batch_size: Some(3), ..Overrides::default() };
        assert_eq!(changed("[training]\nepochs = 5", &steps), "{ steps = 7, batch_size = 3 }");
    }

    #[test]
    fn the_default_precision_is_no_change() {
        let with = |precision| Overrides { precision: Some(precision), ..Overrides::default() };
        let (plain, mixed) = (with(Precision::Float32), with(Precision::MixedFloat16));
        assert_eq!(changed("[training]\nepochs = 5", &plain), "{ epochs = 5 }");
        assert_eq!(changed("[training]\nprecision = \"mixed_bfloat16\"", &plain), "{ precision = \"float32\" }");
        assert_eq!(changed("[training]\nepochs = 5", &mixed), "{ epochs = 5, precision = \"mixed_float16\" }");
        let run: Table = "[training]\nprecision = \"mixed_float16\"".parse().unwrap();
        mixed.agree(&run).unwrap();
        assert!(plain.agree(&run).unwrap_err().to_string().starts_with("--precision contradicts the run"));
    }

    #[test]
    fn the_rate_is_set_wherever_it_stands() {
        let rate = Overrides { learning_rate: Some(0.5), ..Overrides::default() };
        let cases = [
            ("optimizer = \"sgd\"", "{ optimizer = { type = \"sgd\", learning_rate = 0.5 } }"),
            ("optimizer = { type = \"SGD\", learning_rate = 1 }", "{ optimizer = { type = \"SGD\", learning_rate = 0.5 } }"),
            (
                "optimizer = { type = \"SGD\", learning_rate = { type = \"X\", initial_learning_rate = 1.0 } }",
                "{ optimizer = { type = \"SGD\", learning_rate = { type = \"X\", initial_learning_rate = 0.5 } } }",
            ),
            (
                "optimizer = { class_name = \"SGD\", config = { learning_rate = { type = \"P\", values = [1.0, 0.1] } } }",
                "{ optimizer = { class_name = \"SGD\", config = { learning_rate = { type = \"P\", values = [0.5, 0.05] } } } }",
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(changed(&format!("[training]\n{text}"), &rate), expected);
        }
    }

    #[test]
    fn contradictions_name_the_flag_and_both_values() {
        let table: Table = "[training]\nepochs = 5\nbatch_size = 32".parse().unwrap();
        let same = Overrides { epochs: Some(6), batch_size: Some(32), ..Overrides::default() };
        same.agree(&table).unwrap();
        let other = Overrides { batch_size: Some(64), ..Overrides::default() };
        let message = other.agree(&table).unwrap_err().to_string();
        assert!(message.contains("--batch-size") && message.contains("= 32") && message.contains("makes it 64"), "{message}");
    }
}
