//! Names that come from files and users, made safe to print.

use std::borrow::Cow;

/// The text on one line, with nothing in it that a terminal or a log would obey: control characters, line and paragraph separators and
/// changes of the writing direction become escapes such as `\n` and `\u{1b}`. All other text stays as it is, backslashes too.
pub fn escaped(text: &str) -> Cow<'_, str> {
    if !text.contains(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if is_unsafe(c) { safe.extend(c.escape_default()) } else { safe.push(c) }
    }
    Cow::Owned(safe)
}

fn is_unsafe(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_obeys_is_escaped() {
        assert_eq!(escaped("a\nb\r\t\u{1b}[31m\u{7f}\u{9b}2J"), "a\\nb\\r\\t\\u{1b}[31m\\u{7f}\\u{9b}2J");
        assert_eq!(escaped("gnp\u{202e}exe"), "gnp\\u{202e}exe");
        for text in ["", "runs/tf2-cnn-1", "C:\\data\\n", "毛笔 ‘é’ 1–2 …"] {
            assert!(matches!(escaped(text), Cow::Borrowed(same) if same == text), "{text}");
        }
    }
}
