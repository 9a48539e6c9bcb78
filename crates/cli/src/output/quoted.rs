//! Paths in commands that a user can copy.

use std::path::Path;

/// A path as a shell takes it: as it is where it needs no quotes.
pub fn quoted(path: &Path) -> String {
    let path = path.to_string_lossy();
    let plain = |c: char| c.is_alphanumeric() || "/._-+,=:@%".contains(c);
    if !path.is_empty() && path.chars().all(plain) {
        path.into_owned()
    } else if path.contains(char::is_control) {
        // The form for control characters, which bash, zsh and ksh know.
        let escape = |c: char| match c {
            '\'' | '\\' => format!("\\{c}"),
            c if c.is_ascii_control() => format!("\\x{:02x}", u32::from(c)),
            c if c.is_control() => format!("\\u{:04x}", u32::from(c)),
            c => c.to_string(),
        };
        format!("$'{}'", path.chars().map(escape).collect::<String>())
    } else {
        format!("'{}'", path.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_quoted_where_needed() {
        for (path, shown) in [
            ("runs/a-1", "runs/a-1"),
            ("my runs/it's", "'my runs/it'\\''s'"),
            ("", "''"),
            ("a\nb'\u{1b}\\", "$'a\\x0ab\\'\\x1b\\\\'"),
            ("毛笔", "毛笔"),
            ("$(x)", "'$(x)'"),
        ] {
            assert_eq!(quoted(Path::new(path)), shown);
        }
    }
}
