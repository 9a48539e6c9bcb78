//! What training recorded, epoch by epoch.

use maobi_nn::model::Logs;
use serde_json::{Value, json};

/// What an epoch gave: `loss`, the metrics, and with validation `val_…` of each; `learning_rate` comes last.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EpochLogs {
    /// Name and value, in the order of Keras' progress line.
    pub values: Logs,
    /// Wall time of the epoch, validation included.
    pub seconds: f64,
    /// Training samples per second, validation left out.
    pub samples_per_second: f64,
}

impl EpochLogs {
    /// The figure of that name.
    pub fn get(&self, name: &str) -> Option<f64> {
        self.values.iter().find(|(n, _)| n == name).map(|(_, v)| *v)
    }
}

/// The logs of every epoch, as Keras' `History`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History {
    /// One entry per finished epoch.
    pub epochs: Vec<EpochLogs>,
}

impl History {
    /// The values of one figure over the epochs, e.g. `val_accuracy`.
    pub fn get(&self, name: &str) -> Vec<f64> {
        self.epochs.iter().filter_map(|e| e.get(name)).collect()
    }

    /// As JSON, for backups.
    pub fn to_json(&self) -> Value {
        let epoch = |e: &EpochLogs| {
            let values: Vec<Value> = e.values.iter().map(|(n, v)| json!([n, v])).collect();
            json!({ "values": values, "seconds": e.seconds, "samples_per_second": e.samples_per_second })
        };
        Value::Array(self.epochs.iter().map(epoch).collect())
    }

    /// Reads what [`History::to_json`] gave; a number that JSON cannot hold (NaN) comes back as NaN.
    pub fn from_json(value: &Value) -> Option<History> {
        let number = |v: &Value| v.as_f64().unwrap_or(f64::NAN);
        let epochs = value.as_array()?.iter().map(|e| {
            let values = e.get("values")?.as_array()?.iter().map(|pair| {
                let pair = pair.as_array()?;
                Some((pair.first()?.as_str()?.to_string(), number(pair.get(1)?)))
            });
            Some(EpochLogs {
                values: values.collect::<Option<_>>()?,
                seconds: number(e.get("seconds")?),
                samples_per_second: number(e.get("samples_per_second")?),
            })
        });
        Some(History { epochs: epochs.collect::<Option<_>>()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_round_trip() {
        let logs =
            EpochLogs { values: vec![("loss".into(), 0.25), ("accuracy".into(), 0.5)], seconds: 1.5, samples_per_second: 7.0 };
        let history = History { epochs: vec![logs] };
        assert_eq!(History::from_json(&history.to_json()), Some(history.clone()));
        assert_eq!(history.get("accuracy"), vec![0.5]);
        assert!(history.get("val_loss").is_empty());
    }
}
