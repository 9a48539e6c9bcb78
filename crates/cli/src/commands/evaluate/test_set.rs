//! How a model fares on a data set.

use super::report::{self, Confusion, Wrong};
use super::score::share;
use super::{Args, Split};
use crate::dataset::{self, Choice, Outputs};
use crate::exit::Exit;
use crate::output::{Console, count, figures};
use crate::pictures::{Answered, Reader};
use anyhow::{Context, bail};
use maobi_data::Dataset;
use maobi_nn::metrics::{Calibration, ConfusionMatrix};
use maobi_recognize::preprocessing::{probabilities, starts_with_rescaling};
use maobi_train::{Images, ModelExt, bad_loss};
use serde_json::{Map, Value, json};

/// Measures and reports.
pub fn run(reader: &Reader, args: &Args, console: Console) -> anyhow::Result<Exit> {
    let set = choose(reader, args, console)?;
    let measured = Measured::of(reader, set)?;
    if let Some(folder) = &args.report {
        let mut whole = measured.json();
        whole.insert("model".into(), json!(reader.file.display().to_string()));
        report::write(folder, whole, Some(&measured.confusion), &measured.wrong(), console)?;
    }
    console.event(&Value::Object(measured.json()))?;
    measured.print(&console)?;
    Ok(Exit::Done)
}

fn choose(reader: &Reader, args: &Args, console: Console) -> anyhow::Result<Dataset> {
    let (shape, said) = (reader.shape(), &reader.preprocessing);
    let Some(asked) = args.dataset.as_deref().or(said.dataset.as_deref()) else {
        bail!("{} does not say what it was trained on; give --dataset, such as --dataset mnist", reader.file.display());
    };
    let choice = Choice {
        asked: Some(asked),
        otherwise: asked,
        data_dir: args.data_dir.as_deref(),
        shape,
        fall_back: false,
        offline: false,
    };
    let splits = dataset::choose(choice, console)?.splits;
    let set = match args.split {
        Split::Test => splits.test,
        _ => {
            let parts = dataset::parts(splits, said.validation_head, said.validation_tail, None)?;
            match args.split {
                Split::Validation => parts.validation.with_context(|| {
                    format!("--split validation: {asked} has no validation images, and the model's recipe sets none aside; use --split test")
                })?,
                _ => parts.train,
            }
        }
    };
    dataset::check_fit(&set, &shape, Outputs::Trained(&reader.output_names()))?;
    for remark in dataset::remarks(&set, said.scale, said.offset, starts_with_rescaling(reader.model())) {
        console.warn(&remark);
    }
    Ok(set)
}

/// What was measured.
struct Measured {
    set: Dataset,
    /// Loss and metrics, by name.
    figures: Vec<(String, f64)>,
    /// Optimizer steps of the model, where known.
    global_step: Option<u64>,
    /// Who was taken for whom.
    confusion: Confusion,
    answers: Vec<Answered>,
    calibration: Calibration,
    /// Whether the model rejects at all.
    rejects: bool,
}

impl Measured {
    fn of(reader: &Reader, set: Dataset) -> anyhow::Result<Measured> {
        let (model, said, classes) = (reader.model(), &reader.preprocessing, reader.outputs());
        let images = Images::new(&set).scaled(said.scale, said.offset);
        let loss = model.compiled().and_then(|how| how.losses.first());
        let hot = loss.is_some_and(|loss| !loss.takes_classes());
        let compiled = loss.is_some();
        let (mut figures, outputs) = if compiled {
            model.evaluate_with_outputs(&images.clone().one_hot(hot).outputs(classes))?
        } else {
            (Vec::new(), model.predict_examples(&images)?)
        };
        let mut values = outputs.into_iter().next().unwrap_or_default().into_values();
        if !compiled {
            let mut all = values.clone();
            probabilities(model, &mut all, classes);
            figures.push(("loss".into(), crossentropy(&all, &set, classes)));
        }
        if let Some(loss) = bad_loss(&figures) {
            let file = reader.file.display();
            bail!(
                "{file}: its loss on {} is {loss}. Is it a model that has diverged, or are pixels scaled in another way?",
                set.name()
            );
        }
        let answers = reader.answers(&mut values, set.classes());
        let (mut counts, mut calibration) = (ConfusionMatrix::new(classes), Calibration::default());
        for (answer, truth) in answers.iter().zip(set.labels()) {
            counts.add(truth as usize, answer.class);
            calibration.add(answer.confidence, answer.class == truth as usize);
        }
        // Every model's accuracy is told, whatever it was compiled with; that of its answers, which a class "none" does not take part in.
        match figures.iter_mut().find(|(name, _)| name == "accuracy") {
            Some(accuracy) => accuracy.1 = counts.accuracy(),
            None => figures.insert(1, ("accuracy".into(), counts.accuracy())),
        }
        let names =
            (0..classes).map(|label| set.class_names().get(label).cloned().unwrap_or_else(|| said.class(label))).collect();
        let global_step = model.optimizer_state_ref().map(|state| state.iterations).filter(|step| *step > 0);
        let (confusion, rejects) = (without_none((names, counts), reader, &set), reader.rejects());
        Ok(Measured { set, figures, global_step, confusion, answers, calibration, rejects })
    }

