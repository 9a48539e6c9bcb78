//! From TOML text to a recipe.

use super::{DataConfig, Recipe, Table, TrainingConfig, Validation};
use crate::error::{Error, Result};
use maobi_data::Augment;
use maobi_data::augment::AMOUNTS;
use maobi_nn::Precision;
use maobi_nn::losses::Loss;
use maobi_nn::metrics::Metric;
use maobi_nn::optimizers::Optimizer;
use maobi_nn::text::with_place;
use serde_json::{Map, Value};

/// Longest recipe that is read.
const MAX_BYTES: usize = 1 << 20;

/// Most built-in pictures of a kind.
const MAX_PICTURES: u64 = 10_000_000;

impl Recipe {
    /// Reads a recipe; `name` stands in messages and for a recipe without a name of its own.
    ///
    /// # Errors
    /// TOML that cannot be read (with line and column), a key that is unknown or missing, a value out of range.
    pub fn parse(text: &str, name: &str) -> Result<Recipe> {
        let error = |message: String| Error::Recipe { recipe: name.to_string(), message };
        if text.len() > MAX_BYTES {
            return Err(error(format!("{} bytes; recipes have at most {MAX_BYTES}", text.len())));
        }
        let value: Value = toml::from_str(text).map_err(|e| {
            let message = with_place(text, e.span().map(|at| at.start), e.message());
            error(format!("is not valid TOML: {message}"))
        })?;
        let Value::Object(map) = value else { return Err(error("expected a table".into())) };
        let mut top = Table::new(name, "", map);
        let own_name = top.text("name")?.unwrap_or_else(|| name.to_string());
        let input_shape = input_shape(&mut top)?;
        let mut data = data(name, section(&mut top, "data")?)?;
        data.augment = augment(name, &mut top)?;
        let training = training(name, section(&mut top, "training")?)?;
        if data.one_hot && training.loss.takes_classes() {
            let message = "[data] labels: \"one-hot\" does not go with [training] loss = \"sparse_categorical_crossentropy\". Set labels = \
                           \"sparse\", or loss = \"categorical_crossentropy\"";
            return Err(error(message.into()));
        }
        let layers = objects(&mut top, "layers")?;
        if layers.is_empty() {
            return Err(top.error("layers", "a network needs at least one [[layers]] entry"));
        }
        let recipe = Recipe {
            name: own_name,
            description: top.text("description")?.unwrap_or_default(),
            source: top.text("source")?.unwrap_or_default(),
            published: top.text("published")?.unwrap_or_default(),
            functional: top.flag("functional")?.unwrap_or(false),
            input_shape,
            layers,
            data,
            training,
            callbacks: objects(&mut top, "callbacks")?,
        };
        top.finish()?;
        Ok(recipe)
    }
}

fn input_shape(top: &mut Table) -> Result<Vec<usize>> {
    let Some(value) = top.take("input_shape") else { return Ok(vec![28, 28, 1]) };
    let axes = value
        .as_array()
        .map(|axes| axes.iter().map(|a| a.as_u64().filter(|n| (1..=4096).contains(n)).map(|n| n as usize)).collect());
    match axes {
        Some(Some(shape)) => Ok(shape),
        _ => Err(top.error("input_shape", format!("expected [height, width, channels], each 1 to 4096, got {value}"))),
    }
}

fn section(top: &mut Table, key: &'static str) -> Result<Map<String, Value>> {
    match top.take(key) {
        None => Ok(Map::new()),
        Some(Value::Object(map)) => Ok(map),
        Some(other) => Err(top.error(key, format!("expected a table, got {other}"))),
    }
}

/// A list of tables with a `type`.
fn objects(top: &mut Table, key: &'static str) -> Result<Vec<(String, Map<String, Value>)>> {
    let list = match top.take(key) {
        None => return Ok(Vec::new()),
        Some(Value::Array(list)) => list,
        Some(other) => return Err(top.error(key, format!("expected [[{key}]] tables, got {other}"))),
    };
    let object = |(i, value): (usize, Value)| match value {
        Value::Object(mut map) => match map.remove("type") {
            Some(Value::String(class)) => Ok((class, map)),
            _ => Err(top.error(key, format!("entry {} needs a type, e.g. type = \"Dense\"", i + 1))),
        },
        other => Err(top.error(key, format!("entry {}: expected a table, got {other}", i + 1))),
    };
    list.into_iter().enumerate().map(object).collect()
}

