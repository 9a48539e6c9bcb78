//! What the model must not forget.

use crate::dataset::{self, Choice, Outputs};
use crate::output::Console;
use crate::pictures::Reader;
use anyhow::bail;
use maobi_data::{Dataset, builtin};
use maobi_train::FineTune;
use std::path::Path;

/// Images that are replayed: more than all steps show.
const IMAGES: usize = 20_000;

/// Images of the kind that the model was first trained on.
pub struct Replay {
    /// These are mixed with one's own.
    pub train: Dataset,
    /// These tell whether something was forgotten.
    pub test: Dataset,
    /// What `--replay` takes to get them again.
    pub name: String,
    /// Whether pictures are grey.
    grey: bool,
    /// Whether the model was trained to reject what is no digit, like the one in the box.
    like_the_box: bool,
}

impl Replay {
    /// What was asked for, else what the model says that it was trained on; for digits the built-in ones where that is not here.
    pub fn find(
        asked: Option<&str>,
        data_dir: Option<&Path>,
        reader: &Reader,
        seed: u64,
        console: Console,
    ) -> anyhow::Result<Replay> {
        let digits = (0..10).all(|digit| reader.is_class(&digit.to_string()));
        let said = reader.preprocessing.dataset.as_deref().or(digits.then_some("mnist"));
        let Some(otherwise) = said else {
            bail!("{} does not say what it was trained on; name it with --replay", reader.file.display());
        };
        let shape = reader.shape();
        let choice = Choice {
            asked,
            otherwise,
            data_dir,
            shape,
            fall_back: digits && shape == [28, 28, 1],
            offline: asked.is_none() && digits,
        };
        let chosen = dataset::choose(choice, console)?;
        let splits = chosen.splits;
        for set in [&splits.train, &splits.test] {
            dataset::check_fit(set, &shape, Outputs::Trained(&reader.output_names()))?;
        }
        let mut train = splits.train.drawn(IMAGES, seed);
        // What is no digit must stay so; ways of writing that are rare in the data, too.
        let knows_none = reader.recognizer().and_then(|recognizer| recognizer.none()) == Some(train.classes());
        let like_the_box = digits && knows_none && shape == [28, 28, 1] && train.classes() == builtin::CLASSES;
        if like_the_box {
            train = builtin::extend(&train, train.len() / 3, train.len() / 3)?;
        }
        let grey = shape[2] == 1;
        Ok(Replay { train, test: splits.test, name: chosen.dataset, grey, like_the_box })
    }

    /// How pictures are changed on their way.
    pub fn how(&self) -> FineTune {
        if self.grey { FineTune::grey(self.like_the_box) } else { FineTune::default() }
    }
}
