//! Numbers that stand in the file, or follow from such.

use crate::numbers::{Element, Encoding, half};
use crate::onnx::proto;
use std::path::Path;

/// Stands for the length of the batch among whole numbers.
pub(super) const BATCH: i64 = i64::MIN;

/// A constant: axis lengths (all axes, no batch) and values.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Constant {
    pub(super) shape: Vec<usize>,
    pub(super) data: Data,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Data {
    Floats(Vec<f32>),
    Whole(Vec<i64>),
}

impl Constant {
    pub(super) fn list(values: Vec<i64>) -> Constant {
        Constant { shape: vec![values.len()], data: Data::Whole(values) }
    }

    pub(super) fn len(&self) -> usize {
        match &self.data {
            Data::Floats(values) => values.len(),
            Data::Whole(values) => values.len(),
        }
    }

    /// The values as f32.
    pub(super) fn floats(&self) -> Vec<f32> {
        match &self.data {
            Data::Floats(values) => values.clone(),
            Data::Whole(values) => values.iter().map(|v| *v as f32).collect(),
        }
    }

    /// The values as whole numbers; `None` for others.
    pub(super) fn whole(&self) -> Option<&[i64]> {
        match &self.data {
            Data::Whole(values) => Some(values),
            Data::Floats(_) => None,
        }
    }

    /// The one value.
    pub(super) fn scalar(&self) -> Option<f32> {
        if self.len() == 1 { self.floats().first().copied() } else { None }
    }

    /// Axes taken in another order.
    pub(super) fn transposed(&self, order: &[usize]) -> Option<Constant> {
        let mut seen = order.to_vec();
        seen.sort_unstable();
        if seen != (0..self.shape.len()).collect::<Vec<_>>() {
            return None;
        }
        let Data::Floats(values) = &self.data else { return None };
        let values = crate::onnx::export::transpose(values, &self.shape, order);
        Some(Constant { shape: order.iter().map(|&axis| self.shape[axis]).collect(), data: Data::Floats(values) })
    }
}

/// Reads a tensor; its axes are held against its bytes. `folder` is where the file lies, for tensors in files beside it.
pub(super) fn read(tensor: &proto::Tensor, folder: Option<&Path>) -> Result<Constant, String> {
    let named = |message: String| format!("tensor \"{}\": {message}", tensor.name);
    let shape: Option<Vec<usize>> = tensor.dims.iter().map(|&n| usize::try_from(n).ok()).collect();
    let count = shape.as_ref().and_then(|s| s.iter().try_fold(1usize, |a, &n| a.checked_mul(n)));
    let (Some(shape), Some(count)) = (shape, count) else {
        return Err(named(format!("axes {:?}", tensor.dims)));
    };
    let external;
    let raw = if tensor.data_location == Some(1) {
        external = super::external::read(tensor, folder).map_err(named)?;
        Some(external.as_slice())
    } else {
        tensor.raw_data.as_deref()
    };
    let kind = tensor.data_type.unwrap_or(0);
    let sized = |size: usize| match raw {
        Some(bytes) if Some(bytes.len()) != count.checked_mul(size) => {
            Err(format!("{} bytes do not hold {count} values of {size} bytes", bytes.len()))
        }
        raw => Ok(raw),
    };
    let float = |element: Element, plain: &dyn Fn() -> Vec<f32>| {
        let encoding = Encoding::little(element);
        Ok(Data::Floats(sized(encoding.size())?.map_or_else(plain, |bytes| encoding.to_f32(bytes))))
    };
    let whole = |size: usize, signed: bool, plain: &dyn Fn() -> Vec<i64>| {
        let encoding = Encoding::little(Element::Int { size, signed });
        Ok(Data::Whole(sized(size)?.map_or_else(plain, |bytes| encoding.to_i64(bytes).unwrap_or_default())))
    };
    let words = || tensor.int32_data.iter().map(|v| i64::from(*v)).collect();
    let data: Result<Data, String> = match kind {
        1 => float(Element::F32, &|| tensor.float_data.clone()),
        10 => float(Element::F16, &|| tensor.int32_data.iter().map(|v| half(*v as u16)).collect()),
        16 => float(Element::BF16, &|| tensor.int32_data.iter().map(|v| f32::from_bits((*v as u32) << 16)).collect()),
        11 => float(Element::F64, &|| tensor.double_data.iter().map(|v| *v as f32).collect()),
        2 | 9 => whole(1, false, &words),
        3 => whole(1, true, &words),
        6 => whole(4, true, &words),
        7 => whole(8, true, &|| tensor.int64_data.clone()),
        other => Err(format!("data type {other} is not read; f32, f16, bf16, f64, i64, i32, i8, u8 and bool are")),
    };
    let constant = Constant { shape, data: data.map_err(named)? };
    if constant.len() != count {
        return Err(named(format!("{} values for axes {:?}", constant.len(), constant.shape)));
    }
    Ok(constant)
}
