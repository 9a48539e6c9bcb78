//! `ZeroPadding2D`: rows and columns of zeros around an image.

use super::arguments::{ChannelsLast, Pair};
use super::{Built, Layer, Shape, image};
use crate::object::Argument;
use crate::op::{Backward, Forward, Op};
use crate::program::{Call, Operation};
use serde_json::{Value, json};

/// How much to add: ((top, bottom), (left, right)), a (height, width) for both sides, or one number for all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Margins([[usize; 2]; 2]);

impl From<usize> for Margins {
    fn from(n: usize) -> Self {
        Margins([[n, n], [n, n]])
    }
}
impl From<(usize, usize)> for Margins {
    fn from((h, w): (usize, usize)) -> Self {
        Margins([[h, h], [w, w]])
    }
}
impl From<((usize, usize), (usize, usize))> for Margins {
    fn from(((top, bottom), (left, right)): ((usize, usize), (usize, usize))) -> Self {
        Margins([[top, bottom], [left, right]])
    }
}

impl Argument for Margins {
    fn expected() -> String {
        "a whole number, [height, width] or [[top, bottom], [left, right]]".into()
    }

    fn read(value: &Value) -> Option<Margins> {
        let side = |value| Pair::read(value).map(|Pair(before, after)| [before, after]);
        match value.as_array().map(Vec::as_slice) {
            None => usize::read(value).map(Margins::from),
            Some([h, w]) => Some(Margins([side(h)?, side(w)?])),
            Some(_) => None,
        }
    }

    fn write(&self) -> Value {
        json!(self.0)
    }
}

keras_layer! {
    /// `[batch, height, width, channels]` → `[batch, top + height + bottom, left + width + right, channels]`.
    ///
    /// Keras file: `layers/reshaping/zero_padding2d.py`.
    pub struct ZeroPadding2D("zero_padding2d") new(
        /// A number, (height, width) or ((top, bottom), (left, right)); 1 where a configuration does not say.
        padding: Margins = Margins::from(1),
    ) {
        /// Channels last, the one order there is.
        data_format: ChannelsLast = ChannelsLast,
    }
}

impl Layer for ZeroPadding2D {
    fn build(&self, inputs: &[Shape]) -> Result<Built, String> {
        let [h, w, c] = image(inputs)?;
        // Beyond any picture; keeps the products below from overflowing.
        const MOST: usize = 1 << 16;
        let Margins([[top, bottom], [left, right]]) = self.padding;
        if [top, bottom, left, right].iter().any(|&n| n > MOST) {
            return Err(format!("padding must be at most {MOST} a side, got [[{top}, {bottom}], [{left}, {right}]]"));
        }
        let (out_h, out_w) = (h + top + bottom, w + left + right);
        let op = ZeroPadOp { row: w * c, out_row: out_w * c, rows: h, out_rows: out_h, top, left: left * c };
        Ok(Built::op(op, vec![out_h, out_w, c]))
    }

    fn operations(&self, call: &mut Call<'_>) -> Result<usize, String> {
        Ok(call.step(Operation::Pad(self.padding.0)))
    }
}

/// Lengths in values.
#[derive(Debug)]
pub(super) struct ZeroPadOp {
    pub(super) row: usize,
    pub(super) out_row: usize,
    pub(super) rows: usize,
    pub(super) out_rows: usize,
    pub(super) top: usize,
    pub(super) left: usize,
}

impl ZeroPadOp {
    /// Samples with zeros around them.
    pub(super) fn pad(&self, x: &[f32], y: &mut [f32]) {
        y.fill(0.0);
        let samples = x.chunks_exact(self.rows * self.row).zip(y.chunks_exact_mut(self.out_rows * self.out_row));
        for (x, y) in samples {
            for (x, y) in x.chunks_exact(self.row).zip(y.chunks_exact_mut(self.out_row).skip(self.top)) {
                y[self.left..self.left + self.row].copy_from_slice(x);
            }
        }
    }

    /// What lies within the padding of each sample.
    pub(super) fn crop(&self, y: &[f32], x: &mut [f32]) {
        let samples = x.chunks_exact_mut(self.rows * self.row).zip(y.chunks_exact(self.out_rows * self.out_row));
        for (x, y) in samples {
            for (x, y) in x.chunks_exact_mut(self.row).zip(y.chunks_exact(self.out_row).skip(self.top)) {
                x.copy_from_slice(&y[self.left..self.left + self.row]);
            }
        }
    }
}

impl Op for ZeroPadOp {
    fn forward(&self, c: Forward<'_>) {
        self.pad(c.inputs[0], c.output);
    }

    fn backward(&self, c: Backward<'_, '_>) {
        if let Some(dx) = &mut c.d_inputs[0] {
            self.crop(c.d_output, dx);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::testing::forward;

    #[test]
    fn each_side_has_its_own_number() {
        let y = forward(&ZeroPadding2D::new(((0, 1), (2, 0))), &[(&[1, 2, 1], &[1.0, 2.0])]);
        assert_eq!(y, [0.0, 0.0, 1.0, 2.0, 0.0, 0.0, 0.0, 0.0]);
    }

    #[test]
    fn all_forms_are_read_and_one_is_written() {
        assert_eq!(Margins::read(&json!(2)), Some(2.into()));
        assert_eq!(Margins::read(&json!([1, 2])), Some((1, 2).into()));
        assert_eq!(Margins::read(&json!([[0, 1], [2, 3]])), Some(((0, 1), (2, 3)).into()));
        assert_eq!(Margins::from((1, 2)).write(), json!([[1, 1], [2, 2]]));
        assert_eq!(Margins::read(&json!([1])), None);
        assert!(ZeroPadding2D::new(usize::MAX).build(&[vec![2, 2, 1]]).unwrap_err().contains("at most"));
    }
}
