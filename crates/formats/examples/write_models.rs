//! Writes models of many kinds for `check_models.py`, which lets real Keras load them:
//! `cargo run -p maobi-formats --example write_models -- FOLDER && python crates/formats/examples/check_models.py FOLDER`
//!
//! For each: the trained model as `.keras`, its inputs and predictions, and the losses of three steps more. Arrays are raw f32. Beside it
//! the same as `.h5`, `.weights.h5`, `.json` and `.npz`, which `--convert` makes of any `.keras` (`fixtures/interop/check_release.py`).

use maobi_formats::{h5, json, keras, npz, weights_h5};
use maobi_nn::constraints::MaxNorm;
use maobi_nn::graph::{Call, Sequential, apply};
use maobi_nn::layers::arguments::Padding;
use maobi_nn::layers::*;
use maobi_nn::losses::{Loss, MeanSquaredError, SparseCategoricalCrossentropy, Target};
use maobi_nn::optimizers::schedules::{CosineDecay, ExponentialDecay, OneCycle};
use maobi_nn::optimizers::*;
use maobi_nn::regularizers::L2;
use maobi_nn::{Batch, Compile, Error, Model, Precision, Samples};
use std::path::Path;

const SAMPLES: usize = 24;

/// Numbers in [-1, 1) without pattern.
fn noise(len: usize, seed: u32) -> Vec<f32> {
    let mut h = seed.wrapping_mul(2_654_435_761).wrapping_add(1);
    let mut next = || {
        h = h.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (h >> 8) as f32 / 8_388_608.0 - 1.0
    };
    (0..len).map(|_| next()).collect()
}

fn small() -> Result<Model, Error> {
    Sequential::new()
        .add(InputLayer::new([8, 8, 1]))
        .add(Conv2D::new(3, 3).activation("relu"))
        .add(MaxPooling2D::new(2))
        .add(BatchNormalization::new())
        .add(Flatten::new())
        .add(Dense::new(5).activation("softmax"))
        .build(3)
}

fn every_layer() -> Result<Model, Error> {
    Sequential::new()
        .name("every_layer")
        .add(InputLayer::new([12, 12, 2]))
        .add(Rescaling::new(0.5))
        .add(RandomRotation::new(0.05))
        .add(RandomTranslation::new(0.1, 0.1))
        .add(RandomZoom::new(0.1))
        .add(ZeroPadding2D::new(1))
        .add(Conv2D::new(4, 3).kernel_regularizer(L2::new().l2(1e-3)))
        .add(LeakyReLU::new())
        .add(SeparableConv2D::new(6, 3))
        .add(ELU::new())
        .add(DepthwiseConv2D::new(3))
        .add(ReLU::new())
        .add(LayerNormalization::new())
        .add(UpSampling2D::new(2))
        .add(AveragePooling2D::new(2))
        .add(BatchNormalization::new())
        .add(Activation::new("tanh"))
        .add(Dropout::new(0.2))
        .add(Reshape::new([-1, 6]))
        .add(Flatten::new())
        .add(Dense::new(5))
        .add(Softmax::new())
        .build(3)
}

/// Branches of different lengths, a shared layer, two inputs and two outputs.
fn graph() -> Result<Model, Error> {
    let image = InputLayer::new([8, 8, 2]).name("image").input();
    let extra = InputLayer::new([3]).name("extra").input();
    let norm = MaxNorm::new().max_value(1.0).axis([0, 1, 2]);
    let short = Conv2D::new(4, 1).name("short").kernel_constraint(norm).call(&image)?;
    let long = Conv2D::new(4, 3).padding(Padding::Same).call(&image)?;
    let long = BatchNormalization::new().call(&long)?;
    let long = Conv2D::new(4, 3).padding(Padding::Same).activation("relu").name("last").call(&long)?;
    let sum = Add::new().merge(&[&short, &long])?;
    let shared = Conv2D::new(4, 3).padding(Padding::Same).activation("tanh").name("twice").shared();
    let once = apply(&shared, &[&sum])?;
    let twice = apply(&shared, &[&once])?;
    let product = Multiply::new().merge(&[&twice, &sum])?;
    let pooled = GlobalMaxPooling2D::new().call(&product)?;
    let mean = GlobalAveragePooling2D::new().call(&sum)?;
    let all = Concatenate::new().merge(&[&pooled, &mean, &extra])?;
    let class = Dense::new(5).activation("softmax").name("class").call(&all)?;
    let value = Dense::new(1).name("value").call(&extra)?;
    Model::new("graph", &[&image, &extra], &[&class, &value], 4)
}

