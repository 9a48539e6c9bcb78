use super::*;
use crate::onnx::proto::{Attribute, Dimension, Graph, Length, Node, OperatorSet, Shape, Tensor, TensorType, Type, ValueInfo};
use proptest::prelude::*;

const NAME: &str = "m.onnx";

fn floats(name: &str, dims: &[i64], values: &[f32]) -> Tensor {
    Tensor { dims: dims.to_vec(), data_type: Some(1), float_data: values.to_vec(), name: name.into(), ..Tensor::default() }
}

fn whole(name: &str, values: &[i64]) -> Tensor {
    Tensor {
        dims: vec![values.len() as i64],
        data_type: Some(7),
        int64_data: values.to_vec(),
        name: name.into(),
        ..Tensor::default()
    }
}

fn node(op: &str, inputs: &[&str], output: &str, attribute: Vec<Attribute>) -> Node {
    Node {
        input: inputs.iter().map(|i| i.to_string()).collect(),
        output: vec![output.into()],
        name: format!("the_{}", op.to_lowercase()),
        op_type: op.into(),
        attribute,
        ..Node::default()
    }
}

fn value(name: &str, dims: &[i64]) -> ValueInfo {
    let batch = Dimension { value: Some(Length::Name("n".into())) };
    let axes = dims.iter().map(|&n| Dimension { value: Some(Length::Value(n)) });
    let shape = Shape { dim: [batch].into_iter().chain(axes).collect() };
    ValueInfo {
        name: name.into(),
        r#type: Some(Type { tensor_type: Some(TensorType { elem_type: Some(1), shape: Some(shape) }) }),
        doc_string: String::new(),
    }
}

/// A file from "x" to "y".
fn file(dims: &[i64], node: Vec<Node>, initializer: Vec<Tensor>) -> proto::Model {
    let graph = Graph {
        node,
        name: "test".into(),
        initializer,
        input: vec![value("x", dims)],
        output: vec![ValueInfo { name: "y".into(), ..ValueInfo::default() }],
        ..Graph::default()
    };
    proto::Model {
        ir_version: Some(8),
        graph: Some(graph),
        opset_import: vec![OperatorSet { domain: String::new(), version: Some(17) }],
        ..proto::Model::default()
    }
}

fn load(file: &proto::Model) -> Result<Loaded> {
    load_bytes(Path::new(NAME), &file.encode_to_vec(), 1)
}

/// What the file's network makes of one sample.
fn run(file: &proto::Model, x: &[f32]) -> Vec<f32> {
    load(file).unwrap_or_else(|e| panic!("{e}")).model.predict(&[x]).unwrap().remove(0).into_values()
}

fn refused(file: &proto::Model, parts: &[&str]) {
    let message = load(file).unwrap_err().to_string();
    for part in parts {
        assert!(message.contains(part), "\"{part}\" is not in: {message}");
    }
}

fn classes(file: &proto::Model) -> Vec<&'static str> {
    load(file).unwrap().model.graph().layers.iter().map(|l| l.layer.class_name()).collect()
}

#[test]
fn a_dense_layer_behind_an_image_has_its_rows_sorted() {
    // Two channels of 1×2 pixels; the file counts channel by channel.
    let dense = |inputs: [&str; 2]| {
        vec![node("Relu", &["x"], "r", vec![]), node("Flatten", &["r"], "f", vec![]), node("MatMul", &inputs, "y", vec![])]
    };
    let kernel = floats("w", &[4, 1], &[1.0, 10.0, 100.0, 1000.0]);
    let mut net = file(&[2, 1, 2], dense(["f", "w"]), vec![kernel]);
    // A 1×1 convolution before it makes the input an image with its channels first.
    let graph = net.graph.as_mut().unwrap();
    graph.node[0] = node("Conv", &["x", "k"], "r", vec![]);
    graph.initializer.push(floats("k", &[2, 2, 1, 1], &[1.0, 0.0, 0.0, 1.0]));
    // Ours: [height, width, channel] = (pixel 0: 1, 3), (pixel 1: 2, 4); the file's order is 1, 2, 3, 4.
    assert_eq!(run(&net, &[1.0, 3.0, 2.0, 4.0]), [4321.0]);
}

