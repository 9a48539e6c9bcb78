//! FIFOs, sockets and devices in the place of model files: refused at once, with a word on what they are.

#![cfg(unix)]

use maobi_formats::format::{self, FORMATS};
use maobi_nn::graph::Sequential;
use maobi_nn::layers::{Dense, InputLayer};
use std::path::Path;
use std::process::Command;

#[test]
fn what_is_no_file_is_never_read() {
    let folder = tempfile::tempdir().unwrap();
    let fifo = |name: &str| {
        let path = folder.path().join(name);
        assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
        path
    };
    let model = || Sequential::new().add(InputLayer::new([1])).add(Dense::new(1)).build(1).unwrap();
    for format in FORMATS.iter().filter(|format| format.name() != "saved-model") {
        let name = format!("m{}", format.extensions()[0]);
        // A checkpoint is read from its index.
        let file = if format.name().ends_with("checkpoint") { format!("{name}.index") } else { name.clone() };
        let _ = std::fs::remove_file(folder.path().join(&file));
        fifo(&file);
        let path = folder.path().join(&name);
        let message = format.load_weights(&mut model(), &path).unwrap_err().to_string();
        let only_network = format.name() == "json";
        assert!(only_network || message.contains("it is a FIFO (named pipe), not a file"), "{}: {message}", format.name());
        if path.exists() {
            let message = format::detect(&path).map(|format| format.name()).unwrap_err().to_string();
            assert!(message.contains("it is a FIFO"), "{message}");
        }
    }
    let message = format::detect(Path::new("/dev/zero")).map(|format| format.name()).unwrap_err().to_string();
    assert_eq!(message, "/dev/zero: cannot read: it is a device, not a file");
    let socket = folder.path().join("s.keras");
    let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    let message = maobi_formats::keras::load(&socket, 1).unwrap_err().to_string();
    assert!(message.ends_with("s.keras: cannot read: it is a socket, not a file"), "{message}");
}
