//! What a data set holds: `cargo run -p maobi-data --example info -- mnist` (or fashion-mnist, builtin, a folder, a FILE.npz).

use std::process::ExitCode;
use std::time::Instant;

use maobi_data::Progress;
use maobi_data::source::{Request, Wanted, resolve};

/// Prints what is fetched, one line a file.
struct Lines;

impl Progress for Lines {
    fn start(&self, what: &str, total: Option<u64>, done: u64) {
        println!("{what}: {done} of {}", total.map_or("?".to_owned(), |total| total.to_string()));
    }

    fn message(&self, text: &str) {
        println!("{text}");
    }
}

fn main() -> ExitCode {
    let name = std::env::args().nth(1).unwrap_or_else(|| "builtin".to_owned());
    let Ok(wanted) = name.parse::<Wanted>();
    let start = Instant::now();
    let found = match resolve(&Request::new(wanted, &Lines)) {
        Ok(found) => found,
        Err(error) => {
            eprintln!("error: {error} (after {:.1} s)", start.elapsed().as_secs_f64());
            return ExitCode::FAILURE;
        }
    };
    println!("{:?} {:?} in {:.0} ms", found.origin, found.place, start.elapsed().as_secs_f64() * 1e3);
    for set in [&found.splits.train, &found.splits.test] {
        let start = Instant::now();
        let statistics = set.statistics();
        println!("{}: {} images {:?}, classes {:?}", set.name(), set.len(), set.shape(), set.class_names());
        println!("  {statistics:?} in {:.0} ms", start.elapsed().as_secs_f64() * 1e3);
    }
    for error in &found.unreadable {
        println!("left out: {error}");
    }
    ExitCode::SUCCESS
}
