//! Event files, which TensorBoard shows: `LOGDIR/train/events.out.tfevents.…`.
//!
//! Records behind each other, each with its length and checksums (tensorflow/core/lib/io/record_writer.cc); a record is an `Event`
//! (tensorflow/core/util/event.proto). A file grows while training goes on, so it is not replaced as a whole: a cut one is good up to
//! its last whole record.

use super::crc::masked;
use super::proto::{Dim, TensorShape};
use super::values::{FLOAT, STRING};
use crate::error::{Error, Result};
use prost::Message;
use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

const DOUBLE: i32 = 2;
/// Buckets of a histogram, as `tf.summary.histogram` has them.
const BUCKETS: usize = 30;

#[derive(Clone, PartialEq, Message)]
struct Event {
    #[prost(double, tag = "1")]
    wall_time: f64,
    #[prost(int64, tag = "2")]
    step: i64,
    #[prost(string, optional, tag = "3")]
    file_version: Option<String>,
    #[prost(message, optional, tag = "5")]
    summary: Option<Summary>,
    #[prost(message, optional, tag = "7")]
    session_log: Option<SessionLog>,
    #[prost(message, optional, tag = "10")]
    source: Option<SourceMetadata>,
}

#[derive(Clone, PartialEq, Message)]
struct SourceMetadata {
    #[prost(string, tag = "1")]
    writer: String,
}

#[derive(Clone, PartialEq, Message)]
struct SessionLog {
    /// 1 is a start.
    #[prost(int32, tag = "1")]
    status: i32,
}

#[derive(Clone, PartialEq, Message)]
struct Summary {
    #[prost(message, repeated, tag = "1")]
    value: Vec<Value>,
}

#[derive(Clone, PartialEq, Message)]
struct Value {
    #[prost(string, tag = "1")]
    tag: String,
    #[prost(message, optional, tag = "8")]
    tensor: Option<Tensor>,
    #[prost(message, optional, tag = "9")]
    metadata: Option<Metadata>,
}

#[derive(Clone, PartialEq, Message)]
struct Tensor {
    #[prost(int32, tag = "1")]
    dtype: i32,
    #[prost(message, optional, tag = "2")]
    shape: Option<TensorShape>,
    #[prost(bytes = "vec", tag = "4")]
    content: Vec<u8>,
    #[prost(bytes = "vec", repeated, tag = "8")]
    strings: Vec<Vec<u8>>,
}

#[derive(Clone, PartialEq, Message)]
struct Metadata {
    #[prost(message, optional, tag = "1")]
    plugin: Option<Plugin>,
}

#[derive(Clone, PartialEq, Message)]
struct Plugin {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(bytes = "vec", tag = "2")]
    content: Vec<u8>,
}

/// Writes one event file. What was written is on its way to the disk at [`EventWriter::flush`] and when it is dropped.
///
/// ```
/// use maobi_formats::tensorflow::events::EventWriter;
/// # let folder = std::env::temp_dir().join(format!("maobi-events-{}", std::process::id()));
/// let mut events = EventWriter::create(&folder.join("train"))?;
/// events.scalar("epoch_loss", 0, 0.25)?;
/// events.flush()?;
/// # std::fs::remove_dir_all(folder).unwrap();
/// # Ok::<(), maobi_formats::Error>(())
/// ```
#[derive(Debug)]
pub struct EventWriter {
    path: PathBuf,
    file: BufWriter<File>,
    length: u64,
}

impl EventWriter {
    /// A name for a new event file, different from every other.
    pub fn new_name() -> String {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let (seconds, process) = (now() as u64, std::process::id());
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        // TensorBoard knows event files by "tfevents", and reads them in the order of their names.
        format!("events.out.tfevents.{seconds:010}.{}.{process}.{number}.v2", host())
    }

    /// Begins a new file in a folder, which is made; those of earlier runs stay, and TensorBoard shows all of a folder as one.
    ///
    /// # Errors
    /// [`Error::Io`] when folder or file cannot be made.
    pub fn create(folder: &Path) -> Result<EventWriter> {
        EventWriter::open(folder, &EventWriter::new_name(), 0)
    }

    /// Opens the file of that name in a folder, cut to its first `length` bytes, and writes on from there. With a length of 0 the file
    /// begins anew, and need not be there.
    ///
    /// # Errors
    /// [`Error::Io`] when folder or file cannot be made, or the file is not there with that many bytes.
    pub fn open(folder: &Path, name: &str, length: u64) -> Result<EventWriter> {
        std::fs::create_dir_all(folder).map_err(Error::io(folder, "make the folder"))?;
        let path = folder.join(name);
        let open = || {
            let file = OpenOptions::new().append(true).create(length == 0).open(&path)?;
            if file.metadata()?.len() < length {
                return Err(std::io::Error::other(format!("expected at least {length} bytes")));
            }
            file.set_len(length)?;
            Ok(file)
        };
        let file = open().map_err(Error::io(&path, "write"))?;
        let mut writer = EventWriter { path: path.clone(), file: BufWriter::new(file), length };
        if length == 0 {
            let source = Some(SourceMetadata { writer: "maobi".into() });
            writer.event(Event { file_version: Some("brain.Event:2".into()), source, ..Event::default() })?;
        }
        Ok(writer)
    }

