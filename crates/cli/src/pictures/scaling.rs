//! How pixels are scaled, for models that do not say.

use crate::output::Console;
use crate::run::OpenModel;
use maobi_recognize::Preprocessing;

/// How pixels are scaled, for model files that do not say.
#[derive(Clone, Copy, Debug, clap::Args)]
pub struct Scaling {
    /// The network sees pixel * SCALE + OFFSET (pixels from 0 to 255); for model files that do not say [default: 1/255]
    #[arg(long, value_name = "SCALE", value_parser = number, allow_hyphen_values = true)]
    scale: Option<f32>,

    /// See --scale [default: 0]
    #[arg(long, value_name = "OFFSET", value_parser = number, allow_hyphen_values = true)]
    offset: Option<f32>,
}

/// A number, or a fraction such as 1/255.
fn number(text: &str) -> Result<f32, String> {
    let value = match text.split_once('/') {
        Some((a, b)) => a.trim().parse::<f64>().ok().zip(b.trim().parse::<f64>().ok()).map(|(a, b)| a / b),
        None => text.trim().parse().ok(),
    };
    value.map(|v| v as f32).filter(|v| v.is_finite()).ok_or_else(|| "expected a number or a fraction like 1/255".into())
}

impl Scaling {
    /// Whether the user has said something.
    pub fn is_given(&self) -> bool {
        self.scale.is_some() || self.offset.is_some()
    }

    /// What the model says, unless the user says otherwise; what is presumed for one that does not say is told.
    pub fn resolve(&self, open: &OpenModel, console: &Console) -> Preprocessing {
        let known = open.preprocessing.is_some();
        let mut preprocessing = open.preprocessing.clone().unwrap_or_else(|| Preprocessing::presumed(&open.model));
        preprocessing.scale = self.scale.unwrap_or(preprocessing.scale);
        preprocessing.offset = self.offset.unwrap_or(preprocessing.offset);
        if !known && self.scale.is_none() && self.offset.is_none() {
            let (scale, offset) = (preprocessing.scale, preprocessing.offset);
            let shown = if scale == 1.0 {
                "pixels from 0 to 255 as they are, which its Rescaling layer scales".to_owned()
            } else {
                format!("pixel / {:.0} + {offset}", 1.0 / scale)
            };
            console.say(&format!(
                "{} does not say how its pixels are scaled; taking {shown} (change it with --scale and --offset)",
                open.file.display()
            ));
        }
        preprocessing
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fractions_are_numbers() {
        assert_eq!(number("1/255"), Ok(1.0 / 255.0));
        assert_eq!(number("-0.5"), Ok(-0.5));
        for bad in ["", "1/0", "x", "nan", "1e39", "1/2/3"] {
            assert!(number(bad).is_err(), "{bad}");
        }
    }
}
