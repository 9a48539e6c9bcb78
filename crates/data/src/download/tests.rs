use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};

use super::*;
use crate::progress::Silent;

/// What a test server does with one request.
#[derive(Clone)]
enum Act {
    /// Sends the file, honouring ranges.
    Serve(Vec<u8>),
    /// Sends the file, from the start whatever was asked.
    IgnoreRange(Vec<u8>),
    /// Announces the file, honouring ranges, but hangs up after so many bytes.
    Cut(Vec<u8>, usize),
    /// Sends a body without a length.
    Unbounded(usize),
    /// Sends the head, then nothing.
    Stall,
    /// Answers with this status.
    Status(u16),
}

/// A server on 127.0.0.1 that follows a script, the last act for ever; it notes the ranges asked for.
struct Server {
    address: String,
    asked: Arc<Mutex<Vec<Option<usize>>>>,
}

impl Server {
    fn new(acts: Vec<Act>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}/", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let notes = Arc::clone(&asked);
        std::thread::spawn(move || {
            for (index, stream) in listener.incoming().enumerate() {
                let act = acts[index.min(acts.len() - 1)].clone();
                // A client that hangs up early is part of some tests.
                let _ = answer(stream.unwrap(), act, &notes);
            }
        });
        Server { address, asked }
    }

    fn asked(&self) -> Vec<Option<usize>> {
        self.asked.lock().unwrap().clone()
    }
}

fn answer(mut stream: TcpStream, act: Act, notes: &Mutex<Vec<Option<usize>>>) -> std::io::Result<()> {
    let mut range = None;
    for line in BufReader::new(stream.try_clone()?).lines() {
        let line = line?.to_ascii_lowercase();
        if let Some(from) = line.strip_prefix("range: bytes=") {
            range = from.trim_end_matches('-').parse().ok();
        }
        if line.is_empty() {
            break;
        }
    }
    notes.lock().unwrap().push(range);
    let mut head = |text: String| stream.write_all(format!("HTTP/1.1 {text}\r\nConnection: close\r\n\r\n").as_bytes());
    match (act, range) {
        (Act::Status(status), _) => head(format!("{status} Told so\r\nContent-Length: 0")),
        (Act::Serve(file), Some(from)) if from >= file.len() => head("416 No\r\nContent-Length: 0".into()),
        (Act::Serve(file), Some(from)) => {
            let (length, last) = (file.len() - from, file.len() - 1);
            head(format!("206 Part\r\nContent-Length: {length}\r\nContent-Range: bytes {from}-{last}/{}", file.len()))?;
            stream.write_all(&file[from..])
        }
        (Act::Serve(file), None) | (Act::IgnoreRange(file), _) => {
            head(format!("200 OK\r\nContent-Length: {}", file.len()))?;
            stream.write_all(&file)
        }
        (Act::Cut(file, most), from) => {
            let from = from.unwrap_or(0);
            let (length, last) = (file.len() - from, file.len() - 1);
            let status = if from > 0 { "206 Part" } else { "200 OK" };
            head(format!("{status}\r\nContent-Length: {length}\r\nContent-Range: bytes {from}-{last}/{}", file.len()))?;
            stream.write_all(&file[from..(from + most).min(file.len())])
        }
        (Act::Unbounded(length), _) => {
            head("200 OK".into())?;
            stream.write_all(&vec![7; length])
        }
        (Act::Stall, _) => {
            head("200 OK\r\nContent-Length: 100".into())?;
            std::thread::sleep(Duration::from_secs(5));
            Ok(())
        }
    }
}

/// Bytes that gzip cannot shrink much, their packed form, and the digest of the unpacked.
fn sample() -> (Vec<u8>, Vec<u8>, String) {
    let mut state = 1u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    let bytes: Vec<u8> = (0..300_000).map(|_| next()).collect();
    let packed = pack(&bytes);
    let digest = hex(&bytes);
    (bytes, packed, digest)
}

fn pack(bytes: &[u8]) -> Vec<u8> {
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

fn hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect()
}

