//! `TensorBoard`: curves, histograms, pictures and the network, for the program of that name.
//!
//! As Keras' `callbacks/tensorboard.py`: the same folders, tags and steps, so that the same dashboards open. Not there: profiles,
//! embeddings, and the graph of TensorFlow's operations, which do not exist here.

use super::{Action, BatchLogs, Callback, Context, EpochLogs, Running, SaveFreq};
use crate::error::{Error, Result};
use crate::examples::Examples;
use maobi_formats::tensorflow::events::EventWriter;
use maobi_nn::model::Weight;
use maobi_nn::object::{Declared, range};
use maobi_nn::{Model, keras_object};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Pictures of one weight, as `tf.summary.image` has it.
const MAX_IMAGES: usize = 3;

keras_object! {
    /// Writes event files to `train/` and `validation/` of a folder: `tensorboard --logdir FOLDER` shows them while training goes on.
    ///
    /// Per epoch, counted from 0: `epoch_loss`, `epoch_<metric>`, `epoch_learning_rate`; the validation's also over optimizer steps as
    /// `evaluation_<figure>_vs_iterations`. A training that goes on from a backup goes on in the same files, each point once.
    ///
    /// ```
    /// use maobi_train::callbacks::{SaveFreq, TensorBoard};
    /// let board = TensorBoard::new("logs").histogram_freq(1).update_freq(SaveFreq::Steps(100));
    /// ```
    pub struct TensorBoard("tensor_board") with run: Running<State>, new(
        /// The folder; `logs` where a recipe does not say.
        log_dir: PathBuf = "logs".into(),
    ) {
        /// Epochs between two histograms of all weights; 0, the default, for none.
        histogram_freq: usize = 0,
        /// Whether the network is written for the graph tab; true by default.
        write_graph: bool = true,
        /// Whether each histogram comes with the weight as a picture; false by default.
        write_images: bool = false,
        /// Whether steps per second are written, by epoch and with `update_freq` by batch; false by default.
        write_steps_per_second: bool = false,
        /// Loss and metrics every so many steps too (`batch_loss`, …); by epoch alone by default.
        update_freq: SaveFreq where range::AT_LEAST_ONE = SaveFreq::Epoch,
        /// So many of the first training images, as the network sees them, under the tag `samples`; none by default. Not in Keras.
        sample_images: usize = 0,
    }
}

/// Where writing is.
pub struct State {
    samples: Option<Pictures>,
    train: Events,
    validation: Events,
    /// Steps done before this session.
    done: u64,
    /// When the last batch ended and the epoch began.
    batch: Instant,
    epoch: Instant,
    /// Optimizer steps before this epoch.
    before: u64,
}

impl Default for State {
    fn default() -> Self {
        let (train, validation, now) = (Events::default(), Events::default(), Instant::now());
        State { samples: None, train, validation, done: 0, batch: now, epoch: now, before: 0 }
    }
}

impl TensorBoard {
    fn histograms(&mut self, model: &Model, epoch: u64) -> Result<()> {
        let writer = self.run.train.writer()?;
        for weight in model.weights() {
            writer.histogram(&format!("{}/histogram", weight.path), epoch, &weight.values())?;
            if self.write_images
                && let Some(pictures) = weight_pictures(weight)?
            {
                pictures.write(writer, &format!("{}/image", weight.path), epoch)?;
            }
        }
        Ok(())
    }

    /// Opens the file of training; a new one begins with the network and samples of the data.
    fn begin(&mut self, context: &Context<'_>) -> Result<()> {
        if self.run.train.writer.is_some() {
            return Ok(());
        }
        let run = &mut *self.run;
        let (done, is_new) = (run.done, run.train.is_new());
        let writer = run.train.writer()?;
        if is_new && done > 0 {
            // An earlier session wrote another file, of which no backup knows.
            writer.restart(done + 1)?;
        }
        if is_new && self.write_graph {
            writer.keras_model(&context.model.to_json())?;
        }
        if let Some(samples) = run.samples.take().filter(|_| is_new) {
            samples.write(writer, "samples", 0)?;
        }
        self.flush()
    }

    /// Hands all points to the system, so that a backup never speaks of bytes that a kill can take away.
    fn flush(&mut self) -> Result<()> {
        let run = &mut *self.run;
        for writer in [&mut run.train.writer, &mut run.validation.writer].into_iter().flatten() {
            writer.flush()?;
        }
        Ok(())
    }
}

/// An event file, made when its first point comes. Its name is settled before, so that the first backup can hold it.
struct Events {
    folder: PathBuf,
    name: String,
    /// Bytes to keep of what an earlier session wrote.
    kept: u64,
    writer: Option<EventWriter>,
}

impl Default for Events {
    fn default() -> Self {
        Events { folder: PathBuf::new(), name: EventWriter::new_name(), kept: 0, writer: None }
    }
}

