//! Names that come from files and users, made safe to print.

use std::borrow::Cow;

/// Characters of a line that a message shows.
const LONGEST_LINE: usize = 100;

/// The text on one line, with nothing in it that a terminal or a log would obey: control characters, line and paragraph separators and
/// changes of the writing direction become escapes such as `\n` and `\u{1b}`. All other text stays as it is, backslashes too.
pub fn escaped(text: &str) -> Cow<'_, str> {
    with_escapes(text, |c, safe| safe.extend(c.escape_default()))
}

/// The same for a line of JSON, which stays valid JSON with the same content: JSON's writers leave DEL and U+0080 to U+009F as they are.
pub fn escaped_json(json: &str) -> Cow<'_, str> {
    with_escapes(json, |c, safe| safe.push_str(&format!("\\u{:04x}", u32::from(c))))
}

fn with_escapes(text: &str, escape: impl Fn(char, &mut String)) -> Cow<'_, str> {
    if !text.contains(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 8);
    text.chars().for_each(|c| if is_unsafe(c) { escape(c, &mut safe) } else { safe.push(c) });
    Cow::Owned(safe)
}

/// `" (did you mean \"Dense\"?)"` where a known name is what a slip of the keyboard may have become `name`, and otherwise nothing.
pub fn did_you_mean<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let plain = |name: &str| name.to_ascii_lowercase().replace(['_', '-'], "");
    let slips = |known: &str| strsim::osa_distance(&plain(name), &plain(known));
    let nearest = known.into_iter().map(|known| (slips(known), known)).min_by_key(|(slips, _)| *slips);
    match nearest {
        // One slip in three letters, at most three in all.
        Some((slips, known)) if slips <= (name.chars().count() / 3).min(3) => format!(" (did you mean \"{known}\"?)"),
        _ => String::new(),
    }
}

/// A parser's message on one line, with its place in `text` (a byte) and the line that stands there, cut where it is long:
/// `line 3, column 8: expected a value in "loss = "`.
pub fn with_place(text: &str, at: Option<usize>, message: &str) -> String {
    let message = message.trim().replace('\n', ", ");
    let Some(before) = at.and_then(|at| text.get(..at)) else { return message };
    let start = before.rfind('\n').map_or(0, |end| end + 1);
    let line = text[start..].lines().next().unwrap_or_default();
    let shown: String = line.chars().take(LONGEST_LINE).collect();
    let (number, column) = (before.matches('\n').count() + 1, before[start..].chars().count() + 1);
    format!("line {number}, column {column}: {message} in \"{}\"", shown.trim())
}

fn is_unsafe(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_meant() {
        let known = ["Dense", "Conv2D", "MaxPooling2D"];
        assert_eq!(did_you_mean("Densse", known), " (did you mean \"Dense\"?)");
        assert_eq!(did_you_mean("conv_2d", known), " (did you mean \"Conv2D\"?)");
        assert_eq!(did_you_mean("MaxPoling2D", known), " (did you mean \"MaxPooling2D\"?)");
        assert_eq!(did_you_mean("LSTM", known), "");
        assert_eq!(did_you_mean("", known), "");
    }

    #[test]
    fn what_a_terminal_obeys_is_escaped() {
        assert_eq!(escaped("a\nb\r\t\u{1b}[31m\u{7f}\u{9b}2J"), "a\\nb\\r\\t\\u{1b}[31m\\u{7f}\\u{9b}2J");
        assert_eq!(escaped("gnp\u{202e}exe"), "gnp\\u{202e}exe");
        assert_eq!(escaped_json("{\"a\":\"\u{9b}\u{202e}\\n\"}"), "{\"a\":\"\\u009b\\u202e\\n\"}");
        for text in ["", "runs/tf2-cnn-1", "C:\\data\\n", "毛笔 ‘é’ 1–2 …"] {
            assert!(matches!(escaped(text), Cow::Borrowed(same) if same == text), "{text}");
        }
    }

    #[test]
    fn a_place_is_a_line_and_a_column() {
        let text = "a = 1\n  é = [\n";
        assert_eq!(with_place(text, text.find('['), "no\nend"), "line 2, column 7: no, end in \"é = [\"");
        assert_eq!(with_place(text, Some(0), "x"), "line 1, column 1: x in \"a = 1\"");
        assert_eq!(with_place(text, Some(text.len()), "x"), "line 3, column 1: x in \"\"");
        // No place, one in the middle of a letter, one behind the text.
        for at in [None, text.find('é').map(|at| at + 1), Some(99)] {
            assert_eq!(with_place(text, at, "x\n"), "x");
        }
    }
}
