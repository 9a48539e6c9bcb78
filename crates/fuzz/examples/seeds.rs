//! Writes small inputs of every kind into `fuzz/corpus`, for the fuzzer to start from:
//! `cargo run -p maobi-fuzz-targets --example seeds`

use flate2::{Compression, write::GzEncoder};
use image::{DynamicImage, ImageFormat};
use maobi_formats::{format::FORMATS, keras, weights_h5};
use maobi_nn::graph::Sequential;
use maobi_nn::layers::{Conv2D, Dense, Dropout, Flatten, InputLayer, MaxPooling2D};
use maobi_nn::{Compile, Model, losses::SparseCategoricalCrossentropy, optimizers::Adam};
use maobi_train::Recipe;
use std::error::Error;
use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn seed(target: &str, name: &str, bytes: &[u8]) -> Result<()> {
    let folder = root().join("fuzz/corpus").join(target);
    std::fs::create_dir_all(&folder)?;
    Ok(std::fs::write(folder.join(name), bytes)?)
}

fn main() -> Result<()> {
    models()?;
    data()?;
    pictures()?;
    texts()?;
    requests()
}

fn models() -> Result<()> {
    let dense = Sequential::new().add(InputLayer::new([2])).add(Dense::new(3)).build(1)?;
    let mut conv = Sequential::new()
        .add(InputLayer::new([4, 4, 1]))
        .add(Conv2D::new(2, (3, 3)).activation("relu"))
        .add(MaxPooling2D::new((2, 2)))
        .add(Flatten::new())
        .add(Dropout::new(0.5))
        .add(Dense::new(3).activation("softmax"))
        .build(1)?;
    conv.compile(Compile::new(Adam::new(0.001), SparseCategoricalCrossentropy::new()))?;
    let place = tempfile::tempdir()?;
    for (which, model) in [("dense", &dense), ("conv", &conv)] {
        each_format(which, model, place.path())?;
        seed("network_json", which, model.to_json().as_bytes())?;
    }
    for entry in std::fs::read_dir(root().join("fixtures/interop/onnx"))? {
        let path = entry?.path();
        if path.extension().is_some_and(|e| e == "onnx") {
            seed("onnx", &path.file_name().unwrap_or_default().to_string_lossy(), &std::fs::read(&path)?)?;
        }
    }
    for name in ["kinds", "lzf"] {
        seed("h5", name, &std::fs::read(root().join(format!("fixtures/interop/h5/{name}.h5")))?)?;
    }
    let checkpoints = root().join("fixtures/interop/checkpoints");
    for name in ["adam", "sgd_momentum", "legacy_adam", "legacy_sgd_momentum", "tf1_adam"] {
        let index = std::fs::read(checkpoints.join(format!("{name}.ckpt.index")))?;
        let data = std::fs::read(checkpoints.join(format!("{name}.ckpt.data-00000-of-00001")))?;
        seed("tf_checkpoint", name, &checkpoint(&index, &data))?;
    }
    Ok(())
}

/// As the target reads it.
fn checkpoint(index: &[u8], data: &[u8]) -> Vec<u8> {
    [&(index.len() as u16).to_le_bytes(), index, data].concat()
}

