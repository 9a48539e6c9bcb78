//! The end of a training session: save, read back, test.

use super::session::Session;
use crate::exit::Exit;
use crate::output::{count, figures, quoted};
use crate::run;
use anyhow::bail;
use maobi_nn::Model;
use maobi_nn::model::{Logs, Output};
use maobi_train::{ModelExt, bad_loss};
use serde_json::{Map, Value, json};

/// Answers that are shown, as the tutorials do.
const SHOWN: usize = 5;

/// Training came to its end.
pub fn trained(session: &Session, model: &Model) -> anyhow::Result<Exit> {
    // Before the file is written: finite weights can still give NaN for every image.
    let logs = measure(session, model)?;
    session.save(model)?;
    // Only now is the backup no longer needed; what it takes to train further stays.
    run::finished::keep(&session.folder, model)?;
    report(session, &read_back(session)?, logs)
}

/// The user stopped training.
pub fn interrupted(session: &Session, model: &Model) -> anyhow::Result<Exit> {
    session.save(model)?;
    let (folder, console) = (session.folder.path.display().to_string(), session.console);
    let step = model.optimizer_state_ref().map_or(0, |state| state.iterations);
    console.event(&json!({ "event": "interrupted", "run": folder, "step": step }))?;
    console.say(&format!(
        "stopped after step {step}; saved in {folder}. Go on with: maobi train --resume --out {}",
        quoted(&session.folder.path)
    ));
    Ok(Exit::Interrupted)
}

/// Reads the model back from its file and tests it.
pub fn test(session: &Session) -> anyhow::Result<Exit> {
    let model = read_back(session)?;
    let logs = measure(session, &model)?;
    report(session, &model, logs)
}

fn read_back(session: &Session) -> anyhow::Result<Model> {
    let folder = &session.folder;
    let file = if folder.model().is_file() { folder.model() } else { folder.path.clone() };
    let mut model = run::load(&file, &run::Network::default(), &session.console)?.model;
    model.set_threads(session.config.run.threads);
    Ok(model)
}

/// Loss and metrics on the test set.
fn measure(session: &Session, model: &Model) -> anyhow::Result<Logs> {
    let hot =
        model.compiled().and_then(|how| how.losses.first()).map_or(session.recipe.data.one_hot, |loss| !loss.takes_classes());
    let logs = model.evaluate(&session.images(&session.parts.test).one_hot(hot))?;
    if let Some(loss) = bad_loss(&logs) {
        bail!(
            "the loss on the test set is {loss}: training has diverged, and this model is of no use. Train again with a lower \
             --learning-rate, or scale the pixels to 0…1"
        );
    }
    Ok(logs)
}

/// Tells the figures of the test, and the model's first answers.
fn report(session: &Session, model: &Model, logs: Logs) -> anyhow::Result<Exit> {
    let (console, folder, set) = (session.console, &session.folder, &session.parts.test);
    let step = model.optimizer_state_ref().map_or(0, |state| state.iterations);
    let test: Map<String, Value> =
        logs.iter().map(|(name, value)| (name.clone(), json!(value))).chain([("images".to_owned(), json!(set.len()))]).collect();
    let shown = if session.recipe.training.steps.is_some() {
        // As the estimator of the deep-cnn tutorial prints it.
        let mut parts: Vec<(&str, f64)> = logs.iter().filter(|(n, _)| n != "loss").map(|(n, v)| (n.as_str(), *v)).collect();
        let accuracy = figures(parts.drain(..));
        let loss = figures(logs.iter().filter(|(n, _)| n == "loss").map(|(n, v)| (n.as_str(), *v)));
        format!("{accuracy}, global_step {step}, {loss}")
    } else {
        figures(logs.iter().map(|(name, value)| (name.as_str(), *value)))
    };
    console.result(&format!("test: {shown} ({} images of {})", count(set.len() as u64), session.config.run.dataset))?;
    let (answers, truth) = first_answers(session, model)?;
    let between = if answers.iter().chain(&truth).all(|name| name.chars().count() == 1) { " " } else { ", " };
    console.result(&format!("first {} test images: {} (true: {})", answers.len(), answers.join(between), truth.join(between)))?;
    console.result(&format!("run folder: {}", folder.path.display()))?;
    console.event(&json!({
        "event": "done",
        "run": folder.path.display().to_string(),
        "global_step": step,
        "test": test,
        "first_predictions": answers,
    }))?;
    console.say(&format!("read your own pictures: maobi predict --model {} PICTURE", quoted(&folder.path)));
    Ok(Exit::Done)
}

/// What the model answers to the first test images, and what is right.
fn first_answers(session: &Session, model: &Model) -> anyhow::Result<(Vec<String>, Vec<String>)> {
    let first = session.parts.test.take(SHOWN);
    let outputs = model.predict_examples(&session.images(&first))?;
    let name = |label: usize| session.preprocessing.class(label);
    let answers = outputs.first().map(Output::argmax).unwrap_or_default().into_iter().map(name).collect();
    Ok((answers, first.labels().map(|label| name(label as usize)).collect()))
}