    /// Bytes written so far, those that are still to be flushed included.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A point of a curve.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn scalar(&mut self, tag: &str, step: u64, value: f32) -> Result<()> {
        let tensor = Tensor { dtype: FLOAT, shape: Some(shape(&[])), content: value.to_le_bytes().to_vec(), strings: Vec::new() };
        self.summary(tag, step, tensor, "scalars", b"")
    }

    /// How values are distributed: thirty buckets of left edge, right edge, count
    /// (tensorboard/plugins/histogram/summary_v2.py, `_buckets`). Values that are no numbers are left out.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn histogram(&mut self, tag: &str, step: u64, values: &[f32]) -> Result<()> {
        let content = buckets(values).iter().flatten().flat_map(|v| v.to_le_bytes()).collect();
        let tensor = Tensor { dtype: DOUBLE, shape: Some(shape(&[BUCKETS, 3])), content, strings: Vec::new() };
        self.summary(tag, step, tensor, "histograms", b"")
    }

    /// Pictures of one size, as PNG files.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn images(&mut self, tag: &str, step: u64, width: usize, height: usize, png: Vec<Vec<u8>>) -> Result<()> {
        let size = [width, height].map(|n| n.to_string().into_bytes());
        let strings: Vec<Vec<u8>> = size.into_iter().chain(png).collect();
        let tensor = Tensor { dtype: STRING, shape: Some(shape(&[strings.len()])), content: Vec::new(), strings };
        self.summary(tag, step, tensor, "images", b"")
    }

    /// A model's architecture, [`maobi_nn::Model::to_json`], which the graph tab draws.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn keras_model(&mut self, json: &str) -> Result<()> {
        let strings = vec![json.as_bytes().to_vec()];
        let tensor = Tensor { dtype: STRING, shape: Some(shape(&[])), content: Vec::new(), strings };
        self.summary("keras", 0, tensor, "graph_keras_model", b"1")
    }

    /// Says that training goes on from a step: what earlier files have from there on counts no more.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn restart(&mut self, step: u64) -> Result<()> {
        self.event(Event { step: whole(step), session_log: Some(SessionLog { status: 1 }), ..Event::default() })
    }

    /// Hands everything to the operating system.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn flush(&mut self) -> Result<()> {
        self.file.flush().map_err(Error::io(&self.path, "write"))
    }

    fn summary(&mut self, tag: &str, step: u64, tensor: Tensor, plugin: &str, content: &[u8]) -> Result<()> {
        let plugin = Some(Plugin { name: plugin.into(), content: content.to_vec() });
        let value = Value { tag: tag.into(), tensor: Some(tensor), metadata: Some(Metadata { plugin }) };
        self.event(Event { step: whole(step), summary: Some(Summary { value: vec![value] }), ..Event::default() })
    }

    fn event(&mut self, event: Event) -> Result<()> {
        let data = Event { wall_time: now(), ..event }.encode_to_vec();
        let length = (data.len() as u64).to_le_bytes();
        let parts = [&length[..], &masked(&length).to_le_bytes(), &data, &masked(&data).to_le_bytes()];
        parts.iter().try_for_each(|part| self.file.write_all(part)).map_err(Error::io(&self.path, "write"))?;
        self.length += parts.iter().map(|part| part.len() as u64).sum::<u64>();
        Ok(())
    }
}

fn shape(axes: &[usize]) -> TensorShape {
    TensorShape { dim: axes.iter().map(|axis| Dim { size: *axis as i64 }).collect(), unknown_rank: false }
}

fn whole(step: u64) -> i64 {
    i64::try_from(step).unwrap_or(i64::MAX)
}

/// Seconds since 1970.
fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |time| time.as_secs_f64())
}

/// This machine's name, as far as a file name can hold it.
fn host() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").ok().or_else(|| std::env::var("HOSTNAME").ok());
    let name: String =
        name.unwrap_or_default().trim().chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').take(64).collect();
    if name.is_empty() { "localhost".into() } else { name }
}

