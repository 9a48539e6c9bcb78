//! The documents do what they say: their commands run and print what is shown, links and files exist, figures are those that were
//! measured, and the Chinese texts have the same commands and figures as the English ones.
//!
//! - `commands`: blocks marked `console run` of README.md and of every page of the English book are executed.
//! - `compare`: which numbers of their output must be equal, which may differ and by how much.
//! - `twins`: a Chinese text has the code and the figures of its English one.
//! - `links`: links, headings and paths lead somewhere.
//! - `figures`: README.md is short; tables hold the recipes there are and the figures of bench/RESULTS.md.

mod blocks;
#[cfg(unix)]
mod commands;
#[cfg(unix)]
mod compare;
mod figures;
mod links;
mod twins;

use std::fs;
use std::path::{Path, PathBuf};

/// The root of the repository.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The text of a file, by its path from the root.
fn document(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
}

/// Paths of the pages of the book in `language` (`en` or `zh`), in the order of its SUMMARY.md.
fn pages(language: &str) -> Vec<String> {
    let folder = format!("docs/{language}");
    let listed = links::targets(&document(&format!("{folder}/SUMMARY.md")));
    let pages: Vec<String> = listed.iter().map(|page| format!("{folder}/{page}")).collect();
    for entry in fs::read_dir(root().join(&folder)).expect("the folder of the book") {
        let name = entry.expect("an entry").file_name().to_string_lossy().into_owned();
        let known = name == "SUMMARY.md" || pages.contains(&format!("{folder}/{name}"));
        assert!(known || !name.ends_with(".md"), "{folder}/{name} is not in SUMMARY.md");
    }
    pages
}

/// README.md and the pages of the English book, each with its Chinese text.
fn twins_of_all() -> Vec<(String, String)> {
    let mut all = vec![("README.md".to_owned(), "README.zh-CN.md".to_owned())];
    all.extend(pages("en").into_iter().zip(pages("zh")));
    all
}
