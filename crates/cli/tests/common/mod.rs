//! Runs the binary as a user does, in a folder of its own with a small data set.

#![allow(dead_code)] // each test binary uses its part

pub mod server;

use maobi_data::builtin;
use serde_json::Value;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Images of the small `mnist` in each folder.
pub const TRAIN: usize = 1200;
pub const TEST: usize = 300;

/// A folder to work in.
pub struct Place {
    pub dir: tempfile::TempDir,
}

impl Place {
    /// An empty folder, with `data/mnist` in the form of MNIST's own files: drawn digits.
    pub fn new() -> Place {
        let dir = tempfile::tempdir().unwrap();
        let mnist = dir.path().join("data/mnist");
        std::fs::create_dir_all(&mnist).unwrap();
        let digits = builtin::generate(5, TRAIN + TEST);
        let (train, test) = digits.images.split_at(TRAIN * 784);
        let (train_labels, test_labels) = digits.labels.split_at(TRAIN);
        for (part, images, labels) in [("train", train, train_labels), ("t10k", test, test_labels)] {
            // The IDX format: two zeros, type 8 (u8), rank, sides, elements.
            let count = (labels.len() as u32).to_be_bytes();
            let header = [&[0, 0, 8, 3], &count[..], &28u32.to_be_bytes(), &28u32.to_be_bytes()].concat();
            std::fs::write(mnist.join(format!("{part}-images-idx3-ubyte")), [&header[..], images].concat()).unwrap();
            let header = [&[0, 0, 8, 1], &count[..]].concat();
            std::fs::write(mnist.join(format!("{part}-labels-idx1-ubyte")), [&header[..], labels].concat()).unwrap();
        }
        Place { dir }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// The binary with these arguments, ready to run.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_maobi"));
        command.args(arguments).current_dir(self.dir.path()).env("MAOBI_DATA_DIR", self.path("data"));
        // Nothing of the machine's own may leak in, and nothing may be fetched.
        command.env("XDG_CACHE_HOME", self.path("cache")).env_remove("MAOBI_ISA");
        for proxy in ["ALL_PROXY", "HTTPS_PROXY", "HTTP_PROXY", "all_proxy", "https_proxy", "http_proxy"] {
            command.env(proxy, "http://127.0.0.1:1");
        }
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Ran {
        Ran::of(self.command(arguments).output().unwrap(), arguments)
    }

    /// Runs what has to succeed; its stdout.
    pub fn ok(&self, arguments: &[&str]) -> String {
        let ran = self.run(arguments);
        assert_eq!(ran.code, 0, "{arguments:?}: {}", ran.err);
        ran.out
    }

    /// Runs what has to fail with 1; its stderr.
    pub fn fails(&self, arguments: &[&str]) -> String {
        let ran = self.run(arguments);
        assert_eq!(ran.code, 1, "{arguments:?}: {} {}", ran.out, ran.err);
        assert!(ran.err.contains("error: "), "{}", ran.err);
        assert!(!ran.err.contains("panicked"), "{}", ran.err);
        ran.err
    }

    /// Runs what is wrong usage, and ends with 2; its stderr.
    pub fn misused(&self, arguments: &[&str]) -> String {
        let ran = self.run(arguments);
        assert_eq!(ran.code, 2, "{arguments:?}: {} {}", ran.out, ran.err);
        ran.err
    }

    /// The bytes of a member of a `.keras` file.
    pub fn member(&self, file: &str, member: &str) -> Vec<u8> {
        member_of(&self.path(file), member)
    }

    pub fn weights(&self, run: &str) -> Vec<u8> {
        self.member(&format!("{run}/model.keras"), "model.weights.h5")
    }
}

/// A drawn digit as a picture, `zoom` times as large as in MNIST, and what it is: dark on white, or white on black as there.
pub fn digit_picture(seed: u64, index: u64, zoom: u32, dark: bool) -> (image::GrayImage, u64) {
    let (pixels, label) = builtin::digit(seed, index);
    let value = |x: u32, y: u32| pixels[(y / zoom * 28 + x / zoom) as usize];
    let shade = |x, y| image::Luma([if dark { 255 - value(x, y) } else { value(x, y) }]);
    (image::GrayImage::from_fn(28 * zoom, 28 * zoom, shade), u64::from(label))
}

pub fn member_of(file: &Path, member: &str) -> Vec<u8> {
    let mut archive = zip::ZipArchive::new(std::fs::File::open(file).unwrap()).unwrap();
    let mut bytes = Vec::new();
    archive.by_name(member).unwrap().read_to_end(&mut bytes).unwrap();
    bytes
}

/// What a run left behind.
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Ran {
    pub fn of(output: Output, arguments: &[&str]) -> Ran {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let code = output.status.code().unwrap_or_else(|| panic!("{arguments:?}: ended by a signal"));
        Ran { code, out: text(output.stdout), err: text(output.stderr) }
    }
}

/// One JSON object a line.
pub fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{line}: {e}"))).collect()
}

/// Those of one kind.
pub fn events<'a>(lines: &'a [Value], kind: &str) -> Vec<&'a Value> {
    lines.iter().filter(|line| line["event"] == kind).collect()
}
