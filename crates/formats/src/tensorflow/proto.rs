//! The protocol buffers in checkpoints, by hand: tensorflow/core/protobuf/tensor_bundle.proto and trackable_object_graph.proto.

use prost::Message;

/// What every index begins with, under the empty key.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct BundleHeader {
    #[prost(int32, tag = "1")]
    pub(crate) num_shards: i32,
    /// 0 is little.
    #[prost(int32, tag = "2")]
    pub(crate) endianness: i32,
    #[prost(message, optional, tag = "3")]
    pub(crate) version: Option<VersionDef>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct VersionDef {
    #[prost(int32, tag = "1")]
    pub(crate) producer: i32,
    #[prost(int32, tag = "2")]
    pub(crate) min_consumer: i32,
}

/// Where a tensor is.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct BundleEntry {
    #[prost(int32, tag = "1")]
    pub(crate) dtype: i32,
    #[prost(message, optional, tag = "2")]
    pub(crate) shape: Option<TensorShape>,
    #[prost(int32, tag = "3")]
    pub(crate) shard: i32,
    #[prost(int64, tag = "4")]
    pub(crate) offset: i64,
    #[prost(int64, tag = "5")]
    pub(crate) size: i64,
    /// Masked, of the tensor's bytes.
    #[prost(fixed32, tag = "6")]
    pub(crate) crc32c: u32,
    /// The parts of a partitioned variable.
    #[prost(message, repeated, tag = "7")]
    pub(crate) slices: Vec<TensorSlice>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct TensorSlice {}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct TensorShape {
    #[prost(message, repeated, tag = "2")]
    pub(crate) dim: Vec<Dim>,
    #[prost(bool, tag = "3")]
    pub(crate) unknown_rank: bool,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Dim {
    #[prost(int64, tag = "1")]
    pub(crate) size: i64,
}

/// `_CHECKPOINTABLE_OBJECT_GRAPH`: Python's objects and which variable each holds; node 0 is the root.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct ObjectGraph {
    #[prost(message, repeated, tag = "1")]
    pub(crate) nodes: Vec<Object>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Object {
    #[prost(message, repeated, tag = "1")]
    pub(crate) children: Vec<Child>,
    #[prost(message, repeated, tag = "2")]
    pub(crate) attributes: Vec<Attribute>,
    #[prost(message, repeated, tag = "3")]
    pub(crate) slot_variables: Vec<SlotVariable>,
    #[prost(message, optional, tag = "5")]
    pub(crate) has_checkpoint_values: Option<BoolValue>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Child {
    #[prost(int32, tag = "1")]
    pub(crate) node: i32,
    #[prost(string, tag = "2")]
    pub(crate) name: String,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Attribute {
    #[prost(string, tag = "1")]
    pub(crate) name: String,
    #[prost(string, tag = "2")]
    pub(crate) full_name: String,
    #[prost(string, tag = "3")]
    pub(crate) key: String,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct SlotVariable {
    #[prost(int32, tag = "1")]
    pub(crate) original: i32,
    #[prost(string, tag = "2")]
    pub(crate) slot: String,
    #[prost(int32, tag = "3")]
    pub(crate) node: i32,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct BoolValue {
    #[prost(bool, tag = "1")]
    pub(crate) value: bool,
}
