//! Figures of the documents are the measured ones, and the README stays short.

use crate::blocks::{blocks, prose};
use crate::{document, root};
use std::fs;

#[test]
fn the_readmes_are_short() {
    for readme in ["README.md", "README.zh-CN.md"] {
        let lines = document(readme).lines().count();
        assert!(lines <= 150, "{readme} has {lines} lines; 150 are allowed. What is longer belongs into docs/");
    }
}

#[test]
fn the_program_is_the_doctest_of_the_library() {
    let library = document("crates/maobi/src/lib.rs");
    let doc: String = library
        .lines()
        .filter_map(|line| line.strip_prefix("//!"))
        .map(|l| format!("{}\n", l.strip_prefix(' ').unwrap_or(l)))
        .collect();
    let lines = |lines: &[String]| -> Vec<String> {
        // The doctest hides the lines of `main` behind a "# ".
        lines
            .iter()
            .map(|line| line.trim().strip_prefix("# ").unwrap_or(line.trim()).to_owned())
            .filter(|line| !line.is_empty())
            .collect()
    };
    let tested = blocks(&doc).first().map(|block| lines(&block.lines)).expect("a doctest");
    let shown = blocks(&document("README.md")).iter().find(|block| block.info == "rust").map(|block| lines(&block.lines));
    assert_eq!(shown.expect("a program"), tested, "the program of README.md and the doctest of crates/maobi/src/lib.rs differ");
}

#[test]
fn every_recipe_has_a_row_in_the_table() {
    for page in ["docs/en/recipes.md", "docs/zh/recipes.md"] {
        let text = document(page);
        for entry in fs::read_dir(root().join("recipes")).expect("recipes/") {
            let path = entry.expect("an entry").path();
            let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
            assert!(text.contains(&format!("| `{name}` |")), "{page}: no row for the recipe {name}");
        }
    }
}

/// The accuracies that README.md shows for a recipe are those of the full table.
#[test]
fn accuracies_of_the_readme_are_those_of_the_book() {
    let book = document("docs/en/recipes.md");
    let mut found = 0;
    for line in prose(&document("README.md")) {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        for (i, cell) in cells.iter().enumerate() {
            let Some((name, _)) = cell.strip_prefix('`').and_then(|rest| rest.split_once('`')) else { continue };
            let Some(accuracy) = cells.get(i + 2).filter(|accuracy| accuracy.starts_with("0.")) else { continue };
            let row =
                book.lines().find(|row| row.starts_with(&format!("| `{name}` |"))).unwrap_or_else(|| panic!("no row for {name}"));
            assert!(row.contains(accuracy), "README.md says {accuracy} for {name}, docs/en/recipes.md says:\n{row}");
            found += 1;
        }
    }
    assert!(found >= 8, "only {found} accuracies were found in README.md");
}

/// Speeds of README.md and of the page on performance are figures of bench/RESULTS.md.
#[test]
fn speeds_are_those_of_the_results() {
    let results = document("bench/RESULTS.md");
    let mut compared = 0;
    for page in ["README.md", "docs/en/performance.md"] {
        let text = document(page);
        let tables = prose(&text);
        let rows = tables.iter().map(|row| row.split('|').map(|cell| cell.trim().trim_matches('*')).collect::<Vec<_>>());
        // The name of the row, and figures of six networks.
        let is_figure = |cell: &&str| !cell.is_empty() && cell.chars().all(|c| c.is_ascii_digit() || matches!(c, ',' | '.'));
        for cells in rows.filter(|cells| cells.len() == 9 && cells[2..8].iter().all(is_figure)) {
            for figure in &cells[2..8] {
                let known = results.split(['|', ' ', '*']).any(|word| word == *figure);
                assert!(known, "{page}: {figure} is not in bench/RESULTS.md");
                compared += 1;
            }
        }
    }
    assert!(compared >= 100, "only {compared} figures were found");
}
