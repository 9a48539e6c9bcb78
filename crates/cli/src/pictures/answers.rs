//! What a model's outputs are taken for, image by image.

use super::Reader;
use maobi_nn::metrics::arg_max;
use maobi_recognize::preprocessing::probabilities;

/// What an image was taken for.
pub struct Answered {
    /// The output, in the place that the data has it.
    pub class: usize,
    /// Its probability; for a digit, among the digits: what is told to be a digit by the data needs no doubt about that.
    pub confidence: f32,
    /// Whether it was rejected.
    pub rejected: bool,
}

impl Reader {
    /// What the outputs `[images, classes]` mean, for data of `labels` classes. Where it has no class "none", something else is answered
    /// for what is rejected.
    pub fn answers(&self, outputs: &mut [f32], labels: usize) -> Vec<Answered> {
        let classes = self.outputs();
        let Some(recognizer) = self.recognizer() else {
            probabilities(self.model(), outputs, classes);
            let plain = outputs.chunks_exact(classes).map(|row| {
                let class = arg_max(row);
                Answered { class, confidence: row[class], rejected: false }
            });
            return plain.collect();
        };
        let none = recognizer.none();
        let shown = none.filter(|&none| none < labels);
        let judged = outputs.chunks_exact(classes).map(|row| {
            let item = recognizer.judge(row);
            match shown.filter(|_| item.rejected) {
                Some(none) => Answered { class: none, confidence: item.none, rejected: true },
                // Outputs behind "none" have moved up by one.
                None => {
                    let class = item.digit + usize::from(none.is_some_and(|none| item.digit >= none));
                    Answered { class, confidence: item.probability, rejected: item.rejected }
                }
            }
        });
        judged.collect()
    }
}
