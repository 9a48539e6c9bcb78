//! Pictures with what is on them: a folder by class, or a table.

use super::files::expand;
use crate::output::Console;
use anyhow::{Context, bail};
use maobi_recognize::NONE;
use std::path::{Path, PathBuf};

/// A picture and what is on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Labelled {
    /// Where it is.
    pub file: PathBuf,
    /// The class, or the characters, lines joined by `\n`; [`NONE`] for nothing.
    pub truth: String,
    /// What kind of picture it is.
    pub kind: String,
}

/// What is on pictures: a folder with a folder for each class, or a CSV file with the columns `file` (relative to it) and `label` or
/// `truth` (lines joined by a bar), and if it has them `kind`, and `certain`, which leaves out what is not `sure`. Whether something was
/// amiss, which stderr says.
///
/// `classes` are the names that may occur.
pub fn labelled(what: &Path, classes: &[String], console: Console) -> anyhow::Result<(Vec<Labelled>, bool)> {
    let (entries, failed) = if what.is_dir() { of_folder(what)? } else { (of_table(what, console)?, false) };
    if entries.is_empty() {
        bail!("{}: names no pictures", what.display());
    }
    for Labelled { file, truth, .. } in &entries {
        if !readable(truth, classes) {
            let (file, known) = (file.display(), classes.join(", "));
            bail!(
                "{}: {file} is labelled \"{truth}\"; the model knows {known}, and {NONE} is for nothing to read",
                what.display()
            );
        }
    }
    Ok((entries, failed))
}

/// Whether a text is one that the model could read.
fn readable(truth: &str, classes: &[String]) -> bool {
    let known = |name: &str| classes.iter().any(|class| class == name);
    let mut characters = truth.chars().filter(|c| *c != '\n').peekable();
    truth == NONE || known(truth) || characters.peek().is_some() && characters.all(|c| known(c.encode_utf8(&mut [0; 4])))
}

fn of_folder(folder: &Path) -> anyhow::Result<(Vec<Labelled>, bool)> {
    let (files, failed) = expand(&[folder.to_path_buf()]);
    let entries = files.into_iter().map(|file| {
        let inside = file.strip_prefix(folder).unwrap_or(&file);
        let mut parts = inside.components().map(|part| part.as_os_str().to_string_lossy().into_owned());
        match (parts.next(), parts.next()) {
            (Some(truth), Some(_)) => Ok(Labelled { file: file.clone(), truth, kind: "picture".into() }),
            _ => bail!("{}: lies in no folder named after its class", file.display()),
        }
    });
    Ok((entries.collect::<anyhow::Result<_>>()?, failed))
}

fn of_table(file: &Path, console: Console) -> anyhow::Result<Vec<Labelled>> {
    let named = || format!("{}: cannot be read as a table of pictures", file.display());
    let mut table = csv::Reader::from_path(file).with_context(named)?;
    let header = table.headers().with_context(named)?.clone();
    let column = |name: &str| header.iter().position(|title| title.trim() == name);
    let (Some(path), Some(truth)) = (column("file"), column("truth").or(column("label"))) else {
        let titles: Vec<&str> = header.iter().collect();
        bail!(
            "{}: expected a first line with the columns file and label (or truth, for several digits), got {}",
            file.display(),
            titles.join(",")
        );
    };
    let (kind, certain) = (column("kind"), column("certain"));
    let folder = file.parent().unwrap_or(Path::new("."));
    let (mut entries, mut unsure) = (Vec::new(), 0);
    for record in table.records() {
        let record = record.with_context(named)?;
        let field = |index: usize| record.get(index).unwrap_or_default().trim();
        if certain.is_some_and(|index| field(index) != "sure") {
            unsure += 1;
            continue;
        }
        let kind = kind.map_or("picture", field).to_owned();
        entries.push(Labelled { file: folder.join(field(path)), truth: field(truth).replace('|', "\n"), kind });
    }
    if unsure > 0 {
        console.say(&format!("{}: {unsure} left out, whose labels are not sure", file.display()));
    }
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_model_could_read() {
        let digits: Vec<String> = (0..10).map(|d| d.to_string()).collect();
        for (truth, can) in
            [("7", true), ("10", true), ("12\n345", true), ("none", true), ("", false), ("\n", false), ("1x", false)]
        {
            assert_eq!(readable(truth, &digits), can, "{truth:?}");
        }
        let names = ["coat".to_owned(), "bag".to_owned()];
        assert!(readable("bag", &names) && !readable("coatbag", &names) && !readable("b", &names));
    }

    #[test]
    fn tables_by_label_and_by_truth() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("list.csv");
        std::fs::write(&file, "truth, kind,file,certain\n12|3,page,a.png,sure\n4,page,b.png,no\n").unwrap();
        let digits: Vec<String> = (0..10).map(|d| d.to_string()).collect();
        let (entries, failed) = labelled(&file, &digits, Console::default()).unwrap();
        let page = Labelled { file: folder.path().join("a.png"), truth: "12\n3".into(), kind: "page".into() };
        assert_eq!((entries, failed), (vec![page], false));
    }
}
