//! Operators that change axes: Flatten, Reshape, Squeeze, Unsqueeze, Transpose. No value moves; the order is kept in mind.

use super::Problem;
use super::attributes::Call;
use super::constant::BATCH;
use super::network::Network;
use super::order::Order;
use super::value::{Traced, Value};

impl<'a> Network<'a> {
    pub(super) fn flatten(&mut self, call: Call<'a>) -> Result<(), Problem> {
        let x = self.traced(call, 0)?;
        let rank = x.shape.len() as i64 + 1;
        let axis = call.int("axis", 1);
        if axis != 1 && axis + rank != 1 {
            return Err(call.unsupported(format!("attribute axis is {axis}; only 1 (all but the batch) is read")));
        }
        let shape = vec![x.len()];
        self.set(call.output()?, Value::Traced(Traced { shape, ..x }));
        Ok(())
    }

    pub(super) fn reshape(&mut self, call: Call<'a>) -> Result<(), Problem> {
        let x = self.traced(call, 0)?;
        let target = self.list(call, "shape", 1)?.ok_or_else(|| call.damaged("has no shape"))?;
        let shape = self.target(call, &x, &target)?;
        self.set(call.output()?, Value::Traced(Traced { shape, ..x }));
        Ok(())
    }

    /// The axes that a Reshape asks for, the batch left out.
    fn target(&self, call: Call<'_>, x: &Traced, target: &[i64]) -> Result<Vec<usize>, Problem> {
        let shown: Vec<String> = target.iter().map(|&n| if n == BATCH { "batch".to_string() } else { n.to_string() }).collect();
        let wrong = || {
            call.unsupported(format!(
                "reshapes {:?} to [{}]; only shapes whose first axis is the batch are read",
                [&["batch".to_string()][..], &x.shape.iter().map(usize::to_string).collect::<Vec<_>>()].concat().join(", "),
                shown.join(", ")
            ))
        };
        let zero_is_length = call.int("allowzero", 0) != 0;
        let (&first, rest) = target.split_first().filter(|(_, rest)| !rest.is_empty()).ok_or_else(wrong)?;
        let mut shape = Vec::with_capacity(rest.len());
        let mut open = None;
        for (i, &n) in rest.iter().enumerate() {
            shape.push(match n {
                -1 if open.is_none() => {
                    open = Some(i);
                    1
                }
                0 if !zero_is_length => *x.shape.get(i).ok_or_else(wrong)?,
                n => usize::try_from(n).ok().filter(|n| *n > 0).ok_or_else(wrong)?,
            });
        }
        let known = shape.iter().try_fold(1usize, |a, &n| a.checked_mul(n)).ok_or_else(wrong)?;
        if let Some(open) = open {
            shape[open] = x.len() / known;
        }
        let keeps_batch =
            first == BATCH || (first == -1 && open.is_none()) || (first == 0 && !zero_is_length) || Some(first) == self.batch;
        let values = shape.iter().try_fold(1usize, |a, &n| a.checked_mul(n));
        if keeps_batch && values == Some(x.len()) { Ok(shape) } else { Err(wrong()) }
    }

    pub(super) fn squeeze(&mut self, call: Call<'a>) -> Result<(), Problem> {
        let x = self.traced(call, 0)?;
        let rank = x.shape.len() as i64 + 1;
        let axes = match self.list(call, "axes", 1)? {
            Some(axes) => self.axes(call, &axes, rank)?,
            None => (1..rank as usize).filter(|&axis| x.shape[axis - 1] == 1).collect(),
        };
        if let Some(axis) = axes.iter().find(|&&axis| axis == 0 || x.shape[axis - 1] != 1) {
            return Err(call.unsupported(format!("axis {axis} is no axis of length 1 behind the batch")));
        }
        let shape = (1..rank as usize).filter(|axis| !axes.contains(axis)).map(|axis| x.shape[axis - 1]).collect();
        self.set(call.output()?, Value::Traced(Traced { shape, ..x }));
        Ok(())
    }

    pub(super) fn unsqueeze(&mut self, call: Call<'a>) -> Result<(), Problem> {
        let x = self.traced(call, 0)?;
        let axes = self.list(call, "axes", 1)?.ok_or_else(|| call.damaged("has no axes"))?;
        let mut axes = self.axes(call, &axes, (x.shape.len() + 1 + axes.len()) as i64)?;
        axes.sort_unstable();
        let mut shape = x.shape.clone();
        for axis in axes {
            if axis == 0 || axis > shape.len() + 1 {
                return Err(call.unsupported(format!("puts an axis at {axis}; axes behind the batch are read")));
            }
            shape.insert(axis - 1, 1);
        }
        self.set(call.output()?, Value::Traced(Traced { shape, ..x }));
        Ok(())
    }

    pub(super) fn transpose(&mut self, call: Call<'a>) -> Result<(), Problem> {
        let x = self.traced(call, 0)?;
        let rank = x.shape.len() + 1;
        let order: Vec<usize> = match call.ints("perm") {
            Some(perm) => self.axes(call, perm, rank as i64)?,
            None => (0..rank).rev().collect(),
        };
        let mut sorted = order.clone();
        sorted.sort_unstable();
        if sorted != (0..rank).collect::<Vec<_>>() || order[0] != 0 {
            return Err(call.unsupported(format!(
                "attribute perm is {order:?}; the batch has to stay in front and every axis to come once"
            )));
        }
        let behind: Vec<usize> = order[1..].iter().map(|axis| axis - 1).collect();
        let turned = x.order.transposed(&x.shape, &behind);
        let turned: Order = turned.ok_or_else(|| {
            call.unsupported("turns the axes of values that were reshaped in another order; such networks are not read here")
        })?;
        let shape = turned.shape();
        self.set(call.output()?, Value::Traced(Traced { order: turned, shape, ..x }));
        Ok(())
    }

    /// Axes by number, negative ones from the end, each at most once.
    pub(super) fn axes(&self, call: Call<'_>, axes: &[i64], rank: i64) -> Result<Vec<usize>, Problem> {
        let resolved: Option<Vec<usize>> = axes
            .iter()
            .map(|&a| if a < 0 { a.checked_add(rank) } else { Some(a) })
            .map(|a| a.filter(|a| (0..rank).contains(a)).map(|a| a as usize))
            .collect();
        let mut sorted = resolved.clone().unwrap_or_default();
        sorted.sort_unstable();
        sorted.dedup();
        match resolved {
            Some(resolved) if sorted.len() == resolved.len() => Ok(resolved),
            _ => Err(call.damaged(format!("axes {axes:?} of a tensor with {rank} axes"))),
        }
    }
}
