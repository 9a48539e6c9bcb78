//! Optimisers as configuration.

use serde_json::{Map, Value};

use super::schedules::Schedule;
use super::{AdamW, Kind, LearningRate, LossScale, Optimizer};
use crate::object::{ConfigError, Fields, number, parse_object, same_name, serde_by_value, to_object};

impl Optimizer {
    /// Reads any of the three forms of [`crate::serial`].
    ///
    /// Keras 2's `decay` becomes the schedule it stood for: rate / (1 + decay·iteration).
    ///
    /// # Errors
    /// [`ConfigError`] for unknown names or keys, and for whatever [`Optimizer::check`] refuses.
    pub fn from_value(value: &Value) -> Result<Optimizer, ConfigError> {
        let (name, map) = parse_object("optimizer", value)?;
        if same_name(&name, LossScale::CLASS) {
            let (inner, how) = LossScale::read(map)?;
            let inner = Optimizer::from_value(&inner)?;
            if inner.loss_scale.is_some() {
                return Err(ConfigError::bad_value(LossScale::CLASS, "inner_optimizer", "an optimizer", LossScale::CLASS));
            }
            let optimizer = inner.loss_scale(how);
            optimizer.check()?;
            return Ok(optimizer);
        }
        let Some(class) = Kind::NAMES.into_iter().find(|class| same_name(&name, class)) else {
            return Err(ConfigError::unknown_name("optimizer", &name, Kind::NAMES));
        };
        let mut fields = Fields::new(class, map);
        let default_rate = if class == "SGD" { 0.01 } else { 0.001 };
        let learning_rate = read_rate(&mut fields, default_rate)?;
        let kind = Kind::read(class, &mut fields)?;
        let default_name = if class == "SGD" { "SGD".into() } else { class.to_lowercase() };
        let default_decay = if class == "AdamW" { Some(AdamW::WEIGHT_DECAY) } else { None };
        let optimizer = Optimizer {
            kind,
            learning_rate,
            weight_decay: fields.opt_f64("weight_decay")?.or(default_decay),
            clipnorm: fields.opt_f64("clipnorm")?,
            clipvalue: fields.opt_f64("clipvalue")?,
            global_clipnorm: fields.opt_f64("global_clipnorm")?,
            use_ema: fields.bool_or("use_ema", false)?,
            ema_momentum: fields.f64_or("ema_momentum", 0.99)?,
            ema_overwrite_frequency: fields.opt_u64("ema_overwrite_frequency")?,
            loss_scale: None,
            name: fields.opt_string("name")?.unwrap_or(default_name),
        };
        // What Keras has and we have not, allowed at its default; then what only Keras 2 wrote.
        fields.only("loss_scale_factor", &[])?;
        fields.only("gradient_accumulation_steps", &[])?;
        fields.ignore(&["jit_compile", "is_legacy_optimizer"]);
        fields.finish()?;
        optimizer.check()?;
        Ok(optimizer)
    }

    /// The Keras object, without `loss_scale_factor` and `gradient_accumulation_steps`, which some Keras 3 refuse.
    pub fn to_value(&self) -> Value {
        let mut config = Map::new();
        config.insert("name".into(), self.name.as_str().into());
        let rate = match &self.learning_rate {
            LearningRate::Constant(rate) => number(*rate),
            LearningRate::Schedule(schedule) => schedule.to_value(),
        };
        config.insert("learning_rate".into(), rate);
        let optional = |value: Option<f64>| value.map_or(Value::Null, Value::from);
        config.insert("weight_decay".into(), optional(self.weight_decay));
        config.insert("clipnorm".into(), optional(self.clipnorm));
        config.insert("global_clipnorm".into(), optional(self.global_clipnorm));
        config.insert("clipvalue".into(), optional(self.clipvalue));
        config.insert("use_ema".into(), self.use_ema.into());
        config.insert("ema_momentum".into(), self.ema_momentum.into());
        config.insert("ema_overwrite_frequency".into(), self.ema_overwrite_frequency.map_or(Value::Null, Value::from));
        self.kind.write(&mut config);
        let own = to_object("keras.optimizers", self.class_name(), config);
        match self.loss_scale {
            None => own,
            Some(how) => how.to_value(own),
        }
    }
}

serde_by_value!(Optimizer);

