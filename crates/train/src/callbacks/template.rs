//! File names with figures in them, in the notation of Python's `str.format`: `{epoch:04d}`, `{val_loss:.3f}`, `{batch}`.

use crate::error::{Error, Result};
use std::fmt::Write;

/// Longest field and most decimals; file names end at 255 bytes.
const LIMIT: usize = 64;

/// A figure of a file name.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Figure {
    Count(u64),
    Number(f64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// No letter: a count as it is, a number in its shortest form.
    Plain,
    /// `d`.
    Count,
    /// `f`.
    Fixed,
    /// `e`.
    Exponent,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Field { name: String, zeros: bool, width: usize, decimals: Option<usize>, kind: Kind },
}

/// A file name with fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Template {
    text: String,
    parts: Vec<Part>,
}

impl Template {
    /// Reads a template; `{{` and `}}` stand for braces.
    pub(super) fn parse(text: &str) -> Result<Template> {
        let bad = |what: String| Error::argument("filepath", format!("\"{text}\": {what}"));
        let (mut parts, mut plain, mut rest) = (Vec::new(), String::new(), text);
        while let Some(at) = rest.find(['{', '}']) {
            plain.push_str(&rest[..at]);
            rest = &rest[at..];
            if rest.starts_with("{{") || rest.starts_with("}}") {
                plain.push_str(&rest[..1]);
                rest = &rest[2..];
                continue;
            }
            let inside = rest.strip_prefix('{').ok_or_else(|| bad("a } without its {; write }} for a brace".into()))?;
            let end = inside.find('}').ok_or_else(|| bad("a { without its }; write {{ for a brace".into()))?;
            if !plain.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut plain)));
            }
            parts.push(field(&inside[..end]).map_err(bad)?);
            rest = &inside[end + 1..];
        }
        plain.push_str(rest);
        if !plain.is_empty() {
            parts.push(Part::Text(plain));
        }
        Ok(Template { text: text.into(), parts })
    }

    /// The name with its figures.
    ///
    /// # Errors
    /// A field that `figures` does not have (the message lists those it has), and `d` for a figure that is no whole number.
    pub(super) fn fill(&self, figures: &[(&str, Figure)]) -> Result<String> {
        let mut out = String::new();
        for part in &self.parts {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Field { name, zeros, width, decimals, kind } => {
                    let Some((_, figure)) = figures.iter().find(|(known, _)| known == name) else {
                        let known: Vec<&str> = figures.iter().map(|(known, _)| *known).collect();
                        let message =
                            format!("\"{}\": there is no {{{name}}} to fill in; known are {}", self.text, known.join(", "));
                        return Err(Error::argument("filepath", message));
                    };
                    let digits = digits(*figure, *decimals, *kind).ok_or_else(|| {
                        let message = format!("\"{}\": {{{name}}} is no whole number; write e.g. {{{name}:.3f}}", self.text);
                        Error::argument("filepath", message)
                    })?;
                    pad(&mut out, &digits, *zeros, *width);
                }
            }
        }
        Ok(out)
    }
}

/// What stands between the braces.
fn field(inside: &str) -> std::result::Result<Part, String> {
    let (name, form) = inside.split_once(':').unwrap_or((inside, ""));
    if name.is_empty() || !name.chars().all(|c| c.is_alphanumeric() || c == '_') {
        return Err(format!("{{{inside}}} does not name a figure; write e.g. {{epoch:04d}}"));
    }
    let bad = || format!("the format \"{form}\" of {{{inside}}} is not known; known are e.g. 04d, .3f, 8.3f and .2e");
    let (body, kind) = match form.chars().last() {
        Some('d') => (&form[..form.len() - 1], Kind::Count),
        Some('f' | 'F') => (&form[..form.len() - 1], Kind::Fixed),
        Some('e') => (&form[..form.len() - 1], Kind::Exponent),
        _ => (form, Kind::Plain),
    };
    let (width, decimals) = match body.split_once('.') {
        None => (body, None),
        Some((width, decimals)) => (width, Some(number(decimals).ok_or_else(bad)?)),
    };
    let zeros = width.len() > 1 && width.starts_with('0');
    let width = if width.is_empty() { 0 } else { number(width).ok_or_else(bad)? };
    if decimals.is_some() && matches!(kind, Kind::Count | Kind::Plain) {
        return Err(bad());
    }
    Ok(Part::Field { name: name.into(), zeros, width, decimals, kind })
}

fn number(text: &str) -> Option<usize> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|n| digits && *n <= LIMIT)
}

