//! Where training, evaluation and prediction take their samples from.

use crate::error::{Error, Result};
use maobi_data::{Augment, Dataset};
use maobi_nn::losses::Target;
use maobi_nn::{Feed, Model};

/// Targets of a batch for one output.
#[derive(Clone, Debug, PartialEq)]
pub enum Targets {
    /// One class per sample.
    Classes(Vec<u32>),
    /// `[samples, …]`.
    Values(Vec<f32>),
}

impl Targets {
    /// As the losses take it.
    pub fn as_target(&self) -> Target<'_> {
        match self {
            Targets::Classes(classes) => Target::Classes(classes),
            Targets::Values(values) => Target::Values(values),
        }
    }

    /// Empty targets for labels: rows of zeros with a one, or classes.
    pub(crate) fn of_classes(one_hot: bool) -> Targets {
        if one_hot { Targets::Values(Vec::new()) } else { Targets::Classes(Vec::new()) }
    }

    /// Replaces the content with these labels, below `classes`.
    pub(crate) fn fill_labels(&mut self, labels: impl ExactSizeIterator<Item = u32>, classes: usize) {
        match self {
            Targets::Classes(out) => {
                out.clear();
                out.extend(labels);
            }
            Targets::Values(out) => {
                out.clear();
                out.resize(labels.len() * classes, 0.0);
                for (row, label) in out.chunks_exact_mut(classes).zip(labels) {
                    row[label as usize] = 1.0;
                }
            }
        }
    }
}

/// A set of samples with their targets, addressed by index.
pub trait Examples: Sync {
    /// Number of samples.
    fn len(&self) -> usize;
    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// Values of one sample per input.
    fn input_lengths(&self) -> Vec<usize>;
    /// Writes input `input` of the samples `indices`, one after the other.
    fn fill(&self, input: usize, indices: &[u32], out: &mut [f32]);
    /// Writes input `input` of the samples `indices` as `epoch` trains on them: augmented data differ from epoch to epoch.
    fn fill_for_training(&self, input: usize, indices: &[u32], epoch: u64, out: &mut [f32]) {
        let _ = epoch;
        self.fill(input, indices, out);
    }
    /// Empty targets, one per output, to be filled.
    fn targets(&self) -> Vec<Targets>;
    /// Replaces the content of `out` with the targets of the samples `indices` for output `output`.
    fn fill_targets(&self, output: usize, indices: &[u32], out: &mut Targets);
    /// Replaces the content of `out` with the samples' weights; `false` when all count 1.
    fn fill_weights(&self, indices: &[u32], out: &mut Vec<f32>) -> bool {
        let _ = (indices, out);
        false
    }
}

/// Labelled pictures: u8 pixels that become `pixel * scale + offset` on their way into a batch.
#[derive(Clone, Debug)]
pub struct Images<'a> {
    dataset: &'a Dataset,
    scale: f32,
    offset: f32,
    one_hot: bool,
    /// Length of a one-hot row; that of the set's classes at least.
    columns: usize,
    augment: Option<(Augment, u64)>,
}

impl<'a> Images<'a> {
    /// Pixels scaled to 0…1, labels as classes.
    pub fn new(dataset: &'a Dataset) -> Self {
        Images { dataset, scale: 1.0 / 255.0, offset: 0.0, one_hot: false, columns: 0, augment: None }
    }

    /// What the network sees is `pixel * scale + offset`, pixels from 0 to 255.
    #[must_use]
    pub fn scaled(mut self, scale: f32, offset: f32) -> Self {
        (self.scale, self.offset) = (scale, offset);
        self
    }

    /// Labels as rows of zeros with a one.
    #[must_use]
    pub fn one_hot(mut self, one_hot: bool) -> Self {
        self.one_hot = one_hot;
        self
    }

    /// One-hot rows are as long as the model has outputs, where that is more than the set has classes.
    #[must_use]
    pub fn outputs(mut self, outputs: usize) -> Self {
        self.columns = outputs;
        self
    }