fn fetch(servers: &[&Server], check: Check<'_>, folder: &Path) -> Result<(), DataError> {
    let timeouts = Timeouts { connect: Duration::from_secs(2), stall: Duration::from_millis(300) };
    let mirrors: Vec<String> = servers.iter().map(|server| server.address.clone()).collect();
    let file = Remote { name: "f", length: 300_000, check };
    Downloader::with(&Silent, timeouts, false).fetch("set", &[file], &mirrors, folder)
}

/// Names in a folder, the lock left out.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.retain(|name| name != ".lock");
    names.sort();
    names
}

#[test]
fn a_sound_mirror_delivers_and_is_not_asked_twice() {
    let (bytes, packed, digest) = sample();
    let folder = tempfile::tempdir().unwrap();
    let server = Server::new(vec![Act::Serve(packed.clone())]);
    fetch(&[&server], Check::Unpacked(&digest), folder.path()).unwrap();
    assert_eq!(fs::read(folder.path().join("f")).unwrap(), bytes);
    fetch(&[&server], Check::Unpacked(&digest), folder.path()).unwrap();
    assert_eq!(server.asked(), [None]);
    assert_eq!(names(folder.path()), ["f"]);
    fs::remove_file(folder.path().join("f")).unwrap();
    fetch(&[&server], Check::Packed(&hex(&packed)), folder.path()).unwrap();
    assert_eq!(fs::read(folder.path().join("f")).unwrap(), bytes);
}

#[test]
fn a_part_left_by_another_run_is_gone_on_from() {
    let (bytes, packed, digest) = sample();
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("f.gz.part"), &packed[..1000]).unwrap();
    let server = Server::new(vec![Act::Serve(packed.clone())]);
    fetch(&[&server], Check::Unpacked(&digest), folder.path()).unwrap();
    assert_eq!(server.asked(), [Some(1000)]);
    assert_eq!(fs::read(folder.path().join("f")).unwrap(), bytes);

    // A server without ranges sends it all again.
    fs::remove_file(folder.path().join("f")).unwrap();
    fs::write(folder.path().join("f.gz.part"), &packed[..1000]).unwrap();
    let server = Server::new(vec![Act::IgnoreRange(packed.clone())]);
    fetch(&[&server], Check::Unpacked(&digest), folder.path()).unwrap();
    assert_eq!((names(folder.path()), server.asked()), (vec!["f".to_string()], vec![Some(1000)]));

    // The run was ended between the last byte and the unpacking.
    fs::remove_file(folder.path().join("f")).unwrap();
    fs::write(folder.path().join("f.gz.part"), &packed).unwrap();
    let server = Server::new(vec![Act::Serve(packed.clone())]);
    fetch(&[&server], Check::Unpacked(&digest), folder.path()).unwrap();
    assert_eq!((names(folder.path()), server.asked()), (vec!["f".to_string()], vec![Some(packed.len())]));
}

#[test]
fn a_part_that_is_garbage_is_thrown_away_and_all_fetched_anew() {
    let (_, packed, digest) = sample();
    let folder = tempfile::tempdir().unwrap();
    for length in [1000, 310_000] {
        fs::write(folder.path().join("f.gz.part"), vec![7; length]).unwrap();
        let server = Server::new(vec![Act::Serve(packed.clone())]);
        fetch(&[&server], Check::Unpacked(&digest), folder.path()).unwrap();
        assert_eq!((names(folder.path()), server.asked()), (vec!["f".to_string()], vec![Some(length), None]));
        fs::remove_file(folder.path().join("f")).unwrap();
    }
}

#[test]
fn a_transfer_that_breaks_off_goes_on_where_it_broke() {
    let (bytes, packed, digest) = sample();
    let folder = tempfile::tempdir().unwrap();
    let server = Server::new(vec![Act::Cut(packed.clone(), 100_000), Act::Cut(packed.clone(), 50_000), Act::Serve(packed)]);
    fetch(&[&server], Check::Unpacked(&digest), folder.path()).unwrap();
    assert_eq!(fs::read(folder.path().join("f")).unwrap(), bytes);
    assert_eq!(server.asked(), [None, Some(100_000), Some(150_000)]);
}

