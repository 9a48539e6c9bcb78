//! A Chinese text has the code, the headings, the tables and the figures of the English one.

use crate::blocks::{blocks, prose};
use crate::{document, pages, twins_of_all};

#[test]
fn both_books_have_the_same_pages() {
    let names =
        |language: &str| pages(language).iter().map(|page| page.replace(&format!("docs/{language}/"), "")).collect::<Vec<_>>();
    assert_eq!(names("en"), names("zh"));
}

#[test]
fn both_languages_have_the_same_code() {
    for (english, chinese) in twins_of_all() {
        // Comments, and folders drawn as text, are translated.
        let code = |name: &str| {
            let code = blocks(&document(name)).into_iter().filter(|block| block.info != "text");
            let bare = |line: &String| line.split(" #").next().unwrap_or_default().trim_end().to_owned();
            let kept = |line: &String| !line.trim_start().starts_with("//") && !line.trim_start().starts_with("# ");
            code.map(|block| (block.info, block.lines.iter().map(bare).filter(kept).collect::<Vec<_>>())).collect::<Vec<_>>()
        };
        let (a, b) = (code(&english), code(&chinese));
        assert_eq!(a.len(), b.len(), "number of blocks of {english} and {chinese}");
        for (a, b) in a.iter().zip(&b) {
            assert_eq!(a, b, "{english} and {chinese}");
        }
    }
}

/// Numbers of each cell of a table's row, sorted, since a sentence may have them in another order.
fn numbers(row: &str) -> Vec<Vec<String>> {
    let cell = |cell: &str| {
        let pieces = cell.split(|c: char| !c.is_ascii_digit() && c != '.' && c != ',');
        let mut numbers: Vec<String> = pieces.map(|number| number.trim_matches(['.', ',']).replace(',', "")).collect();
        numbers.retain(|number| !number.is_empty());
        numbers.sort();
        numbers
    };
    row.split('|').map(cell).collect()
}

#[test]
fn both_languages_have_the_same_tables_and_headings() {
    for (english, chinese) in twins_of_all() {
        let (english_text, chinese_text) = (document(&english), document(&chinese));
        let rows =
            |text: &str| prose(text).iter().filter(|line| line.starts_with('|')).map(|row| numbers(row)).collect::<Vec<_>>();
        let (a, b) = (rows(&english_text), rows(&chinese_text));
        assert_eq!(a.len(), b.len(), "rows of tables in {english} and {chinese}");
        for (a, b) in a.iter().zip(&b) {
            assert_eq!(a, b, "a row of a table in {english} and in {chinese}");
        }
        let levels = |text: &str| {
            let headings = prose(text).into_iter().filter(|line| line.starts_with('#'));
            headings.map(|line| line.bytes().take_while(|c| *c == b'#').count()).collect::<Vec<_>>()
        };
        assert_eq!(levels(&english_text), levels(&chinese_text), "headings of {english} and {chinese}");
    }
}

/// Chinese has no spaces between words: a line break within a paragraph shows as one.
#[test]
fn chinese_paragraphs_are_one_line() {
    for (_, chinese) in twins_of_all() {
        let text = document(&chinese);
        let starts_anew = |line: &str| {
            let line = line.trim_start();
            let numbered = line.split_once(". ").is_some_and(|(number, _)| number.parse::<u32>().is_ok());
            numbered || line.is_empty() || ["- ", "|", "#", ">", "!", "["].iter().any(|start| line.starts_with(start))
        };
        for pair in prose(&text).windows(2) {
            let broken = !pair[0].trim().is_empty() && !pair[0].starts_with('#') && !starts_anew(pair[1]);
            assert!(!broken, "{chinese}: a paragraph goes on in the next line:\n{}\n{}", pair[0], pair[1]);
        }
    }
}
