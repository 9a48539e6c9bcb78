//! Small files that ask for huge networks: each is refused, or read, without the memory that it asks for. One test alone in its program,
//! so that nobody else allocates.

use maobi_formats::format::{self, FORMATS};
use maobi_nn::Model;
use maobi_nn::graph::Sequential;
use maobi_nn::layers::{Dense, InputLayer};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use std::alloc::System;
use std::io::{Cursor, Read, Write};
use std::path::Path;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Most bytes that may be allocated for one file, all of them together.
const MOST: usize = 64 << 20;

/// Units that take 1.6 GB for the kernel alone, which is still below what a weight may have.
const UNITS: &str = "400000000";

/// The small network that the files hold. Its name is long so that a number can grow in its place.
fn small() -> Model {
    let chain = Sequential::new().name("name_of_the_model").add(InputLayer::new([1]));
    chain.add(Dense::new(3).use_bias(false).name("d")).build(1).unwrap()
}

/// What reading `path` allocates, and the error.
fn refused(path: &Path, read: impl FnOnce() -> Option<String>) -> String {
    let region = Region::new(ALLOCATOR);
    let error = read();
    let change = region.change();
    let bytes = change.bytes_allocated as isize + change.bytes_reallocated;
    assert!(bytes < MOST as isize, "{}: {bytes} bytes, {error:?}", path.display());
    error.unwrap_or_else(|| panic!("{}: was read", path.display()))
}

fn load_error(path: &Path) -> Option<String> {
    Some(format::detect(path).unwrap().load(path, 1).err()?.to_string())
}

/// `text` with as many units as are asked for, in as many bytes as before: the model's name gives its own.
fn grown(bytes: &[u8], quote: &str) -> Vec<u8> {
    let replace = |bytes: &[u8], from: &str, to: &str| {
        let at = bytes.windows(from.len()).position(|part| part == from.as_bytes()).unwrap_or_else(|| panic!("no {from}"));
        [&bytes[..at], to.as_bytes(), &bytes[at + from.len()..]].concat()
    };
    let (units, name) = (format!("{quote}units{quote}:"), "name_of_the_model");
    let shorter = &name[..name.len() - (UNITS.len() - 1)];
    let bytes = replace(bytes, &format!("{units}3"), &format!("{units}{UNITS}"));
    replace(&bytes, name, shorter)
}

/// The archive with another config.json.
fn with_config(bytes: &[u8], change: impl Fn(&[u8]) -> Vec<u8>) -> Vec<u8> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).unwrap();
    let mut packed = ZipWriter::new(Cursor::new(Vec::new()));
    for index in 0..archive.len() {
        let mut member = archive.by_index(index).unwrap();
        let mut content = Vec::new();
        member.read_to_end(&mut content).unwrap();
        let name = member.name().unwrap().into_owned();
        if name == "config.json" {
            content = change(&content);
        }
        packed.start_file(name, SimpleFileOptions::default().compression_method(CompressionMethod::Deflated)).unwrap();
        packed.write_all(&content).unwrap();
    }
    packed.finish().unwrap().into_inner()
}

/// A field of a protocol buffer with bytes in it.
fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    let mut field = vec![number << 3 | 2];
    let mut length = bytes.len();
    while length >= 0x80 {
        field.push(length as u8 | 0x80);
        length >>= 7;
    }
    field.push(length as u8);
    field.extend(bytes);
    field
}

/// A field of a protocol buffer with a number in it.
fn number(number: u8, mut value: u64) -> Vec<u8> {
    let mut field = vec![number << 3];
    while value >= 0x80 {
        field.push(value as u8 | 0x80);
        value >>= 7;
    }
    field.push(value as u8);
    field
}

/// An ONNX file with one input, of these axes behind the batch, and these nodes and initializers.
fn onnx(axes: &[u64], nodes: &[(&str, &[&str], &str)], initializers: &[Vec<u8>]) -> Vec<u8> {
    let value = |name: &str, axes: &[u64]| {
        let dims = [vec![field(1, &field(2, b"N"))], axes.iter().map(|&n| field(1, &number(1, n))).collect()].concat().concat();
        [field(1, name.as_bytes()), field(2, &field(1, &[number(1, 1), field(2, &dims)].concat()))].concat()
    };
    let mut graph = Vec::new();
    for (op, inputs, output) in nodes {
        let inputs: Vec<u8> = inputs.iter().flat_map(|input| field(1, input.as_bytes())).collect();
        graph.extend(field(1, &[inputs, field(2, output.as_bytes()), field(4, op.as_bytes())].concat()));
    }
    initializers.iter().for_each(|tensor| graph.extend(field(5, tensor)));
    graph.extend(field(11, &value("x", axes)));
    graph.extend(field(12, &value("y", &[1])));
    [number(1, 8), field(7, &graph), field(8, &number(2, 17))].concat()
}

/// An initializer of floats with these axes and bytes.
fn tensor(name: &str, axes: &[u64], bytes: &[u8]) -> Vec<u8> {
    [axes.iter().flat_map(|&n| number(1, n)).collect(), number(2, 1), field(8, name.as_bytes()), field(9, bytes)].concat()
}

