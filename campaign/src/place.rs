//! What trials of the real program work on: a small data set in MNIST's own files, an environment in which nothing of the machine's
//! own counts.

use anyhow::Result;
use maobi_data::builtin;
use maobi_data::idx::{self, Element, Idx};
use std::path::Path;
use std::process::Command;

/// Images to train on, and to test on.
const TRAIN: usize = 900;
const TEST: usize = 100;

/// Writes `data/mnist` into `folder`: drawn digits.
pub fn write_data(folder: &Path) -> Result<()> {
    write_small(folder, TRAIN, TEST)
}

/// The same with so many digits to train and to test.
pub fn write_small(folder: &Path, train_count: usize, test_count: usize) -> Result<()> {
    let mnist = folder.join("data/mnist");
    std::fs::create_dir_all(&mnist)?;
    let digits = builtin::generate(5, train_count + test_count);
    let (train, test) = digits.images.split_at(train_count * 784);
    let (train_labels, test_labels) = digits.labels.split_at(train_count);
    for (part, images, labels) in [("train", train, train_labels), ("t10k", test, test_labels)] {
        let array = |dims: Vec<usize>, bytes: &[u8]| Idx { element: Element::U8, dims, bytes: bytes.to_vec() };
        let count = labels.len();
        idx::write(mnist.join(format!("{part}-images-idx3-ubyte")), &array(vec![count, 28, 28], images))?;
        idx::write(mnist.join(format!("{part}-labels-idx1-ubyte")), &array(vec![count], labels))?;
    }
    Ok(())
}

/// The program in a folder with `data`: it finds nothing else and fetches nothing.
pub fn command(maobi: &Path, folder: &Path, data: &Path) -> Command {
    let mut command = Command::new(maobi);
    isolate(&mut command, folder, data);
    command
}

/// Gives a command that folder, that data and nothing of the machine's own.
pub fn isolate(command: &mut Command, folder: &Path, data: &Path) {
    command.current_dir(folder).env("MAOBI_DATA_DIR", data).env("XDG_CACHE_HOME", folder.join("cache"));
    command.env_remove("MAOBI_ISA").env_remove("RUST_BACKTRACE").stdin(std::process::Stdio::null());
    for proxy in ["ALL_PROXY", "HTTPS_PROXY", "HTTP_PROXY", "all_proxy", "https_proxy", "http_proxy"] {
        command.env(proxy, "http://127.0.0.1:1");
    }
}
