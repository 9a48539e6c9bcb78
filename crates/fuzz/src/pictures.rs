//! Pictures: their decoders, and everything between a decoded picture and the network.

use maobi_data::folder::Picture as Form;
use maobi_vision::{Limits, Picture, Preprocess, Score, decode_bytes, explain, segment};

/// Small enough that a picture takes milliseconds.
const MAX_SIDE: u32 = 512;
const MAX_PIXELS: u64 = 1 << 16;
const LIMITS: Limits = Limits { max_bytes: 1 << 18, max_pixels: MAX_PIXELS, max_side: MAX_SIDE };

/// Any bytes are a picture within the limits, for recognition and for a folder of pictures, or an error.
pub fn picture(bytes: &[u8]) {
    own(bytes);
    of_folder(bytes);
}

fn own(bytes: &[u8]) {
    if let Ok(picture) = decode_bytes(bytes, "input", &LIMITS) {
        assert_eq!(picture.grey.len(), picture.width * picture.height);
        assert!(picture.width > 0 && picture.height > 0 && picture.grey.len() as u64 <= MAX_PIXELS);
        assert!(picture.width.max(picture.height) <= MAX_SIDE as usize);
    }
}

fn of_folder(bytes: &[u8]) {
    for form in [Form::grey(28, 28), Form::rgb(9, 7)] {
        if let Ok(pixels) = form.decode(bytes, "input", &LIMITS) {
            assert_eq!(pixels.len(), form.shape().iter().product::<usize>());
        }
    }
}

/// Largest side of a picture that is prepared and cut into digits.
const SIDE: usize = 48;

/// Any pixels are prepared in every way and cut into digits; the lattice takes any scores. The first two bytes are the width and a
/// choice, the rest are pixels; a last row that is cut short is left out.
pub fn recognition(bytes: &[u8]) {
    let Some((&[width, choice], pixels)) = bytes.split_first_chunk::<2>() else { return };
    let width = usize::from(width) % SIDE + 1;
    let height = (pixels.len() / width).min(SIDE);
    let Some(picture) = Picture::from_grey(width, height, pixels[..width * height].to_vec()) else { return };
    let frame = [(28, 28), (32, 20)][usize::from(choice & 1)];
    let how = Preprocess::ALL[usize::from(choice >> 1) % Preprocess::ALL.len()];
    let (prepared, stages) = explain(&picture, how, frame);
    assert_eq!((prepared.height, prepared.width, prepared.pixels.len()), (frame.0, frame.1, frame.0 * frame.1));
    if choice & 0x80 != 0 {
        maobi_draw::explain_png("input", &stages, &[]);
    }
    let found = segment(&picture, frame);
    let any = |at: usize| f32::from(pixels.get(at % pixels.len().max(1)).copied().unwrap_or(0)) / 255.0;
    let scores: Vec<Score> = (0..found.candidates().len()).map(|at| Score { digit: any(at), none: any(at + 7) }).collect();
    let path = found.best(&scores);
    for line in &path.lines {
        for &index in &line.candidates {
            let one = &found.candidates()[index];
            assert_eq!(one.pixels.len(), frame.0 * frame.1);
            assert!(one.rect.x + one.rect.width <= width && one.rect.y + one.rect.height <= height, "{:?}", one.rect);
        }
    }
}