#[test]
fn bad_mirrors_are_passed_over() {
    let (bytes, packed, digest) = sample();
    let other = pack(&vec![1; 300_000]);
    let bad = [
        Act::Status(403),
        Act::Status(404),
        Act::Status(500),
        Act::Serve(other),
        Act::Serve(b"<html>moved</html>".to_vec()),
        Act::Serve(packed[..packed.len() - 9].to_vec()),
        Act::Serve(pack(&bytes[1..])),
        Act::Serve(Vec::new()),
        Act::Serve(vec![7; 2_000_000]),
        Act::Unbounded(2_000_000),
        Act::Stall,
    ];
    for (index, act) in bad.into_iter().enumerate() {
        let folder = tempfile::tempdir().unwrap();
        let (first, second) = (Server::new(vec![act]), Server::new(vec![Act::Serve(packed.clone())]));
        let result = fetch(&[&first, &second], Check::Unpacked(&digest), folder.path());
        assert!(result.is_ok(), "bad mirror {index}: {}", result.unwrap_err());
        assert_eq!(fs::read(folder.path().join("f")).unwrap(), bytes, "bad mirror {index}");
        assert_eq!(names(folder.path()), ["f"], "bad mirror {index}");
    }
}

#[test]
fn when_no_mirror_delivers_each_is_named_and_nothing_is_left() {
    let (_, packed, digest) = sample();
    let folder = tempfile::tempdir().unwrap();
    let servers = [Server::new(vec![Act::Status(403)]), Server::new(vec![Act::Serve(pack(b"no"))])];
    let error = fetch(&[&servers[0], &servers[1]], Check::Unpacked(&digest), folder.path()).unwrap_err().to_string();
    assert!(error.starts_with("set: f.gz: no mirror delivered it (http://127.0.0.1:"), "{error}");
    assert!(error.contains("/f.gz: answers 403 Forbidden; http://127"), "{error}");
    assert!(error.contains("unpacks to 2 bytes, not 300000"), "{error}");
    assert!(names(folder.path()).is_empty());
    let error = fetch(&[&Server::new(vec![Act::Serve(packed)])], Check::Packed("00"), folder.path()).unwrap_err().to_string();
    assert!(error.contains("SHA-256 of the packed file is "), "{error}");
}

#[test]
fn a_machine_that_is_offline_is_told_so_quickly() {
    // A port where nobody listens.
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mirrors = [format!("http://{address}/"), "http://host.invalid/".to_owned()];
    let folder = tempfile::tempdir().unwrap();
    let start = Instant::now();
    let file = Remote { name: "f", length: 1, check: Check::Unpacked("") };
    let timeouts = Timeouts { connect: Duration::from_secs(2), stall: Duration::from_secs(1) };
    let error = Downloader::with(&Silent, timeouts, false).fetch("set", &[file], &mirrors, folder.path()).unwrap_err();
    assert!(matches!(error, DataError::Offline { .. }), "{error}");
    assert!(start.elapsed() < Duration::from_secs(8));
}

#[test]
fn many_at_once_fetch_one_file_once() {
    let (bytes, packed, digest) = sample();
    let folder = tempfile::tempdir().unwrap();
    let server = Server::new(vec![Act::Serve(packed)]);
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| fetch(&[&server], Check::Unpacked(&digest), folder.path()).unwrap());
        }
    });
    assert_eq!(server.asked().len(), 1);
    assert_eq!(fs::read(folder.path().join("f")).unwrap(), bytes);
}

#[test]
fn the_table_of_mnist_is_that_of_the_true_files() {
    let folder = tempfile::tempdir().unwrap();
    for file in files(crate::DatasetName::Mnist) {
        let Some(packed) = maobi_testing::data(&format!("mnist/{}.gz", file.name)) else { continue };
        assert!(unpack::unpack(&packed, file, &folder.path().join(file.name)).is_ok(), "{}", file.name);
    }
}