/// Models within models: a Sequential one, and a functional one that is called twice and holds a Sequential one.
fn nested() -> Result<Model, Error> {
    let image = InputLayer::new([8, 8, 1]).name("image").input();
    let extra = InputLayer::new([5]).name("extra").input();
    let features = small()?.submodel().name("features").call(&image)?;
    let x = InputLayer::new([5]).name("x").input();
    let inner =
        Sequential::new().name("inner").add(InputLayer::new([5])).add(Dense::new(4)).add(BatchNormalization::new()).build(5)?;
    let y = Dense::new(5).activation("softmax").name("answer").call(&inner.submodel().call(&x)?)?;
    let head = Model::new("head", &[&x], &[&y], 6)?.submodel().shared();
    let (one, other) = (apply(&head, &[&features])?, apply(&head, &[&extra])?);
    Model::new("nested", &[&image, &extra], &[&Average::new().merge(&[&one, &other])?], 7)
}

/// What prepares images, and layers over sequences.
fn rare() -> Result<Model, Error> {
    Sequential::new()
        .name("rare")
        .add(InputLayer::new([8, 6, 1]))
        .add(RandomFlip::new())
        .add(RandomBrightness::new(0.1).value_range((-1.0, 1.0)))
        .add(RandomContrast::new(0.2).value_range((-1.0, 1.0)))
        .add(Normalization::new())
        .add(Normalization::new().mean(0.5).variance(2.0))
        .add(Resizing::new(6, 6))
        .add(Reshape::new([12, 3]))
        .add(Conv1D::new(4, 3).padding(arguments::SequencePadding::Causal).kernel_constraint(MaxNorm::new().axis([0, 1])))
        .add(MaxPooling1D::new(2))
        .add(Flatten::new())
        .add(Dense::new(5).activation("softmax"))
        .build(9)
}

/// Transfer learning: a frozen model and layers behind it.
fn frozen() -> Result<Model, Error> {
    let base = small()?;
    Sequential::new()
        .add(InputLayer::new([8, 8, 1]))
        .add(base.submodel().name("base").trainable(false))
        .add(Dense::new(5).activation("softmax"))
        .build(8)
}

fn write(folder: &Path, name: &str, mut model: Model, how: Compile) -> Result<String, Box<dyn std::error::Error>> {
    model.compile(how)?;
    let shapes = model.input_shapes();
    let inputs: Vec<Vec<f32>> =
        (0..shapes.len()).map(|i| noise(SAMPLES * shapes[i].iter().product::<usize>(), 7 + i as u32)).collect();
    let slices: Vec<&[f32]> = inputs.iter().map(Vec::as_slice).collect();
    let labels: Vec<u32> = (0..SAMPLES as u32).map(|i| i * 7 % 5).collect();
    let values = noise(SAMPLES, 99);
    let targets: Vec<Target<'_>> = [Target::Classes(&labels), Target::Values(&values)][..model.output_shapes().len()].to_vec();
    let step = |model: &mut Model| {
        let feed = Samples { samples: SAMPLES, inputs: &slices };
        model.train_on_batch(Batch { feed: &feed, targets: &targets, sample_weight: None, class_weight: None }).map(|s| s.loss)
    };
    for _ in 0..4 {
        step(&mut model)?;
    }
    keras::save_with(&model, &folder.join(format!("{name}.keras")), &[("state.json", b"{}")])?;
    every_form(&model, &folder.join(name))?;
    let raw = |values: &[f32]| values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>();
    for (i, input) in inputs.iter().enumerate() {
        std::fs::write(folder.join(format!("{name}_x{i}.f32")), raw(input))?;
    }
    for (i, output) in model.predict(&slices)?.iter().enumerate() {
        std::fs::write(folder.join(format!("{name}_y{i}.f32")), raw(output))?;
    }
    let state = model.optimizer_state_ref().ok_or("not compiled")?;
    let slots: Vec<f64> = state.variables().iter().map(|v| v.values.iter().map(|v| f64::from(*v)).sum()).collect();
    let losses = (0..3).map(|_| step(&mut model)).collect::<Result<Vec<f64>, _>>()?;
    Ok(format!("{{\"name\":\"{name}\",\"slots\":{slots:?},\"losses\":{losses:?}}}"))
}