fn data(recipe: &str, map: Map<String, Value>) -> Result<DataConfig> {
    let mut t = Table::new(recipe, "[data]", map);
    let config = DataConfig {
        dataset: t.text("dataset")?.unwrap_or_else(|| "mnist".into()),
        scale: short(&mut t, "scale", 1.0 / 255.0)?,
        offset: short(&mut t, "offset", 0.0)?,
        validation: validation(&mut t)?,
        one_hot: match t.text("labels")?.as_deref() {
            None | Some("sparse") => false,
            Some("one-hot") => true,
            Some(other) => return Err(t.error("labels", format!("expected \"sparse\" or \"one-hot\", got \"{other}\""))),
        },
        builtin: pictures(&mut t, "builtin")?,
        non_digits: pictures(&mut t, "non_digits")?,
        augment: None,
    };
    t.finish()?;
    Ok(config)
}

/// A number that is finite as f32 too.
fn short(t: &mut Table, key: &'static str, default: f64) -> Result<f32> {
    let value = t.number(key)?.unwrap_or(default);
    match value as f32 {
        short if short.is_finite() => Ok(short),
        _ => Err(t.error(key, format!("expected a number from -3.4e38 to 3.4e38, got {value:e}"))),
    }
}

/// A number of pictures to draw.
fn pictures(t: &mut Table, key: &'static str) -> Result<usize> {
    match t.count(key)?.unwrap_or(0) {
        count if count <= MAX_PICTURES => Ok(count as usize),
        count => Err(t.error(key, format!("expected at most {MAX_PICTURES}, got {count}"))),
    }
}

fn augment(recipe: &str, top: &mut Table) -> Result<Option<Augment>> {
    let map = section(top, "augment")?;
    if map.is_empty() {
        return Ok(None);
    }
    let mut t = Table::new(recipe, "[augment]", map);
    let mut augment = Augment::default();
    for (name, most) in AMOUNTS {
        if let (Some(value), Some(amount)) = (t.number(name)?, augment.amount(name)) {
            if !(0.0..=f64::from(most)).contains(&value) {
                return Err(t.error(name, format!("expected a number from 0 to {most}, got {value}")));
            }
            *amount = value as f32;
        }
    }
    augment.epochs = t.count("epochs")?;
    t.finish()?;
    Ok(Some(augment))
}

fn validation(t: &mut Table) -> Result<Validation> {
    let value = t.take("validation").unwrap_or(Value::String("none".into()));
    match &value {
        Value::String(name) if name == "none" => return Ok(Validation::None),
        Value::String(name) if name == "test" => return Ok(Validation::Test),
        Value::Object(map) if map.len() == 1 => {
            if let Some(head) = map.get("head").and_then(Value::as_u64).filter(|&n| n > 0) {
                return Ok(Validation::Head(head as usize));
            }
            if let Some(tail) = map.get("tail").and_then(Value::as_f64).filter(|&share| share > 0.0 && share < 1.0) {
                return Ok(Validation::Tail(tail));
            }
        }
        _ => {}
    }
    Err(t.error("validation", format!("expected \"none\", \"test\", {{ head = 5000 }} or {{ tail = 0.1 }}, got {value}")))
}