#[test]
fn huge_networks_in_small_files_take_no_memory() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let small = small();

    // The network says more than the weights hold.
    for (name, quote) in [("m.h5", "\""), ("m.safetensors", "\\\""), ("m.keras", "\"")] {
        let path = at(name);
        format::by_extension(&path).unwrap().save(&small, &path, &[]).unwrap();
        assert_eq!(load_error(&path), None, "{name} as it was written");
        let bytes = std::fs::read(&path).unwrap();
        let hostile = if name == "m.keras" { with_config(&bytes, |config| grown(config, quote)) } else { grown(&bytes, quote) };
        std::fs::write(&path, hostile).unwrap();
        let message = refused(&path, || load_error(&path));
        assert!(message.contains(UNITS) && message.contains("expected shape"), "{name}: {message}");
        let message = refused(&path, || Some(format::detect(&path).unwrap().load_without_slots(&path, 1).err()?.to_string()));
        assert!(message.contains(UNITS), "{name}: {message}");
    }

    // Weights alone, for a network that is too large for them.
    let huge = || {
        let json = small.to_json().replace("\"units\":3", &format!("\"units\":{UNITS}"));
        Model::from_json(&json, 1).unwrap()
    };
    let mut tried = 0;
    for (index, format) in FORMATS.iter().enumerate() {
        let name = format!("w{index}{}", format.extensions().first().copied().unwrap_or_default());
        let path = at(&name);
        if format.name() == "saved-model" || format.name() == "json" {
            continue;
        }
        format.save(&small, &path, &[]).unwrap();
        let message = refused(&path, || Some(format.load_weights(&mut huge(), &path).err()?.to_string()));
        assert!(message.contains(UNITS), "{name}: {message}");
        tried += 1;
    }
    assert_eq!(tried, 8);

    // A network without weights: what lies between its layers would take terabytes.
    let layers: Vec<String> = (0..5000)
        .map(|i| format!("{{\"class_name\":\"Activation\",\"config\":{{\"name\":\"a{i}\",\"activation\":\"relu\"}}}}"))
        .collect();
    let input = "{\"class_name\":\"InputLayer\",\"config\":{\"batch_shape\":[null,16384,16384,1]}}";
    let json =
        |layers: &str| format!("{{\"class_name\":\"Sequential\",\"config\":{{\"name\":\"n\",\"layers\":[{input},{layers}]}}}}");
    let path = at("deep.json");
    std::fs::write(&path, json(&layers.join(","))).unwrap();
    let message = refused(&path, || load_error(&path));
    assert!(message.contains(" more memory (") && message.contains("largest layer"), "{message}");

    // Layers that make tables when they are described.
    for (name, layers) in [
        ("pooled", "{\"class_name\":\"MaxPooling2D\",\"config\":{\"pool_size\":4000000000}}"),
        ("padded", "{\"class_name\":\"ZeroPadding2D\",\"config\":{\"padding\":4000000000}}"),
        ("repeated", "{\"class_name\":\"UpSampling2D\",\"config\":{\"size\":60000}}"),
        (
            "dilated",
            "{\"class_name\":\"Conv2D\",\"config\":{\"filters\":1,\"kernel_size\":9,\"dilation_rate\":60000,\"padding\":\"same\"}}",
        ),
        ("filters", "{\"class_name\":\"Conv2D\",\"config\":{\"filters\":4000000000,\"kernel_size\":3}}"),
        ("units", "{\"class_name\":\"Dense\",\"config\":{\"units\":4000000000}}"),
        ("both", "{\"class_name\":\"Flatten\",\"config\":{}},{\"class_name\":\"Dense\",\"config\":{\"units\":100000}}"),
    ] {
        let path = at(&format!("{name}.json"));
        std::fs::write(&path, json(layers)).unwrap();
        let message = refused(&path, || load_error(&path));
        assert!(message.contains("too large") || message.contains("at most") || message.contains("fit"), "{name}: {message}");
    }

    // ONNX: tensors say more than they hold, nodes repeat constants, the input is a wall of pixels.
    let (kernel, four) = (tensor("w", &[1, 400_000_000], &[0; 12]), tensor("c", &[250_000], &[0; 1_000_000]));
    let path = at("claims.onnx");
    std::fs::write(&path, onnx(&[1], &[("MatMul", &["x", "w"], "y")], &[kernel])).unwrap();
    let message = refused(&path, || load_error(&path));
    assert!(message.contains("do not hold 400000000 values"), "{message}");
    let names: Vec<String> = (0..500).map(|i| format!("c{i}")).collect();
    let doubled: Vec<(&str, [&str; 2], &str)> = names.iter().map(|name| ("Add", ["c", "c"], name.as_str())).collect();
    let nodes: Vec<(&str, &[&str], &str)> = doubled.iter().map(|(op, inputs, output)| (*op, &inputs[..], *output)).collect();
    let path = at("repeats.onnx");
    std::fs::write(&path, onnx(&[1], &nodes, &[four])).unwrap();
    // Each sum is made from copies; what counts is that they end soon.
    let region = Region::new(ALLOCATOR);
    let message = load_error(&path).unwrap();
    let allocated = region.change().bytes_allocated;
    assert!(message.contains("constants made on the way") && allocated < 256 << 20, "{allocated} bytes: {message}");
    let path = at("wall.onnx");
    let names: Vec<String> = (0..5000).map(|i| format!("r{i}")).collect();
    let inputs: Vec<[&str; 1]> = std::iter::once("x").chain(names.iter().map(String::as_str)).map(|name| [name]).collect();
    let outputs = names.iter().map(String::as_str).take(4999).chain(["y"]);
    let chain: Vec<(&str, &[&str], &str)> = inputs.iter().zip(outputs).map(|(from, to)| ("Sigmoid", &from[..], to)).collect();
    std::fs::write(&path, onnx(&[16_384, 8_192], &chain, &[])).unwrap();
    let message = refused(&path, || load_error(&path));
    assert!(message.contains(" more memory ("), "{message}");
}
