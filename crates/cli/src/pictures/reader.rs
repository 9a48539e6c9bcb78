//! One model and the way in which it reads pictures: the same for every command.

use super::NONE;
use super::files::is_stdin;
use super::scaling::Scaling;
use crate::dataset;
use crate::exit::usage;
use crate::output::Console;
use crate::run::{self, OpenModel};
use anyhow::{Context, bail};
use maobi_data::folder;
use maobi_nn::Model;
use maobi_recognize::built_in;
use maobi_recognize::preprocessing::probabilities;
use maobi_recognize::{Item, Layout, OperatingPoint, Options, Preprocessing, Reading, Recognizer};
use maobi_vision::decode::{read_file, read_stream};
use maobi_vision::{Limits, Picture, Preprocess, Rect, decode_bytes};
use std::path::{Path, PathBuf};

/// How pictures are to be read.
#[derive(Clone, Debug, clap::Args)]
pub struct How {
    /// How a picture becomes what the network sees: auto finds the ink and centers it as in MNIST; invert is for dark ink on clean
    /// white paper; threshold takes what is darker than 140 for ink; none is for pictures that look like MNIST already [default: auto]
    #[arg(long, value_name = "HOW", value_parser = ["auto", "invert", "threshold", "none"])]
    preprocess: Option<String>,

    /// How many digits are on a picture: auto finds out; single is one, line one line of them, many any number of lines
    /// [default: auto]
    #[arg(long, value_name = "LAYOUT", value_parser = ["auto", "single", "line", "many"])]
    layout: Option<String>,

    #[command(flatten)]
    scaling: Scaling,
}

impl How {
    fn options(&self) -> anyhow::Result<Options> {
        let auto = |given: &Option<String>| given.clone().unwrap_or_else(|| "auto".to_owned());
        Ok(Options::new().how(auto(&self.preprocess).parse()?).layout(auto(&self.layout).parse()?))
    }

    /// Refuses `--layout`, for a command that does not look for digits in pictures; `why` says what it does.
    pub fn refuse_layout(&self, why: &str) -> anyhow::Result<()> {
        match &self.layout {
            Some(layout) => Err(usage(format!("--layout {layout} has no effect here: {why}"))),
            None => Ok(()),
        }
    }

    /// Refuses `--preprocess` and `--layout`, for a command that reads no pictures; `why` says what it does.
    pub fn refuse(&self, why: &str) -> anyhow::Result<()> {
        match &self.preprocess {
            Some(how) => Err(usage(format!("--preprocess {how} has no effect here: {why}"))),
            None => self.refuse_layout(why),
        }
    }
}

/// Reads pictures with a model.
pub struct Reader {
    with: With,
    classes: Vec<String>,
    outputs: usize,
    /// `[height, width, channels]`.
    shape: [usize; 3],
    /// Whether it reads characters, which stand in lines and can be none.
    characters: bool,
    options: Options,
    /// The model's file, for messages.
    pub file: PathBuf,
    /// What the model says of its pictures, or what is presumed.
    pub preprocessing: Preprocessing,
}

enum With {
    /// What is written: the whole pipeline.
    Recognizer(Recognizer),
    /// Color pictures, of whatever, squeezed to the network's size.
    Color(Model),
}

/// A picture and what was read off it.
pub struct Seen {
    /// Gray and upright; `None` for a network that takes color.
    pub picture: Option<Picture>,
    /// What was read.
    pub reading: Reading,
}

impl Reader {
    /// A reader with the model of that name; without one, with the model in the box.
    pub fn open(model: Option<&Path>, network: &run::Network, how: &How, console: &Console) -> anyhow::Result<Reader> {
        let Some(model) = model else {
            if how.scaling.is_given() {
                return Err(usage("--scale and --offset are for a --model that does not say; the model in the box does"));
            }
            if network.is_given() {
                return Err(usage(
                    "--network is for a --model that holds weights alone; without --model, the model in the box is used",
                ));
            }
            return Reader::built_in(how.options()?);
        };
        let open = run::load(model, network, console)?;
        let preprocessing = how.scaling.resolve(&open, console);
        Reader::new(open, &preprocessing, how.options()?)
    }