/// The step size: a number or a schedule, under its own name or the old `lr`, with the old `decay` folded in.
fn read_rate(fields: &mut Fields, default: f32) -> Result<LearningRate, ConfigError> {
    let given = fields.take("learning_rate");
    let old = fields.take_hidden("lr");
    let decay = match fields.take_hidden("decay") {
        None => 0.0,
        Some(value) => match value.as_f64() {
            Some(decay) if decay.is_finite() && decay >= 0.0 => decay,
            _ => return Err(fields.bad("decay", "a number, 0 or more", &value)),
        },
    };
    let Some(value) = given.or(old) else { return Ok(with_decay(default, decay)) };
    if value.is_object() {
        if decay != 0.0 {
            let message = "decay and a learning-rate schedule exclude each other; remove decay".into();
            return Err(ConfigError::Conflict { class: fields.class().into(), message });
        }
        return Schedule::from_value(&value).map(LearningRate::Schedule);
    }
    match value.as_f64() {
        Some(rate) => Ok(with_decay(rate as f32, decay)),
        None => Err(fields.bad("learning_rate", "a number, 0 or more, or a schedule", &value)),
    }
}

fn with_decay(rate: f32, decay: f64) -> LearningRate {
    if decay == 0.0 { LearningRate::Constant(rate) } else { Schedule::legacy_decay(rate, decay as f32).into() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optimizers::{Adam, Sgd};
    use serde_json::json;

    #[test]
    fn every_kind_round_trips() {
        for class in Kind::NAMES {
            let optimizer = Optimizer::from_value(&json!({"type": class, "learning_rate": 0.125, "clipnorm": 1.5})).unwrap();
            let value = optimizer.to_value();
            assert_eq!(value["class_name"], json!(class));
            assert_eq!(Optimizer::from_value(&value).unwrap(), optimizer);
            let text = serde_json::to_string(&optimizer).unwrap();
            assert_eq!(serde_json::from_str::<Optimizer>(&text).unwrap(), optimizer);
        }
    }

    #[test]
    fn the_three_forms() {
        let adam: Optimizer = Adam::new(1e-3).into();
        assert_eq!(Optimizer::from_value(&json!("adam")).unwrap(), adam);
        let sgd: Optimizer = Sgd::new(0.01).momentum(0.9).into();
        assert_eq!(Optimizer::from_value(&json!({"type": "SGD", "learning_rate": 0.01, "momentum": 0.9})).unwrap(), sgd);
        assert_eq!(
            sgd.to_value(),
            json!({"module": "keras.optimizers", "class_name": "SGD", "config": {
                "name": "SGD", "learning_rate": 0.01, "weight_decay": null, "clipnorm": null, "global_clipnorm": null,
                "clipvalue": null, "use_ema": false, "ema_momentum": 0.99, "ema_overwrite_frequency": null,
                "momentum": 0.9, "nesterov": false}, "registered_name": null})
        );
    }

    #[test]
    fn decay_is_a_schedule() {
        let old = json!({"type": "SGD", "lr": 0.01, "decay": 1e-5, "momentum": 0.9});
        let optimizer = Optimizer::from_value(&old).unwrap();
        assert_eq!(optimizer.learning_rate.at(0), 0.01);
        assert!((optimizer.learning_rate.at(100_000) - 0.005).abs() < 1e-9);
        assert_eq!(optimizer.to_value()["config"]["learning_rate"]["class_name"], json!("InverseTimeDecay"));
    }

    #[test]
    fn errors_say_what_is_known() {
        assert_eq!(
            Optimizer::from_value(&json!("adem")).unwrap_err().to_string(),
            "unknown optimizer \"adem\"; known: SGD, Adam, AdamW, RMSprop, Adagrad, Adadelta, Nadam, Adamax, Lion"
        );
        assert_eq!(
            Optimizer::from_value(&json!({"type": "SGD", "beta": 1})).unwrap_err().to_string(),
            "SGD: unknown key \"beta\"; known: learning_rate, momentum, nesterov, weight_decay, clipnorm, clipvalue, \
             global_clipnorm, use_ema, ema_momentum, ema_overwrite_frequency, name"
        );
        assert_eq!(
            Optimizer::from_value(&json!({"type": "Adam", "learning_rate": "fast"})).unwrap_err().to_string(),
            "Adam: learning_rate must be a number, 0 or more, or a schedule, got \"fast\""
        );
    }
}