    /// Training sees each picture changed, in every epoch in another way, drawn from `seed`; evaluation sees it as it is.
    ///
    /// # Errors
    /// When the pictures have more than one channel: ink is what is changed.
    pub fn augmented(mut self, augment: Augment, seed: u64) -> Result<Self> {
        let [_, _, channels] = self.dataset.shape();
        if channels != 1 {
            let message = format!("expected grey pictures (1 channel), {} has {channels} channels", self.dataset.name());
            return Err(Error::argument("augment", message));
        }
        self.augment = Some((augment, seed));
        Ok(self)
    }
}

impl Examples for Images<'_> {
    fn len(&self) -> usize {
        self.dataset.len()
    }

    fn input_lengths(&self) -> Vec<usize> {
        vec![self.dataset.item_len()]
    }

    fn fill(&self, _input: usize, indices: &[u32], out: &mut [f32]) {
        self.dataset.gather(indices, self.scale, self.offset, out);
    }

    fn fill_for_training(&self, input: usize, indices: &[u32], epoch: u64, out: &mut [f32]) {
        let Some((augment, seed)) = &self.augment else { return self.fill(input, indices, out) };
        let [height, width, _] = self.dataset.shape();
        for (&index, out) in indices.iter().zip(out.chunks_exact_mut(self.dataset.item_len())) {
            let image = self.dataset.image(index as usize);
            augment.apply(image, (height, width), *seed, epoch, u64::from(index), out);
            out.iter_mut().for_each(|v| *v = *v * self.scale + self.offset);
        }
    }

    fn targets(&self) -> Vec<Targets> {
        vec![Targets::of_classes(self.one_hot)]
    }

    fn fill_targets(&self, _output: usize, indices: &[u32], out: &mut Targets) {
        let columns = self.columns.max(self.dataset.classes());
        out.fill_labels(indices.iter().map(|&i| self.dataset.label(i as usize)), columns);
    }
}

/// Samples and targets in memory as f32, for models with any inputs and outputs.
///
/// ```
/// use maobi_train::{Arrays, Examples, Targets};
/// let x = vec![0.0, 0.1, 0.9, 1.0];
/// let data = Arrays::new(4, vec![&x], vec![Targets::Classes(vec![0, 0, 1, 1])])?;
/// assert_eq!(data.input_lengths(), vec![1]);
/// # Ok::<(), maobi_train::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Arrays<'a> {
    samples: usize,
    inputs: Vec<&'a [f32]>,
    targets: Vec<Targets>,
    weights: Option<&'a [f32]>,
}

impl<'a> Arrays<'a> {
    /// `samples` samples: one `[samples, …]` slice per input, one target per output.
    ///
    /// # Errors
    /// When a length is not a multiple of the number of samples, or the number of samples is 0 or above 2³².
    pub fn new(samples: usize, inputs: Vec<&'a [f32]>, targets: Vec<Targets>) -> Result<Self> {
        if samples == 0 || u32::try_from(samples).is_err() {
            return Err(Error::argument("samples", format!("expected 1 to 2³² − 1, got {samples}")));
        }
        for (i, input) in inputs.iter().enumerate() {
            check_length(format!("input {i}"), input.len(), samples)?;
        }
        for (i, target) in targets.iter().enumerate() {
            match target {
                Targets::Classes(classes) if classes.len() != samples => {
                    return Err(Error::argument(
                        format!("target {i}"),
                        format!("expected {samples} classes, got {}", classes.len()),
                    ));
                }
                Targets::Classes(_) => {}
                Targets::Values(values) => check_length(format!("target {i}"), values.len(), samples)?,
            }
        }
        Ok(Arrays { samples, inputs, targets, weights: None })
    }

    /// How much each sample counts in loss and metrics.
    ///
    /// # Errors
    /// When there is not one weight per sample.
    pub fn sample_weight(mut self, weights: &'a [f32]) -> Result<Self> {
        if weights.len() != self.samples {
            return Err(Error::argument("sample_weight", format!("expected {} values, got {}", self.samples, weights.len())));
        }
        self.weights = Some(weights);
        Ok(self)
    }
}