impl Events {
    /// Whether the file is new; one that has lost bytes which a backup speaks of is left as it is, and a new one begun.
    fn is_new(&mut self) -> bool {
        let length = std::fs::metadata(self.folder.join(&self.name)).map_or(0, |about| about.len());
        if length < self.kept {
            (self.name, self.kept) = (EventWriter::new_name(), 0);
        }
        self.kept == 0
    }

    fn writer(&mut self) -> Result<&mut EventWriter> {
        let writer = match self.writer.take() {
            Some(writer) => writer,
            None => {
                self.is_new();
                EventWriter::open(&self.folder, &self.name, self.kept)?
            }
        };
        Ok(self.writer.insert(writer))
    }

    fn state(&self) -> Value {
        json!([self.name, self.writer.as_ref().map_or(self.kept, EventWriter::length)])
    }

    fn restore(&mut self, state: &Value) {
        // A name that a backup brings is not a way out of the folder.
        let name = state[0].as_str().filter(|name| name.starts_with("events.") && !name.contains(['/', '\\']));
        if let (Some(name), Some(length)) = (name, state[1].as_u64()) {
            (self.name, self.kept) = (name.to_owned(), length);
        }
    }
}

impl Callback for TensorBoard {
    fn name(&self) -> &'static str {
        "TensorBoard"
    }

    fn check(&self) -> Result<()> {
        Ok(self.check_ranges()?)
    }

    fn set_folder(&mut self, folder: &Path) {
        self.log_dir = folder.join(&self.log_dir);
    }

    fn on_data(&mut self, model: &Model, data: &dyn Examples) -> Result<()> {
        let shapes = model.input_shapes();
        let Some(&[height, width, channels]) = shapes.first().map(Vec::as_slice) else { return Ok(()) };
        let count = self.sample_images.min(data.len());
        if count == 0 || !matches!(channels, 1 | 3 | 4) {
            return Ok(());
        }
        let indices: Vec<u32> = (0..count as u32).collect();
        let mut values = vec![0.0; count * height * width * channels];
        data.fill(0, &indices, &mut values);
        // Whatever range the network takes becomes black to white.
        let finite = || values.iter().copied().filter(|v| v.is_finite());
        let (low, high) = (finite().fold(f32::INFINITY, f32::min), finite().fold(f32::NEG_INFINITY, f32::max));
        let range = if high > low { high - low } else { 1.0 };
        let values: Vec<f32> = values.iter().map(|v| (v - low) / range).collect();
        self.run.samples = Some(Pictures::new(height, width, channels, &values)?);
        Ok(())
    }

    fn on_train_begin(&mut self, context: &mut Context<'_>) -> Result<()> {
        (self.run.done, self.run.batch) = (position(context), Instant::now());
        self.run.train.folder = self.log_dir.join("train");
        self.run.validation.folder = self.log_dir.join("validation");
        Ok(())
    }

    fn on_epoch_begin(&mut self, context: &mut Context<'_>) -> Result<()> {
        (self.run.epoch, self.run.batch, self.run.before) = (Instant::now(), Instant::now(), context.step);
        self.begin(context)
    }

    fn on_batch_end(&mut self, context: &mut Context<'_>, _: &BatchLogs) -> Result<Action> {
        let step = position(context);
        if matches!(self.update_freq, SaveFreq::Steps(every) if step.is_multiple_of(every)) {
            let run = &mut *self.run;
            let writer = run.train.writer()?;
            if self.write_steps_per_second {
                let seconds = run.batch.elapsed().as_secs_f32().max(1e-9);
                writer.scalar("batch_steps_per_second", step, 1.0 / seconds)?;
            }
            for (name, value) in context.model.logs() {
                writer.scalar(&format!("batch_{name}"), step, value as f32)?;
            }
            self.flush()?;
        }
        self.run.batch = Instant::now();
        Ok(Action::Continue)
    }

    fn on_epoch_end(&mut self, context: &mut Context<'_>, logs: &EpochLogs) -> Result<Action> {
        let epoch = context.epoch.saturating_sub(1) as u64;
        let of_validation: Vec<(&str, f32)> =
            logs.values.iter().filter_map(|(name, value)| Some((name.strip_prefix("val_")?, *value as f32))).collect();
        if !of_validation.is_empty() {
            let writer = self.run.validation.writer()?;
            for (name, value) in &of_validation {
                writer.scalar(&format!("evaluation_{name}_vs_iterations"), context.step, *value)?;
            }
            for (name, value) in &of_validation {
                writer.scalar(&format!("epoch_{name}"), epoch, *value)?;
            }
        }
        let run = &mut *self.run;
        let writer = run.train.writer()?;
        for (name, value) in logs.values.iter().filter(|(name, _)| !name.starts_with("val_")) {
            writer.scalar(&format!("epoch_{name}"), epoch, *value as f32)?;
        }
        if self.write_steps_per_second {
            let steps = context.step.saturating_sub(run.before) as f32;
            writer.scalar("epoch_steps_per_second", epoch, steps / run.epoch.elapsed().as_secs_f32().max(1e-9))?;
        }
        if self.histogram_freq > 0 && epoch.is_multiple_of(self.histogram_freq as u64) {
            self.histograms(context.model, epoch)?;
        }
        self.flush()?;
        Ok(Action::Continue)
    }

    fn on_train_end(&mut self, _: &mut Context<'_>) -> Result<()> {
        self.flush()
    }

    fn state(&self) -> Value {
        json!({ "train": self.run.train.state(), "validation": self.run.validation.state() })
    }

    fn restore(&mut self, state: &Value) {
        self.run.train.restore(&state["train"]);
        self.run.validation.restore(&state["validation"]);
    }
}

