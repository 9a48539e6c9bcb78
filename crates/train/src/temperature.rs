//! Temperature scaling: answers whose probabilities are how often they are right.

use crate::error::{Error, Result};
use crate::examples::Examples;
use crate::model_ext::ModelExt;
use maobi_nn::Model;
use maobi_nn::Program;
use maobi_nn::program::{Operation, Step};

/// Temperatures that are looked at.
const RANGE: (f64, f64) = (0.1, 10.0);
/// Steps of the search; each narrows the range of ln T to 0.62 of what it was: to 0.001 in all.
const STEPS: usize = 18;

/// Finds the temperature T at which the loss on `held_out`, data that did not train, is least, and divides the logits by it for good,
/// by scaling the weights of the last layer: which class is likeliest never changes, and the file needs no number beside it.
/// Returns T: above 1 the model was too sure of itself, below 1 not sure enough.
///
/// Guo, Pleiss, Sun & Weinberger, "On Calibration of Modern Neural Networks" (2017), section 4.2. The search is by golden sections of
/// ln T, over which the loss has one minimum.
///
/// # Errors
/// When the model does not end in a Dense layer with softmax, is not compiled with one loss, or its loss on `held_out` is NaN or
/// infinite. The model then stays as it was.
pub fn calibrate(model: &mut Model, held_out: &dyn Examples) -> Result<f32> {
    let last = last_dense(model)?;
    let before: Vec<Vec<f32>> = model.layer_weights(last).iter().map(|weight| weight.values().to_vec()).collect();
    let found = search(model, held_out, last);
    // From the weights as they were: the search has rounded them many times.
    let temperature = found.as_ref().copied().unwrap_or(1.0);
    let names: Vec<String> = model.layer_weights(last).iter().map(|weight| weight.path.clone()).collect();
    for (path, values) in names.iter().zip(before) {
        if let Some(weight) = model.weights_mut().iter_mut().find(|weight| weight.path == *path) {
            weight.values_mut().iter_mut().zip(values).for_each(|(now, value)| *now = value / temperature);
        }
    }
    found
}

/// The temperature of the least loss; leaves the weights of layer `last` scaled.
fn search(model: &mut Model, held_out: &dyn Examples, last: usize) -> Result<f32> {
    let mut now = 1.0;
    let mut loss_at = |ln: f64, model: &mut Model| {
        let wanted = ln.exp();
        scale(model, last, (now / wanted) as f32);
        now = wanted;
        let logs = model.evaluate(held_out)?;
        let loss = logs.iter().find(|(name, _)| name == "loss").map(|(_, loss)| *loss);
        let loss = loss.ok_or_else(|| Error::argument("loss", "the model has none"))?;
        if !loss.is_finite() {
            let message =
                format!("the loss on the held-out data is {loss} at temperature {wanted:.3}: the model cannot be calibrated");
            return Err(Error::argument("model", message));
        }
        Ok(loss)
    };
    let golden = 0.5 * (5f64.sqrt() - 1.0);
    let (mut low, mut high) = (RANGE.0.ln(), RANGE.1.ln());
    let (mut left, mut right) = (high - golden * (high - low), low + golden * (high - low));
    let (mut at_left, mut at_right) = (loss_at(left, model)?, loss_at(right, model)?);
    for _ in 0..STEPS {
        if at_left <= at_right {
            (high, right, at_right) = (right, left, at_left);
            left = high - golden * (high - low);
            at_left = loss_at(left, model)?;
        } else {
            (low, left, at_left) = (left, right, at_right);
            right = low + golden * (high - low);
            at_right = loss_at(right, model)?;
        }
    }
    Ok((0.5 * (low + high)).exp() as f32)
}

fn scale(model: &mut Model, layer: usize, by: f32) {
    let paths: Vec<String> = model.layer_weights(layer).iter().map(|weight| weight.path.clone()).collect();
    for weight in model.weights_mut().iter_mut().filter(|weight| paths.contains(&weight.path)) {
        weight.values_mut().iter_mut().for_each(|value| *value *= by);
    }
}

/// The layer whose weights make the logits.
fn last_dense(model: &Model) -> Result<usize> {
    let (graph, program) = (model.graph(), Program::of(model));
    let refused = || Error::argument("model", "expected a last layer Dense with softmax, whose logits a temperature can divide");
    let &[(_, output)] = program.outputs.as_slice() else { return Err(refused()) };
    let made = |value: usize| program.steps.iter().find(|step| step.output == value);
    let last = made(output).filter(|step| step.what == Operation::Softmax).and_then(|step| made(step.inputs[0]));
    match last {
        Some(Step { what: Operation::Dense { .. }, node, .. }) => Ok(graph.nodes[*node].layer),
        _ => Err(refused()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Arrays, Recipe, Targets};

    /// Labels drawn from the model's own answers: it is calibrated as it stands.
    fn drawn(model: &Model, pixels: &[f32]) -> Vec<u32> {
        let rows = model.predict(&[pixels]).unwrap().remove(0);
        let mut state = 1u32;
        rows.chunks_exact(10)
            .map(|row| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let mut left = (state >> 8) as f32 / (1 << 24) as f32;
                row.iter()
                    .position(|p| {
                        left -= p;
                        left < 0.0
                    })
                    .unwrap_or(9) as u32
            })
            .collect()
    }

    #[test]
    fn a_model_made_too_sure_is_brought_back() {
        let recipe = Recipe::builtin("tiny-cnn").unwrap();
        let mut model = recipe.model(3).unwrap();
        let pixels: Vec<f32> =
            (0..4000 * 784).map(|i: u32| ((i.wrapping_mul(2_654_435_761)) >> 24) as f32 / 128.0 - 1.0).collect();
        let labels = drawn(&model, &pixels);
        let data = Arrays::new(4000, vec![&pixels], vec![Targets::Classes(labels)]).unwrap();
        let last = last_dense(&model).unwrap();
        let own = calibrate(&mut model, &data).unwrap();
        // 4,000 draws leave a few per cent.
        assert!((own - 1.0).abs() < 0.1, "{own}");
        scale(&mut model, last, 3.0);
        let found = calibrate(&mut model, &data).unwrap();
        assert!((found - 3.0).abs() < 0.05, "{found}");
        let again = calibrate(&mut model, &data).unwrap();
        assert!((again - 1.0).abs() < 0.01, "{again}");
    }

    #[test]
    fn a_loss_that_is_nan_is_an_error_and_the_model_stays() {
        let mut model = Recipe::builtin("tiny-cnn").unwrap().model(3).unwrap();
        let weights = |model: &Model| model.weights().iter().map(|w| w.values().to_vec()).collect::<Vec<_>>();
        let before = weights(&model);
        let mut pixels = vec![0.5; 2 * 784];
        pixels[900] = f32::NAN;
        let data = Arrays::new(2, vec![&pixels], vec![Targets::Classes(vec![0, 1])]).unwrap();
        let message = calibrate(&mut model, &data).unwrap_err().to_string();
        assert!(message.starts_with("model: the loss on the held-out data is NaN at temperature"), "{message}");
        assert_eq!(weights(&model), before);
    }

    #[test]
    fn models_without_logits_are_refused() {
        let recipe = Recipe::parse(
            "[[layers]]\ntype = \"Flatten\"\n[[layers]]\ntype = \"Dense\"\nunits = 1\nactivation = \"sigmoid\"\n[training]\nloss = \"binary_crossentropy\"",
            "mine",
        );
        let message = last_dense(&recipe.unwrap().model(1).unwrap()).unwrap_err().to_string();
        assert!(message.contains("Dense with softmax"), "{message}");
    }
}
