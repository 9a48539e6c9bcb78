//! Refuses paths that are no regular files.

use super::DecodeError;
use std::fs::Metadata;
use std::path::Path;

/// Checks, without opening it, that a path is a file: opening a named pipe waits for a writer, and reading a device may never end. A
/// pipe that the process already holds open is accepted: `/dev/stdin`, and `/dev/fd/63` as the shell writes it for `<(command)`.
///
/// # Errors
/// [`DecodeError::Read`] if the path does not exist, [`DecodeError::Folder`], [`DecodeError::NotAFile`].
pub fn check_file(path: &Path) -> Result<Metadata, DecodeError> {
    let file = || path.display().to_string();
    let meta = std::fs::metadata(path).map_err(|source| DecodeError::Read { file: file(), source })?;
    if meta.is_dir() {
        return Err(DecodeError::Folder { file: file() });
    }
    match special(path, &meta) {
        Some(found) => Err(DecodeError::NotAFile { file: file(), found }),
        None => Ok(meta),
    }
}

/// What the path is, if it is not a file.
#[cfg(unix)]
fn special(path: &Path, meta: &Metadata) -> Option<&'static str> {
    use std::os::unix::fs::FileTypeExt;
    let kind = meta.file_type();
    let held = ["/dev/fd", "/proc/self/fd"].iter().any(|folder| path.starts_with(folder)) || path == Path::new("/dev/stdin");
    if kind.is_fifo() && !held {
        Some("a named pipe")
    } else if kind.is_socket() && !held {
        Some("a socket")
    } else if kind.is_char_device() || kind.is_block_device() {
        Some("a device")
    } else {
        None
    }
}

#[cfg(not(unix))]
fn special(_: &Path, meta: &Metadata) -> Option<&'static str> {
    (!meta.is_file()).then_some("no regular file")
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::decode::{Limits, decode_file};

    #[test]
    fn pipes_sockets_and_devices_are_refused_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe.png");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
        assert!(made.success());
        let socket = folder.path().join("socket");
        let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        // Without the check the pipe would wait for ever, and the device give zeros up to the limit.
        for (path, found) in [(pipe.as_path(), "a named pipe"), (&socket, "a socket"), (Path::new("/dev/zero"), "a device")] {
            let message = decode_file(path, &Limits::default()).unwrap_err().to_string();
            let expected = format!(
                "{}: is {found}, not a picture file; give the path of a file, or - to read standard input",
                path.display()
            );
            assert_eq!(message, expected);
        }
    }
}
