//! Schedules as configuration.

use serde_json::{Map, Value};

use super::Schedule;
use crate::object::{ConfigError, Fields, number, optional_number, parse_object, same_name, serde_by_value, to_object};

const NAMES: [&str; 7] = [
    "InverseTimeDecay",
    "ExponentialDecay",
    "PiecewiseConstantDecay",
    "PolynomialDecay",
    "CosineDecay",
    "CosineDecayRestarts",
    "OneCycle",
];

impl Schedule {
    /// The class names that [`Schedule::from_value`] knows; besides, `LegacyDecay` with `learning_rate` and `decay`.
    pub fn known_names() -> impl Iterator<Item = &'static str> {
        NAMES.into_iter()
    }

    /// Reads a Keras object or a recipe table.
    ///
    /// # Errors
    /// [`ConfigError`] for unknown names or keys, missing arguments and values out of range.
    pub fn from_value(value: &Value) -> Result<Schedule, ConfigError> {
        let (name, map) = parse_object("learning-rate schedule", value)?;
        if same_name(&name, "LegacyDecay") {
            let mut fields = Fields::new("LegacyDecay", map);
            let (rate, decay) = (fields.need_f64("learning_rate")? as f32, fields.need_f64("decay")? as f32);
            fields.finish()?;
            let schedule = Schedule::legacy_decay(rate, decay);
            return schedule.check().map(|()| schedule);
        }
        let Some(class) = NAMES.into_iter().find(|class| same_name(&name, class)) else {
            return Err(ConfigError::unknown_name("learning-rate schedule", &name, NAMES));
        };
        let mut fields = Fields::new(class, map);
        let schedule = read(class, &mut fields)?;
        fields.ignore(&["name"]);
        fields.finish()?;
        schedule.check()?;
        Ok(schedule)
    }

    /// Checks the parameters.
    ///
    /// # Errors
    /// [`ConfigError`] for periods of 0 steps, rates that are negative or not finite, and lists that do not fit.
    pub fn check(&self) -> Result<(), ConfigError> {
        let class = self.class_name();
        let (rate_key, rate, steps_key, steps) = match *self {
            Schedule::InverseTimeDecay { initial_learning_rate, decay_steps, .. }
            | Schedule::ExponentialDecay { initial_learning_rate, decay_steps, .. }
            | Schedule::PolynomialDecay { initial_learning_rate, decay_steps, .. }
            | Schedule::CosineDecay { initial_learning_rate, decay_steps, .. } => {
                ("initial_learning_rate", initial_learning_rate, "decay_steps", decay_steps)
            }
            Schedule::CosineDecayRestarts { initial_learning_rate, first_decay_steps, .. } => {
                ("initial_learning_rate", initial_learning_rate, "first_decay_steps", first_decay_steps)
            }
            Schedule::OneCycle { max_learning_rate, total_steps, warmup_fraction, div_factor, final_div_factor } => {
                if !(0.0..=1.0).contains(&warmup_fraction) {
                    let expected = "a number from 0 to 1";
                    return Err(ConfigError::bad_value(class, "warmup_fraction", expected, warmup_fraction));
                }
                for (key, factor) in [("div_factor", div_factor), ("final_div_factor", final_div_factor)] {
                    if !(factor.is_finite() && factor > 0.0) {
                        return Err(ConfigError::bad_value(class, key, "a positive number", factor));
                    }
                }
                ("max_learning_rate", max_learning_rate, "total_steps", total_steps)
            }
            Schedule::PiecewiseConstantDecay { ref boundaries, ref values } => {
                if boundaries.len() + 1 != values.len() {
                    let expected = format!("one more than boundaries ({})", boundaries.len() + 1);
                    let got = format!("{} values", values.len());
                    return Err(ConfigError::bad_value(class, "values", expected, got));
                }
                if !boundaries.is_sorted() {
                    return Err(ConfigError::bad_value(class, "boundaries", "ascending", format!("{boundaries:?}")));
                }
                let worst = values.iter().copied().find(|value| !(value.is_finite() && *value >= 0.0));
                ("values", worst.unwrap_or(0.0), "boundaries", 1)
            }
        };
        if !(rate.is_finite() && rate >= 0.0) {
            return Err(ConfigError::bad_value(class, rate_key, "a number, 0 or more", rate));
        }
        if steps == 0 {
            return Err(ConfigError::bad_value(class, steps_key, "more than 0", steps));
        }
        Ok(())
    }

    /// The class name in Keras (`OneCycle` is ours).
    pub fn class_name(&self) -> &'static str {
        match self {
            Schedule::InverseTimeDecay { .. } => "InverseTimeDecay",
            Schedule::ExponentialDecay { .. } => "ExponentialDecay",
            Schedule::PiecewiseConstantDecay { .. } => "PiecewiseConstantDecay",
            Schedule::PolynomialDecay { .. } => "PolynomialDecay",
            Schedule::CosineDecay { .. } => "CosineDecay",
            Schedule::CosineDecayRestarts { .. } => "CosineDecayRestarts",
            Schedule::OneCycle { .. } => "OneCycle",
        }
    }

    /// The Keras object.
    pub fn to_value(&self) -> Value {
        let mut config = Map::new();
        let mut put = |key: &str, value: Value| {
            config.insert(key.into(), value);
        };
        let (module, name) = match self {
            Schedule::OneCycle { .. } => ("maobi", None),
            Schedule::PiecewiseConstantDecay { .. } => ("keras.optimizers.schedules", Some("PiecewiseConstant")),
            Schedule::CosineDecayRestarts { .. } => ("keras.optimizers.schedules", Some("SGDRDecay")),
            _ => ("keras.optimizers.schedules", Some(self.class_name())),
        };
        match self {
            Schedule::InverseTimeDecay { initial_learning_rate, decay_steps, decay_rate, staircase }
            | Schedule::ExponentialDecay { initial_learning_rate, decay_steps, decay_rate, staircase } => {
                put("initial_learning_rate", number(*initial_learning_rate));
                put("decay_steps", (*decay_steps).into());
                put("decay_rate", number(*decay_rate));
                put("staircase", (*staircase).into());
            }
            Schedule::PiecewiseConstantDecay { boundaries, values } => {
                put("boundaries", boundaries.clone().into());
                put("values", values.iter().copied().map(number).collect());
            }
            Schedule::PolynomialDecay { initial_learning_rate, decay_steps, end_learning_rate, power, cycle } => {
                put("initial_learning_rate", number(*initial_learning_rate));
                put("decay_steps", (*decay_steps).into());
                put("end_learning_rate", number(*end_learning_rate));
                put("power", number(*power));
                put("cycle", (*cycle).into());
            }
            Schedule::CosineDecay { initial_learning_rate, decay_steps, alpha, warmup_target, warmup_steps } => {
                put("initial_learning_rate", number(*initial_learning_rate));
                put("decay_steps", (*decay_steps).into());
                put("alpha", number(*alpha));
                put("warmup_target", optional_number(*warmup_target));
                put("warmup_steps", (*warmup_steps).into());
            }
            Schedule::CosineDecayRestarts { initial_learning_rate, first_decay_steps, t_mul, m_mul, alpha } => {
                put("initial_learning_rate", number(*initial_learning_rate));
                put("first_decay_steps", (*first_decay_steps).into());
                put("t_mul", number(*t_mul));
                put("m_mul", number(*m_mul));
                put("alpha", number(*alpha));
            }
            Schedule::OneCycle { max_learning_rate, total_steps, warmup_fraction, div_factor, final_div_factor } => {
                put("max_learning_rate", number(*max_learning_rate));
                put("total_steps", (*total_steps).into());
                put("warmup_fraction", number(*warmup_fraction));
                put("div_factor", number(*div_factor));
                put("final_div_factor", number(*final_div_factor));
            }
        }
        if let Some(name) = name {
            put("name", name.into());
        }
        to_object(module, self.class_name(), config)
    }
}

