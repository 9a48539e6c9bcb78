//! Nodes that only compute with constants, and the shape arithmetic that exporters put before a Reshape.

use super::Problem;
use super::attributes::Call;
use super::constant::{BATCH, Constant, Data};
use super::network::Network;
use super::value::Value;
use std::rc::Rc;

/// Most values of a constant that is computed here; shapes are short.
const MAX_FOLDED: usize = 1 << 24;

impl<'a> Network<'a> {
    /// The constant that a node makes; `None` when it takes samples.
    pub(super) fn fold(&mut self, call: Call<'a>) -> Result<Option<Constant>, Problem> {
        let op = call.node.op_type.as_str();
        if op == "Shape" {
            return self.shape_of(call).map(Some);
        }
        let mut inputs: Vec<Rc<Constant>> = Vec::new();
        for index in 0..call.node.input.len() {
            match self.optional(call, index)? {
                Some(Value::Constant(constant)) => inputs.push(constant),
                Some(Value::Traced(_)) => return Ok(None),
                None => {}
            }
        }
        let Some(first) = inputs.first() else { return Ok(None) };
        if inputs.iter().map(|c| c.len()).sum::<usize>() > MAX_FOLDED {
            return Err(call.unsupported("computes with more constants than is read here"));
        }
        let folded = match op {
            "Identity" => Some((**first).clone()),
            "Cast" => cast(first, call.int("to", 1)),
            "Transpose" => transpose(call, first),
            "Reshape" | "Flatten" | "Squeeze" | "Unsqueeze" => self.reaxed(call, first)?,
            "Concat" if inputs.iter().all(|c| c.shape.len() == 1) => {
                let lists: Option<Vec<&[i64]>> = inputs.iter().map(|c| c.whole()).collect();
                lists.map(|lists| Constant::list(lists.concat()))
            }
            "Gather" => inputs.get(1).and_then(|at| gather(first, at)),
            "Slice" => self.slice(call, first)?,
            "ConstantOfShape" => constant_of_shape(self, call, first)?,
            "Add" | "Sub" | "Mul" | "Div" if inputs.len() == 2 => arithmetic(op, first, &inputs[1]),
            _ => None,
        };
        match folded {
            Some(constant) => Ok(Some(constant)),
            None => Err(call.unsupported("computes with constants alone in a way that is not read; simplify the file first (onnxsim, or export with constant folding)")),
        }
    }

    /// The axes of a value; the batch stays a name.
    fn shape_of(&self, call: Call<'_>) -> Result<Constant, Problem> {
        let axes: Vec<i64> = match self.optional(call, 0)? {
            Some(Value::Traced(x)) => [BATCH].into_iter().chain(x.shape.iter().map(|&n| n as i64)).collect(),
            Some(Value::Constant(c)) => c.shape.iter().map(|&n| n as i64).collect(),
            None => return Err(call.damaged("has no input")),
        };
        let rank = axes.len() as i64;
        let place = |n: i64| (if n < 0 { n.saturating_add(rank) } else { n }).clamp(0, rank) as usize;
        let (start, end) = (place(call.int("start", 0)), place(call.int("end", rank)));
        Ok(Constant::list(axes.get(start..end).unwrap_or_default().to_vec()))
    }

    /// The same values under other axes.
    fn reaxed(&self, call: Call<'_>, x: &Constant) -> Result<Option<Constant>, Problem> {
        let rank = x.shape.len() as i64;
        let op = call.node.op_type.as_str();
        let shape: Vec<usize> = match op {
            "Flatten" => {
                let axis = call.int("axis", 1);
                let axis = (if axis < 0 { axis + rank } else { axis }).clamp(0, rank) as usize;
                vec![x.shape[..axis].iter().product(), x.shape[axis..].iter().product()]
            }
            "Reshape" => {
                let target = self.list(call, "shape", 1)?.unwrap_or_default();
                let mut shape = Vec::with_capacity(target.len());
                for (i, &n) in target.iter().enumerate() {
                    shape.push(match n {
                        0 => x.shape.get(i).copied().unwrap_or(0),
                        -1 => 1,
                        n => usize::try_from(n).unwrap_or(0),
                    });
                }
                let known = shape.iter().try_fold(1usize, |a, &n| a.checked_mul(n)).unwrap_or(0);
                if let Some(open) = target.iter().position(|n| *n == -1) {
                    shape[open] = x.len().checked_div(known).unwrap_or(0);
                }
                shape
            }
            "Squeeze" => {
                let axes = self.list(call, "axes", 1)?;
                let axes = axes.map(|axes| self.axes(call, &axes, rank)).transpose()?;
                let keeps = |i: usize| axes.as_ref().map_or(x.shape[i] != 1, |axes| !axes.contains(&i));
                (0..x.shape.len()).filter(|&i| keeps(i)).map(|i| x.shape[i]).collect()
            }
            _ => {
                let axes = self.list(call, "axes", 1)?.unwrap_or_default();
                let mut axes = self.axes(call, &axes, rank + axes.len() as i64)?;
                axes.sort_unstable();
                let mut shape = x.shape.clone();
                for axis in axes {
                    shape.insert(axis.min(shape.len()), 1);
                }
                shape
            }
        };
        let fits = shape.iter().try_fold(1usize, |a, &n| a.checked_mul(n)) == Some(x.len());
        Ok(fits.then(|| Constant { shape, data: x.data.clone() }))
    }

