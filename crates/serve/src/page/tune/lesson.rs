//! What is learnt from and what it is measured with: one's own samples beside digits of the kind that the model has seen before.

use crate::problem::Problem;
use maobi_data::source::{BuiltinSize, Request, resolve};
use maobi_data::{Dataset, DatasetName, builtin, progress::Silent, source::Wanted};
use maobi_nn::Model;
use maobi_nn::losses::SparseCategoricalCrossentropy;
use maobi_recognize::Recognizer;
use maobi_recognize::preprocessing::Scaling;
use maobi_train::callbacks::Action;
use maobi_train::{FineTune, FineTuneStep, finetune};

/// Images that are shown again, and images to measure with.
const REPLAY: usize = 4_000;
const TEST: usize = 1_000;
/// Of the order of all of them.
const SEED: u64 = 1;

/// A lesson.
pub struct Lesson {
    /// The user's samples.
    pub own: Dataset,
    /// Digits that the lesson does not show.
    pub test: Dataset,
    /// What those are.
    pub name: &'static str,
    replay: Dataset,
    how: FineTune,
}

impl Lesson {
    /// With MNIST where it is on this machine, otherwise with the built-in digits.
    pub fn new(recognizer: &Recognizer, own: Dataset) -> Result<Self, Problem> {
        let failed = |e: maobi_data::DataError| Problem::internal(e.to_string());
        let find = |name| {
            let mut request = Request::new(Wanted::Name(name), &Silent);
            request.offline = true;
            request.builtin = BuiltinSize { seed: 0, train: REPLAY, test: TEST };
            resolve(&request).map(|found| found.splits)
        };
        let (splits, name) = match find(DatasetName::Mnist) {
            Ok(splits) => (splits, "MNIST"),
            Err(_) => (find(DatasetName::Builtin).map_err(failed)?, "builtin"),
        };
        let mut replay = splits.train.drawn(REPLAY, SEED);
        let none = recognizer.none() == Some(replay.classes());
        if none {
            replay = builtin::extend(&replay, REPLAY / 3, REPLAY / 3).map_err(failed)?;
        }
        let Scaling { scale, offset } = recognizer.scaling();
        let loss = SparseCategoricalCrossentropy::new().from_logits(!recognizer.model().gives_probabilities());
        let how = FineTune { seed: SEED, scale, offset, loss: Some(loss.into()), ..FineTune::grey(none) };
        Ok(Self { own, test: splits.test.drawn(TEST, SEED), name, replay, how })
    }

    /// Teaches a model.
    pub fn teach(
        &self,
        model: &mut Model,
        steps: u64,
        progress: impl FnMut(FineTuneStep) -> Action + Send,
    ) -> Result<f32, Problem> {
        let how = FineTune { steps, ..self.how.clone() };
        finetune(model, &self.own, &self.replay, &how, progress).map_err(|e| Problem::internal(e.to_string()))
    }

    /// Shares of the samples and of the test that a model reads right.
    pub fn measure(&self, model: &Model) -> Result<(f64, f64), Problem> {
        Ok((self.right(model, &self.own)?, self.right(model, &self.test)?))
    }

    fn right(&self, model: &Model, set: &Dataset) -> Result<f64, Problem> {
        let right = self.how.right(model, set).map_err(|e| Problem::internal(e.to_string()))?;
        Ok(right as f64 / set.len().max(1) as f64)
    }
}
