//! Fine-tuning: a trained classifier learns from a few pictures of one's own without forgetting what it knew.
//!
//! Every step sees own pictures beside replayed ones, of the kind that the model was first trained on: rehearsal, the plain remedy against
//! forgetting (Robins 1995, "Catastrophic forgetting, rehearsal and pseudorehearsal"). Own pictures make up half of what the model sees
//! of the classes that have any, and each of those classes counts the same, so that ten pictures of a 7 do not make everything a 7.
//! What is still forgotten is won back by going only part of the way from the old weights to the learnt ones (Wortsman et al. 2022,
//! "Robust fine-tuning of zero-shot models"): as far as images that were neither learnt nor replayed are read as before.

mod measure;

pub use measure::has_forgotten;

use crate::callbacks::{Action, OnBatchEnd};
use crate::error::{Error, Result};
use crate::examples::{Examples, Targets};
use crate::fit::{Fit, fit};
use maobi_data::{Augment, Dataset};
use maobi_kernels::rng::shuffle_indices;
use maobi_nn::losses::Loss;
use maobi_nn::optimizers::Adam;
use maobi_nn::optimizers::schedules::CosineDecay;
use maobi_nn::{Compile, Model};

/// How to fine-tune; the defaults suit some dozens to some hundreds of pictures.
#[derive(Clone, Debug)]
pub struct FineTune {
    /// Optimizer steps. Default 300.
    pub steps: u64,
    /// Pictures in each step, own and replayed together. Default 64.
    pub batch_size: usize,
    /// Where the learning rate of Adam begins; it falls to 0 along a cosine. Default 3e-4.
    pub learning_rate: f32,
    /// Of the order of the pictures, and of dropout. Default 0.
    pub seed: u64,
    /// The network sees `pixel * scale`, plus
    pub scale: f32,
    /// this.
    pub offset: f32,
    /// What is minimised; the loss that the model was compiled with when absent.
    pub loss: Option<Loss>,
    /// How each sight of an own picture is changed; pictures have to be grey then. Default: not at all.
    pub augment: Option<Augment>,
    /// The same for replayed pictures.
    pub augment_replay: Option<Augment>,
}

impl Default for FineTune {
    fn default() -> Self {
        FineTune {
            steps: 300,
            batch_size: 64,
            learning_rate: 3e-4,
            seed: 0,
            scale: 1.0 / 255.0,
            offset: 0.0,
            loss: None,
            augment: None,
            augment_replay: None,
        }
    }
}

/// Where fine-tuning is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FineTuneStep {
    /// Steps done, from 1.
    pub step: u64,
    /// Steps in all.
    pub steps: u64,
    /// Loss of this step.
    pub loss: f64,
}

/// Shares of the way to the learnt weights that are tried, in turn.
const WAYS: [f32; 5] = [1.0, 0.8, 0.6, 0.45, 0.3];
/// Of the replay, the share that is set aside to tell how far to go, and at most how many images.
const ASIDE: (usize, usize) = (5, 4_000);
/// Fewer tell nothing.
const FEW: usize = 100;