    /// Slices of a list, or of the first axis of a table.
    fn slice(&self, call: Call<'_>, x: &Constant) -> Result<Option<Constant>, Problem> {
        let one = |list: Option<Vec<i64>>, default: i64| match list.as_deref() {
            None => Some(default),
            Some(&[n]) => Some(n),
            Some(_) => None,
        };
        let starts = one(self.list(call, "starts", 1)?, 0);
        let ends = one(self.list(call, "ends", 2)?, i64::MAX);
        let axis = one(self.list(call, "axes", 3)?, 0);
        let step = one(self.list(call, "steps", 4)?, 1);
        let (Some(start), Some(end), Some(0), Some(step), Some(values)) = (starts, ends, axis, step, x.whole()) else {
            return Ok(None);
        };
        let Some((&rows, inner)) = x.shape.split_first() else { return Ok(None) };
        let (n, width) = (rows as i64, inner.iter().product::<usize>());
        let from_end = |i: i64| if i < 0 { i.saturating_add(n) } else { i };
        let mut picked = Vec::new();
        let mut at = if step > 0 { from_end(start).clamp(0, n) } else { from_end(start).clamp(-1, n - 1) };
        let end = if step > 0 { from_end(end).clamp(0, n) } else { from_end(end).clamp(-1, n - 1) };
        while step != 0 && (if step > 0 { at < end } else { at > end }) {
            let row = at as usize * width;
            picked.extend(values.get(row..row + width).unwrap_or_default());
            at = at.saturating_add(step);
        }
        let rows = picked.len() / width.max(1);
        let shape = [rows].into_iter().chain(inner.iter().copied()).collect();
        Ok((step != 0).then_some(Constant { shape, data: Data::Whole(picked) }))
    }
}

fn cast(x: &Constant, to: i64) -> Option<Constant> {
    let data = match to {
        1 | 10 | 11 | 16 => Data::Floats(x.floats()),
        2 | 3 | 6 | 7 | 9 => Data::Whole(match &x.data {
            Data::Whole(values) => values.clone(),
            Data::Floats(values) => values.iter().map(|v| *v as i64).collect(),
        }),
        _ => return None,
    };
    Some(Constant { shape: x.shape.clone(), data })
}

fn transpose(call: Call<'_>, x: &Constant) -> Option<Constant> {
    let rank = x.shape.len();
    let order: Option<Vec<usize>> = match call.ints("perm") {
        Some(perm) => perm.iter().map(|&n| usize::try_from(n).ok()).collect(),
        None => Some((0..rank).rev().collect()),
    };
    match &x.data {
        Data::Floats(_) => x.transposed(&order?),
        // Tables of pads.
        Data::Whole(values) => match (x.shape.as_slice(), order?.as_slice()) {
            (&[rows, columns], [1, 0]) => {
                let turned = (0..columns).flat_map(|c| (0..rows).map(move |r| r * columns + c)).map(|i| values[i]).collect();
                Some(Constant { shape: vec![columns, rows], data: Data::Whole(turned) })
            }
            _ => None,
        },
    }
}

/// Entries of a list by number.
fn gather(x: &Constant, at: &Constant) -> Option<Constant> {
    let (values, indices) = (x.whole().filter(|_| x.shape.len() == 1)?, at.whole()?);
    let n = values.len() as i64;
    let picked = indices.iter().map(|&i| values.get(usize::try_from(if i < 0 { i.checked_add(n)? } else { i }).ok()?).copied());
    Some(Constant { shape: at.shape.clone(), data: Data::Whole(picked.collect::<Option<Vec<i64>>>()?) })
}

fn constant_of_shape(network: &Network<'_>, call: Call<'_>, shape: &Constant) -> Result<Option<Constant>, Problem> {
    let Some(shape) = shape.whole() else { return Ok(None) };
    let shape: Option<Vec<usize>> = shape.iter().map(|&n| usize::try_from(n).ok()).collect();
    let count = shape.as_ref().and_then(|s| s.iter().try_fold(1usize, |a, &n| a.checked_mul(n))).filter(|n| *n <= 1024);
    let (Some(shape), Some(count)) = (shape, count) else { return Ok(None) };
    let value = call.tensor("value").map(|t| network.constant_of(t)).transpose()?;
    let data = match value.map(|v| v.data) {
        Some(Data::Whole(values)) => Data::Whole(vec![values.first().copied().unwrap_or(0); count]),
        Some(Data::Floats(values)) => Data::Floats(vec![values.first().copied().unwrap_or(0.0); count]),
        None => Data::Floats(vec![0.0; count]),
    };
    Ok(Some(Constant { shape, data }))
}

/// Value by value, or one value with all.
fn arithmetic(op: &str, a: &Constant, b: &Constant) -> Option<Constant> {
    let (count, shape) = if a.len() >= b.len() { (a.len(), &a.shape) } else { (b.len(), &b.shape) };
    if !(a.len() == b.len() && a.shape == b.shape || a.len() == 1 || b.len() == 1) {
        return None;
    }
    let data = if let (Data::Whole(a), Data::Whole(b)) = (&a.data, &b.data) {
        let pick = |v: &[i64], i: usize| v[if v.len() == 1 { 0 } else { i }];
        let one = |a: i64, b: i64| {
            if a == BATCH || b == BATCH {
                return None;
            }
            match op {
                "Add" => a.checked_add(b),
                "Sub" => a.checked_sub(b),
                "Mul" => a.checked_mul(b),
                _ => a.checked_div(b),
            }
        };
        Data::Whole((0..count).map(|i| one(pick(a, i), pick(b, i))).collect::<Option<Vec<i64>>>()?)
    } else {
        let (a, b) = (a.floats(), b.floats());
        let pick = |v: &[f32], i: usize| v[if v.len() == 1 { 0 } else { i }];
        let one = |a: f32, b: f32| match op {
            "Add" => a + b,
            "Sub" => a - b,
            "Mul" => a * b,
            _ => a / b,
        };
        Data::Floats((0..count).map(|i| one(pick(&a, i), pick(&b, i))).collect())
    };
    Some(Constant { shape: shape.clone(), data })
}