#[test]
fn what_no_layer_does_is_named() {
    let one = |op: &str, attributes: Vec<Attribute>| file(&[2, 8, 8], vec![node(op, &["x"], "y", attributes)], vec![]);
    refused(&one("LRN", vec![]), &[NAME, "node \"the_lrn\" (LRN)", "those that are read: Add, AveragePool"]);
    let pool = |op: &str, pads: [usize; 4]| one(op, vec![Attribute::ints("kernel_shape", [3, 3]), Attribute::ints("pads", pads)]);
    refused(&pool("MaxPool", [1, 0, 0, 1]), &["(MaxPool)", "attribute pads", "[[1, 0], [0, 1]]", "relu"]);
    refused(&pool("AveragePool", [1, 0, 0, 1]), &["(AveragePool)", "attribute pads", "count_include_pad"]);
    refused(&one("Softmax", vec![Attribute::int("axis", 2)]), &["attribute axis is 2"]);
    refused(&one("Transpose", vec![Attribute::ints("perm", [1, 0, 2, 3])]), &["perm", "batch"]);
    let mut foreign = one("Conv", vec![]);
    foreign.graph.as_mut().unwrap().node[0].domain = "com.microsoft".into();
    refused(&foreign, &["domain \"com.microsoft\""]);
    let mut new = one("Relu", vec![]);
    new.opset_import[0].version = Some(99);
    refused(&new, &["operator set 99; 7 to 26 are read"]);
    let free = file(&[0, 8, 8], vec![node("Relu", &["x"], "y", vec![])], vec![]);
    refused(&free, &["input \"x\"", "only the batch may have a free length"]);
    let huge = file(&[1 << 40, 1 << 40, 8], vec![node("Relu", &["x"], "y", vec![])], vec![]);
    refused(&huge, &["input \"x\"", "values"]);
    let lost = file(&[4], vec![node("Relu", &["z"], "y", vec![])], vec![]);
    refused(&lost, &["value \"z\" is made by no node before it is used"]);
    refused(&proto::Model::default(), &["no graph in it"]);
    let back = vec![node("Reshape", &["x", "s"], "r", vec![]), node("Conv", &["r", "k"], "y", vec![])];
    let to_image = file(&[8], back, vec![whole("s", &[-1, 2, 2, 2]), floats("k", &[1, 2, 1, 1], &[1.0, 1.0])]);
    refused(&to_image, &["(Conv)", "there is no layer here that turns axes"]);
}