/// Trains `model` on the pictures `own`, mixed with `replay`; labels of both are outputs of the model. Ends early when `progress` says so.
///
/// The same arguments give the same weights, whatever the number of threads. The model is compiled anew, with Adam. Returns how far the
/// weights went from the old ones (0) to the learnt ones (1).
///
/// # Errors
/// When a set is empty or does not fit the model, or there is no loss; and those of [`fit`], after which the model has its old weights.
pub fn finetune(
    model: &mut Model,
    own: &Dataset,
    replay: &Dataset,
    how: &FineTune,
    mut progress: impl FnMut(FineTuneStep) -> Action + Send,
) -> Result<f32> {
    let classes = model.output_shapes().first().and_then(|shape| shape.last().copied()).unwrap_or(0);
    for (what, set) in [("own pictures", own), ("replay", replay)] {
        if set.is_empty() {
            return Err(Error::argument(what, "there are no pictures"));
        }
        if set.item_len() != replay.item_len() {
            let (ours, theirs) = (own.shape(), replay.shape());
            return Err(Error::argument(what, format!("expected pictures of {theirs:?} as in the replay, got {ours:?}")));
        }
        if let Some(label) = set.labels().find(|&label| label as usize >= classes) {
            return Err(Error::argument(what, format!("expected labels below {classes}, the model's outputs, got {label}")));
        }
    }
    if replay.shape()[2] != 1 && (how.augment.is_some() || how.augment_replay.is_some()) {
        let channels = replay.shape()[2];
        return Err(Error::argument("augment", format!("expected grey pictures (1 channel), these have {channels} channels")));
    }
    if how.steps == 0 || how.batch_size < 2 {
        let (steps, size) = (how.steps, how.batch_size);
        return Err(Error::argument("steps, batch_size", format!("expected at least 1 and 2, got {steps} and {size}")));
    }
    let compiled = model.compiled().and_then(|compiled| compiled.losses.first().cloned());
    let loss = how
        .loss
        .clone()
        .or(compiled)
        .ok_or_else(|| Error::argument("loss", "the model is not compiled; give FineTune a loss"))?;
    model.set_seed(how.seed);
    model.compile(Compile::new(Adam::new(CosineDecay::new(how.learning_rate, how.steps)), loss.clone()))?;
    let (replay, aside) = set_aside(replay, how.seed)?;
    let mixed =
        Mixed { own, replay: &replay, picks: picks(own, &replay, classes, how)?, how, one_hot: !loss.takes_classes(), classes };
    let right = aside.as_ref().map_or(Ok(0), |aside| how.right(model, aside))?;
    let before = (right, snapshot(model));
    let steps = how.steps;
    let tell = OnBatchEnd(move |context, logs| progress(FineTuneStep { step: context.step, steps, loss: logs.loss }));
    if let Err(error) = fit(model, &mixed, Fit::new().steps(steps).batch_size(how.batch_size).shuffle(false).callback(tell)) {
        put_back(model, &before.1);
        return Err(error);
    }
    go_back(model, aside.as_ref(), before, how)
}

/// The replay without the images that are set aside, and those, if there are enough.
fn set_aside(replay: &Dataset, seed: u64) -> Result<(Dataset, Option<Dataset>)> {
    let aside = (replay.len() / ASIDE.0).min(ASIDE.1);
    if aside < FEW {
        return Ok((replay.clone(), None));
    }
    let mut order = vec![0; replay.len()];
    shuffle_indices(seed, 0, &mut order);
    let (aside, rest) = order.split_at(aside);
    Ok((replay.subset(rest)?, Some(replay.subset(aside)?)))
}

/// All weights, the moving averages of a batch normalization too.
fn snapshot(model: &Model) -> Vec<Vec<f32>> {
    model.weights().iter().map(|weight| weight.values().to_vec()).collect()
}

fn put_back(model: &mut Model, old: &[Vec<f32>]) {
    model.weights_mut().iter_mut().zip(old).for_each(|(weight, old)| weight.values_mut().copy_from_slice(old));
}

/// Takes the weights as far towards the learnt ones as the images `aside` are read as well as before, but for three in two thousand.
fn go_back(model: &mut Model, aside: Option<&Dataset>, before: (usize, Vec<Vec<f32>>), how: &FineTune) -> Result<f32> {
    let (right, old) = before;
    let Some(aside) = aside else { return Ok(1.0) };
    let new = snapshot(model);
    let mut gone = 1.0;
    for way in WAYS {
        gone = way;
        for ((weight, old), new) in model.weights_mut().iter_mut().zip(&old).zip(&new) {
            let mixed = old.iter().zip(new).map(|(old, new)| if way == 1.0 { *new } else { old + way * (new - old) });
            weight.values_mut().iter_mut().zip(mixed).for_each(|(value, mixed)| *value = mixed);
        }
        if how.right(model, aside)? + aside.len() * 3 / 2000 >= right {
            break;
        }
    }
    Ok(gone)
}

