//! Operations as TensorFlow's nodes; weights stand in the graph as constants.

use super::proto::{Attribute, FLOAT, INT32, List, Node, Shape, Tensor, Value};
use crate::numbers;
use maobi_nn::Program;
use std::collections::{BTreeMap, HashMap, HashSet};

/// A graph in the making.
pub(super) struct Writer<'a> {
    pub(super) program: &'a Program<'a>,
    pub(super) nodes: Vec<Node>,
    taken: HashSet<String>,
    /// What makes each value: a node, or `node:1` for a later output.
    pub(super) values: Vec<String>,
    arrays: HashMap<usize, String>,
}

/// Attributes by name.
pub(super) type Attributes = Vec<(&'static str, Value)>;

impl<'a> Writer<'a> {
    pub(super) fn new(program: &'a Program<'a>) -> Writer<'a> {
        Writer {
            program,
            nodes: Vec::new(),
            taken: HashSet::new(),
            values: vec![String::new(); program.shapes.len()],
            arrays: HashMap::new(),
        }
    }

    /// Where samples enter.
    pub(super) fn input(&mut self, name: &str, value: usize) {
        let shape = Value::Shape(Shape::batch_of(&self.program.shapes[value]));
        self.values[value] = self.push(
            &format!("serving_default_{name}"),
            "Placeholder",
            vec![],
            vec![("dtype", Value::Type(FLOAT)), ("shape", shape)],
        );
    }

    /// A node on f32 of a layer; the name of what it makes.
    pub(super) fn node(&mut self, layer: &str, op: &str, inputs: Vec<String>, mut attributes: Attributes) -> String {
        attributes.push(("T", Value::Type(FLOAT)));
        self.push(&format!("{layer}/{op}"), op, inputs, attributes)
    }

    /// A node of a layer whose types its attributes say.
    pub(super) fn typed(&mut self, layer: &str, op: &str, inputs: Vec<String>, attributes: Attributes) -> String {
        self.push(&format!("{layer}/{op}"), op, inputs, attributes)
    }

    fn push(&mut self, name: &str, op: &str, input: Vec<String>, attributes: Attributes) -> String {
        let name = self.unique(name);
        let attr: BTreeMap<String, Attribute> =
            attributes.into_iter().map(|(key, value)| (key.to_string(), Attribute { value: Some(value) })).collect();
        self.nodes.push(Node { name: name.clone(), op: op.into(), input, attr });
        name
    }

    /// A name that is free, of the letters that TensorFlow allows in one.
    fn unique(&mut self, name: &str) -> String {
        let plain = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '/') { c } else { '_' };
        let mut stem: String = name.chars().map(plain).collect();
        if !stem.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '.') {
            stem.insert(0, '.');
        }
        // Names of scopes and of nodes differ in case too, for file systems; here only equal ones count.
        let mut free = stem.clone();
        let mut count = 1;
        while !self.taken.insert(free.clone()) {
            free = format!("{stem}_{count}");
            count += 1;
        }
        free
    }

    /// The constant with a weight's values.
    pub(super) fn array(&mut self, index: usize) -> String {
        if let Some(name) = self.arrays.get(&index) {
            return name.clone();
        }
        let array = self.program.arrays[index];
        let name = self.floats(&array.path, &array.shape, &array.values());
        self.arrays.insert(index, name.clone());
        name
    }

    /// A constant of f32.
    pub(super) fn floats(&mut self, name: &str, shape: &[usize], values: &[f32]) -> String {
        let tensor =
            Tensor { dtype: FLOAT, shape: Some(Shape::of(shape.iter().map(|&n| n as i64))), content: numbers::to_bytes(values) };
        self.constant(name, tensor)
    }

    /// A constant of one f32.
    pub(super) fn float(&mut self, name: &str, value: f64) -> String {
        self.floats(name, &[], &[value as f32])
    }

    /// A constant of i32.
    pub(super) fn whole(&mut self, name: &str, shape: &[usize], values: &[i32]) -> String {
        let content = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        let tensor = Tensor { dtype: INT32, shape: Some(Shape::of(shape.iter().map(|&n| n as i64))), content };
        self.constant(name, tensor)
    }

    fn constant(&mut self, name: &str, tensor: Tensor) -> String {
        let attributes = vec![("dtype", Value::Type(tensor.dtype)), ("value", Value::Tensor(tensor))];
        self.push(name, "Const", vec![], attributes)
    }
}

/// `[1, height, width, 1]`.
pub(super) fn spatial([h, w]: [usize; 2]) -> Value {
    Value::List(List { ints: vec![1, h as i64, w as i64, 1] })
}

/// `SAME` or `VALID`.
pub(super) fn padding(same: bool) -> Value {
    Value::Text(if same { b"SAME".to_vec() } else { b"VALID".to_vec() })
}
