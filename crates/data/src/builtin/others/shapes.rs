//! Things and textures: silhouettes, patterns and noise, painted pixel by pixel.

use crate::builtin::raster::{PIXELS, SIDE};
use crate::noise::Noise;
use std::f32::consts::TAU;

/// A filled silhouette of one to three parts, plain or patterned.
pub(super) fn silhouette(noise: &mut Noise, image: &mut [u8; PIXELS]) {
    let parts: Vec<Part> = (0..1 + noise.bits() % 3).map(|_| Part::new(noise)).collect();
    let texture = if noise.chance(0.6) { None } else { Some(Texture::new(noise)) };
    let light = if noise.chance(0.5) { 255.0 } else { noise.uniform(140.0, 255.0) };
    paint(image, |x, y| {
        let inside = parts.iter().any(|part| part.holds(x, y));
        let shade = texture.as_ref().map_or(1.0, |texture| 0.35 + 0.65 * texture.at(x, y));
        if inside { light * shade } else { 0.0 }
    });
}

/// What is left of a thing when its even inside is taken for the ground: rims, whole or in pieces.
pub(super) fn rims(noise: &mut Noise, image: &mut [u8; PIXELS]) {
    let parts: Vec<Part> = (0..2 + noise.bits() % 2).map(|_| Part::new(noise)).collect();
    let inner: Vec<Part> = parts.iter().map(|part| part.shrunk(noise.uniform(0.08, 0.28))).collect();
    // Blotches where the rim is missing.
    let gaps = if noise.chance(0.6) { Some(Texture::blotches(noise, 7.0)) } else { None };
    paint(image, |x, y| {
        let on = match &gaps {
            Some(gaps) => {
                let within = |parts: &[Part]| parts.iter().any(|part| part.holds(x, y));
                within(&parts) && !within(&inner) && gaps.at(x, y) < 0.55
            }
            // A whole rim around all of it would be a 0: here each part has its own.
            None => parts.iter().zip(&inner).any(|(part, inner)| part.holds(x, y) && !inner.holds(x, y)),
        };
        if on { 255.0 } else { 0.0 }
    });
}

/// A pattern all over the picture, in a box of it, or noise.
pub(super) fn texture(noise: &mut Noise, image: &mut [u8; PIXELS]) {
    let texture = Texture::new(noise);
    let side = if noise.chance(0.5) { 1.5 } else { noise.uniform(0.5, 0.9) };
    let hard = noise.chance(0.5);
    paint(image, |x, y| {
        let value = texture.at(x, y);
        let value = if hard { f32::from(value > 0.5) } else { value };
        if x.abs().max(y.abs()) < side { 255.0 * value } else { 0.0 }
    });
    if noise.chance(0.3) {
        let (grain, dense) = (noise.uniform(60.0, 255.0), noise.uniform(0.05, 1.0));
        for cell in image.iter_mut() {
            let extra = if noise.chance(dense) { noise.uniform(-grain, grain) } else { 0.0 };
            *cell = (f32::from(*cell) + extra).clamp(0.0, 255.0) as u8;
        }
    }
}

/// Paints from coordinates −1 to 1, two by two samples a pixel.
fn paint(image: &mut [u8; PIXELS], shade: impl Fn(f32, f32) -> f32) {
    for (at, cell) in image.iter_mut().enumerate() {
        let place = |n: usize, half: usize| (n as f32 + 0.25 + 0.5 * half as f32) * (2.0 / SIDE as f32) - 1.0;
        let sum: f32 = (0..4).map(|s| shade(place(at % SIDE, s % 2), place(at / SIDE, s / 2))).sum();
        *cell = (0.25 * sum).clamp(0.0, 255.0) as u8;
    }
}

/// A super-ellipse (2 an ellipse, more a box, 1 a rhomb), turned, and narrower to one end.
struct Part {
    centre: (f32, f32),
    half: (f32, f32),
    turn: (f32, f32),
    power: f32,
    taper: f32,
}

impl Part {
    fn new(noise: &mut Noise) -> Part {
        Part {
            centre: (noise.uniform(-0.25, 0.25), noise.uniform(-0.25, 0.25)),
            half: (noise.uniform(0.15, 0.7), noise.uniform(0.25, 0.7)),
            turn: if noise.chance(0.5) { (0.0, 1.0) } else { noise.uniform(0.0, TAU).sin_cos() },
            power: noise.uniform(1.0, 6.0),
            taper: if noise.chance(0.5) { 0.0 } else { noise.uniform(-0.8, 0.8) },
        }
    }

    /// The same with sides nearer to the middle by `by`.
    fn shrunk(&self, by: f32) -> Part {
        Part { half: ((self.half.0 - by).max(0.01), (self.half.1 - by).max(0.01)), ..*self }
    }

    fn holds(&self, x: f32, y: f32) -> bool {
        let (x, y) = (x - self.centre.0, y - self.centre.1);
        let (x, y) = (self.turn.1 * x - self.turn.0 * y, self.turn.0 * x + self.turn.1 * y);
        let y = y / self.half.1;
        let x = x / (self.half.0 * (1.0 + self.taper * y).max(0.05));
        x.abs().powf(self.power) + y.abs().powf(self.power) < 1.0
    }
}

/// A wave in any direction: wave numbers along both axes and phase.
fn wave(noise: &mut Noise, low: f32, high: f32) -> (f32, f32, f32) {
    let (size, angle) = (noise.uniform(low, high), noise.uniform(0.0, TAU));
    (size * angle.cos(), size * angle.sin(), noise.uniform(0.0, TAU))
}

/// Values 0 to 1 over the plane.
enum Texture {
    /// Stripes, and stripes across them: frequency, direction and phase of each, and whether they are bars or waves.
    Stripes([(f32, f32, f32); 2], bool),
    /// A few waves added up: blotches.
    Blotches([(f32, f32, f32); 5]),
    /// Dots on a grid: spacing and radius.
    Dots(f32, f32),
}

impl Texture {
    fn new(noise: &mut Noise) -> Texture {
        match noise.uniform(0.0, TAU) {
            // Two stripes a side to twelve.
            phase if phase < 2.2 => {
                let (first, second) = (wave(noise, 6.0, 38.0), wave(noise, 6.0, 38.0));
                Texture::Stripes([first, if phase < 1.3 { (0.0, 0.0, 0.5) } else { second }], phase > 0.7)
            }
            phase if phase < 5.0 => Texture::blotches(noise, 20.0),
            _ => Texture::Dots(noise.uniform(0.25, 0.7), noise.uniform(0.3, 0.9)),
        }
    }

    fn blotches(noise: &mut Noise, most: f32) -> Texture {
        Texture::Blotches(std::array::from_fn(|_| wave(noise, 2.0, most)))
    }

    fn at(&self, x: f32, y: f32) -> f32 {
        let wave = |&(kx, ky, phase): &(f32, f32, f32)| (kx * x + ky * y + phase).sin();
        match self {
            Texture::Stripes(waves, bars) => {
                let value = 0.5 + 0.5 * waves.iter().map(wave).fold(1.0, |a, b| if b > a || a == 1.0 { b } else { a });
                if *bars { f32::from(value > 0.6) } else { value }
            }
            Texture::Blotches(waves) => (0.5 + 0.3 * waves.iter().map(wave).sum::<f32>()).clamp(0.0, 1.0),
            Texture::Dots(spacing, radius) => {
                let off = |v: f32| (v / spacing - (v / spacing).round()) * 2.0;
                f32::from(off(x).hypot(off(y)) < *radius)
            }
        }
    }
}