/// The model as everything else that Keras reads: `PREFIX.h5`, ….
fn every_form(model: &Model, prefix: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let path =
        |ending: &str| prefix.with_file_name(format!("{}{ending}", prefix.file_name().unwrap_or_default().to_string_lossy()));
    weights_h5::save(model, &path(".weights.h5"))?;
    h5::save(model, &path(".h5"))?;
    h5::save_with(model, &path(".trained.h5"), h5::Options::default().optimizer_variables(true))?;
    h5::save_weights(model, &path(".old_weights.h5"))?;
    json::save(model, &path(".json"))?;
    npz::save(model, &path(".npz"))?;
    Ok(())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let folder = match arguments.as_slice() {
        [folder] => Path::new(folder),
        [flag, models @ ..] if flag == "--convert" => {
            for model in models {
                let path = Path::new(model);
                every_form(&keras::load(path, 1)?.model, &path.with_extension(""))?;
            }
            return Ok(());
        }
        _ => return Err("usage: write_models FOLDER, or write_models --convert MODEL.keras...".into()),
    };
    std::fs::create_dir_all(folder)?;
    let exponential = ExponentialDecay::new(0.01, 3, 0.7);
    let optimizers: Vec<(&str, Optimizer)> = vec![
        ("sgd", SGD::new(0.01).into()),
        ("sgd_nesterov", SGD::new(0.01).momentum(0.9).nesterov(true).into()),
        ("adam", Adam::new(0.003).into()),
        ("adam_amsgrad", Adam::new(0.003).amsgrad(true).clipnorm(1.0).into()),
        ("adamw", AdamW::new(0.003).into()),
        ("rmsprop_all", RMSprop::new(0.001).momentum(0.5).centered(true).into()),
        ("nadam", Nadam::new(0.003).into()),
        ("adamax", Adamax::new(0.003).into()),
        ("adagrad", Adagrad::new(0.01).into()),
        ("adadelta", Adadelta::new(0.5).into()),
        ("lion", Lion::new(0.0005).into()),
        ("adam_ema", Adam::new(0.003).ema(0.9, Some(3)).into()),
        ("adam_exponential", Adam::new(exponential).into()),
        ("adam_cosine", Adam::new(CosineDecay::new(0.01, 50)).into()),
        ("adam_one_cycle", Adam::new(OneCycle::new(0.01, 50)).into()),
    ];
    let mut lines = Vec::new();
    for (name, optimizer) in optimizers {
        let how = Compile::new(optimizer, SparseCategoricalCrossentropy::new()).metrics(["accuracy"])?;
        lines.push(write(folder, name, small()?, how)?);
    }
    let sparse = SparseCategoricalCrossentropy::new;
    lines.push(write(folder, "every_layer", every_layer()?, Compile::new(Adam::new(0.003), sparse()).metrics(["accuracy"])?)?);
    for precision in [Precision::MixedBfloat16, Precision::MixedFloat16] {
        let mut model = small()?;
        model.set_precision(precision)?;
        // Keras rounds the gradients of weights too: at its own 2¹⁵ they overflow, and it skips steps that ours takes.
        let scale = LossScale { initial_scale: 256.0, ..LossScale::default() };
        let sgd: Optimizer = SGD::new(0.01).momentum(0.9).into();
        let sgd = if precision == Precision::MixedFloat16 { sgd.loss_scale(scale) } else { sgd };
        let how = Compile::new(sgd, sparse()).metrics(["accuracy"])?;
        lines.push(write(folder, precision.name(), model, how)?);
    }
    let two = Compile::new(Adam::new(0.003), sparse())
        .losses([Loss::from(sparse()), MeanSquaredError::new().into()])
        .loss_weights([1.0, 0.25]);
    lines.push(write(folder, "graph", graph()?, two)?);
    lines.push(write(folder, "nested", nested()?, Compile::new(Adam::new(0.003), sparse()).metrics(["accuracy"])?)?);
    lines.push(write(folder, "rare", rare()?, Compile::new(Adam::new(0.003), sparse()).metrics(["accuracy"])?)?);
    lines.push(write(folder, "frozen", frozen()?, Compile::new(Adam::new(0.003), sparse()).metrics(["accuracy"])?)?);
    std::fs::write(folder.join("models.json"), format!("[\n{}\n]\n", lines.join(",\n")))?;
    Ok(())
}
