//! Opens a damaged file as the program does. What comes out is an error or something sound.

use super::seeds::{Seed, TABLE};
use crate::place;
use crate::process;
use crate::seeded::Random;
use maobi_data::source::{Request, Wanted, resolve};
use maobi_data::{Limits as DataLimits, Silent, folder, npy};
use maobi_formats::format;
use maobi_nn::Model;
use maobi_train::Recipe;
use maobi_vision::{Limits, Preprocess, decode_file, prepare, segment};
use std::path::Path;
use std::time::Duration;

/// Longest that the program itself may take.
const LIMIT: Duration = Duration::from_secs(10);
/// Values between layers up to which a damaged network is asked for an answer, for large ones take long.
const MODEST: usize = 1 << 22;
/// Values from which on it must say that it does not fit into the memory of a worker.
const TOO_MANY: usize = 1 << 29;

/// Opens the file at `path`: `Ok(true)` when it opens, `Ok(false)` when it is refused, `Err` when neither is right.
pub fn open(seed: &Seed, path: &Path, maobi: &Path, random: &mut Random) -> Result<bool, String> {
    // Tables of labels are read by the program alone; a small share of the others goes through it too.
    if seed.kind == TABLE || random.one_in(400) {
        return by_program(seed, path, maobi);
    }
    match seed.kind.as_str() {
        "idx" | "idx.gz" | "npz data set" => {
            let mut request = Request::new(Wanted::Path(path.to_path_buf()), &Silent);
            request.offline = true;
            Ok(resolve(&request).is_ok())
        }
        "npy" => match npy::read(path, &DataLimits::default()) {
            Ok(array) => {
                let _ = (array.to_f32(), array.to_i64(), array.to_labels());
                Ok(true)
            }
            Err(_) => Ok(false),
        },
        "recipe" => {
            let text = String::from_utf8_lossy(&std::fs::read(path).unwrap_or_default()).into_owned();
            match Recipe::parse(&text, "recipe").and_then(|recipe| recipe.model(1)) {
                Ok(model) => sound(&model).map(|()| true),
                Err(_) => Ok(false),
            }
        }
        "folder of pictures" => Ok(folder::read(path, folder::Picture::default(), &DataLimits::default(), &Silent).is_ok()),
        "png" | "jpeg" | "gif" | "bmp" | "webp" | "tiff" => picture(path, random),
        _ => model(seed, path),
    }
}

fn picture(path: &Path, random: &mut Random) -> Result<bool, String> {
    // As data sets are read, every fourth time.
    if random.one_in(4) {
        return Ok(folder::decode(path, folder::Picture::default(), &DataLimits::default()).is_ok());
    }
    let Ok(picture) = decode_file(path, &Limits::default()) else { return Ok(false) };
    if picture.grey.len() != picture.width * picture.height {
        return Err(format!("{} pixels for {} × {}", picture.grey.len(), picture.width, picture.height));
    }
    let prepared = prepare(&picture, Preprocess::Auto, (28, 28));
    if prepared.pixels.len() != 784 {
        return Err(format!("{} pixels for a network of 28 × 28", prepared.pixels.len()));
    }
    if random.one_in(4) {
        let _ = segment(&picture, (28, 28)).candidates().len();
    }
    Ok(true)
}

fn model(seed: &Seed, path: &Path) -> Result<bool, String> {
    let Ok(format) = format::detect(path) else { return Ok(false) };
    if let Ok(loaded) = format.load(path, 1) {
        sound(&loaded.model)?;
        return Ok(true);
    }
    let Some(network) = &seed.network else { return Ok(false) };
    let mut model = Model::from_json(network, 1).map_err(|error| format!("the seed's own network: {error}"))?;
    let before: Vec<Vec<f32>> = model.weights().iter().map(|w| w.values().to_vec()).collect();
    let loaded = format.load_weights(&mut model, path).is_ok();
    let same = |(now, before): (&f32, &f32)| now.to_bits() == before.to_bits();
    let unchanged = model.weights().iter().zip(&before).all(|(w, before)| w.values().iter().zip(before).all(same));
    if !loaded && !unchanged {
        return Err("weights were changed by a file that was refused".into());
    }
    Ok(loaded)
}

/// A model that was loaded has weights of the sizes it says, and answers.
fn sound(model: &Model) -> Result<(), String> {
    if let Some(weight) = model.weights().iter().find(|w| w.len() != w.shape.iter().product::<usize>()) {
        return Err(format!("a weight has {} values for the shape {:?}", weight.len(), weight.shape));
    }
    let size = |shape: &[usize]| shape.iter().fold(1usize, |n, &side| n.saturating_mul(side));
    let sizes: Vec<usize> = model.input_shapes().iter().map(|shape| size(shape)).collect();
    let values = model.graph().nodes.iter().fold(0usize, |n, node| n.saturating_add(size(&node.shape)));
    if values <= MODEST || (values >= TOO_MANY && sizes.iter().sum::<usize>() <= MODEST) {
        let inputs: Vec<Vec<f32>> = sizes.iter().map(|size| vec![0.5; *size]).collect();
        let inputs: Vec<&[f32]> = inputs.iter().map(Vec::as_slice).collect();
        let _ = model.predict(&inputs);
    }
    Ok(())
}

/// The same by the program, with the command that people use for such a file.
fn by_program(seed: &Seed, path: &Path, maobi: &Path) -> Result<bool, String> {
    let place = path.parent().unwrap_or(Path::new("."));
    let mut command = place::command(maobi, place, place);
    match seed.kind.as_str() {
        TABLE => command.args(["evaluate", "--photos"]).arg(path),
        "png" | "jpeg" | "gif" | "bmp" | "webp" | "tiff" => command.arg("predict").arg(place),
        "idx" | "idx.gz" | "npz data set" | "folder of pictures" => command.args(["data", "info"]).arg(path),
        _ => command.arg("summary").arg(path),
    };
    let ended = process::run(&mut command, LIMIT).map_err(|error| error.to_string())?;
    match ended.complaint(false) {
        Some(complaint) => Err(format!("the program: {complaint}")),
        None => Ok(ended.code == Some(0)),
    }
}
