//! Activations that are several nodes in the file: x · sigmoid(x), and x · ½ · (1 + erf(x / √2)).

use super::attributes::Call;
use super::network::Network;
use super::value::Value;

/// Most consumers of a value that are looked at.
const MAX_CONSUMERS: usize = 64;

/// Nodes that are one activation.
pub(super) struct Gate<'a> {
    /// Keras' name.
    pub(super) name: &'static str,
    /// What it is of.
    pub(super) input: &'a str,
    /// The nodes, by number.
    pub(super) nodes: Vec<(usize, Call<'a>)>,
    /// What the last of them makes.
    pub(super) output: &'a str,
    /// Whether nothing else takes the input.
    pub(super) is_alone: bool,
}

impl<'a> Network<'a> {
    /// The activation of several nodes that a node is part of.
    pub(super) fn gate_with(&self, call: Call<'a>) -> Option<Gate<'a>> {
        let gates =
            [0, 1].into_iter().filter_map(|i| self.gates(call.input(i)?).find(|gate| gate.nodes.iter().any(|(_, n)| n.is(call))));
        gates.into_iter().next()
    }

    /// The activation of several nodes of a value.
    pub(super) fn gate(&self, x: &'a str) -> Option<Gate<'a>> {
        self.gates(x).next()
    }

    fn gates(&self, x: &'a str) -> impl Iterator<Item = Gate<'a>> {
        let starts: Vec<(usize, Call<'a>)> = self.numbered_consumers(x).take(MAX_CONSUMERS).collect();
        let found: Vec<Gate<'a>> =
            starts.iter().filter_map(|start| self.silu(x, *start).or_else(|| self.gelu(x, *start))).collect();
        found.into_iter()
    }

    fn made(&self, name: &'static str, input: &'a str, nodes: Vec<(usize, Call<'a>)>, last: Call<'a>) -> Option<Gate<'a>> {
        let takes = self.numbered_consumers(input).all(|(_, call)| nodes.iter().any(|(_, node)| node.is(call)));
        let is_alone = takes && !self.is_output(input);
        Some(Gate { name, input, nodes, output: last.output().ok()?, is_alone })
    }

    fn silu(&self, x: &'a str, start: (usize, Call<'a>)) -> Option<Gate<'a>> {
        let made = start.1.output().ok().filter(|_| start.1.node.op_type == "Sigmoid")?;
        let last = self.only_consumer(made).filter(|(_, next)| next.node.op_type == "Mul" && next.other(made) == Some(x))?;
        self.made("silu", x, vec![start, last], last.1)
    }

    fn gelu(&self, x: &'a str, start: (usize, Call<'a>)) -> Option<Gate<'a>> {
        let scaled = match start.1.node.op_type.as_str() {
            "Mul" => self.is_with(start.1, x, std::f64::consts::FRAC_1_SQRT_2),
            "Div" => start.1.input(0) == Some(x) && self.is_with(start.1, x, std::f64::consts::SQRT_2),
            _ => false,
        };
        if !scaled {
            return None;
        }
        let next = |call: Call<'a>, op: &str| self.only_consumer(call.output().ok()?).filter(|(_, next)| next.node.op_type == op);
        let erf = next(start.1, "Erf")?;
        let add = next(erf.1, "Add").filter(|(_, add)| erf.1.output().is_ok_and(|made| self.is_with(*add, made, 1.0)))?;
        let mul = next(add.1, "Mul")?;
        let mut nodes = vec![start, erf, add, mul];
        let other = mul.1.other(add.1.output().ok()?)?;
        if other == x {
            // (x · sum) · ½
            let half = next(mul.1, "Mul").filter(|(_, half)| mul.1.output().is_ok_and(|made| self.is_with(*half, made, 0.5)))?;
            nodes.push(half);
            return self.made("gelu", x, nodes, half.1);
        }
        // (x · ½) · sum
        let is_half = |call: Call<'a>| {
            call.node.op_type == "Mul" && call.output().is_ok_and(|made| made == other) && self.is_with(call, x, 0.5)
        };
        let half = self.numbered_consumers(x).take(MAX_CONSUMERS).find(|(_, call)| is_half(*call))?;
        let alone = self.numbered_consumers(other).count() == 1 && !self.is_output(other);
        nodes.push(half);
        if alone { self.made("gelu", x, nodes, mul.1) } else { None }
    }

    /// Whether a node combines `one` with that number.
    fn is_with(&self, call: Call<'a>, one: &str, number: f64) -> bool {
        let other = if call.input(0) == Some(one) { 1 } else { 0 };
        match self.optional(call, other) {
            Ok(Some(Value::Constant(c))) => c.scalar().is_some_and(|v| (f64::from(v) - number).abs() < 1e-4),
            _ => false,
        }
    }
}
