//! The graph of Keras' objects in an object-based checkpoint: who holds which variable under which name.

use super::proto::{Attribute, BoolValue, Child, Object, ObjectGraph};
use prost::Message;
use std::collections::VecDeque;

/// The tensor that holds the graph.
pub(crate) const GRAPH: &str = "_CHECKPOINTABLE_OBJECT_GRAPH";
const VALUE: &str = "VARIABLE_VALUE";

/// A graph as read. Nodes are addressed by number; a number that leads nowhere has no children.
pub(crate) struct Objects(ObjectGraph);

impl Objects {
    pub(crate) fn parse(bytes: &[u8]) -> Result<Objects, String> {
        ObjectGraph::decode(bytes).map(Objects).map_err(|e| format!("{GRAPH}: {e}"))
    }

    fn node(&self, node: i32) -> Option<&Object> {
        self.0.nodes.get(usize::try_from(node).ok()?)
    }

    /// The child of that name.
    pub(crate) fn child(&self, node: i32, name: &str) -> Option<i32> {
        self.children(node).find(|(child, _)| *child == name).map(|(_, node)| node)
    }

    /// Names and nodes of all children.
    pub(crate) fn children(&self, node: i32) -> impl Iterator<Item = (&str, i32)> {
        self.node(node).into_iter().flat_map(|node| &node.children).map(|child| (child.name.as_str(), child.node))
    }

    /// The tensor with a node's value, if it is a variable.
    pub(crate) fn key(&self, node: i32) -> Option<&str> {
        self.node(node)?.attributes.iter().find(|a| a.name == VALUE).map(|a| a.key.as_str())
    }

    /// The tensor of the variable that a path of names leads to.
    pub(crate) fn key_at(&self, node: i32, path: &[&str]) -> Option<&str> {
        self.key(path.iter().try_fold(node, |node, name| self.child(node, name))?)
    }

    /// The tensor of an optimizer's slot for a variable.
    pub(crate) fn slot_key(&self, optimizer: i32, variable: i32, slot: &str) -> Option<&str> {
        let slots = &self.node(optimizer)?.slot_variables;
        self.key(slots.iter().find(|s| s.original == variable && s.slot == slot)?.node)
    }

    /// The node nearest to the root for which `wanted` holds.
    pub(crate) fn find(&self, wanted: impl Fn(i32) -> bool) -> Option<i32> {
        let mut seen = vec![false; self.0.nodes.len()];
        let mut queue = VecDeque::from([0]);
        while let Some(node) = queue.pop_front() {
            match usize::try_from(node).ok().and_then(|index| seen.get_mut(index)) {
                Some(seen) if !*seen => *seen = true,
                _ => continue,
            }
            if wanted(node) {
                return Some(node);
            }
            queue.extend(self.children(node).map(|(_, child)| child));
        }
        None
    }
}

/// A graph in the making; its root is node 0.
pub(crate) struct Builder(ObjectGraph);

impl Builder {
    pub(crate) fn new() -> Builder {
        Builder(ObjectGraph { nodes: vec![object()] })
    }

    /// A new child.
    pub(crate) fn child(&mut self, parent: i32, name: &str) -> i32 {
        let node = self.0.nodes.len() as i32;
        self.0.nodes.push(object());
        self.link(parent, name, node);
        node
    }

    /// The node that a path of names leads to from the root.
    pub(crate) fn find_child(&self, path: &[&str]) -> Option<i32> {
        path.iter().try_fold(0i32, |node, name| {
            let node = self.0.nodes.get(usize::try_from(node).ok()?)?;
            node.children.iter().find(|child| child.name == *name).map(|child| child.node)
        })
    }

    /// One more name for a node.
    pub(crate) fn link(&mut self, parent: i32, name: &str, node: i32) {
        if let Some(parent) = usize::try_from(parent).ok().and_then(|parent| self.0.nodes.get_mut(parent)) {
            parent.children.push(Child { node, name: name.into() });
        }
    }

    /// A new child that is a variable; `path` leads to it from the root. Returns its node and the name of its tensor.
    pub(crate) fn variable(&mut self, parent: i32, name: &str, path: &str, full_name: &str) -> (i32, String) {
        let key = format!("{path}/.ATTRIBUTES/{VALUE}");
        let node = self.child(parent, name);
        if let Some(object) = self.0.nodes.last_mut() {
            object.attributes.push(Attribute { name: VALUE.into(), full_name: full_name.into(), key: key.clone() });
        }
        (node, key)
    }

    /// The graph's bytes.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        // Whether anything below a node has a value: what TensorFlow may pass over when it loads.
        let nodes = &mut self.0.nodes;
        let mut has: Vec<bool> = nodes.iter().map(|node| !node.attributes.is_empty()).collect();
        for index in (0..nodes.len()).rev() {
            // Nodes are made after their parents; links to earlier ones are to variables.
            let below = nodes[index].children.iter().any(|c| has.get(c.node as usize).copied().unwrap_or(false));
            has[index] = has[index] || below;
            nodes[index].has_checkpoint_values = Some(BoolValue { value: has[index] });
        }
        self.0.encode_to_vec()
    }
}

fn object() -> Object {
    Object::default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_built_is_found() {
        let mut builder = Builder::new();
        let layer = builder.child(0, "layer-0");
        builder.link(0, "layer_with_weights-0", layer);
        let (variable, key) = builder.variable(layer, "kernel", "layer_with_weights-0/kernel", "dense/kernel");
        let objects = Objects::parse(&builder.finish()).unwrap();
        assert_eq!(objects.key_at(0, &["layer_with_weights-0", "kernel"]), Some(key.as_str()));
        assert_eq!(key, "layer_with_weights-0/kernel/.ATTRIBUTES/VARIABLE_VALUE");
        assert_eq!(objects.key_at(0, &["layer-0", "kernel"]), Some(key.as_str()));
        assert_eq!(objects.key_at(0, &["layer-0", "bias"]), None);
        assert_eq!(objects.find(|node| objects.key(node).is_some()), Some(variable));
        let values: Vec<bool> = objects.0.nodes.iter().map(|n| n.has_checkpoint_values.as_ref().unwrap().value).collect();
        assert_eq!(values, [true; 3]);
    }

    proptest! {
        // Links may go round or nowhere.
        #[test]
        fn any_links_are_searched(links in prop::collection::vec((0usize..6, -2i32..9), 0..20)) {
            let mut nodes = vec![object(); 6];
            for (from, to) in links {
                nodes[from].children.push(Child { node: to, name: "x".into() });
            }
            let objects = Objects(ObjectGraph { nodes });
            prop_assert_eq!(objects.find(|_| false), None);
            let _ = objects.key_at(0, &["x", "x", "x"]);
        }

        #[test]
        fn any_bytes_are_a_graph_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            if let Ok(objects) = Objects::parse(&bytes) {
                let _ = objects.find(|node| objects.child(node, "layer_with_weights-0").is_some());
            }
        }
    }
}
