//! Built-in digits: handwriting-like digits drawn from a seed, any number of them, with no file.
//!
//! Each digit is a few strokes planned by hand (splines through control points, several styles for each digit), moved about by a
//! writer's habits, drawn with a round pen and then sized and centred exactly as MNIST was. No pixel comes from a data set.
//!
//! Ten digits in a row (places 10k to 10k+9) are one writer's, in random order: slant, width, pen and haste are common to them.

mod high;
mod low;
mod noise;
mod raster;
mod sketch;
mod warp;
mod writer;

use noise::Noise;
use raster::SIDE;
use writer::Writer;

/// Bytes in one image: 28 x 28.
pub const PIXELS: usize = SIDE * SIDE;
/// Number of classes.
pub const CLASSES: usize = 10;

/// Purposes of random streams; the classes themselves are 0 to 9.
const WRITER: u64 = 100;
const ORDER: u64 = 101;

/// Digits and what they show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digits {
    /// `[count, 28, 28]` bytes, white ink (255) on black (0) as in MNIST.
    pub images: Vec<u8>,
    /// `[count]` classes, 0 to 9.
    pub labels: Vec<u8>,
}

/// Draws `count` digits on all cores. The classes are balanced: each run of ten from the start holds every class once.
///
/// The same seed gives the same digits whatever the number of cores, and fewer digits are the first of more.
///
/// ```
/// let digits = maobi_data::builtin::generate(42, 20);
/// assert_eq!(digits.images.len(), 20 * 28 * 28);
/// let (first, label) = maobi_data::builtin::digit(42, 0);
/// assert_eq!(digits.images[..784], first);
/// assert_eq!(digits.labels[0], label);
/// ```
#[must_use]
pub fn generate(seed: u64, count: usize) -> Digits {
    let threads = std::thread::available_parallelism().map_or(1, |n| n.get());
    parallel(count, threads, |index| digit(seed, index))
}

/// Draws `count` digits of one class on all cores: the `index`-th is by the `index`-th writer, the same image that [`generate`] has
/// for that writer.
///
/// A `class` above 9 counts as its last decimal digit.
#[must_use]
pub fn generate_class(seed: u64, class: u8, count: usize) -> Digits {
    let class = class % CLASSES as u8;
    let threads = std::thread::available_parallelism().map_or(1, |n| n.get());
    parallel(count, threads, |index| (draw(seed, index, class), class))
}

/// Draws the `index`-th digit of a seed: its `[28, 28]` pixels and its class.
#[must_use]
pub fn digit(seed: u64, index: u64) -> ([u8; PIXELS], u8) {
    let (writer, place) = (index / CLASSES as u64, index % CLASSES as u64);
    let class = order(seed, writer)[place as usize];
    (draw(seed, writer, class), class)
}

/// The order in which a writer wrote the ten digits (Fisher-Yates).
fn order(seed: u64, writer: u64) -> [u8; CLASSES] {
    let mut noise = Noise::new(seed, writer, ORDER);
    let mut order: [u8; CLASSES] = std::array::from_fn(|class| class as u8);
    for last in (1..CLASSES).rev() {
        order.swap(last, (noise.bits() % (last as u64 + 1)) as usize);
    }
    order
}

/// One digit by one writer.
fn draw(seed: u64, writer: u64, class: u8) -> [u8; PIXELS] {
    let habits = Writer::new(&mut Noise::new(seed, writer, WRITER));
    let mut noise = Noise::new(seed, writer, u64::from(class));
    let plan = {
        let mut sketch = sketch::Sketch::new(&mut noise, 0.020 * habits.haste);
        match class {
            0 => low::zero(&mut sketch, &habits),
            1 => low::one(&mut sketch, &habits),
            2 => low::two(&mut sketch, &habits),
            3 => low::three(&mut sketch, &habits),
            4 => low::four(&mut sketch, &habits),
            5 => high::five(&mut sketch, &habits),
            6 => high::six(&mut sketch, &habits),
            7 => high::seven(&mut sketch, &habits),
            8 => high::eight(&mut sketch, &habits),
            _ => high::nine(&mut sketch, &habits),
        }
        sketch.flatten()
    };
    let mut image = [0; PIXELS];
    raster::draw(&warp::ink(plan, class, &habits, &mut noise), &mut image);
    image
}

/// Fills `count` places on `threads` threads, each taking a run of its own.
fn parallel(count: usize, threads: usize, draw: impl Fn(u64) -> ([u8; PIXELS], u8) + Sync) -> Digits {
    let mut digits = Digits { images: vec![0; count * PIXELS], labels: vec![0; count] };
    let share = count.div_ceil(threads.max(1)).max(1);
    let runs = digits.images.chunks_mut(share * PIXELS).zip(digits.labels.chunks_mut(share));
    std::thread::scope(|scope| {
        for (run, (images, labels)) in runs.enumerate() {
            let draw = &draw;
            scope.spawn(move || {
                for (offset, (image, label)) in images.chunks_exact_mut(PIXELS).zip(labels).enumerate() {
                    let (pixels, class) = draw((run * share + offset) as u64);
                    image.copy_from_slice(&pixels);
                    *label = class;
                }
            });
        }
    });
    digits
}