    /// A reader with the model in the box.
    fn built_in(options: Options) -> anyhow::Result<Reader> {
        let recognizer = Recognizer::built_in()?;
        let mut outputs = recognizer.classes().to_vec();
        recognizer.none().into_iter().for_each(|none| outputs.insert(none, NONE.into()));
        let (height, width) = recognizer.frame();
        let preprocessing = Preprocessing {
            classes: outputs.clone(),
            dataset: Some("mnist".into()),
            recipe: Some("digits".into()),
            ..Preprocessing::of_scaling(recognizer.scaling())
        };
        Ok(Reader {
            classes: recognizer.classes().to_vec(),
            with: With::Recognizer(recognizer),
            outputs: outputs.len(),
            shape: [height, width, 1],
            characters: true,
            options,
            file: built_in::NAME.into(),
            preprocessing,
        })
    }

    /// A reader with a model that was opened.
    pub fn new(open: OpenModel, preprocessing: &Preprocessing, options: Options) -> anyhow::Result<Reader> {
        let file = open.file;
        let outputs = open.model.output_shapes();
        let outputs = match outputs.iter().map(|s| s.as_slice()).collect::<Vec<_>>()[..] {
            [&[classes]] => classes,
            [shape] => bail!("{}: its output has shape {shape:?}; expected one value for each class", file.display()),
            _ => bail!("{}: has {} outputs; expected one", file.display(), outputs.len()),
        };
        let classes: Vec<String> = (0..outputs).map(|label| preprocessing.class(label)).collect();
        let shape = dataset::picture_shape(&open.model.input_shapes())?;
        let characters = shape[2] == 1 && classes.iter().all(|name| name == NONE || name.chars().count() == 1);
        let mut options = options;
        let (with, classes) = if shape[2] == 1 {
            let mut recognizer = Recognizer::new(open.model, preprocessing.scaling(), classes)?;
            if !characters {
                // What has a name and no letter does not stand in lines, and is what the network says it is.
                options.layout = Layout::Single;
                recognizer = recognizer.operating_point(OperatingPoint { unsure: 0.0, ..OperatingPoint::default() });
            }
            let classes = recognizer.classes().to_vec();
            (With::Recognizer(recognizer), classes)
        } else {
            (With::Color(open.model), classes)
        };
        Ok(Reader { with, classes, outputs, shape, characters, options, file, preprocessing: preprocessing.clone() })
    }

    /// Names of what is read, by [`Item::digit`].
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// The recognizer, if the network takes gray pictures.
    pub fn recognizer(&self) -> Option<&Recognizer> {
        match &self.with {
            With::Recognizer(recognizer) => Some(recognizer),
            With::Color(_) => None,
        }
    }

    /// The network.
    pub fn model(&self) -> &Model {
        match &self.with {
            With::Recognizer(recognizer) => recognizer.model(),
            With::Color(model) => model,
        }
    }

    /// The network, given back.
    pub fn into_model(self) -> Model {
        match self.with {
            With::Recognizer(recognizer) => recognizer.into_model(),
            With::Color(model) => model,
        }
    }

    /// Names of the network's outputs, with "none".
    pub fn output_names(&self) -> Vec<String> {
        (0..self.outputs).map(|label| self.preprocessing.class(label)).collect()
    }

    /// Number of the network's outputs, one for "none" included.
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// `[height, width, channels]` of what the network sees.
    pub fn shape(&self) -> [usize; 3] {
        self.shape
    }

    /// Whether something can be rejected.
    pub fn rejects(&self) -> bool {
        self.characters || self.recognizer().is_some_and(Recognizer::knows_none)
    }

    /// Whether this is the name of a class.
    pub fn is_class(&self, name: &str) -> bool {
        name == NONE || self.classes.iter().any(|class| class == name)
    }