/// A picture of one of the two sets, and how often it was picked before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Pick {
    own: bool,
    index: u32,
    round: u32,
}

/// The pictures of all steps, in order.
fn picks(own: &Dataset, replay: &Dataset, classes: usize, how: &FineTune) -> Result<Vec<Pick>> {
    let total = usize::try_from(how.steps).ok().and_then(|steps| steps.checked_mul(how.batch_size));
    let total = total.filter(|&total| u32::try_from(total).is_ok());
    let total = total
        .ok_or_else(|| Error::argument("steps", format!("expected less than 2³² pictures in all, got {} steps", how.steps)))?;
    let mut by_class = vec![Vec::new(); classes];
    for (index, label) in own.labels().enumerate() {
        by_class[label as usize].push(index as u32);
    }
    by_class.retain(|indices| !indices.is_empty());
    let present = by_class.len();
    // Half of what is seen of a class with own pictures.
    let share = (how.batch_size * present).div_ceil(2 * classes).min(how.batch_size / 2).max(1);
    let mut own: Vec<Rounds> =
        (0u64..).zip(by_class).map(|(stream, indices)| Rounds::new(how.seed.wrapping_add(stream), indices)).collect();
    let mut replay = Rounds::new(how.seed ^ 1 << 63, (0..replay.len() as u32).collect());
    let mut picks = Vec::with_capacity(total);
    let mut turn = 0;
    for at in 0..total {
        let own_turn = at % how.batch_size < share;
        let (index, round) = if own_turn { own[turn % present].next() } else { replay.next() };
        turn += usize::from(own_turn);
        picks.push(Pick { own: own_turn, index, round });
    }
    Ok(picks)
}

/// Indices in an order of their own in every round.
struct Rounds {
    seed: u64,
    indices: Vec<u32>,
    order: Vec<u32>,
    at: usize,
    round: u32,
}

impl Rounds {
    fn new(seed: u64, indices: Vec<u32>) -> Rounds {
        let mut order = vec![0; indices.len()];
        shuffle_indices(seed, 0, &mut order);
        Rounds { seed, indices, order, at: 0, round: 0 }
    }

    /// The next index, and the round it belongs to.
    fn next(&mut self) -> (u32, u32) {
        if self.at == self.order.len() {
            (self.at, self.round) = (0, self.round + 1);
            shuffle_indices(self.seed, u64::from(self.round), &mut self.order);
        }
        self.at += 1;
        (self.indices[self.order[self.at - 1] as usize], self.round)
    }
}

/// All steps' pictures as one long epoch.
struct Mixed<'a> {
    own: &'a Dataset,
    replay: &'a Dataset,
    picks: Vec<Pick>,
    how: &'a FineTune,
    /// Whether labels are rows of zeros with a one, `classes` long.
    one_hot: bool,
    classes: usize,
}

impl Mixed<'_> {
    fn label(&self, index: u32) -> u32 {
        let Pick { own, index, .. } = self.picks[index as usize];
        if own { self.own.label(index as usize) } else { self.replay.label(index as usize) }
    }

    /// Writes a picture, values from 0 to 255.
    fn picture(&self, pick: Pick, out: &mut [f32]) {
        let (set, augment) = if pick.own { (self.own, &self.how.augment) } else { (self.replay, &self.how.augment_replay) };
        let image = set.image(pick.index as usize);
        match augment {
            Some(augment) => {
                let [height, width, _] = set.shape();
                // Pictures of both sets that stand in the same place are changed in different ways.
                let seed = self.how.seed.wrapping_add(u64::from(pick.own));
                augment.apply(image, (height, width), seed, u64::from(pick.round), u64::from(pick.index), out);
            }
            None => out.iter_mut().zip(image).for_each(|(value, &pixel)| *value = f32::from(pixel)),
        }
    }
}