fn buckets(values: &[f32]) -> [[f64; 3]; BUCKETS] {
    let finite = || values.iter().filter(|v| v.is_finite()).map(|v| f64::from(*v));
    let (low, high) = finite().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)));
    let mut buckets = [[0.0; 3]; BUCKETS];
    if low > high {
        return buckets;
    }
    let width = (high - low) / BUCKETS as f64;
    for (number, bucket) in buckets.iter_mut().enumerate() {
        bucket[0] = low + width * number as f64;
        bucket[1] = if number + 1 == BUCKETS { high } else { low + width * (number + 1) as f64 };
    }
    for value in finite() {
        // A single value, and the highest, belong to the last.
        let number = if width > 0.0 { ((value - low) / width) as usize } else { BUCKETS };
        if let Some(bucket) = buckets.get_mut(number.min(BUCKETS - 1)) {
            bucket[2] += 1.0;
        }
    }
    buckets
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All events of a file, checksums compared.
    fn events(path: &Path) -> Vec<Event> {
        let bytes = std::fs::read(path).unwrap();
        let (mut rest, mut events) = (bytes.as_slice(), Vec::new());
        while !rest.is_empty() {
            let (head, behind) = rest.split_at(12);
            assert_eq!(masked(&head[..8]).to_le_bytes(), head[8..]);
            let (data, behind) = behind.split_at(u64::from_le_bytes(head[..8].try_into().unwrap()) as usize);
            let (sum, behind) = behind.split_at(4);
            assert_eq!(masked(data).to_le_bytes(), sum);
            events.push(Event::decode(data).unwrap());
            rest = behind;
        }
        events
    }

    #[test]
    fn records_hold_what_was_written() {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = EventWriter::create(&folder.path().join("train")).unwrap();
        writer.keras_model("{}").unwrap();
        writer.restart(3).unwrap();
        writer.scalar("epoch_loss", 7, 0.5).unwrap();
        writer.images("a/image", 1, 2, 3, vec![vec![9], vec![8]]).unwrap();
        writer.histogram("a/histogram", 0, &[1.0, 2.0]).unwrap();
        writer.flush().unwrap();
        let name = writer.path().file_name().unwrap().to_str().unwrap().to_string();
        assert!(name.starts_with("events.out.tfevents.") && name.ends_with(".v2"), "{name}");
        let events = events(writer.path());
        assert_eq!(events[0].file_version.as_deref(), Some("brain.Event:2"));
        assert!(events.iter().all(|e| e.wall_time > 1.7e9));
        let value = |event: &Event| event.summary.as_ref().unwrap().value[0].clone();
        let plugin = |event: &Event| value(event).metadata.unwrap().plugin.unwrap();
        assert_eq!((value(&events[1]).tag.as_str(), plugin(&events[1]).content), ("keras", b"1".to_vec()));
        assert_eq!((events[2].step, events[2].session_log.clone().unwrap().status), (3, 1));
        assert_eq!((events[3].step, value(&events[3]).tensor.unwrap().content), (7, 0.5f32.to_le_bytes().to_vec()));
        assert_eq!(value(&events[4]).tensor.unwrap().strings, [b"2".to_vec(), b"3".to_vec(), vec![9], vec![8]]);
        assert_eq!(value(&events[5]).tensor.unwrap().content.len(), 30 * 3 * 8);
        assert_eq!(plugin(&events[5]).name, "histograms");
    }

    #[test]
    fn a_file_goes_on_behind_its_first_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let name = EventWriter::new_name();
        let mut writer = EventWriter::open(folder.path(), &name, 0).unwrap();
        writer.scalar("a", 1, 0.5).unwrap();
        let kept = writer.length();
        writer.scalar("a", 2, 0.5).unwrap();
        writer.flush().unwrap();
        assert_eq!(std::fs::metadata(writer.path()).unwrap().len(), writer.length());
        let mut writer = EventWriter::open(folder.path(), &name, kept).unwrap();
        writer.scalar("a", 3, 0.5).unwrap();
        writer.flush().unwrap();
        assert_eq!(events(writer.path()).iter().map(|e| e.step).collect::<Vec<_>>(), [0, 1, 3]);
        let message = EventWriter::open(folder.path(), &name, 1 << 20).unwrap_err().to_string();
        assert!(message.contains("expected at least 1048576 bytes"), "{message}");
        assert!(EventWriter::open(folder.path(), "none", 1).is_err() && !folder.path().join("none").exists());
    }

    #[test]
    fn buckets_are_those_of_tensorboard() {
        let values: Vec<f32> = (0..=60).map(|i| i as f32).chain([f32::NAN, f32::INFINITY]).collect();
        let b = buckets(&values);
        assert_eq!((b[0], b[1], b[29]), ([0.0, 2.0, 2.0], [2.0, 4.0, 2.0], [58.0, 60.0, 3.0]));
        assert_eq!(b.iter().map(|b| b[2]).sum::<f64>(), 61.0);
        let same = buckets(&[2.0; 5]);
        assert_eq!((same[0], same[29]), ([2.0, 2.0, 0.0], [2.0, 2.0, 5.0]));
        assert_eq!(buckets(&[]), [[0.0; 3]; BUCKETS]);
    }
}
