//! Opening files that somebody else named.

use std::fs::{File, FileType, Metadata, OpenOptions};
use std::io::{Error, ErrorKind, Result};
use std::path::Path;

/// Opens a file to read it. A FIFO, a socket or a device is refused with an error that says what it is: reading one could wait forever,
/// or never end. Symbolic links are followed; a folder opens as it does with [`File::open`].
///
/// Nothing can slip in between the check and the opening: the file is opened without waiting, and it is the open file that is checked.
///
/// # Errors
/// As [`File::open`]; [`ErrorKind::InvalidInput`] with a message such as "it is a FIFO (named pipe), not a file".
pub fn open_file(path: &Path) -> Result<File> {
    // A first look, because opening a socket fails and opening a device can have effects.
    if let Ok(metadata) = std::fs::metadata(path) {
        check(&metadata)?;
    }
    let file = without_waiting().read(true).open(path)?;
    check(&file.metadata()?)?;
    Ok(file)
}

/// As [`std::fs::read`], through [`open_file`], for files of at most `limit` bytes.
///
/// # Errors
/// As [`open_file`]; [`ErrorKind::InvalidData`] for a longer file.
pub fn read_file(path: &Path, limit: u64) -> Result<Vec<u8>> {
    use std::io::Read;
    let too_long = |bytes: u64| Error::new(ErrorKind::InvalidData, format!("it has {bytes} bytes; at most {limit} are read"));
    let file = open_file(path)?;
    let len = file.metadata()?.len();
    if len > limit {
        return Err(too_long(len));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(len).unwrap_or(0));
    // One byte more shows that the file has grown.
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(too_long(bytes.len() as u64));
    }
    Ok(bytes)
}

/// As [`std::fs::read_to_string`], through [`read_file`].
///
/// # Errors
/// As [`read_file`]; [`ErrorKind::InvalidData`] for bytes that are not UTF-8.
pub fn read_text(path: &Path, limit: u64) -> Result<String> {
    String::from_utf8(read_file(path, limit)?).map_err(|_| Error::new(ErrorKind::InvalidData, "it is not text in UTF-8"))
}

/// An error for what is neither a file nor a folder.
fn check(metadata: &Metadata) -> Result<()> {
    match special(metadata.file_type()) {
        Some(what) => Err(Error::new(ErrorKind::InvalidInput, format!("it is {what}, not a file"))),
        None => Ok(()),
    }
}

#[cfg(unix)]
fn special(kind: FileType) -> Option<&'static str> {
    use std::os::unix::fs::FileTypeExt;
    if kind.is_fifo() {
        Some("a FIFO (named pipe)")
    } else if kind.is_socket() {
        Some("a socket")
    } else if kind.is_char_device() || kind.is_block_device() {
        Some("a device")
    } else {
        None
    }
}

#[cfg(not(unix))]
fn special(_kind: FileType) -> Option<&'static str> {
    None
}

/// Options with `O_NONBLOCK`: opening a FIFO then returns at once.
#[cfg(unix)]
fn without_waiting() -> OpenOptions {
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = OpenOptions::new();
    options.custom_flags(libc::O_NONBLOCK);
    options
}

#[cfg(not(unix))]
fn without_waiting() -> OpenOptions {
    OpenOptions::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder of this test's own.
    fn folder(name: &str) -> std::path::PathBuf {
        let folder = std::env::temp_dir().join(format!("maobi-guard-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        folder
    }

    #[test]
    fn files_are_read_up_to_their_limit() {
        let folder = folder("files");
        let path = folder.join("a.txt");
        std::fs::write(&path, "text").unwrap();
        assert_eq!(read_text(&path, 4).unwrap(), "text");
        let message = read_file(&path, 3).unwrap_err().to_string();
        assert_eq!(message, "it has 4 bytes; at most 3 are read");
        assert_eq!(open_file(&folder.join("none")).unwrap_err().kind(), ErrorKind::NotFound);
        std::fs::write(&path, [0xff]).unwrap();
        assert_eq!(read_text(&path, 4).unwrap_err().to_string(), "it is not text in UTF-8");
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn fifos_sockets_and_devices_are_refused_at_once() {
        let folder = folder("special");
        let (fifo, socket, link) = (folder.join("fifo"), folder.join("socket"), folder.join("link"));
        assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
        let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        std::os::unix::fs::symlink(&fifo, &link).unwrap();
        let message = |path: &Path| open_file(path).unwrap_err().to_string();
        assert_eq!(message(&fifo), "it is a FIFO (named pipe), not a file");
        assert_eq!(message(&link), "it is a FIFO (named pipe), not a file");
        assert_eq!(message(&socket), "it is a socket, not a file");
        assert_eq!(message(Path::new("/dev/zero")), "it is a device, not a file");
        // Without the first look too: nobody writes to the FIFO, and opening it returns.
        let opened = without_waiting().read(true).open(&fifo).unwrap();
        assert!(check(&opened.metadata().unwrap()).is_err());
        std::fs::remove_dir_all(folder).unwrap();
    }
}
