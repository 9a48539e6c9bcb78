//! TensorFlow's SavedModel: a folder with the computation, for TF Serving, the TFLite converter and `keras.layers.TFSMLayer`.
//!
//! One graph without variables, tagged `serve`, with the signature `serving_default`: inputs and outputs have the names of their
//! layers, the batch is free. Only written; for training, a model belongs into a `.keras` file.

mod graph;
mod proto;
mod steps;

use crate::contract::{Format, Loaded};
use crate::error::{Error, Result};
use crate::inference::notes;
use graph::Writer;
use maobi_nn::Model;
use maobi_nn::Program;
use prost::Message;
use proto::{Graph, MetaGraph, MetaInfo, Shape, Signature, TensorInfo, Versions};
use std::fs;
use std::path::{Path, PathBuf};

/// The file in the folder.
const FILE: &str = "saved_model.pb";
/// Folder of files that TensorFlow leaves to its users (tensorflow/cc/saved_model/README.md).
const EXTRAS: &str = "assets.extra";
/// Protocol buffers end here.
const MAX_MESSAGE: usize = i32::MAX as usize;
/// TensorFlow 2.8's version of graphs, whose operators these are.
const GRAPH_VERSION: i32 = 987;

/// The format `saved-model`.
pub(crate) struct SavedModel;

impl Format for SavedModel {
    fn name(&self) -> &'static str {
        "saved-model"
    }

    fn about(&self) -> &'static str {
        "TensorFlow's SavedModel, a folder, for inference: TF Serving, the TFLite converter; written only"
    }

    fn extensions(&self) -> &'static [&'static str] {
        &[]
    }

    fn recognises(&self, path: &Path, _head: &[u8]) -> bool {
        path.join(FILE).is_file()
    }

    fn load(&self, path: &Path, _seed: u64) -> Result<Loaded> {
        Err(refusal(path))
    }

    fn load_weights(&self, _model: &mut Model, path: &Path) -> Result<Vec<String>> {
        Err(refusal(path))
    }

    fn save(&self, model: &Model, path: &Path, extras: &[(&str, &[u8])]) -> Result<Vec<String>> {
        let write = |message: String| Error::write(path, message);
        let bytes = to_bytes(&Program::of(model)).map_err(write)?;
        let mut files = vec![(PathBuf::from(FILE), bytes)];
        for (name, bytes) in extras {
            let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
            if name.is_empty() || name.starts_with('.') || !name.chars().all(plain) {
                return Err(write(format!("extra \"{name}\": a name of letters, digits, '.', '_' and '-' is expected")));
            }
            files.push((Path::new(EXTRAS).join(name), bytes.to_vec()));
        }
        write_folder(path, &files)?;
        Ok(notes(model))
    }
}

fn refusal(path: &Path) -> Error {
    let message = "a SavedModel is a computation without layers and is only written here. Save the model as .keras with Keras \
                   (model.save(\"model.keras\")), or read its weights from the checkpoint in its folder variables";
    Error::unsupported(path, message)
}

/// `saved_model.pb`; the same model gives the same bytes.
fn to_bytes(program: &Program<'_>) -> std::result::Result<Vec<u8>, String> {
    let mut writer = Writer::new(program);
    for (name, value) in &program.inputs {
        writer.input(name, *value);
    }
    for step in &program.steps {
        writer.step(step)?;
    }
    let tensors = |values: &[(String, usize)]| {
        let info = |value: usize| {
            let made = &writer.values[value];
            let name = if made.contains(':') { made.clone() } else { format!("{made}:0") };
            TensorInfo { name, dtype: proto::FLOAT, shape: Some(Shape::batch_of(&program.shapes[value])) }
        };
        values.iter().map(|(name, value)| (name.clone(), info(*value))).collect()
    };
    let signature = Signature {
        inputs: tensors(&program.inputs),
        outputs: tensors(&program.outputs),
        method_name: "tensorflow/serving/predict".into(),
    };
    let graph = MetaGraph {
        meta_info: Some(MetaInfo {
            tags: vec!["serve".into()],
            tensorflow_version: "2.8.0".into(),
            stripped_default_attrs: true,
        }),
        graph: Some(Graph { node: writer.nodes, versions: Some(Versions { producer: GRAPH_VERSION, min_consumer: 12 }) }),
        signatures: [("serving_default".to_string(), signature)].into(),
    };
    let file = proto::SavedModel { saved_model_schema_version: 1, meta_graphs: vec![graph] };
    let length = file.encoded_len();
    if length > MAX_MESSAGE {
        return Err(format!("{length} bytes; a SavedModel without variables ends at {MAX_MESSAGE}"));
    }
    Ok(file.encode_to_vec())
}