/// Steps of this training so far, those that a loss scale left out included: Keras' count of batches.
fn position(context: &Context<'_>) -> u64 {
    (context.epoch * context.steps_per_epoch + context.batch) as u64
}

/// Pictures of one size as PNG files.
struct Pictures {
    width: usize,
    height: usize,
    files: Vec<Vec<u8>>,
}

impl Pictures {
    /// Of values `[pictures, height, width, channels]`, where 0 is black and 1 white (`tf.image.convert_image_dtype`).
    fn new(height: usize, width: usize, channels: usize, values: &[f32]) -> Result<Pictures> {
        let pixels = |v: &[f32]| v.iter().map(|v| (v * 255.5) as u8).collect::<Vec<u8>>();
        let files = values.chunks_exact((height * width * channels).max(1));
        let files = files.map(|picture| png(width, height, channels, &pixels(picture))).collect::<Result<_>>()?;
        Ok(Pictures { width, height, files })
    }

    fn write(self, writer: &mut EventWriter, tag: &str, step: u64) -> Result<()> {
        Ok(writer.images(tag, step, self.width, self.height, self.files)?)
    }
}

fn png(width: usize, height: usize, channels: usize, pixels: &[u8]) -> Result<Vec<u8>> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, width as u32, height as u32);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_color(match channels {
        1 => png::ColorType::Grayscale,
        3 => png::ColorType::Rgb,
        _ => png::ColorType::Rgba,
    });
    let written = encoder.write_header().and_then(|mut writer| writer.write_image_data(pixels));
    written.map_err(|e| Error::argument("TensorBoard", format!("a picture of {width} x {height} cannot be written: {e}")))?;
    Ok(file)
}

/// A weight as Keras draws it (`_log_weight_as_image`): axes of length 1 left out, vectors as a column, matrices on their side, kernels
/// one by one. `None` for what it does not draw.
fn weight_pictures(weight: &Weight) -> Result<Option<Pictures>> {
    let values = weight.values();
    let axes: Vec<usize> = weight.shape.iter().copied().filter(|n| *n != 1).collect();
    match *axes.as_slice() {
        [n] => Pictures::new(n, 1, 1, &values).map(Some),
        [rows, columns] if rows > columns => Pictures::new(columns, rows, 1, &transposed(&values, rows, columns)).map(Some),
        [rows, columns] => Pictures::new(rows, columns, 1, &values).map(Some),
        [height, width, kernels] => {
            let by_kernel = transposed(&values, height * width, kernels);
            let first = by_kernel.get(..height * width * kernels.min(MAX_IMAGES)).unwrap_or(&by_kernel);
            Pictures::new(height, width, 1, first).map(Some)
        }
        [pictures, height, width, channels @ (3 | 4)] => {
            let first = values.get(..pictures.min(MAX_IMAGES) * height * width * channels).unwrap_or(&values);
            Pictures::new(height, width, channels, first).map(Some)
        }
        _ => Ok(None),
    }
}

/// `[rows, columns]` as `[columns, rows]`.
fn transposed(values: &[f32], rows: usize, columns: usize) -> Vec<f32> {
    (0..columns).flat_map(|column| (0..rows).map(move |row| row * columns + column)).map(|i| values[i]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kernels_are_drawn_one_by_one() {
        assert_eq!(transposed(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 2, 3), [1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);
        let pictures = Pictures::new(1, 2, 1, &[0.0, 1.0, 0.5, -3.0, f32::NAN, 9.0]).unwrap();
        assert_eq!(pictures.files.len(), 3);
        let pixels = |file: &[u8]| {
            let mut reader = png::Decoder::new(std::io::Cursor::new(file)).read_info().unwrap();
            let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
            reader.next_frame(&mut pixels).unwrap();
            pixels
        };
        let drawn: Vec<Vec<u8>> = pictures.files.iter().map(|f| pixels(f)).collect();
        assert_eq!(drawn, [[0, 255], [127, 0], [0, 255]]);
    }
}
