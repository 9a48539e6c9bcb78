//! A node's arguments, and what is said about a node in messages.

use super::Problem;
use crate::onnx::proto::{Attribute, Node, Tensor};

/// A node of the file.
#[derive(Clone, Copy)]
pub(super) struct Call<'a> {
    pub(super) node: &'a Node,
}

impl<'a> Call<'a> {
    /// `node "conv1" (Conv)`.
    pub(super) fn what(self) -> String {
        let name = if self.node.name.is_empty() { self.node.output.first().map_or("", String::as_str) } else { &self.node.name };
        format!("node \"{name}\" ({})", self.node.op_type)
    }

    pub(super) fn unsupported(self, message: impl std::fmt::Display) -> Problem {
        Problem::Unsupported(format!("{}: {message}", self.what()))
    }

    pub(super) fn damaged(self, message: impl std::fmt::Display) -> Problem {
        Problem::Damaged(format!("{}: {message}", self.what()))
    }

    /// Name of an input; `None` when it is left out.
    pub(super) fn input(self, index: usize) -> Option<&'a str> {
        self.node.input.get(index).map(String::as_str).filter(|name| !name.is_empty())
    }

    /// Whether it is the same node.
    pub(super) fn is(self, other: Call<'_>) -> bool {
        std::ptr::eq(self.node, other.node)
    }

    /// The other one of two inputs.
    pub(super) fn other(self, one: &str) -> Option<&'a str> {
        if self.input(0) == Some(one) { self.input(1) } else { self.input(0) }
    }

    /// Name of the first output.
    pub(super) fn output(self) -> Result<&'a str, Problem> {
        self.node.output.first().map(String::as_str).filter(|name| !name.is_empty()).ok_or_else(|| self.damaged("has no output"))
    }

    fn find(self, name: &str) -> Option<&'a Attribute> {
        self.node.attribute.iter().find(|a| a.name == name)
    }

    pub(super) fn has(self, name: &str) -> bool {
        self.find(name).is_some()
    }

    pub(super) fn int(self, name: &str, default: i64) -> i64 {
        self.find(name).and_then(|a| a.i).unwrap_or(default)
    }

    pub(super) fn float(self, name: &str, default: f32) -> f32 {
        self.find(name).and_then(|a| a.f).unwrap_or(default)
    }

    pub(super) fn floats(self, name: &str) -> Option<&'a [f32]> {
        self.find(name).map(|a| a.floats.as_slice())
    }

    pub(super) fn text(self, name: &str) -> Option<&'a str> {
        self.find(name).and_then(|a| std::str::from_utf8(a.s.as_deref()?).ok())
    }

    pub(super) fn ints(self, name: &str) -> Option<&'a [i64]> {
        self.find(name).map(|a| a.ints.as_slice())
    }

    pub(super) fn tensor(self, name: &str) -> Option<&'a Tensor> {
        self.find(name).and_then(|a| a.t.as_ref())
    }

    /// Two lengths of an attribute, or what it is when absent.
    pub(super) fn pair(self, name: &str, default: [usize; 2]) -> Result<[usize; 2], Problem> {
        let Some(values) = self.ints(name) else { return Ok(default) };
        let whole: Vec<usize> = values.iter().filter_map(|&n| usize::try_from(n).ok()).collect();
        match whole.as_slice() {
            &[a, b] if values.len() == 2 => Ok([a, b]),
            _ => Err(self.unsupported(format!("attribute {name} is {values:?}; two lengths (height and width) are read"))),
        }
    }
}

/// A number of the file as f64, without the digits that f32 does not have: 0.001, not 0.0010000000474974513.
pub(super) fn short(value: f32) -> f64 {
    value.to_string().parse().unwrap_or(f64::from(value))
}