serde_by_value!(Schedule);

fn read(class: &str, fields: &mut Fields) -> Result<Schedule, ConfigError> {
    Ok(match class {
        "InverseTimeDecay" | "ExponentialDecay" => {
            let initial_learning_rate = fields.need_f64("initial_learning_rate")? as f32;
            let decay_steps = fields.need_u64("decay_steps")?;
            let decay_rate = fields.need_f64("decay_rate")? as f32;
            let staircase = fields.bool_or("staircase", false)?;
            if class == "InverseTimeDecay" {
                Schedule::InverseTimeDecay { initial_learning_rate, decay_steps, decay_rate, staircase }
            } else {
                Schedule::ExponentialDecay { initial_learning_rate, decay_steps, decay_rate, staircase }
            }
        }
        "PiecewiseConstantDecay" => {
            let boundaries = fields.need_f64s("boundaries")?;
            if let Some(wrong) = boundaries.iter().find(|boundary| **boundary < 0.0) {
                return Err(ConfigError::bad_value(class, "boundaries", "steps, 0 or more", wrong));
            }
            Schedule::PiecewiseConstantDecay {
                boundaries: boundaries.into_iter().map(|boundary| boundary as u64).collect(),
                values: fields.need_f64s("values")?.into_iter().map(|value| value as f32).collect(),
            }
        }
        "PolynomialDecay" => Schedule::PolynomialDecay {
            initial_learning_rate: fields.need_f64("initial_learning_rate")? as f32,
            decay_steps: fields.need_u64("decay_steps")?,
            end_learning_rate: fields.f32_or("end_learning_rate", 1e-4)?,
            power: fields.f32_or("power", 1.0)?,
            cycle: fields.bool_or("cycle", false)?,
        },
        "CosineDecay" => Schedule::CosineDecay {
            initial_learning_rate: fields.need_f64("initial_learning_rate")? as f32,
            decay_steps: fields.need_u64("decay_steps")?,
            alpha: fields.f32_or("alpha", 0.0)?,
            warmup_target: fields.opt_f64("warmup_target")?.map(|target| target as f32),
            warmup_steps: fields.u64_or("warmup_steps", 0)?,
        },
        "CosineDecayRestarts" => Schedule::CosineDecayRestarts {
            initial_learning_rate: fields.need_f64("initial_learning_rate")? as f32,
            first_decay_steps: fields.need_u64("first_decay_steps")?,
            t_mul: fields.f32_or("t_mul", 2.0)?,
            m_mul: fields.f32_or("m_mul", 1.0)?,
            alpha: fields.f32_or("alpha", 0.0)?,
        },
        _ => Schedule::OneCycle {
            max_learning_rate: fields.need_f64("max_learning_rate")? as f32,
            total_steps: fields.need_u64("total_steps")?,
            warmup_fraction: fields.f32_or("warmup_fraction", 0.3)?,
            div_factor: fields.f32_or("div_factor", 25.0)?,
            final_div_factor: fields.f32_or("final_div_factor", 1e4)?,
        },
    })
}