    /// How pictures are prepared, and how many digits are looked for.
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// Reads a file, `-` for standard input; the reason why it cannot be read is a sentence that names it.
    pub fn read(&self, file: &Path) -> Result<Seen, String> {
        self.read_as(file, self.options.layout)
    }

    /// The same where it is known how many digits there are.
    pub fn read_as(&self, file: &Path, layout: Layout) -> Result<Seen, String> {
        match &self.with {
            With::Recognizer(recognizer) => {
                let picture =
                    decode_bytes(&bytes(file)?, &file.display().to_string(), &Limits::default()).map_err(|e| e.to_string())?;
                let options = self.options.clone().layout(layout);
                let reading = recognizer.recognize(&picture, &options).map_err(|e| format!("{}: {e}", file.display()))?;
                Ok(Seen { picture: Some(picture), reading })
            }
            With::Color(model) => {
                let form = color(self.shape, self.options.how).map_err(|e| e.to_string())?;
                let pixels = form.decode(&bytes(file)?, &file.display().to_string(), &Limits::default());
                let pixels = pixels.map_err(|e| e.to_string())?;
                let Preprocessing { scale, offset, .. } = self.preprocessing;
                let values: Vec<f32> = pixels.iter().map(|&pixel| f32::from(pixel) * scale + offset).collect();
                let rows = model.predict(&[&values]).map_err(|e| format!("{}: {e}", file.display()))?;
                let mut row = rows.into_iter().next().unwrap_or_default().into_values();
                if row.iter().any(|value| !value.is_finite()) {
                    return Err(format!(
                        "{}: the network's outputs are NaN or infinite; are its pixels scaled right?",
                        file.display()
                    ));
                }
                probabilities(model, &mut row, self.classes.len());
                let blank = pixels.iter().all(|pixel| Some(pixel) == pixels.first());
                Ok(Seen { picture: None, reading: self.of_row(row, pixels, blank) })
            }
        }
    }

    /// What a picture that was squeezed to the network's size is taken for.
    fn of_row(&self, row: Vec<f32>, pixels: Vec<u8>, blank: bool) -> Reading {
        let digit = maobi_nn::metrics::arg_max(&row);
        let probability = row.get(digit).copied().unwrap_or(0.0);
        let class = self.classes.get(digit).cloned().unwrap_or_default();
        let [height, width, _] = self.shape;
        let rect = Rect { x: 0, y: 0, width, height };
        let digits = class.clone();
        let item = Item { digit, class, probability, probabilities: row, none: 0.0, rect, line: 0, rejected: blank, pixels };
        Reading { digits, confidence: probability, rejected: blank, blank, items: vec![item] }
    }

    /// Reads a gray picture.
    pub fn read_picture(&self, picture: &Picture) -> anyhow::Result<Reading> {
        let recognizer = self.recognizer().context("the network takes pictures in color, not in gray")?;
        Ok(recognizer.recognize(picture, &self.options)?)
    }
}

fn color(shape: [usize; 3], how: Preprocess) -> anyhow::Result<folder::Picture> {
    match shape[2] {
        3 if matches!(how, Preprocess::Auto | Preprocess::None) => Ok(folder::Picture::of_shape(shape)?),
        3 => bail!("--preprocess {how} makes gray pictures, but the network takes color; use --preprocess none"),
        n => bail!("the network takes pictures with {n} channels; 1 (gray) and 3 (color) can be read from files"),
    }
}

/// The bytes of a picture file, or of standard input.
fn bytes(file: &Path) -> Result<Vec<u8>, String> {
    let limits = Limits::default();
    let bytes = match is_stdin(file) {
        true => read_stream(std::io::stdin().lock(), "-", &limits),
        false => read_file(file, &limits),
    };
    bytes.map_err(|e| e.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn color_networks_want_color() {
        let refused = |channels, how| color([28, 28, channels], how).unwrap_err().to_string();
        assert!(refused(3, Preprocess::Invert).contains("--preprocess none"));
        assert!(refused(2, Preprocess::Auto).contains("2 channels"));
        assert!(color([28, 28, 3], Preprocess::Auto).is_ok());
    }
}
