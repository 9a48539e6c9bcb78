//! A network and what it takes to read with it.

use crate::draft::Draft;
use crate::error::{Error, Result};
use crate::options::{Layout, OperatingPoint, Options};
use crate::preprocessing::{self, Preprocessing, Scaling};
use crate::reading::{Item, Reading};
use maobi_formats::{Loaded, format};
use maobi_nn::Model;
use maobi_nn::model::Output;
use maobi_vision::{Effort, Picture, Preprocess, Rect, Segmentation, prepare, segment_within};
use std::path::Path;

/// Glyphs that go through the network together: more are no faster, and take memory.
const AT_ONCE: usize = 256;

/// Name of the class that is no digit.
pub const NONE: &str = "none";

/// Reads pictures with a network.
///
/// Reading does not change it: several threads may read with one.
#[derive(Debug)]
pub struct Recognizer {
    model: Model,
    /// The same, as it predicts fastest.
    running: Box<Model>,
    scaling: Scaling,
    /// Names of the classes that are read, by their place in [`Item::probabilities`].
    classes: Vec<String>,
    /// Which output is "none".
    none: Option<usize>,
    /// Height and width of what the network takes.
    frame: (usize, usize),
    point: OperatingPoint,
}

impl Recognizer {
    /// A recognizer with a classifier of grey pictures: input `[height, width, 1]` or `[height, width]`, output `[classes]`.
    ///
    /// `classes` are the names of its outputs, or empty for "0", "1", …. An output called "none" stands for everything that is
    /// none of the others.
    ///
    /// # Errors
    /// [`Error::Unfit`] when the model is no such classifier, or the number of names is not that of its outputs.
    pub fn new(model: Model, scaling: Scaling, classes: Vec<String>) -> Result<Self> {
        let unfit = |argument, message: String| Error::Unfit { argument, message };
        let inputs = model.input_shapes();
        let frame = match inputs.iter().map(|shape| shape.as_slice()).collect::<Vec<_>>()[..] {
            [&[height, width] | &[height, width, 1]] if height > 0 && width > 0 => (height, width),
            _ => return Err(unfit("model", format!("expected one input of shape [height, width, 1], got {inputs:?}"))),
        };
        let shapes = model.output_shapes();
        let outputs = match shapes.iter().map(|shape| shape.as_slice()).collect::<Vec<_>>()[..] {
            [&[outputs]] if outputs > 0 => outputs,
            _ => return Err(unfit("model", format!("expected one output of shape [classes], got {shapes:?}"))),
        };
        let mut classes = if classes.is_empty() { (0..outputs).map(|label| label.to_string()).collect() } else { classes };
        if classes.len() != outputs {
            return Err(unfit(
                "classes",
                format!("expected {outputs} names, one for each output of the model, got {}", classes.len()),
            ));
        }
        let none = classes.iter().position(|name| name == NONE);
        if let Some(place) = none {
            classes.remove(place);
        }
        if classes.is_empty() {
            return Err(unfit("classes", "expected a class other than \"none\", got none".into()));
        }
        let running = Box::new(model.for_inference()?);
        Ok(Self { model, running, scaling, classes, none, frame, point: OperatingPoint::default() })
    }

    /// From a model file of any format that is known. Scaling and class names are the file's own where it says
    /// ([`preprocessing::MEMBER`]), else [`Preprocessing::presumed`].
    ///
    /// # Errors
    /// When the file cannot be read, holds no network, or as [`Recognizer::new`].
    pub fn open(path: &Path) -> Result<Self> {
        // The seed draws initial weights only, which the file's replace.
        Self::of(format::detect(path)?.load_without_slots(path, 0)?, &path.display().to_string())
    }

    /// From a model that was loaded; `file` is the name that errors use.
    ///
    /// # Errors
    /// As [`Recognizer::new`]; [`Error::Member`] when what the file says of its pictures makes no sense.
    pub fn of(loaded: Loaded, file: &str) -> Result<Self> {
        let said = Preprocessing::of_extras(&loaded.extras);
        let said = said.transpose().map_err(|message| Error::Member { file: file.to_owned(), message })?;
        let Preprocessing { scale, offset, classes, .. } = said.unwrap_or_else(|| Preprocessing::presumed(&loaded.model));
        Self::new(loaded.model, Scaling { scale, offset }, classes)
    }

    /// Changes from where on something is no digit.
    pub fn operating_point(mut self, point: OperatingPoint) -> Self {
        self.point = point;
        self
    }

    /// Names of what is read, by [`Item::digit`]; "none" is not among them.
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// Whether the network has a class for what is no digit.
    pub fn knows_none(&self) -> bool {
        self.none.is_some()
    }

    /// Height and width of what the network sees.
    pub fn frame(&self) -> (usize, usize) {
        self.frame
    }

    /// How pixels become what the network sees.
    pub fn scaling(&self) -> Scaling {
        self.scaling
    }

    /// The network.
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// The same function as [`Recognizer::model`], as it predicts fastest: [`Model::for_inference`].
    pub fn running(&self) -> &Model {
        &self.running
    }

    /// The network, given back.
    pub fn into_model(self) -> Model {
        self.model
    }

    /// What a row of the network's outputs means, for a glyph that fills the frame: as in a reading, but for the pixels.
    pub fn judge(&self, outputs: &[f32]) -> Item {
        let mut row = outputs.to_vec();
        preprocessing::probabilities(&self.model, &mut row, self.outputs());
        let (height, width) = self.frame;
        let item = self.item(&row, Vec::new());
        Item { rect: Rect { x: 0, y: 0, width, height }, rejected: item.rejected || item.none > self.point.alone, ..item }
    }

