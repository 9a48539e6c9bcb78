//! Links and paths in the documents lead somewhere.

use crate::blocks::prose;
use crate::{document, pages, root};

/// Documents beside the two books.
const DOCUMENTS: [&str; 12] = [
    "README.md",
    "README.zh-CN.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "fixtures/README.md",
    "docs/en/SUMMARY.md",
    "docs/zh/SUMMARY.md",
    "docs/fuzzing.md",
    "docs/reading.md",
    "docs/reliability.md",
    "docs/upstream.md",
];

/// Targets of the links of a text: `[words](target)` and `![words](target)`.
pub fn targets(text: &str) -> Vec<String> {
    let prose = prose(text).join("\n");
    prose.split("](").skip(1).map(|rest| rest.split(')').next().unwrap_or_default().to_owned()).collect()
}

/// The name that a heading has in links, as GitHub and mdBook make it.
fn anchor(heading: &str) -> String {
    let kept = heading.to_lowercase();
    kept.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_')).map(|c| if c == ' ' { '-' } else { c }).collect()
}

fn has_heading(text: &str, name: &str) -> bool {
    prose(text).iter().filter_map(|line| line.strip_prefix('#')).any(|line| anchor(line.trim_start_matches('#').trim()) == name)
}

#[test]
fn links_and_paths_lead_somewhere() {
    let books = pages("en").into_iter().chain(pages("zh"));
    for name in DOCUMENTS.into_iter().map(str::to_owned).chain(books) {
        let text = document(&name);
        let folder = root().join(&name).parent().expect("a folder").to_path_buf();
        for link in targets(&text) {
            // The state of the tests is a page of the site that shows the repository, not a file.
            if link.contains("://") || link.starts_with("../../actions/") {
                continue;
            }
            let (file, heading) = link.split_once('#').unwrap_or((&link, ""));
            let path = if file.is_empty() { root().join(&name) } else { folder.join(file) };
            assert!(path.exists(), "{name}: the link {link} leads nowhere");
            if !heading.is_empty() {
                let target = std::fs::read_to_string(&path).expect("a text");
                assert!(has_heading(&target, heading), "{name}: the link {link} names a heading that does not exist");
            }
        }
        // `crates/…`, `recipes/…`: paths from the root; NAME stands for any.
        for quoted in text.split('`').skip(1).step_by(2) {
            let path = quoted.split_whitespace().next().unwrap_or_default().trim_end_matches([',', ';', ')']);
            let starts = ["crates/", "recipes/", "fixtures/", "fuzz/", "bench/", "campaign/", "docs/", ".ci/", ".github/"];
            let ours = starts.iter().any(|start| path.starts_with(start));
            if ours && !path.contains("NAME") && !path.contains(['*', '{']) {
                assert!(root().join(path).exists(), "{name}: there is no {path}");
            }
        }
    }
}

#[test]
fn headings_are_found_by_their_names() {
    assert!(has_heading("# A\n\n## The page, `here`!\n", "the-page-here"));
    assert!(!has_heading("# A\n\n```\n## code\n```\n", "code"));
    assert!(has_heading("## 识别自己的图片\n", "识别自己的图片"));
}
