//! The documents at the root of the repository do what they say: their commands run, their program is tested, their links lead somewhere.
//!
//! A fenced block whose info string is `console run` is executed line by line (`$ command`, then its output) in a folder that
//! holds nothing but `fixtures/`, without data sets. Output is compared line by line with every number taken as the same; `…` stands for any lines.
//! Blocks that take minutes or need cargo or data are plain `console`.

use std::fs;
use std::path::{Path, PathBuf};

const DOCUMENTS: [&str; 6] =
    ["README.md", "README.zh-CN.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "fixtures/README.md"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn document(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
}

/// Info string and lines of every fenced block.
fn blocks(text: &str) -> Vec<(String, Vec<String>)> {
    let mut blocks: Vec<(String, Vec<String>)> = Vec::new();
    let mut inside = false;
    for line in text.lines() {
        match (line.strip_prefix("```"), inside) {
            (Some(info), false) => blocks.push((info.trim().to_owned(), Vec::new())),
            (Some(_), true) => {}
            (None, true) => blocks.last_mut().expect("a block has begun").1.push(line.to_owned()),
            (None, false) => continue,
        }
        if line.starts_with("```") {
            inside = !inside;
        }
    }
    assert!(!inside, "a fenced block does not end");
    blocks
}

/// A line with its numbers made alike, and the machine's instruction set.
#[cfg(unix)]
fn shape(line: &str) -> String {
    let mut shape = String::new();
    for c in line.trim_end().chars() {
        let digit = c.is_ascii_digit() || (matches!(c, '.' | ',') && shape.ends_with('#'));
        if !digit {
            shape.push(c);
        } else if !shape.ends_with('#') {
            shape.push('#');
        }
    }
    let shape = shape.replace("scalar", "avx#").replace("# threads", "# thread");
    // A point or comma behind a number went with it, on both sides. Columns are as wide as their numbers: spaces count once.
    shape.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Whether the lines of `output` are those of `expected`, in which `…` stands for any number of lines.
#[cfg(unix)]
fn same(expected: &[String], output: &[&str]) -> bool {
    match (expected.first(), output.first()) {
        (None, None) => true,
        (Some(line), _) if line == "…" => (0..=output.len()).any(|skipped| same(&expected[1..], &output[skipped..])),
        (Some(line), Some(out)) if shape(line) == shape(out) => same(&expected[1..], &output[1..]),
        _ => false,
    }
}

#[cfg(unix)]
#[test]
fn commands_run_and_print_what_the_readme_shows() {
    use std::process::Command;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let binary = Path::new(env!("CARGO_BIN_EXE_maobi")).parent().expect("the folder of the binary");
    let path = format!("{}:{}", binary.display(), std::env::var("PATH").unwrap_or_default());
    std::os::unix::fs::symlink(root().canonicalize().expect("the root").join("fixtures"), folder.path().join("fixtures"))
        .expect("a link");
    let mut count = 0;
    for (_, lines) in blocks(&document("README.md")).iter().filter(|(info, _)| info == "console run") {
        for part in lines.chunk_by(|_, next| !next.starts_with("$ ")) {
            let (command, expected) = part.split_first().expect("a chunk has a first line");
            let command = command.strip_prefix("$ ").unwrap_or_else(|| panic!("\"{command}\" should begin with \"$ \""));
            let run = Command::new("sh")
                .args(["-c", &format!("{{ {command}\n}} 2>&1")])
                .current_dir(folder.path())
                .env("PATH", &path)
                // Neither data sets nor a cache of this machine.
                .env("HOME", folder.path())
                .env_remove("XDG_CACHE_HOME")
                .env_remove("MAOBI_DATA_DIR")
                .env_remove("MAOBI_ISA")
                .output()
                .expect("sh");
            let output = String::from_utf8_lossy(&run.stdout);
            assert!(run.status.success(), "{command}: {}\n{output}", run.status);
            let shown: Vec<&str> = output.lines().collect();
            assert!(same(expected, &shown), "{command}\nthe README shows:\n{}\nit prints:\n{output}", expected.join("\n"));
            count += 1;
        }
    }
    assert!(count >= 8, "only {count} commands are marked `console run`");
}

#[cfg(unix)]
#[test]
fn the_comparison_tells_lines_apart() {
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    assert!(same(&lines("loss 0.5, 1 s\n…\nend"), &["loss 12.25, 80 s", "more", "and more", "end"]));
    assert!(same(&lines("…"), &[]));
    assert!(!same(&lines("loss 0.5"), &["loss 0.5", "more"]));
    assert!(!same(&lines("loss 0.5"), &["accuracy 0.5"]));
    assert!(!same(&lines("loss 0.5\nmore"), &["loss 0.5"]));
}

#[test]
fn both_readmes_have_the_same_code() {
    let code = |name: &str| blocks(&document(name)).into_iter().filter(|(info, _)| info != "text").collect::<Vec<_>>();
    let (english, chinese) = (code("README.md"), code("README.zh-CN.md"));
    assert_eq!(english.len(), chinese.len(), "number of blocks");
    for (a, b) in english.iter().zip(&chinese) {
        // Comments are translated.
        let bare = |(info, lines): &(String, Vec<String>)| {
            let lines = lines.iter().map(|line| line.split(" #").next().unwrap_or_default().trim_end().to_owned());
            (info.clone(), lines.filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>())
        };
        assert_eq!(bare(a), bare(b));
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
    let tested = blocks(&doc).first().map(|(_, l)| lines(l)).expect("a doctest");
    let shown = blocks(&document("README.md")).iter().find(|(info, _)| info == "rust").map(|(_, l)| lines(l)).expect("a program");
    assert_eq!(shown, tested, "the program of README.md and the doctest of crates/maobi/src/lib.rs differ");
}

#[test]
fn every_recipe_has_a_row_in_the_table() {
    for readme in ["README.md", "README.zh-CN.md"] {
        let text = document(readme);
        for entry in fs::read_dir(root().join("recipes")).expect("recipes/") {
            let path = entry.expect("an entry").path();
            let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
            assert!(text.contains(&format!("| `{name}` |")), "{readme}: no row for the recipe {name}");
        }
    }
}

#[test]
fn links_and_paths_lead_somewhere() {
    for name in DOCUMENTS {
        let text = document(name);
        let folder = root().join(name).parent().expect("a folder").to_path_buf();
        for (link, _) in text.split("](").skip(1).map(|rest| rest.split_once(')').expect("a link ends")) {
            let file = link.split('#').next().unwrap_or_default();
            if !link.contains("://") && !file.is_empty() {
                assert!(folder.join(file).exists(), "{name}: the link {link} leads nowhere");
            }
        }
        // `crates/…`, `recipes/…`: paths from the root; NAME stands for any.
        for quoted in text.split('`').skip(1).step_by(2) {
            let path = quoted.split_whitespace().next().unwrap_or_default();
            let ours = ["crates/", "recipes/", "fixtures/", "fuzz/", ".ci/"].iter().any(|start| path.starts_with(start));
            if ours && !path.contains("NAME") && !path.contains('*') {
                assert!(root().join(path).exists(), "{name}: there is no {path}");
            }
        }
    }
}