fn training(recipe: &str, map: Map<String, Value>) -> Result<TrainingConfig> {
    let mut t = Table::new(recipe, "[training]", map);
    let optimizer = t.take("optimizer").unwrap_or_else(|| "adam".into());
    let optimizer = Optimizer::from_value(&optimizer).and_then(|o| o.check().map(|()| o)).map_err(|e| t.error("optimizer", e))?;
    let loss = t.need("loss", "a loss, e.g. \"sparse_categorical_crossentropy\"")?;
    let loss = Loss::from_value(&loss).map_err(|e| t.error("loss", e))?;
    let metrics = match t.take("metrics") {
        None => Vec::new(),
        Some(Value::Array(list)) => {
            list.iter().map(|m| Metric::from_value(m).map_err(|e| t.error("metrics", e))).collect::<Result<Vec<_>>>()?
        }
        Some(other) => return Err(t.error("metrics", format!("expected a list, e.g. [\"accuracy\"], got {other}"))),
    };
    let precision = t.text("precision")?.unwrap_or_default();
    let precision = if precision.is_empty() { Ok(Precision::default()) } else { precision.parse() };
    let config = TrainingConfig {
        precision: precision.map_err(|known| t.error("precision", known))?,
        optimizer,
        loss,
        metrics,
        batch_size: t.count("batch_size")?.unwrap_or(32) as usize,
        epochs: t.count("epochs")?.map(|n| n as usize),
        steps: t.count("steps")?,
        log_every: t.count("log_every")?,
        evaluate_every: t.count("evaluate_every")?,
    };
    if config.epochs.is_some() && config.steps.is_some() {
        return Err(t.error("epochs", "give either epochs or steps, not both"));
    }
    t.finish()?;
    Ok(config)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: &str = r#"
        input_shape = [8, 8, 1]
        [[layers]]
        type = "Flatten"
        [[layers]]
        type = "Dense"
        units = 3
        [training]
        loss = "sparse_categorical_crossentropy"
    "#;

    #[test]
    fn every_built_in_recipe_makes_a_model() {
        for name in Recipe::names() {
            let recipe = Recipe::builtin(name).unwrap();
            assert_eq!(recipe.name, name);
            let classes = 10 + usize::from(recipe.data.non_digits > 0);
            assert_eq!(recipe.model(1).unwrap().output_shapes(), vec![vec![classes]], "{name}");
        }
    }

    #[test]
    fn defaults_are_filled_in() {
        let recipe = Recipe::parse(SMALL, "small").unwrap();
        assert_eq!((recipe.name.as_str(), recipe.training.batch_size, recipe.data.validation), ("small", 32, Validation::None));
        assert_eq!(recipe.model(1).unwrap().count_params(), 64 * 3 + 3);
    }

    #[test]
    fn built_in_pictures_and_augmentation_are_read() {
        let with = |lines: &str| Recipe::parse(&SMALL.replace("[training]", &format!("{lines}\n[training]")), "mine");
        let recipe = with("[data]\nbuiltin = 5\nnon_digits = 7\n[augment]\nrotation = 10\ndirt = 0.5\nepochs = 3").unwrap();
        assert_eq!((recipe.data.builtin, recipe.data.non_digits), (5, 7));
        assert_eq!(recipe.data.augment, Some(Augment { rotation: 10.0, dirt: 0.5, epochs: Some(3), ..Augment::default() }));
        assert_eq!(with("").unwrap().data.augment, None);
        let message = |lines: &str| with(lines).unwrap_err().to_string();
        assert_eq!(message("[augment]\nstroke = 2"), "recipe mine: [augment] stroke: expected a number from 0 to 1, got 2");
        assert!(message("[augment]\nflip = 1").contains("flip"), "{}", message("[augment]\nflip = 1"));
        assert!(message("[data]\nbuiltin = 99999999999").contains("at most 10000000"));
    }

    #[test]
    fn errors_name_the_key_and_what_is_known() {
        let message = |text: &str| Recipe::parse(text, "mine").and_then(|r| r.model(1)).unwrap_err().to_string();
        assert!(message("[training]\nloss = 3").starts_with("recipe mine: [training] loss: "));
        assert!(message(&SMALL.replace("units", "unit")).contains("unknown argument \"unit\""));
        assert!(message(&SMALL.replace("Dense", "Dens")).contains("no such layer"));
        assert!(message(&SMALL.replace("[training]", "[trianing]")).contains("loss: is missing"));
        // The parser's bound on nesting: toml_parser before 1.1.6 forgot a level at each "[c]" and overflowed the stack.
        let nested = message(&"a = {n = \"b\"\n[c]\n".repeat(20_000));
        assert!(nested.starts_with("recipe mine: is not valid TOML: line "), "{nested}");
        let toml = message("name = \"x\"\na = [");
        assert!(toml.starts_with("recipe mine: is not valid TOML: line 2, column ") && toml.lines().count() == 1, "{toml}");
        let labels = message(&SMALL.replace("[training]", "[data]\nlabels = \"one-hot\"\n[training]"));
        for part in ["[data] labels", "[training] loss = \"sparse_categorical_crossentropy\"", "\"categorical_crossentropy\""] {
            assert!(labels.contains(part), "{labels}");
        }
        let scale = message(&SMALL.replace("[training]", "[data]\nscale = 1e39\n[training]"));
        assert!(scale.contains("[data] scale: expected a number from -3.4e38 to 3.4e38, got 1e39"), "{scale}");
        let precise = |name: &str| format!("{SMALL}\nprecision = \"{name}\"");
        assert!(message(&precise("float16")).contains("[training] precision: expected float32, mixed_bfloat16, mixed_float16"));
        let model = Recipe::parse(&precise("mixed_float16"), "small").unwrap().model(1).unwrap();
        assert_eq!(
            (model.precision().name(), model.compiled().unwrap().optimizer.base().loss_scale.is_some()),
            ("mixed_float16", true)
        );
        assert!(message(&format!("{SMALL}\nepochs = 1\nsteps = 2")).contains("either epochs or steps"));
    }
}
