//! Every command of the program, and every place where it takes a path.

/// A command as people type it, in the folder that [`super::work`] prepares.
pub struct Command {
    /// Its name in ids.
    pub name: &'static str,
    /// Its arguments.
    pub arguments: &'static [&'static str],
    /// What it may change of what is there already.
    pub changes: &'static [&'static str],
}

const fn command(name: &'static str, arguments: &'static [&'static str]) -> Command {
    Command { name, arguments, changes: &[] }
}

/// All of them. Each succeeds where nothing is odd, `download` aside, which has no network.
pub const COMMANDS: &[Command] = &[
    command("help", &["--help"]),
    command("version", &["--version"]),
    command("train", &["train", "recipe.toml", "--limit", "200", "--threads", "1", "--out", "new"]),
    command("train-json", &["train", "steps.toml", "--limit", "200", "--threads", "2", "--out", "new", "--json"]),
    command("train-tensorboard", &["train", "recipe.toml", "--limit", "64", "--out", "new", "--tensorboard", "board", "-q"]),
    command("train-runs", &["train", "recipe.toml", "--limit", "64", "-q"]),
    Command { name: "resume", arguments: &["train", "--resume", "--out", "half"], changes: &["half"] },
    command("complete", &["train", "--resume", "--out", "run"]),
    command("evaluate", &["evaluate", "run"]),
    command("evaluate-json", &["evaluate", "model.keras", "--json"]),
    command("report", &["evaluate", "run", "--report", "report"]),
    command("photos", &["evaluate", "model.keras", "--photos", "photos"]),
    command("table", &["evaluate", "model.keras", "--photos", "table.csv"]),
    command("predict", &["predict", "--model", "run", "seven.png"]),
    command("predict-json", &["predict", "seven.png", "--json"]),
    command("predict-folder", &["predict", "photos"]),
    command("predict-csv", &["predict", "seven.png", "--csv", "out.csv"]),
    command("explain", &["predict", "seven.png", "--explain", "out.png"]),
    command("summary", &["summary", "run"]),
    command("summary-recipe", &["summary", "tf2-cnn"]),
    command("export-onnx", &["export", "model.keras", "--to", "onnx", "--out", "out.onnx"]),
    command("export-tf", &["export", "model.keras", "--to", "tf-checkpoint", "--out", "out.ckpt"]),
    command("export-saved-model", &["export", "model.keras", "--to", "saved-model", "--out", "out"]),
    Command {
        name: "export-force",
        arguments: &["export", "model.keras", "--to", "h5", "--out", "old.h5", "--force"],
        changes: &["old.h5"],
    },
    command("calibrate", &["calibrate", "model.keras", "--out", "calibrated.keras"]),
    command(
        "finetune",
        &["finetune", "model.keras", "photos", "--steps", "3", "--replay", "mnist", "--out", "fine.keras", "--force"],
    ),
    command("recipes", &["recipes"]),
    command("recipes-show", &["recipes", "show", "tiny-cnn"]),
    command("data-list", &["data", "list"]),
    command("data-info", &["data", "info", "mnist"]),
    command("data-preview", &["data", "preview", "mnist", "--out", "preview.png"]),
    command("data-download", &["data", "download", "fashion-mnist", "--data-dir", "fetched"]),
    command("bench", &["bench", "recipe.toml", "--samples", "64", "--epochs", "1"]),
    command("self-test", &["self-test"]),
    command("completions", &["completions", "bash"]),
    command("serve", &["serve", "run", "--addr", "127.0.0.1:0"]),
];

/// A place in a command where a path goes: `{}`.
pub struct Slot {
    /// Its name in ids.
    pub name: &'static str,
    /// The arguments, `{}` among them.
    pub arguments: &'static [&'static str],
    /// Whether the program writes there. Such paths stay within the folder of the trial.
    pub writes: bool,
}

const fn reads(name: &'static str, arguments: &'static [&'static str]) -> Slot {
    Slot { name, arguments, writes: false }
}

const fn writes(name: &'static str, arguments: &'static [&'static str]) -> Slot {
    Slot { name, arguments, writes: true }
}

/// All of them.
pub const SLOTS: &[Slot] = &[
    reads("train", &["train", "{}", "--limit", "64", "--out", "new"]),
    reads("train-dataset", &["train", "recipe.toml", "--dataset", "{}", "--limit", "64", "--out", "new"]),
    reads("train-data-dir", &["train", "recipe.toml", "--data-dir", "{}", "--limit", "64", "--out", "new"]),
    reads("train-weights", &["train", "recipe.toml", "--weights", "{}", "--limit", "64", "--out", "new"]),
    writes("train-out", &["train", "recipe.toml", "--limit", "64", "--out", "{}"]),
    writes("train-resume", &["train", "--resume", "--out", "{}"]),
    writes("train-tensorboard", &["train", "recipe.toml", "--limit", "64", "--out", "new", "--tensorboard", "{}"]),
    reads("evaluate", &["evaluate", "{}"]),
    reads("evaluate-network", &["evaluate", "model.keras", "--network", "{}"]),
    reads("evaluate-dataset", &["evaluate", "run", "--dataset", "{}"]),
    reads("evaluate-photos", &["evaluate", "run", "--photos", "{}"]),
    reads("evaluate-non-digits", &["evaluate", "run", "--non-digits", "{}"]),
    writes("evaluate-report", &["evaluate", "run", "--report", "{}"]),
    reads("predict", &["predict", "{}"]),
    reads("predict-model", &["predict", "--model", "{}", "seven.png"]),
    writes("predict-csv", &["predict", "seven.png", "--csv", "{}"]),
    writes("predict-explain", &["predict", "seven.png", "--explain", "{}"]),
    reads("summary", &["summary", "{}"]),
    reads("export", &["export", "{}", "--to", "onnx", "--out", "out.onnx"]),
    writes("export-out", &["export", "model.keras", "--to", "keras", "--out", "{}"]),
    writes("export-out-force", &["export", "model.keras", "--to", "tf-checkpoint", "--out", "{}", "--force"]),
    reads("calibrate", &["calibrate", "{}", "--out", "calibrated.keras"]),
    writes("calibrate-out", &["calibrate", "model.keras", "--out", "{}"]),
    reads("finetune", &["finetune", "{}", "photos", "--steps", "2", "--replay", "mnist", "--out", "fine.keras"]),
    reads("finetune-pictures", &["finetune", "model.keras", "{}", "--steps", "2", "--replay", "mnist", "--out", "fine.keras"]),
    writes("finetune-out", &["finetune", "model.keras", "photos", "--steps", "2", "--replay", "mnist", "--force", "--out", "{}"]),
    reads("serve", &["serve", "{}", "--addr", "127.0.0.1:0"]),
    writes("serve-samples", &["serve", "run", "--addr", "127.0.0.1:0", "--samples", "{}"]),
    reads("serve-runs", &["serve", "run", "--addr", "127.0.0.1:0", "--runs", "{}"]),
    reads("data-info", &["data", "info", "{}"]),
    writes("data-preview-out", &["data", "preview", "mnist", "--out", "{}"]),
    reads("bench", &["bench", "{}", "--samples", "64", "--epochs", "1"]),
];