/// Writes a folder beside where it belongs and puts it there when it is whole. Only an empty folder or an earlier SavedModel makes way.
fn write_folder(path: &Path, files: &[(PathBuf, Vec<u8>)]) -> Result<()> {
    let is_empty = |path: &Path| fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_none());
    let exists = path.symlink_metadata().is_ok();
    if exists && !path.join(FILE).is_file() && !(path.is_dir() && is_empty(path)) {
        let message = "is there already and no SavedModel; choose another name, or remove it first";
        return Err(Error::write(path, message));
    }
    if path.file_name().is_none() {
        return Err(Error::write(path, "a name for the folder is expected"));
    }
    maobi_files::write_folder(path, files).map_err(Error::io(path, "write"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use maobi_nn::graph::Sequential;
    use maobi_nn::layers::{Conv2D, Dense, Flatten, InputLayer};

    fn network() -> Model {
        let chain = Sequential::new().add(InputLayer::new([4, 4, 1]).name("image")).add(Conv2D::new(2, 3).activation("relu"));
        chain.add(Flatten::new()).add(Dense::new(3).activation("softmax").name("digit")).build(1).unwrap()
    }

    #[test]
    fn the_folder_holds_one_signature() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model");
        SavedModel.save(&network(), &path, &[("preprocessing.json", b"{}")]).unwrap();
        assert_eq!(fs::read(path.join("assets.extra/preprocessing.json")).unwrap(), b"{}");
        let first = fs::read(path.join(FILE)).unwrap();
        let file = proto::SavedModel::decode(first.as_slice()).unwrap();
        let graph = &file.meta_graphs[0];
        let signature = &graph.signatures["serving_default"];
        assert_eq!(signature.inputs["image"].name, "serving_default_image:0");
        assert_eq!(signature.inputs["image"].shape, Some(Shape::of([-1, 4, 4, 1])));
        assert_eq!(signature.outputs["digit"].name, "digit/Softmax:0");
        assert_eq!(signature.outputs["digit"].shape, Some(Shape::of([-1, 3])));
        let ops: Vec<&str> =
            graph.graph.as_ref().unwrap().node.iter().map(|n| n.op.as_str()).filter(|op| *op != "Const").collect();
        assert_eq!(ops, ["Placeholder", "Conv2D", "BiasAdd", "Relu", "Reshape", "MatMul", "BiasAdd", "Softmax"]);
        // Again: the old folder makes way, extras of then are gone, and nothing is left beside.
        SavedModel.save(&network(), &path, &[]).unwrap();
        assert_eq!(fs::read(path.join(FILE)).unwrap(), first);
        assert!(!path.join("assets.extra").exists());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn other_folders_are_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("mine.txt"), "x").unwrap();
        let message = SavedModel.save(&network(), folder.path(), &[]).unwrap_err().to_string();
        assert!(message.contains("is there already and no SavedModel"), "{message}");
        assert!(folder.path().join("mine.txt").is_file());
    }

    #[test]
    fn reading_says_the_way_round() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model");
        SavedModel.save(&network(), &path, &[]).unwrap();
        let format = crate::format::detect(&path).unwrap();
        assert_eq!(format.name(), "saved-model");
        let message = format.load(&path, 1).unwrap_err().to_string();
        assert!(message.contains("only written here") && message.contains(".keras"), "{message}");
    }
}