    /// Shares of the images: rejected, and right among the others.
    fn kept(&self) -> (f64, f64) {
        let kept = self.answers.iter().zip(self.set.labels()).filter(|(answer, _)| !answer.rejected);
        let (kept, right) = kept.fold((0, 0), |(n, right), (a, truth)| (n + 1, right + u64::from(a.class == truth as usize)));
        let all = self.answers.len() as u64;
        (share(all - kept, all), share(right, kept))
    }

    /// The object of `--json` and of `report.json`.
    fn json(&self) -> Map<String, Value> {
        let mut all = Map::new();
        all.extend(self.figures.iter().map(|(name, value)| (name.clone(), json!(value))));
        all.insert("expected_calibration_error".into(), json!(self.calibration.error()));
        if self.rejects {
            let (rejected, right) = self.kept();
            all.insert("rejected".into(), json!(rejected));
            all.insert("accuracy_of_those_kept".into(), json!(right));
        }
        all.insert("images".into(), json!(self.set.len()));
        all.insert("dataset".into(), json!(self.set.name()));
        all.insert("global_step".into(), json!(self.global_step));
        all.insert("per_class".into(), report::per_class(&self.confusion));
        all.insert("confusion_matrix".into(), json!(report::rows(&self.confusion.1)));
        all
    }

    fn print(&self, console: &Console) -> anyhow::Result<()> {
        let named =
            |wanted: bool| self.figures.iter().filter(move |(n, _)| (n == "loss") == wanted).map(|(n, v)| (n.as_str(), *v));
        let step = self.global_step.map(|step| format!(", global_step {step}")).unwrap_or_default();
        let (images, set) = (count(self.set.len() as u64), self.set.name());
        console.result(&format!("{}{step}, {} ({images} images of {set})", figures(named(false)), figures(named(true))))?;
        let mut more = vec![("expected calibration error", self.calibration.error())];
        if self.rejects {
            let (rejected, right) = self.kept();
            more.extend([("rejected", rejected), ("accuracy of those kept", right)]);
        }
        console.result(&figures(more))?;
        report::print_classes(&self.confusion, console)
    }

    /// All mistakes, the surest first.
    fn wrong(&self) -> Vec<Wrong> {
        let mut wrong: Vec<Wrong> = (self.answers.iter().zip(self.set.iter()).enumerate())
            .filter(|(_, (answer, (_, truth)))| answer.class != *truth as usize)
            .map(|(index, (answer, (image, truth)))| {
                let name = |class: usize| self.confusion.0.get(class).cloned().unwrap_or_default();
                let (truth, read) = (name(truth as usize), name(answer.class));
                let object = json!({ "index": index, "class": truth, "predicted": read, "probability": answer.confidence });
                Wrong { image: image.to_vec(), size: self.set.shape(), truth, read, confidence: answer.confidence, object }
            })
            .collect();
        // Stable: among equals, the first comes first.
        wrong.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
        wrong
    }
}

/// Leaves a last class "none" out that the data does not have.
fn without_none((mut names, counts): Confusion, reader: &Reader, set: &Dataset) -> Confusion {
    let none = reader.recognizer().and_then(|recognizer| recognizer.none());
    if none.is_none_or(|none| none + 1 != names.len() || none < set.classes()) {
        return (names, counts);
    }
    names.pop();
    let mut fewer = ConfusionMatrix::new(names.len());
    for truth in 0..names.len() {
        for read in 0..names.len() {
            (0..counts.count(truth, read)).for_each(|_| fewer.add(truth, read));
        }
    }
    (names, fewer)
}

/// Mean of −log p of the true class, p kept above Keras' epsilon of 1e-7.
fn crossentropy(probabilities: &[f32], set: &Dataset, classes: usize) -> f64 {
    let rows = probabilities.chunks_exact(classes.max(1)).zip(set.labels());
    let sum: f64 = rows.map(|(row, label)| -f64::from(row[label as usize].clamp(1e-7, 1.0)).ln()).sum();
    sum / set.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crossentropy_by_hand() {
        let set = Dataset::new("s", vec![0; 2], vec![0, 1], [1, 1, 1], vec!["a".into(), "b".into()]).unwrap();
        let expected = -(0.25f64.ln() + 1e-7f64.ln()) / 2.0;
        // 1e-7 as f32 differs from it by 1e-8 relative.
        assert!((crossentropy(&[0.25, 0.75, 1.0, 0.0], &set, 2) - expected).abs() < 1e-6);
    }
}
