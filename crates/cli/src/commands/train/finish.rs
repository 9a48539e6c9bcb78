//! The end of a training session: save, read back, test.

use super::session::{Session, save};
use crate::exit::Exit;
use crate::output::{count, figures};
use crate::run;
use maobi_nn::Model;
use maobi_nn::metrics::arg_max;
use maobi_train::ModelExt;
use serde_json::{Map, Value, json};

/// Answers that are shown, as the tutorials do.
const SHOWN: usize = 5;

/// Training came to its end.
pub fn trained(session: &Session, model: &Model) -> anyhow::Result<Exit> {
    save(session, model)?;
    // Only now is the backup no longer needed; what it takes to train further stays.
    run::finished::keep(&session.folder, model)?;
    test(session)
}

/// The user stopped training.
pub fn interrupted(session: &Session, model: &Model) -> anyhow::Result<Exit> {
    save(session, model)?;
    let (folder, console) = (session.folder.path.display().to_string(), session.console);
    let step = model.optimizer_state_ref().map_or(0, |state| state.iterations);
    console.event(&json!({ "event": "interrupted", "run": folder, "step": step }))?;
    console.say(&format!(
        "stopped after step {step}; saved in {folder}. Go on with: maobi train --resume --out {}",
        quoted(&folder)
    ));
    Ok(Exit::Interrupted)
}

/// Reads the model back from its file and tests it.
pub fn test(session: &Session) -> anyhow::Result<Exit> {
    let (console, folder) = (session.console, &session.folder);
    let file = if folder.model().is_file() { folder.model() } else { folder.path.clone() };
    let mut model = run::load(&file, &run::Network::default(), &console)?.model;
    model.set_threads(session.config.run.threads);
    let set = &session.parts.test;
    let hot = model.compiled().and_then(|how| how.losses.first()).map_or(session.recipe.data.one_hot, |loss| !loss.is_sparse());
    let images = session.images(set).one_hot(hot);
    let logs = model.evaluate(&images)?;
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
    let (answers, truth) = first_answers(session, &model)?;
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
    console.say(&format!("read your own pictures: maobi predict --model {} PICTURE", quoted(&folder.path.display().to_string())));
    Ok(Exit::Done)
}

/// What the model answers to the first test images, and what is right.
fn first_answers(session: &Session, model: &Model) -> anyhow::Result<(Vec<String>, Vec<String>)> {
    let first = session.parts.test.take(SHOWN);
    let outputs = model.predict_examples(&session.images(&first))?;
    let rows = outputs.first().map_or(&[][..], Vec::as_slice);
    let classes = rows.len() / first.len().max(1);
    let name = |label: usize| session.preprocessing.class(label);
    let answers = rows.chunks_exact(classes.max(1)).map(|row| name(arg_max(row))).collect();
    Ok((answers, first.labels().map(|label| name(label as usize)).collect()))
}

/// A path as a shell takes it.
fn quoted(path: &str) -> String {
    let plain = path.chars().all(|c| c.is_alphanumeric() || "/._-+,=:@%".contains(c));
    if plain { path.to_owned() } else { format!("'{}'", path.replace('\'', "'\\''")) }
}

#[cfg(test)]
mod tests {
    #[test]
    fn paths_are_quoted_where_needed() {
        assert_eq!(super::quoted("runs/a-1"), "runs/a-1");
        assert_eq!(super::quoted("my runs/it's"), "'my runs/it'\\''s'");
    }
}
