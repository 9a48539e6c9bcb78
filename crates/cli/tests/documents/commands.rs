//! Commands of the documents, executed.
//!
//! A block whose info string is `console run` is executed line by line (`$ command`, then its output), all blocks in one folder that
//! holds nothing but `fixtures/`, without data sets: README.md first, then the pages of the English book in their order, so that a
//! model that one page trains is there for the next. A block `toml FILE` is written to that file. `…` stands for any lines of output.
//! Blocks that take minutes or need cargo, data or Python are plain `console`.

use crate::blocks::{Block, blocks};
use crate::compare::same;
use crate::{document, pages, root};
use std::collections::HashMap;
use std::path::Path;
use std::process::Command;

/// Runs a command; it must succeed. Returns what it printed on both streams.
fn run(page: &str, command: &str, folder: &Path, path: &str) -> String {
    let run = Command::new("sh")
        .args(["-c", &format!("{{ {command}\n}} 2>&1")])
        .current_dir(folder)
        .env("PATH", path)
        // Neither data sets nor a cache of this machine.
        .env("HOME", folder)
        .env_remove("XDG_CACHE_HOME")
        .env_remove("MAOBI_DATA_DIR")
        .output()
        .expect("sh");
    let output = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success(), "{page}: {command}: {}\n{output}", run.status);
    output.into_owned()
}

#[test]
fn commands_run_and_print_what_the_documents_show() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let binary = Path::new(env!("CARGO_BIN_EXE_maobi")).parent().expect("the folder of the binary");
    let path = format!("{}:{}", binary.display(), std::env::var("PATH").unwrap_or_default());
    std::os::unix::fs::symlink(root().canonicalize().expect("the root").join("fixtures"), folder.path().join("fixtures"))
        .expect("a link");
    // What two pages show is run once: a training would refuse the folder that it has filled.
    let mut outputs: HashMap<String, String> = HashMap::new();
    let mut pages_with_commands = 0;
    for page in std::iter::once("README.md".to_owned()).chain(pages("en")) {
        let mut commands = 0;
        for Block { info, lines } in blocks(&document(&page)) {
            if let Some(file) = info.strip_prefix("toml ") {
                std::fs::write(folder.path().join(file), lines.join("\n")).expect("a file");
            }
            for chunk in lines.chunk_by(|_, next| !next.starts_with("$ ")).filter(|_| info == "console run") {
                let (command, expected) = chunk.split_first().expect("a chunk has a first line");
                let command =
                    command.strip_prefix("$ ").unwrap_or_else(|| panic!("{page}: \"{command}\" should begin with \"$ \""));
                let output = outputs.entry(command.to_owned()).or_insert_with(|| run(&page, command, folder.path(), &path));
                let shown: Vec<&str> = output.lines().collect();
                let matches = same(expected, &shown);
                assert!(matches, "{page}: {command}\nis shown with:\n{}\nand prints:\n{output}", expected.join("\n"));
                commands += 1;
            }
        }
        pages_with_commands += usize::from(commands > 0);
    }
    assert!(pages_with_commands >= 9, "only {pages_with_commands} documents have a block marked `console run`");
}