fn digits(figure: Figure, decimals: Option<usize>, kind: Kind) -> Option<String> {
    let value = match figure {
        Figure::Count(n) => n as f64,
        Figure::Number(x) => x,
    };
    let decimals = decimals.unwrap_or(6);
    match (kind, figure) {
        (Kind::Plain | Kind::Count, Figure::Count(n)) => Some(n.to_string()),
        (Kind::Count, Figure::Number(_)) => None,
        _ if value.is_nan() => Some("nan".into()),
        (Kind::Plain, Figure::Number(x)) => Some(format!("{x:?}")),
        (Kind::Fixed, _) => Some(format!("{value:.decimals$}")),
        (Kind::Exponent, _) => {
            let text = format!("{value:.decimals$e}");
            // Python writes a sign and at least two digits.
            let Some((mantissa, exponent)) = text.split_once('e') else { return Some(text) };
            let (sign, exponent) = exponent.strip_prefix('-').map_or(('+', exponent), |e| ('-', e));
            Some(format!("{mantissa}e{sign}{exponent:0>2}"))
        }
    }
}

fn pad(out: &mut String, digits: &str, zeros: bool, width: usize) {
    let missing = width.saturating_sub(digits.len());
    let (sign, rest) = digits.strip_prefix('-').map_or(("", digits), |rest| ("-", rest));
    // Writing to a String cannot fail.
    let _ = match zeros {
        true => write!(out, "{sign}{}{rest}", "0".repeat(missing)),
        false => write!(out, "{}{digits}", " ".repeat(missing)),
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn filled(text: &str) -> String {
        let figures = [("epoch", Figure::Count(7)), ("step", Figure::Count(123_456)), ("val_loss", Figure::Number(0.062_55))];
        Template::parse(text).and_then(|t| t.fill(&figures)).unwrap_or_else(|e| e.to_string())
    }

    // Python: text.format(epoch=7, step=123456, val_loss=0.06255)
    #[test]
    fn as_python() {
        assert_eq!(filled("cp-{epoch:04d}.keras"), "cp-0007.keras");
        assert_eq!(filled("{epoch}-{val_loss:.3f}"), "7-0.063");
        assert_eq!(filled("{step:05d} {epoch:02d}"), "123456 07");
        assert_eq!(filled("{val_loss:08.2f}|{epoch:3d}|{epoch:.1f}"), "00000.06|  7|7.0");
        assert_eq!(filled("{val_loss:.2e} {val_loss:f} {val_loss}"), "6.25e-02 0.062550 0.06255");
        assert_eq!(filled("{{epoch}}"), "{epoch}");
    }

    #[test]
    fn errors_say_what_is_known() {
        assert_eq!(
            filled("{epch}.keras"),
            "filepath: \"{epch}.keras\": there is no {epch} to fill in; known are epoch, step, val_loss"
        );
        assert!(filled("{val_loss:03d}").contains("{val_loss} is no whole number; write e.g. {val_loss:.3f}"));
        assert!(filled("{epoch").contains("a { without its }"));
        assert!(filled("epoch}").contains("a } without its {"));
        for bad in ["{epoch:x}", "{epoch:+d}", "{epoch:<4d}", "{epoch:.3d}", "{val_loss:.f}", "{epoch:9999d}"] {
            assert!(filled(bad).contains("is not known; known are e.g. 04d"), "{bad}: {}", filled(bad));
        }
        assert!(filled("{}").contains("does not name a figure"));
        assert!(filled("{a b}").contains("does not name a figure"));
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "[{}a-c:.0-9df ]{0,24}") {
            let _ = Template::parse(&text).and_then(|t| t.fill(&[("a", Figure::Count(1)), ("b", Figure::Number(-0.5))]));
        }

        #[test]
        fn counts_read_back(n in any::<u64>(), width in 0usize..30) {
            let text = Template::parse(&format!("{{n:0{width}d}}")).and_then(|t| t.fill(&[("n", Figure::Count(n))])).unwrap();
            prop_assert_eq!(text.parse::<u64>().unwrap(), n);
            prop_assert!(text.len() >= width && (text.len() == width || !text.starts_with('0') || n == 0));
        }

        #[test]
        fn fixed_numbers_are_rust_s(x in -1e6f64..1e6, width in 1usize..20, decimals in 0usize..9) {
            let text = Template::parse(&format!("{{x:0{width}.{decimals}f}}")).and_then(|t| t.fill(&[("x", Figure::Number(x))])).unwrap();
            prop_assert_eq!(text, format!("{x:0width$.decimals$}"));
        }

        #[test]
        fn plain_text_stays(text in "[a-z0-9_./ -]{0,40}") {
            prop_assert_eq!(Template::parse(&text).and_then(|t| t.fill(&[])).unwrap(), text);
        }

        #[test]
        fn doubled_braces_are_braces(text in "[{}a-z]{0,20}") {
            let escaped = text.replace('{', "{{").replace('}', "}}");
            prop_assert_eq!(Template::parse(&escaped).and_then(|t| t.fill(&[])).unwrap(), text);
        }
    }
}
