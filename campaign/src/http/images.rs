//! Pictures that are large, slow to read, or damaged.

use super::wire::{connect, read, request, sound};
use super::{Attack, Server, wire};
use crate::seeded::Random;
use flate2::{Compression, Crc, write::ZlibEncoder};
use std::io::Write;
use std::time::Duration;

/// The attacks.
pub const ATTACKS: &[Attack] = &[
    Attack { name: "200 large pictures at once", run: large },
    Attack { name: "20 costly pictures at once", run: costly },
    Attack { name: "picture bombs and damaged pictures", run: bombs },
];

/// What a PNG file says about its pixels.
#[derive(Clone, Copy)]
struct Form {
    width: u32,
    height: u32,
    depth: u8,
    color: u8,
}

impl Form {
    /// A PNG file of these rows, each without its filter byte; `palette` goes before the pixels.
    fn png(self, palette: &[u8], rows: impl Iterator<Item = Vec<u8>>) -> Vec<u8> {
        let mut packed = ZlibEncoder::new(Vec::new(), Compression::fast());
        for row in rows {
            // Writing to a vector does not fail.
            let _ = packed.write_all(&[0]).and_then(|()| packed.write_all(&row));
        }
        let head = [&self.width.to_be_bytes()[..], &self.height.to_be_bytes(), &[self.depth, self.color, 0, 0, 0]].concat();
        let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
        chunk(&mut file, b"IHDR", &head);
        if !palette.is_empty() {
            chunk(&mut file, b"PLTE", palette);
        }
        chunk(&mut file, b"IDAT", &packed.finish().unwrap_or_default());
        chunk(&mut file, b"IEND", b"");
        file
    }
}

fn chunk(file: &mut Vec<u8>, kind: &[u8; 4], data: &[u8]) {
    let mut sum = Crc::new();
    sum.update(kind);
    sum.update(data);
    file.extend_from_slice(&(data.len() as u32).to_be_bytes());
    file.extend_from_slice(kind);
    file.extend_from_slice(data);
    file.extend_from_slice(&sum.sum().to_be_bytes());
}

/// Sends a picture from `clients` at once. Each gets an answer: what it reads, or that the server is busy or refuses the picture.
fn at_once(server: &Server, clients: usize, picture: &[u8]) -> Result<(), String> {
    let bytes = request("POST", "/v1/recognize", "Content-Type: image/png\r\nConnection: close\r\n", picture);
    let patience = Duration::from_secs(180);
    let address = server.address;
    let ask = || -> Result<u16, String> {
        let stream = connect(address, patience);
        let mut stream = stream.map_err(|error| format!("a connection: {error}"))?;
        let sent = stream.write_all(&bytes);
        match read(&mut stream, 1, patience) {
            // A server that refuses before it has read everything closes, and its answer may be lost with the connection.
            Ok(answers) if answers.is_empty() && sent.is_err() => Ok(503),
            answers => sound("a picture", answers).map(|answers| answers[0].status),
        }
    };
    let statuses: Vec<Result<u16, String>> = std::thread::scope(|scope| {
        let clients: Vec<_> = (0..clients).map(|_| scope.spawn(ask)).collect();
        clients.into_iter().map(|client| client.join().unwrap_or_else(|_| Err("a client failed".into()))).collect()
    });
    for status in statuses {
        let status = status?;
        if ![200, 400, 413, 503, 504].contains(&status) {
            return Err(format!("a picture: status {status}"));
        }
    }
    Ok(())
}

/// 7000 × 7000 pixels of 16-bit RGBA, a file of about 2 MB.
fn large(server: &Server, random: &mut Random) -> Result<(), String> {
    let form = Form { width: 7000, height: 7000, depth: 16, color: 6 };
    let (paper, pen) = ([0xff; 8], [0, 0, 0, 0, 0, 0, 0xff, 0xff]);
    let left = 3000 + random.below(500);
    let row = |y: usize| {
        let ink = |x: usize| (left..left + 300).contains(&x) && (1000..6000).contains(&y);
        (0..7000).flat_map(|x| if ink(x) { pen } else { paper }).collect::<Vec<u8>>()
    };
    let (blank, inked) = (row(0), row(2000));
    let rows = (0..7000).map(|y| if (1000..6000).contains(&y) { inked.clone() } else { blank.clone() });
    at_once(server, 200, &form.png(&[], rows))
}

/// A grid of thin lines: a small file with tens of thousands of pieces.
fn costly(server: &Server, random: &mut Random) -> Result<(), String> {
    let form = Form { width: 2400, height: 2400, depth: 8, color: 0 };
    let step = 6 + random.below(10);
    let row = |y: usize| (0..2400).map(|x| if x % step < 2 && y % step < 4 { 0 } else { 255 }).collect();
    at_once(server, 20, &form.png(&[], (0..2400).map(row)))
}

/// Each must be refused with a 4xx, none with a 500.
fn bombs(server: &Server, random: &mut Random) -> Result<(), String> {
    let small = Form { width: 8, height: 8, depth: 8, color: 3 };
    let rows = || (0..8).map(|_| vec![0u8; 8]);
    let palettes: Vec<Vec<u8>> = [1, 2, 4, 5, 767, 769].map(|length| small.png(&vec![7; length], rows())).into();
    let sides = [(50_000, 50_000), (u32::MAX, u32::MAX), (0, 8), (1, 1 << 30)];
    let vast: Vec<Vec<u8>> = sides.map(|(width, height)| Form { width, height, ..small }.png(&[7; 3], rows())).into();
    let whole = small.png(&[7; 3], rows());
    let cut = (0..10).map(|_| whole[..random.below(whole.len() - 12)].to_vec()).collect();
    for picture in [palettes, vast, cut].concat() {
        let bytes = request("POST", "/v1/recognize", "Content-Type: image/png\r\n", &picture);
        let answers = sound("a damaged picture", wire::exchange(server.address, &bytes, 1, false))?;
        if !(200..500).contains(&answers[0].status) {
            return Err(format!("a damaged picture: status {}", answers[0].status));
        }
    }
    Ok(())
}
