//! Running means of the losses and metrics of an epoch.

use crate::error::Result;
use crate::exact;
use crate::losses::Target;
use crate::metrics::{Metric, MetricState};
use serde_json::{Value, json};

/// Name and value of a figure, in the order Keras prints them.
pub type Logs = Vec<(String, f64)>;

/// What one output is measured with.
#[derive(Debug)]
struct Meter {
    output: String,
    columns: usize,
    loss: f64,
    states: Vec<MetricState>,
}

/// Sums over the batches of an epoch; means are weighted by batch size, so a short last batch counts as what it is.
#[derive(Debug)]
pub struct Meters {
    samples: f64,
    loss: f64,
    outputs: Vec<Meter>,
}

impl Meters {
    /// Meters for outputs of the given names and columns (length of the last axis).
    pub(crate) fn new(outputs: Vec<(String, usize, Vec<Metric>)>) -> Meters {
        let outputs = outputs
            .into_iter()
            .map(|(output, columns, metrics)| Meter {
                output,
                columns,
                loss: 0.0,
                states: metrics.iter().map(|m| MetricState::new(m, columns)).collect(),
            })
            .collect();
        Meters { samples: 0.0, loss: 0.0, outputs }
    }

    /// Forgets everything.
    pub fn reset(&mut self) {
        (self.samples, self.loss) = (0.0, 0.0);
        for meter in &mut self.outputs {
            meter.loss = 0.0;
            meter.states.iter_mut().for_each(MetricState::reset);
        }
    }

    /// Adds the total loss of a batch.
    pub(crate) fn add_loss(&mut self, samples: usize, total: f64, each: impl Iterator<Item = f64>) {
        self.samples += samples as f64;
        self.loss += total * samples as f64;
        for (meter, loss) in self.outputs.iter_mut().zip(each) {
            meter.loss += loss * samples as f64;
        }
    }

    /// Adds the predictions of a batch for one output.
    pub(crate) fn add_output(
        &mut self,
        output: usize,
        prediction: &[f32],
        target: Target<'_>,
        weights: Option<&[f32]>,
    ) -> Result<()> {
        let meter = &mut self.outputs[output];
        let rows = prediction.len() / meter.columns.max(1);
        for state in &mut meter.states {
            state.update(rows, meter.columns, prediction, target, weights)?;
        }
        Ok(())
    }

    /// The sums as JSON, exactly: a backup's text for [`Meters::restore`].
    pub fn state(&self) -> Value {
        let outputs = self.outputs.iter().map(|meter| {
            let metrics: Vec<Value> = meter.states.iter().map(MetricState::state).collect();
            json!({ "output": meter.output, "loss": exact::to_json(&[meter.loss]), "metrics": metrics })
        });
        json!({ "totals": exact::to_json(&[self.samples, self.loss]), "outputs": outputs.collect::<Vec<_>>() })
    }

    /// Takes back what [`Meters::state`] gave. `false`, with everything forgotten, when that was of other outputs or metrics.
    pub fn restore(&mut self, state: &Value) -> bool {
        let fits = self.take(state).is_some();
        if !fits {
            self.reset();
        }
        fits
    }

    /// As far as it fits.
    fn take(&mut self, state: &Value) -> Option<()> {
        let totals = exact::from_json(&state["totals"], 2)?;
        (self.samples, self.loss) = (totals[0], totals[1]);
        let outputs = state["outputs"].as_array().filter(|o| o.len() == self.outputs.len())?;
        for (meter, kept) in self.outputs.iter_mut().zip(outputs) {
            meter.loss = exact::from_json(&kept["loss"], 1)?[0];
            let metrics = kept["metrics"].as_array().filter(|m| m.len() == meter.states.len())?;
            let mut pairs = meter.states.iter_mut().zip(metrics);
            (kept["output"] == meter.output && pairs.all(|(state, kept)| state.restore(kept))).then_some(())?;
        }
        Some(())
    }

    /// Samples seen since the last reset.
    pub fn samples(&self) -> usize {
        self.samples as usize
    }

    /// The mean total loss.
    pub fn loss(&self) -> f64 {
        self.loss / self.samples.max(1.0)
    }

    /// Loss and metrics under Keras' names: with several outputs each name is prefixed with its output's.
    pub fn logs(&self) -> Logs {
        let several = self.outputs.len() > 1;
        let mut logs = vec![("loss".to_string(), self.loss())];
        for meter in &self.outputs {
            let name = |figure: &str| if several { format!("{}_{figure}", meter.output) } else { figure.to_string() };
            if several {
                logs.push((name("loss"), meter.loss / self.samples.max(1.0)));
            }
            for state in &meter.states {
                logs.push((name(state.name()), state.result()));
            }
        }
        logs
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meters(names: &[&str], metrics: &[&str]) -> Meters {
        let metrics: Vec<Metric> = metrics.iter().map(|m| Metric::from_value(&(*m).into()).unwrap()).collect();
        Meters::new(names.iter().map(|name| (name.to_string(), 3, metrics.clone())).collect())
    }

    fn batch(meters: &mut Meters, salt: usize) {
        let p: Vec<f32> = (0..6).map(|i| ((i * 7 + salt * 5) % 11) as f32 / 11.0).collect();
        let weights = [0.3, 1.7];
        meters.add_loss(2, 0.1 + salt as f64 / 3.0, [0.7, 0.9].into_iter());
        for output in 0..meters.outputs.len() {
            meters.add_output(output, &p, Target::Values(&[0.0, 1.0, 0.0, 1.0, 0.0, 0.0]), Some(&weights)).unwrap();
        }
    }

    #[test]
    fn sums_go_on_from_their_state_bit_for_bit() {
        const METRICS: [&str; 6] = ["categorical_accuracy", "precision", "recall", "auc", "f1_score", "kl_divergence"];
        let (mut whole, mut first) = (meters(&["a", "b"], &METRICS), meters(&["a", "b"], &METRICS));
        (0..3).for_each(|salt| batch(&mut whole, salt));
        (0..2).for_each(|salt| batch(&mut first, salt));
        let text = first.state().to_string();
        let mut second = meters(&["a", "b"], &METRICS);
        batch(&mut second, 9);
        assert!(second.restore(&serde_json::from_str(&text).unwrap()));
        assert_eq!(second.samples(), 4);
        batch(&mut second, 2);
        let bits = |m: &Meters| m.logs().into_iter().map(|(name, v)| (name, v.to_bits())).collect::<Vec<_>>();
        assert_eq!(bits(&second), bits(&whole));
        assert_eq!(second.state(), whole.state());
    }

    #[test]
    fn other_states_are_refused_and_leave_nothing() {
        let mut kept = meters(&["a"], &["auc", "precision"]);
        batch(&mut kept, 1);
        let mut damaged = kept.state();
        damaged["outputs"][0]["metrics"][1]["sums"] = json!([1]);
        let all = ["auc", "precision"];
        let cases = [
            (meters(&["a"], &["precision", "auc"]), kept.state()),
            (meters(&["a"], &["auc"]), kept.state()),
            (meters(&["b"], &all), kept.state()),
            (meters(&["a", "b"], &all), kept.state()),
            (meters(&["a"], &all), damaged),
            (meters(&["a"], &all), Value::Null),
        ];
        for (mut other, state) in cases {
            let empty = other.state();
            batch(&mut other, 2);
            assert!(!other.restore(&state));
            assert_eq!(other.state(), empty);
        }
    }
}
