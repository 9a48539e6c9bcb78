//! MODEL on the command line: as an argument or with `--model`, whichever a user thinks of first.

use std::path::{Path, PathBuf};

/// A model that may be left out.
#[derive(Debug, clap::Args)]
pub struct ModelArgument {
    /// A model file of any kind that is read (.keras, .h5, .onnx, a TensorFlow checkpoint …) or a run folder [default: the
    /// model in the box, which reads digits]
    #[arg(value_name = "MODEL")]
    argument: Option<PathBuf>,

    /// The same as the argument MODEL.
    #[arg(long = "model", short = 'm', value_name = "MODEL", conflicts_with = "argument")]
    option: Option<PathBuf>,
}

impl ModelArgument {
    /// What the user gave.
    pub fn get(&self) -> Option<&Path> {
        self.argument.as_deref().or(self.option.as_deref())
    }
}

/// A model that must be given.
#[derive(Debug, clap::Args)]
pub struct RequiredModel {
    /// A model file of any kind that is read (.keras, .h5, .onnx, a TensorFlow checkpoint …) or a run folder.
    #[arg(value_name = "MODEL", required_unless_present = "option")]
    argument: Option<PathBuf>,

    /// The same as the argument MODEL.
    #[arg(long = "model", short = 'm', value_name = "MODEL", conflicts_with = "argument")]
    option: Option<PathBuf>,
}

impl RequiredModel {
    /// What the user gave.
    pub fn get(&self) -> &Path {
        // One of the two is there, or clap has ended the command.
        self.argument.as_deref().or(self.option.as_deref()).unwrap_or(Path::new(""))
    }
}