impl Examples for Mixed<'_> {
    fn len(&self) -> usize {
        self.picks.len()
    }

    fn input_lengths(&self) -> Vec<usize> {
        vec![self.replay.item_len()]
    }

    fn fill(&self, _input: usize, indices: &[u32], out: &mut [f32]) {
        for (&index, out) in indices.iter().zip(out.chunks_exact_mut(self.replay.item_len())) {
            self.picture(self.picks[index as usize], out);
            out.iter_mut().for_each(|value| *value = *value * self.how.scale + self.how.offset);
        }
    }

    fn targets(&self) -> Vec<Targets> {
        vec![Targets::of_classes(self.one_hot)]
    }

    fn fill_targets(&self, _output: usize, indices: &[u32], out: &mut Targets) {
        out.fill_labels(indices.iter().map(|&index| self.label(index)), self.classes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Images, ModelExt};
    use maobi_nn::graph::Sequential;
    use maobi_nn::layers::{Dense, InputLayer};
    use maobi_nn::losses::SparseCategoricalCrossentropy;

    /// Pictures of 2 × 1, lit at the place of their label.
    fn set(labels: &[u32]) -> Dataset {
        let pixel = |label: u32, place: u32| if label == place { 255 } else { 0 };
        let images = labels.iter().flat_map(|&label| [pixel(label, 0), pixel(label, 1)]).collect();
        Dataset::new("pictures", images, labels.to_vec(), [2, 1, 1], vec!["a".into(), "b".into()]).unwrap()
    }

    fn model() -> Model {
        let layers = Sequential::new().add(InputLayer::new([2, 1, 1])).add(maobi_nn::layers::Flatten::new());
        layers.add(Dense::new(16).activation("relu")).add(Dense::new(2).activation("softmax")).build(3).unwrap()
    }

    fn how() -> FineTune {
        FineTune {
            steps: 200,
            batch_size: 16,
            learning_rate: 1e-2,
            loss: Some(SparseCategoricalCrossentropy::new().into()),
            ..Default::default()
        }
    }

    #[test]
    fn own_pictures_are_learnt_and_the_others_kept() {
        let replay = set(&[0, 1, 0, 1]);
        let mut model = model();
        finetune(&mut model, &replay, &replay, &how(), |_| Action::Continue).unwrap();
        let answers = |model: &Model, set: &Dataset| -> Vec<u32> {
            let out = model.predict_examples(&Images::new(set)).unwrap().remove(0);
            out.chunks(2).map(|row| u32::from(row[1] > row[0])).collect()
        };
        // Both pixels lit is new: it is to mean what the model does not take it for.
        let lit = |label| Dataset::new("own", vec![255; 2], vec![label], [2, 1, 1], vec!["a".into(), "b".into()]).unwrap();
        let wanted = 1 - answers(&model, &lit(0))[0];
        let mut steps = Vec::new();
        finetune(&mut model, &lit(wanted), &replay, &how(), |step| {
            steps.push(step.step);
            Action::Continue
        })
        .unwrap();
        assert_eq!((answers(&model, &replay), answers(&model, &lit(0))), (vec![0, 1, 0, 1], vec![wanted]));
        assert_eq!(steps, (1..=200).collect::<Vec<_>>());
    }

    #[test]
    fn classes_with_own_pictures_count_alike_and_the_others_are_not_crowded_out() {
        let own = set(&[0, 0, 0, 0, 0, 1]);
        let replay = set(&[0, 1]);
        let picked = |own: &Dataset, classes| picks(own, &replay, classes, &how()).unwrap();
        let count = |picks: &[Pick], wanted: fn(u32) -> bool| picks.iter().filter(|pick| pick.own && wanted(pick.index)).count();
        let both = picked(&own, 2);
        assert_eq!((count(&both, |i| i < 5), count(&both, |i| i == 5), both.len()), (800, 800, 3200));
        // One class of ten: a twentieth of the batch, rounded up.
        assert_eq!(count(&picked(&own.take(5), 10), |_| true), 200);
        assert_eq!(both, picked(&own, 2));
        let other = picks(&own, &replay, 2, &FineTune { seed: 1, ..how() }).unwrap();
        assert_ne!(both, other);
        let epochs = both.iter().filter(|pick| pick.own && pick.index == 5).map(|pick| pick.round);
        assert!(epochs.eq(0..800), "each sight of a picture is another epoch");
    }

    #[test]
    fn it_can_be_stopped_and_says_what_does_not_fit() {
        let (mut model, set) = (model(), set(&[0, 1]));
        let mut last = 0;
        let stop = |step: FineTuneStep| {
            last = step.step;
            if step.step == 7 { Action::Stop } else { Action::Continue }
        };
        finetune(&mut model, &set, &set, &how(), stop).unwrap();
        assert_eq!(last, 7);
        let mut fails = |own: &Dataset, replay: &Dataset, how: &FineTune| {
            finetune(&mut model, own, replay, how, |_| Action::Continue).unwrap_err().to_string()
        };
        assert_eq!(fails(&set.take(0), &set, &how()), "own pictures: there are no pictures");
        assert_eq!(fails(&set, &set.take(0), &how()), "replay: there are no pictures");
        assert!(fails(&set, &set, &FineTune { steps: 0, ..how() }).contains("got 0 and 16"));
        let third = Dataset::new("c", vec![0; 2], vec![2], [2, 1, 1], ["a", "b", "c"].map(String::from).to_vec()).unwrap();
        assert_eq!(fails(&third, &set, &how()), "own pictures: expected labels below 2, the model's outputs, got 2");
    }

    #[test]
    fn after_an_error_the_old_weights_are_back() {
        let data = set(&[0, 1, 0, 1]);
        let mut model = model();
        let before = snapshot(&model);
        let wild = FineTune { scale: 3e38, ..how() };
        let error = finetune(&mut model, &data, &data, &wild, |_| Action::Continue).unwrap_err();
        assert!(matches!(error, Error::NotFinite { .. } | Error::NotFiniteData { .. }), "{error}");
        assert_eq!(snapshot(&model), before);
    }

    #[test]
    fn the_way_is_cut_short_where_it_costs_what_was_known() {
        let labels: Vec<u32> = (0..1000).map(|i| i % 2).collect();
        let replay = set(&labels);
        let mut model = model();
        finetune(&mut model, &replay, &replay, &how(), |_| Action::Continue).unwrap();
        // Half the own pictures contradict the replay.
        let contrary = Dataset::new("own", vec![255, 0, 255, 0], vec![0, 1], [2, 1, 1], vec!["a".into(), "b".into()]).unwrap();
        let wild = FineTune { learning_rate: 0.5, ..how() };
        let gone = finetune(&mut model, &contrary, &replay, &wild, |_| Action::Continue).unwrap();
        let right = how().right(&model, &replay).unwrap();
        assert!(gone < 1.0 || right == 1000, "{gone} of the way, {right} right");
        let (rest, aside) = set_aside(&replay, 1).unwrap();
        assert_eq!((rest.len(), aside.map(|set| set.len())), (800, Some(200)));
        assert!(set_aside(&replay.take(499), 1).unwrap().1.is_none());
    }

    #[test]
    fn each_sight_of_a_picture_is_another() {
        let (own, replay) = (set(&[0]), set(&[1]));
        let noise = Augment { noise: 20.0, ..Augment::default() };
        let how = FineTune { augment: Some(noise), scale: 1.0, ..how() };
        let mixed = Mixed {
            own: &own,
            replay: &replay,
            picks: picks(&own, &replay, 2, &how).unwrap(),
            how: &how,
            one_hot: true,
            classes: 2,
        };
        let mut out = [0.0; 6];
        // Own pictures come first in a batch, of which they are a quarter: one class of two.
        mixed.fill(0, &[0, 1, 15], &mut out);
        assert_ne!(out[..2], out[2..4]);
        assert_eq!(out[4..], [0.0, 255.0]);
        let mut targets = mixed.targets().remove(0);
        mixed.fill_targets(0, &[0, 15], &mut targets);
        assert_eq!(targets, Targets::Values(vec![1.0, 0.0, 0.0, 1.0]));
    }
}