    /// Which output of the network is "none", if it has that class.
    pub fn none(&self) -> Option<usize> {
        self.none
    }

    /// Reads a picture.
    ///
    /// # Errors
    /// Those of the network's arithmetic; [`Error::NotFinite`] when it answers with NaN; [`Error::TooMuch`] for a picture that takes more
    /// than [`Effort::STEPS`], or was not read by [`Options::until`].
    pub fn recognize(&self, picture: &Picture, options: &Options) -> Result<Reading> {
        let mut readings = self.recognize_all(std::slice::from_ref(picture), options)?;
        Ok(readings.pop().unwrap_or_else(|| Reading::of(Vec::new(), true, true)))
    }

    /// Reads several pictures; all glyphs of all of them go through the network together.
    ///
    /// # Errors
    /// As [`Recognizer::recognize`].
    pub fn recognize_all(&self, pictures: &[Picture], options: &Options) -> Result<Vec<Reading>> {
        let drafts: Vec<Draft> = pictures.iter().map(|picture| self.draft(picture, options)).collect::<Result<_>>()?;
        let glyphs: Vec<&[u8]> = drafts.iter().flat_map(Draft::glyphs).collect();
        let rows = self.rows_within(&glyphs, &Effort::new(options.until))?;
        let mut rows = rows.chunks_exact(self.outputs());
        let reading = |(draft, picture): (Draft, &Picture)| {
            let items = rows.by_ref().take(draft.glyphs().count()).zip(draft.glyphs());
            let items = items.map(|(row, pixels)| self.item(row, pixels.to_vec())).collect();
            let mut reading = draft.reading(items, options.layout, &self.point);
            reading.items.iter_mut().for_each(|item| item.rect = picture.in_file(item.rect));
            reading
        };
        Ok(drafts.into_iter().zip(pictures).map(reading).collect())
    }

    /// Finds what may be digits.
    fn draft(&self, picture: &Picture, options: &Options) -> Result<Draft> {
        let effort = Effort::new(options.until);
        effort.check()?;
        let single = prepare(picture, options.how, self.frame);
        // A picture in MNIST's own form is one digit, and lines are made of names that can stand side by side.
        let one = options.how != Preprocess::Auto
            || options.layout == Layout::Single
            || single.unchanged
            || self.classes.iter().any(|name| name.chars().count() != 1);
        let many = if one { Segmentation::default() } else { segment_within(picture, self.frame, &effort)? };
        Ok(Draft { whole: Rect { x: 0, y: 0, width: picture.width, height: picture.height }, single, many })
    }

    /// Number of outputs, with "none".
    pub(crate) fn outputs(&self) -> usize {
        self.classes.len() + usize::from(self.none.is_some())
    }

    /// The network's probabilities `[glyphs, outputs]` for pixels `[height, width]` each.
    pub(crate) fn rows(&self, glyphs: &[&[u8]]) -> Result<Vec<f32>> {
        self.rows_within(glyphs, &Effort::new(None))
    }

    fn rows_within(&self, glyphs: &[&[u8]], effort: &Effort) -> Result<Vec<f32>> {
        let mut rows = Vec::with_capacity(glyphs.len() * self.outputs());
        for some in glyphs.chunks(AT_ONCE) {
            effort.check()?;
            let values: Vec<f32> = some.iter().flat_map(|glyph| self.scaled(glyph)).collect();
            rows.extend(self.running.predict(&[&values])?.into_iter().next().into_iter().flat_map(Output::into_values));
        }
        if rows.iter().any(|value| !value.is_finite()) {
            return Err(Error::NotFinite);
        }
        preprocessing::probabilities(&self.model, &mut rows, self.outputs());
        Ok(rows)
    }

    /// What the network sees of a glyph.
    pub(crate) fn scaled(&self, glyph: &[u8]) -> impl Iterator<Item = f32> {
        let Scaling { scale, offset } = self.scaling;
        glyph.iter().map(move |&pixel| f32::from(pixel) * scale + offset)
    }

    /// Which output of the network a class is.
    pub(crate) fn output_of(&self, class: usize) -> Option<usize> {
        let shifted = self.none.is_some_and(|none| none <= class);
        (class < self.classes.len()).then_some(class + usize::from(shifted))
    }

    /// What a row of outputs says of a glyph; where it lies, who asked knows.
    fn item(&self, row: &[f32], pixels: Vec<u8>) -> Item {
        let none = self.none.and_then(|place| row.get(place)).copied().unwrap_or(0.0);
        let others = row.iter().enumerate().filter(|(place, _)| Some(*place) != self.none).map(|(_, &p)| p);
        let mut probabilities: Vec<f32> = others.collect();
        let sum: f32 = probabilities.iter().sum();
        // All of it went to "none": then no digit is likelier than another.
        let even = 1.0 / probabilities.len().max(1) as f32;
        probabilities.iter_mut().for_each(|p| *p = if sum > 0.0 { *p / sum } else { even });
        let best = |a: (usize, f32), b: (usize, f32)| if b.1 > a.1 { b } else { a };
        let (digit, probability) = probabilities.iter().copied().enumerate().reduce(best).unwrap_or((0, 0.0));
        let rejected = if self.none.is_some() { none > self.point.none } else { probability < self.point.unsure };
        let class = self.classes.get(digit).cloned().unwrap_or_default();
        let rect = Rect { x: 0, y: 0, width: 0, height: 0 };
        Item { digit, class, probability, probabilities, none, rect, line: 0, rejected, pixels }
    }
}

#[cfg(test)]
#[path = "recognizer_tests.rs"]
mod tests;
