//! TensorFlow's own files: checkpoints in both kinds, and the event files that TensorBoard shows.
//!
//! A checkpoint is a *tensor bundle* (`bundle`): an index, which is a LevelDB table of names, and shards with the values. Object-based
//! ones ([`checkpoint`]) hold a graph of Keras' objects beside them, name-based ones ([`saver`]) only names.

pub(crate) mod bundle;
pub mod checkpoint;
mod crc;
pub mod events;
mod objects;
mod proto;
pub mod saver;
mod saver_match;
mod saver_names;
mod saver_slots;
pub mod state;
mod table;
mod values;

pub use state::latest;
