//! The runs that are killed: small networks whose state a checkpoint must hold in every detail.

/// A run to interrupt.
#[derive(Debug, Clone)]
pub struct Case {
    /// Its name in the report's rows and in `--only`.
    pub name: String,
    /// The recipe file.
    pub toml: String,
    /// Whether the run counts steps.
    pub by_steps: bool,
}

/// Optimizers with all that they remember between steps: `(name, table)`.
const OPTIMIZERS: &[(&str, &str)] = &[
    ("sgd", r#"{ type = "SGD", learning_rate = 0.05 }"#),
    ("momentum", r#"{ type = "SGD", learning_rate = 0.02, momentum = 0.9, nesterov = true }"#),
    ("sgd-ema", r#"{ type = "SGD", learning_rate = 0.05, use_ema = true, ema_momentum = 0.9 }"#),
    ("adam", r#"{ type = "Adam", learning_rate = 0.005 }"#),
    ("adam-ema", r#"{ type = "Adam", learning_rate = 0.005, use_ema = true, ema_momentum = 0.9, ema_overwrite_frequency = 7 }"#),
    ("amsgrad", r#"{ type = "Adam", learning_rate = 0.005, amsgrad = true, clipnorm = 1.0 }"#),
    ("adamw", r#"{ type = "AdamW", learning_rate = 0.005, global_clipnorm = 1.0 }"#),
    ("rmsprop", r#"{ type = "RMSprop", learning_rate = 0.002, momentum = 0.5, centered = true }"#),
    ("adagrad", r#"{ type = "Adagrad", learning_rate = 0.02 }"#),
    ("adadelta", r#"{ type = "Adadelta", learning_rate = 1.0 }"#),
    ("nadam", r#"{ type = "Nadam", learning_rate = 0.003 }"#),
    ("adamax", r#"{ type = "Adamax", learning_rate = 0.005 }"#),
    ("lion", r#"{ type = "Lion", learning_rate = 0.0005 }"#),
    ("ftrl", r#"{ type = "Ftrl", learning_rate = 0.05 }"#),
    ("muon", r#"{ type = "Muon", learning_rate = 0.005 }"#),
    (
        "cosine",
        r#"{ type = "SGD", momentum = 0.9, learning_rate = { type = "CosineDecay", initial_learning_rate = 0.05, decay_steps = 80 } }"#,
    ),
    (
        "decay",
        r#"{ type = "Adam", learning_rate = { type = "ExponentialDecay", initial_learning_rate = 0.01, decay_steps = 20, decay_rate = 0.7 } }"#,
    ),
];

/// Checkpoints of runs by epochs: `(name, callback)`.
const BY_EPOCHS: &[(&str, &str)] = &[
    ("no-checkpoint", ""),
    ("keras", "filepath = \"checkpoints/{epoch:02d}.keras\"\nmax_to_keep = 3"),
    ("keras-best", "filepath = \"best.keras\"\nsave_best_only = true\nmonitor = \"val_accuracy\""),
    ("weights.h5", "filepath = \"checkpoints/{epoch:02d}.weights.h5\""),
    ("h5", "filepath = \"whole.h5\""),
    ("tf2", "filepath = \"ckpt/cp-{epoch:04d}.ckpt\""),
    ("keras-by-steps", "filepath = \"checkpoints/{step}.keras\"\nsave_freq = 7\nmax_to_keep = 2"),
];

/// Checkpoints of runs by steps.
const BY_STEPS: &[(&str, &str)] = &[
    ("no-checkpoint", ""),
    ("keras", "filepath = \"checkpoints/{step:03d}.keras\"\nsave_freq = 10\nmax_to_keep = 2"),
    (
        "tf1-layers",
        "filepath = \"checkpoints/model.ckpt-{step}\"\nvariable_names = \"layers\"\nsave_weights_only = true\nsave_freq = 10",
    ),
    ("tf1-variables", "filepath = \"Model/model.ckpt-{step}\"\nvariable_names = \"variables\"\nsave_freq = 10\nmax_to_keep = 2"),
    ("tf2", "filepath = \"ckpt/cp-{step}.ckpt\"\nsave_freq = 10"),
    ("weights.h5", "filepath = \"checkpoints/{step}.weights.h5\"\nsave_freq = 10"),
    ("h5", "filepath = \"last.h5\"\nsave_freq = 10"),
];

/// What else a run remembers: `(name, top of the recipe, lines of [training], callbacks, only by epochs)`.
const EXTRAS: &[(&str, &str, &str, &str, bool)] = &[
    ("plain", "", "", "", false),
    ("augmented", "[augment]\nrotation = 10.0\nelastic = 1.0\nnoise = 8.0\n", "", "", false),
    ("float16", "", "precision = \"mixed_float16\"\n", "", false),
    ("bfloat16", "", "precision = \"mixed_bfloat16\"\n", "", false),
    (
        "callbacks",
        "",
        "",
        "[[callbacks]]\ntype = \"EarlyStopping\"\nmonitor = \"val_loss\"\npatience = 2\nrestore_best_weights = true\n\
         [[callbacks]]\ntype = \"CSVLogger\"\nfilename = \"log.csv\"\n",
        true,
    ),
    (
        "plateau",
        "",
        "",
        "[[callbacks]]\ntype = \"ReduceLROnPlateau\"\nmonitor = \"loss\"\npatience = 1\nmin_delta = 0.05\nfactor = 0.5\n",
        true,
    ),
];

/// Every combination of an optimizer and a checkpoint, with the extras in turn.
pub fn all() -> Vec<Case> {
    let mut cases = Vec::new();
    for (by_steps, checkpoints) in [(false, BY_EPOCHS), (true, BY_STEPS)] {
        for (o, (optimizer, table)) in OPTIMIZERS.iter().enumerate() {
            for (c, (checkpoint, arguments)) in checkpoints.iter().enumerate() {
                let extras: Vec<_> = EXTRAS.iter().filter(|extra| !(by_steps && extra.4)).collect();
                let (extra, top, training, callbacks, _) = extras[(o + c) % extras.len()];
                // A schedule decides the rate alone: a callback that changes it is refused.
                let callbacks = if *extra == "plateau" && table.contains("initial_learning_rate") { "" } else { callbacks };
                let checkpoint_callback = match arguments.is_empty() {
                    true => String::new(),
                    false => format!("[[callbacks]]\ntype = \"ModelCheckpoint\"\n{arguments}\n"),
                };
                let unit = if by_steps { "steps" } else { "epochs" };
                let name = format!("{unit}/{optimizer}/{checkpoint}/{extra}");
                let length = if by_steps { "steps = 60\nlog_every = 4\nevaluate_every = 15" } else { "epochs = 5" };
                let validation = if by_steps { "\"none\"" } else { "{ tail = 0.2 }" };
                let toml = format!(
                    "name = \"killed\"\ninput_shape = [28, 28, 1]\n[data]\ndataset = \"mnist\"\nvalidation = {validation}\n{top}{LAYERS}\
                     [training]\noptimizer = {table}\nloss = \"sparse_categorical_crossentropy\"\nmetrics = [\"accuracy\"]\n\
                     batch_size = 32\n{length}\n{training}{checkpoint_callback}{callbacks}"
                );
                cases.push(Case { name, toml, by_steps });
            }
        }
    }
    cases
}

/// Convolution, normalization with its moving averages, dropout with its random numbers.
const LAYERS: &str = r#"[[layers]]
type = "Conv2D"
filters = 4
kernel_size = 3
strides = 2
activation = "relu"
[[layers]]
type = "BatchNormalization"
[[layers]]
type = "MaxPooling2D"
[[layers]]
type = "Flatten"
[[layers]]
type = "Dropout"
rate = 0.3
[[layers]]
type = "Dense"
units = 10
activation = "softmax"
"#;

#[cfg(test)]
mod tests {
    use super::*;
    use maobi_train::Recipe;

    #[test]
    fn every_recipe_can_be_read_and_has_a_name_of_its_own() {
        let cases = all();
        let names: std::collections::BTreeSet<&str> = cases.iter().map(|case| case.name.as_str()).collect();
        assert_eq!(names.len(), cases.len());
        for case in &cases {
            if let Err(error) = Recipe::parse(&case.toml, &case.name) {
                panic!("{}: {error}\n{}", case.name, case.toml);
            }
        }
    }
}