fn check_length(argument: String, len: usize, samples: usize) -> Result<()> {
    if len == 0 || !len.is_multiple_of(samples) {
        return Err(Error::argument(
            argument,
            format!("expected a multiple of {samples} values (one row per sample), got {len}"),
        ));
    }
    Ok(())
}

impl Examples for Arrays<'_> {
    fn len(&self) -> usize {
        self.samples
    }

    fn input_lengths(&self) -> Vec<usize> {
        self.inputs.iter().map(|x| x.len() / self.samples).collect()
    }

    fn fill(&self, input: usize, indices: &[u32], out: &mut [f32]) {
        let x = self.inputs[input];
        let len = x.len() / self.samples;
        for (&i, row) in indices.iter().zip(out.chunks_exact_mut(len)) {
            row.copy_from_slice(&x[i as usize * len..(i as usize + 1) * len]);
        }
    }

    fn targets(&self) -> Vec<Targets> {
        let empty = |t: &Targets| match t {
            Targets::Classes(_) => Targets::Classes(Vec::new()),
            Targets::Values(_) => Targets::Values(Vec::new()),
        };
        self.targets.iter().map(empty).collect()
    }

    fn fill_targets(&self, output: usize, indices: &[u32], out: &mut Targets) {
        match (&self.targets[output], out) {
            (Targets::Classes(all), Targets::Classes(out)) => {
                out.clear();
                out.extend(indices.iter().map(|&i| all[i as usize]));
            }
            (Targets::Values(all), Targets::Values(out)) => {
                let len = all.len() / self.samples;
                out.clear();
                indices.iter().for_each(|&i| out.extend_from_slice(&all[i as usize * len..(i as usize + 1) * len]));
            }
            (all, out) => *out = all.clone(),
        }
    }

    fn fill_weights(&self, indices: &[u32], out: &mut Vec<f32>) -> bool {
        out.clear();
        self.weights.inspect(|w| out.extend(indices.iter().map(|&i| w[i as usize]))).is_some()
    }
}

/// Compares the data's sample sizes with the model's inputs, all that a prediction needs.
pub(crate) fn check_inputs(model: &Model, data: &dyn Examples, what: &str) -> Result<()> {
    let expected: Vec<usize> = model.input_shapes().iter().map(|s| s.iter().product()).collect();
    let got = data.input_lengths();
    if expected != got {
        let shapes = model.input_shapes();
        return Err(Error::argument(
            what,
            format!("the model takes samples of shape {shapes:?} ({expected:?} values), the data has {got:?} values"),
        ));
    }
    Ok(())
}

/// Compares the data's sample sizes with the model's inputs, and its targets with the outputs.
pub(crate) fn check_shapes(model: &Model, data: &dyn Examples, what: &str) -> Result<()> {
    check_inputs(model, data, what)?;
    if data.targets().len() != model.output_shapes().len() {
        let (n, m) = (model.output_shapes().len(), data.targets().len());
        return Err(Error::argument(what, format!("the model has {n} outputs, the data targets for {m}")));
    }
    Ok(())
}

/// The samples of one batch, as the model takes them.
pub(crate) struct Picked<'a> {
    pub(crate) examples: &'a dyn Examples,
    pub(crate) indices: &'a [u32],
    pub(crate) lengths: &'a [usize],
    /// The epoch that trains on them, if one does.
    pub(crate) epoch: Option<u64>,
}

impl Feed for Picked<'_> {
    fn samples(&self) -> usize {
        self.indices.len()
    }

    fn fill(&self, input: usize, first: usize, out: &mut [f32]) {
        let count = out.len() / self.lengths[input].max(1);
        let indices = &self.indices[first..first + count];
        match self.epoch {
            Some(epoch) => self.examples.fill_for_training(input, indices, epoch, out),
            None => self.examples.fill(input, indices, out),
        }
    }
}