#[test]
fn padding_becomes_keras_words_where_it_has_them() {
    let conv = |attributes: Vec<Attribute>| {
        file(&[1, 6, 6], vec![node("Conv", &["x", "k"], "y", attributes)], vec![floats("k", &[1, 1, 3, 3], &[1.0; 9])])
    };
    let same = conv(vec![Attribute::ints("pads", [1, 1, 1, 1])]);
    assert_eq!(classes(&same), ["InputLayer", "Conv2D"]);
    assert_eq!(
        classes(&conv(vec![Attribute::text("auto_pad", "SAME_UPPER"), Attribute::ints("strides", [2, 2])])),
        ["InputLayer", "Conv2D"]
    );
    // With strides Keras puts more behind; these are not its words.
    for attributes in [
        vec![Attribute::text("auto_pad", "SAME_LOWER"), Attribute::ints("strides", [2, 2])],
        vec![Attribute::ints("pads", [1, 1, 1, 1]), Attribute::ints("strides", [2, 2])],
    ] {
        assert_eq!(classes(&conv(attributes)), ["InputLayer", "ZeroPadding2D", "Conv2D"]);
    }
    let x: Vec<f32> = (0..36).map(|i| i as f32).collect();
    let lower = conv(vec![Attribute::text("auto_pad", "SAME_LOWER"), Attribute::ints("strides", [2, 2])]);
    // The first window has a row and a column of zeros before it: 0 + 1 + 6 + 7.
    assert_eq!(run(&lower, &x)[0], 14.0);
    // Poolings: after a relu zeros are no more than nothing.
    let pool = |attributes: Vec<Attribute>| {
        let attributes = [vec![Attribute::ints("kernel_shape", [3, 3]), Attribute::ints("strides", [2, 2])], attributes].concat();
        file(&[1, 6, 6], vec![node("Relu", &["x"], "r", vec![]), node("MaxPool", &["r"], "y", attributes)], vec![])
    };
    let padded = pool(vec![Attribute::ints("pads", [1, 1, 1, 1])]);
    assert_eq!(classes(&padded), ["InputLayer", "Activation", "ZeroPadding2D", "MaxPooling2D"]);
    assert_eq!(run(&padded, &x), [7., 9., 11., 19., 21., 23., 31., 33., 35.]);
    // ceil_mode looks at one more row and column, which is Keras' same.
    let ceil = pool(vec![Attribute::int("ceil_mode", 1)]);
    assert_eq!(classes(&ceil), ["InputLayer", "Activation", "MaxPooling2D"]);
    assert_eq!(run(&ceil, &x), [14., 16., 17., 26., 28., 29., 32., 34., 35.]);
}

#[test]
fn arithmetic_with_constants_is_one_layer() {
    // (x − 2) / 4 · 3, and −(…) + 1.
    let nodes = vec![
        node("Sub", &["x", "two"], "a", vec![]),
        node("Div", &["a", "four"], "b", vec![]),
        node("Mul", &["b", "three"], "c", vec![]),
        node("Sub", &["one", "c"], "y", vec![]),
    ];
    let constants = [("two", 2.0), ("four", 4.0), ("three", 3.0), ("one", 1.0)].map(|(name, v)| floats(name, &[], &[v]));
    let chain = file(&[3], nodes, constants.to_vec());
    assert_eq!(classes(&chain), ["InputLayer", "Rescaling"]);
    assert_eq!(run(&chain, &[2.0, 6.0, 10.0]), [1.0, -2.0, -5.0]);
    // One a channel, channels first.
    let nodes = vec![node("Sub", &["x", "mean"], "a", vec![]), node("Conv", &["a", "k"], "y", vec![])];
    let constants = vec![floats("mean", &[1, 2, 1, 1], &[1.0, 10.0]), floats("k", &[1, 2, 1, 1], &[1.0, 1.0])];
    let channels = file(&[2, 1, 2], nodes, constants);
    assert_eq!(classes(&channels), ["InputLayer", "BatchNormalization", "Conv2D"]);
    let y = run(&channels, &[1.0, 10.0, 2.0, 20.0]);
    // √(variance + epsilon) is 1 to the last bit or the one before.
    assert!((y[0]).abs() < 1e-5 && (y[1] - 11.0).abs() < 1e-5, "{y:?}");
}

