//! Running means of the losses and metrics of an epoch.

use crate::error::Result;
use crate::losses::Target;
use crate::metrics::{Metric, MetricState};

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
