//! What a run's `config.toml` records, and what it gives when it is trained anew.

use super::Args;
use crate::exit::usage;
use crate::output::Console;
use crate::run::{RunSection, recipe_file};
use toml::{Table, Value};

/// The arguments, completed by what a run's `config.toml` records when it is given as the recipe. The command line wins.
///
/// Places that the run wrote to (`--out`, `--tensorboard`) are not taken over.
pub fn complete(mut args: Args, console: Console) -> anyhow::Result<Args> {
    let Some(file) = args.recipe.clone().filter(|what| recipe_file::is_recipe(what)) else { return Ok(args) };
    let Some(run) = recipe_file::read(&file)?.run else { return Ok(args) };
    let (mut taken, rate) = (Vec::new(), learning_rate(&run));
    if args.seed.is_none() {
        args.seed = Some(run.seed);
        taken.push(format!("--seed {}", run.seed));
    }
    if args.dataset.is_none() {
        taken.push(format!("--dataset {}", run.dataset));
        args.dataset = Some(run.dataset);
        // With other data, the folder has no meaning.
        if let (None, Some(dir)) = (&args.data_dir, run.data_dir) {
            taken.push(format!("--data-dir {}", dir.display()));
            args.data_dir = Some(dir);
        }
    }
    if let (None, Some(limit)) = (args.limit, run.limit) {
        taken.push(format!("--limit {limit}"));
        args.limit = Some(limit as u64);
    }
    if let (None, Some(file)) = (&args.weights, run.weights) {
        taken.push(format!("--weights {}", file.display()));
        args.weights = Some(file);
        // The recipe in the file has it, too, but there it does not win over the rate of the weights' optimizer.
        args.learning_rate = args.learning_rate.or(rate);
    }
    if let (None, Some(members)) = (args.ensemble, run.ensemble)
        && !args.resume
    {
        taken.push(format!("--ensemble {members}"));
        args.ensemble = Some(members);
    }
    if args.ensemble.is_some() && args.weights.is_some() {
        return Err(usage(format!("{file}: --ensemble and --weights cannot go together, and one of them is recorded there")));
    }
    console.say(&format!("{file} records {}; what the command line does not change is used", taken.join(" ")));
    Ok(args)
}

/// The `--learning-rate` that a run was started with.
pub fn learning_rate(run: &RunSection) -> Option<f64> {
    run.options.get("learning-rate").and_then(Value::as_float)
}

/// All options of the command line, by the names of their flags.
pub fn options(args: &Args) -> Table {
    // Taken apart so that a new option cannot be forgotten here.
    let Args {
        recipe,
        dataset,
        data_dir,
        out,
        epochs,
        steps,
        batch_size,
        learning_rate,
        precision,
        seed,
        ensemble,
        threads,
        limit,
        tensorboard,
        weights,
        resume,
        overwrite,
        json,
        quiet,
    } = args;
    let text = |value: &Option<String>| value.clone().map(Value::String);
    let path = |value: &Option<std::path::PathBuf>| value.as_ref().map(|path| Value::String(path.display().to_string()));
    let count = |value: &Option<u64>| value.and_then(|n| i64::try_from(n).ok()).map(Value::Integer);
    let flag = |value: &bool| value.then_some(Value::Boolean(true));
    let all = [
        ("recipe", text(recipe)),
        ("dataset", text(dataset)),
        ("data-dir", path(data_dir)),
        ("out", path(out)),
        ("epochs", count(epochs)),
        ("steps", count(steps)),
        ("batch-size", count(batch_size)),
        ("learning-rate", learning_rate.map(Value::Float)),
        ("precision", precision.map(|precision| precision.name().into())),
        ("seed", count(seed)),
        ("ensemble", count(ensemble)),
        ("threads", count(threads)),
        ("limit", count(limit)),
        ("tensorboard", path(tensorboard)),
        ("weights", path(weights)),
        ("resume", flag(resume)),
        ("overwrite", flag(overwrite)),
        ("json", flag(json)),
        ("quiet", flag(quiet)),
    ];
    all.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}