#[test]
fn weights_may_lie_beside_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let entry = |key: &str, value: &str| proto::Entry { key: key.into(), value: value.into() };
    let with = |location: &str, offset: &str, length: &str| {
        let kernel = Tensor {
            dims: vec![2, 1],
            data_type: Some(1),
            name: "w".into(),
            data_location: Some(1),
            external_data: vec![entry("location", location), entry("offset", offset), entry("length", length)],
            ..Tensor::default()
        };
        file(&[2], vec![node("MatMul", &["x", "w"], "y", vec![])], vec![kernel])
    };
    let bytes: Vec<u8> = [7.0f32, 2.0, 3.0].iter().flat_map(|v| v.to_le_bytes()).collect();
    std::fs::write(folder.path().join("m.onnx.data"), bytes).unwrap();
    let path = folder.path().join(NAME);
    let load = |file: proto::Model| load_bytes(&path, &file.encode_to_vec(), 1);
    let model = load(with("m.onnx.data", "4", "8")).unwrap().model;
    assert_eq!(*model.predict(&[&[10.0, 100.0]]).unwrap()[0], [320.0]);
    let refused = |file: proto::Model, part: &str| {
        let message = load(file).unwrap_err().to_string();
        assert!(message.contains(part), "{message}");
    };
    refused(with("m.onnx.data", "8", "8"), "does not lie within \"m.onnx.data\" (12 bytes)");
    refused(with("m.onnx.data", "0", "4"), "4 bytes do not hold 2 values");
    refused(with("none.data", "0", "8"), "file \"none.data\" beside the model");
    for outside in ["../m.onnx.data", "/etc/hostname", ""] {
        refused(with(outside, "0", "8"), "outside the model's folder");
    }
}

#[test]
fn claims_are_held_against_the_bytes() {
    let dense = |kernel: Tensor| file(&[4], vec![node("MatMul", &["x", "w"], "y", vec![])], vec![kernel]);
    refused(&dense(floats("w", &[4, 1 << 40], &[0.0; 4])), &["tensor \"w\"", "4 values"]);
    refused(&dense(floats("w", &[4, -1], &[0.0; 4])), &["tensor \"w\": axes [4, -1]"]);
    refused(&dense(floats("w", &[i64::MAX, i64::MAX], &[])), &["tensor \"w\""]);
    refused(&dense(floats("w", &[3, 1], &[0.0; 3])), &["a kernel for 3 inputs"]);
    // A small weight used by very many layers.
    let mut nodes: Vec<Node> =
        (0..100).map(|i| node("MatMul", &[&format!("v{i}"), "w"], &format!("v{}", i + 1), vec![])).collect();
    nodes[0].input[0] = "x".into();
    nodes[99].output[0] = "y".into();
    refused(&file(&[4], nodes, vec![floats("w", &[4, 4], &[0.5; 16])]), &["the same weights are used more than 8 times over"]);
}

/// A small network of ours as a file.
fn sample() -> Vec<u8> {
    use maobi_nn::graph::Sequential;
    use maobi_nn::layers::{BatchNormalization, Conv2D, Dense, Flatten, InputLayer, MaxPooling2D};
    let chain = Sequential::new()
        .add(InputLayer::new([6, 6, 2]))
        .add(Conv2D::new(2, 3).activation("gelu"))
        .add(BatchNormalization::new());
    let chain = chain.add(MaxPooling2D::new(2)).add(Flatten::new()).add(Dense::new(3).activation("softmax"));
    crate::onnx::export::to_bytes(&chain.build(1).unwrap(), &[("a.json", b"{}")]).unwrap().0
}

proptest! {
    #[test]
    fn cut_and_flipped_files_never_panic(cut in 0usize..10_000, flips in prop::collection::vec((0usize..10_000, 0u8..8), 1..4)) {
        let whole = sample();
        let path = Path::new(NAME);
        // A protocol buffer has no end: cut behind the network, before what travels with it, it is whole but for that.
        if let Ok(loaded) = load_bytes(path, &whole[..cut % whole.len()], 1) {
            let model = load_bytes(path, &whole, 1).unwrap().model;
            prop_assert_eq!(loaded.extras.len(), 0);
            prop_assert!(model.weights().iter().zip(loaded.model.weights()).all(|(a, b)| a.values()[..] == b.values()[..]));
        }
        let mut flipped = whole.clone();
        for (at, bit) in flips {
            flipped[at % whole.len()] ^= 1 << bit;
        }
        if let Ok(loaded) = load_bytes(path, &flipped, 1) {
            prop_assert!(loaded.model.weights().iter().all(|w| w.len() == w.shape.iter().product::<usize>()));
        }
    }
}