/// The model in every format that can be written.
fn each_format(which: &str, model: &Model, place: &Path) -> Result<()> {
    for (number, format) in FORMATS.iter().enumerate() {
        let folder = place.join(format!("{which}{number}"));
        std::fs::create_dir_all(&folder)?;
        let extension = format.extensions().first().copied().unwrap_or_default();
        let path = folder.join(format!("m{extension}"));
        if format.save(model, &path, &[]).is_err() {
            continue;
        }
        let target = match extension {
            ".keras" => "keras",
            ".weights.h5" => "weights_h5",
            ".h5" => "h5",
            ".npz" => "npz_weights",
            ".onnx" => "onnx",
            ".safetensors" => "safetensors",
            ".ckpt" => {
                let file = |end: &str| std::fs::read(folder.join(format!("m.ckpt.{end}")));
                seed("tf_checkpoint", which, &checkpoint(&file("index")?, &file("data-00000-of-00001")?))?;
                continue;
            }
            _ => continue,
        };
        seed(target, which, &std::fs::read(&path)?)?;
    }
    let path = place.join(format!("{which}.weights.h5"));
    weights_h5::save(model, &path)?;
    seed("weights_h5", which, &std::fs::read(&path)?)?;
    let path = place.join(format!("{which}.keras"));
    keras::save_with(model, &path, &[("preprocessing.json", br#"{"scale": 1, "offset": 0}"#)])?;
    seed("keras", &format!("{which}-extras"), &std::fs::read(&path)?)
}

fn data() -> Result<()> {
    let images = [&[0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 2][..], &[0, 50, 100, 150, 200, 250, 1, 2]].concat();
    let labels = [0, 0, 8, 1, 0, 0, 0, 3, 7, 8, 9];
    let floats = [&[0, 0, 13, 1, 0, 0, 0, 1][..], &1.5f32.to_be_bytes()].concat();
    for (name, bytes) in [("images", &images[..]), ("labels", &labels), ("floats", &floats)] {
        seed("idx", name, bytes)?;
        let mut packed = GzEncoder::new(Vec::new(), Compression::default());
        packed.write_all(bytes)?;
        seed("idx", &format!("{name}.gz"), &packed.finish()?)?;
    }
    let npy = |header: &str, data: &[u8]| {
        let text = format!("{header:<117}\n");
        [b"\x93NUMPY\x01\x00", &(text.len() as u16).to_le_bytes()[..], text.as_bytes(), data].concat()
    };
    for (name, header, data) in [
        ("u8", "{'descr': '|u1', 'fortran_order': False, 'shape': (2, 2), }", &[1, 2, 3, 4][..]),
        ("f4", "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }", &1.5f32.to_le_bytes()),
        ("i8", "{'descr': '<i8', 'fortran_order': True, 'shape': (1, 1), }", &3i64.to_le_bytes()),
        ("f2", "{'descr': '>f2', 'fortran_order': False, 'shape': (), }", &[0x3c, 0]),
    ] {
        seed("npz", name, &npy(header, data))?;
    }
    // The weights of a model are a small npz too.
    let weights = root().join("fuzz/corpus/npz_weights/dense");
    if weights.is_file() {
        seed("npz", "weights", &std::fs::read(weights)?)?;
    }
    Ok(())
}

fn pictures() -> Result<()> {
    let ink = |x: u32, y: u32| if (x as i32 - 12).abs() < 3 && (3..20).contains(&y) { 20u8 } else { 230 };
    let grey = DynamicImage::ImageLuma8(image::GrayImage::from_fn(24, 23, |x, y| image::Luma([ink(x, y)])));
    let forms: [(&str, DynamicImage); 7] = [
        ("l8", grey.clone()),
        ("l16", DynamicImage::ImageLuma16(grey.to_luma16())),
        ("la8", DynamicImage::ImageLumaA8(grey.to_luma_alpha8())),
        ("rgb8", DynamicImage::ImageRgb8(grey.to_rgb8())),
        ("rgba8", DynamicImage::ImageRgba8(grey.to_rgba8())),
        ("rgb16", DynamicImage::ImageRgb16(grey.to_rgb16())),
        ("rgba16", DynamicImage::ImageRgba16(grey.to_rgba16())),
    ];
    for (name, picture) in &forms {
        for (end, format) in [
            ("png", ImageFormat::Png),
            ("jpg", ImageFormat::Jpeg),
            ("bmp", ImageFormat::Bmp),
            ("gif", ImageFormat::Gif),
            ("webp", ImageFormat::WebP),
            ("tif", ImageFormat::Tiff),
        ] {
            let mut bytes = Cursor::new(Vec::new());
            // Not every format holds every kind of pixel.
            if picture.write_to(&mut bytes, format).is_ok() {
                seed("picture", &format!("{name}.{end}"), &bytes.into_inner())?;
            }
        }
    }
    for choice in [0u8, 2, 4, 6, 128, 129] {
        seed("recognition", &format!("one-{choice}"), &[&[23, choice][..], grey.as_bytes()].concat())?;
    }
    let row = |x: u32, y: u32| if x % 20 > 8 && x % 20 < 12 && (6..30).contains(&y) { 30 } else { 220 };
    let several: Vec<u8> = (0..40).flat_map(|y| (0..96).map(move |x| row(x, y))).collect();
    seed("recognition", "several", &[&[95, 0][..], &several].concat())?;
    let ruled: Vec<u8> = (0..64u32).flat_map(|y| (0..64u32).map(move |x| if y % 12 == 0 { 120 } else { row(x, y) })).collect();
    seed("recognition", "ruled", &[&[63, 0][..], &ruled].concat())
}

fn texts() -> Result<()> {
    for name in Recipe::names() {
        seed("recipe", name, Recipe::text(name).unwrap_or_default().as_bytes())?;
    }
    let state = concat!(
        "model_checkpoint_path: \"a-2\"\nall_model_checkpoint_paths: \"x-1\"\n",
        "all_model_checkpoint_paths: '/gone/\\346\\257\\233-2'\nall_model_checkpoint_timestamps: 1.5\n"
    );
    seed("checkpoint_state", "state", state.as_bytes())?;
    for (name, text) in [
        (
            "preprocessing",
            r#"{"scale": 0.00392, "offset": 0, "classes": ["0", "1"], "dataset": "mnist", "validation_tail": 0.1}"#,
        ),
        ("history", r#"[{"values": [["loss", 0.5], ["accuracy", null]], "seconds": 1.5, "samples_per_second": 2}]"#),
        ("early", r#"{"wait": 1, "best_epoch": 2, "best": 0.25, "best_weights": ["AACAPw==", ""]}"#),
        ("others", r#"{"start": 10, "best": 0.5, "seen": 3, "kept": ["a", "b"], "wait": 1, "cooldown": 2}"#),
    ] {
        seed("members", name, text.as_bytes())?;
    }
    for (name, text) in
        [("small", "-12.5e-3"), ("whole", "16777217"), ("long", "0.1234567890123456789"), ("lists", "[[1,2],[3.5,-4e2]]")]
    {
        seed("json_numbers", name, text.as_bytes())?;
    }
    Ok(())
}

fn requests() -> Result<()> {
    let shape = r#""shape":[2],"parameters":{"binary_data_size":8}"#;
    let text = format!(r#"{{"inputs":[{{"name":"x","datatype":"FP32",{shape}}}],"parameters":{{"binary_data_output":true}}}}"#);
    let tail = [1f32.to_le_bytes(), 2f32.to_le_bytes()].concat();
    seed("v2_request", "binary", &[&(text.len() as u16).to_le_bytes(), text.as_bytes(), &tail].concat())?;
    for (name, text) in [
        ("flat", r#"{"id":"7","inputs":[{"name":"x","shape":[2,2],"datatype":"FP64","data":[1,2,3,4]}]}"#),
        ("nested", r#"{"inputs":[{"data":[[1,2],[3,4]],"name":"x","shape":[2,2],"datatype":"UINT8"}],"outputs":[{"name":"y"}]}"#),
    ] {
        seed("v2_request", name, &[b"\xff\xff", text.as_bytes()].concat())?;
    }
    let form = "--B\r\nContent-Disposition: form-data; name=\"image\"; filename=\"a \\\"b\\\".png\"\r\n\r\n1\r\n--B\r\n\
                content-disposition: form-data; name=layout\r\n\r\nline\r\n--B--\r\n";
    seed("multipart", "form", format!("multipart/form-data; boundary=B\n{form}").as_bytes())?;
    seed(
        "multipart",
        "quoted",
        format!("multipart/form-data; charset=utf-8; Boundary=\"a b\"\n{}", form.replace("--B", "--a b")).as_bytes(),
    )?;

    let picture = std::fs::read(root().join("fuzz/corpus/picture/l8.png"))?;
    let zeros = format!("[{}]", ["[[0],[0.5]]"; 2].join(","));
    let part = "--B\r\nContent-Disposition: form-data; name=\"image\"; filename=\"a.png\"\r\n\r\n";
    let form = [part.as_bytes(), &picture, b"\r\n--B--\r\n"].concat();
    let requests: [(&str, &str, &[u8]); 14] = [
        ("live", "GET /v2/health/live\nhost: localhost", b""),
        ("ready", "GET /v2/models/digits/versions/1/ready\nhost: [::1]:80", b""),
        ("models", "GET /v1/models\nhost: 127.0.0.1:8501\norigin: http://127.0.0.1:8501\nsec-fetch-site: same-origin", b""),
        ("metadata", "GET /v1/models/digits/metadata\nhost: localhost", b""),
        ("metrics", "GET /metrics\nhost: localhost", b""),
        ("page", "GET /page/models\nhost: pi.local.:80\nsec-fetch-site: none", b""),
        ("static", "GET /page/static/main.js\nhost: localhost\naccept-encoding: gzip, br;q=0\nif-none-match: \"x\"", b""),
        ("preflight", "OPTIONS /v1/models\nhost: localhost\norigin: http://a\naccess-control-request-method: POST", b""),
        ("predict", "POST /v1/models/digits:predict\nhost: localhost\ncontent-type: application/json", zeros.as_bytes()),
        ("infer", "POST /v2/models/digits/infer\nhost: localhost\ninference-header-content-length: 2", b"{}xx"),
        (
            "recognize",
            "POST /v1/recognize?layout=line&top=3&preprocess=%69nvert\nhost: localhost\ncontent-type: image/png",
            &picture,
        ),
        ("form", "POST /v1/recognize?model=digits\nhost: localhost\ncontent-type: multipart/form-data; boundary=B", &form),
        (
            "look",
            "POST /page/look?width=4&height=4&show=stages,maps,heat&class=3\nhost: localhost\norigin: http://localhost",
            &[9; 16],
        ),
        (
            "teach",
            "POST /page/samples/remove\nhost: localhost\norigin: http://localhost\ncontent-type: application/json",
            b"{\"label\":\"3\",\"id\":1}",
        ),
    ];
    for (name, head, body) in requests {
        seed("http", name, &[head.as_bytes(), b"\n\n", body].concat())?;
    }
    Ok(())
}
