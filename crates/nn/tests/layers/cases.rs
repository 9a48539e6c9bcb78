//! The layers under contract: at least one case for every class of the registry.

use maobi_nn::layers::*;

/// How a layer behaves in training.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    /// As in inference.
    Same,
    /// It uses the batch's statistics.
    Batch,
    /// It draws random numbers.
    Random,
}

/// One layer with its inputs and what must come of it. Shapes are without the batch.
pub struct Case {
    pub layer: Box<dyn Layer>,
    pub inputs: Vec<Shape>,
    pub output: Shape,
    pub weights: Vec<(&'static str, Vec<usize>)>,
    pub mode: Mode,
    /// An input that the layer refuses; absent for layers that take any shape.
    pub wrong: Option<Vec<Shape>>,
}

fn case(layer: impl Layer, input: &[usize], output: &[usize]) -> Case {
    Case {
        layer: Box::new(layer),
        inputs: vec![input.to_vec()],
        output: output.to_vec(),
        weights: vec![],
        mode: Mode::Same,
        wrong: None,
    }
}

impl Case {
    fn weights<const N: usize>(mut self, weights: [(&'static str, &[usize]); N]) -> Case {
        self.weights = weights.map(|(name, shape)| (name, shape.to_vec())).to_vec();
        self
    }

    fn mode(mut self, mode: Mode) -> Case {
        self.mode = mode;
        self
    }

    fn inputs<const N: usize>(mut self, inputs: [&[usize]; N]) -> Case {
        self.inputs = inputs.map(<[usize]>::to_vec).to_vec();
        self
    }

    fn refuses(mut self, wrong: &[usize]) -> Case {
        self.wrong = Some(vec![wrong.to_vec()]);
        self
    }

    fn refuses_all<const N: usize>(mut self, wrong: [&[usize]; N]) -> Case {
        self.wrong = Some(wrong.map(<[usize]>::to_vec).to_vec());
        self
    }
}

const IMAGE: &[usize] = &[5, 6, 3];

pub fn cases() -> Vec<Case> {
    let [image, flat] = [IMAGE, &[30]];
    let mut cases = vec![
        case(Activation::new("tanh"), &[7], &[7]),
        case(Activation::new("gelu"), &[7], &[7]),
        case(Activation::new("softmax"), &[2, 7], &[2, 7]).refuses(&[]),
        case(AveragePooling2D::new(2), image, &[2, 3, 3]).refuses(flat),
        case(AveragePooling2D::new(3).strides(2).padding(arguments::Padding::Same), image, &[3, 3, 3]),
        case(CenterCrop::new(2, 3), image, &[2, 3, 3]).refuses(flat),
        case(Conv1D::new(4, 3).activation("relu"), &[7, 3], &[5, 4])
            .weights([("kernel", &[3, 3, 4]), ("bias", &[4])])
            .refuses(flat),
        case(Conv1D::new(4, 3).strides(2).padding(arguments::Padding::Same).use_bias(false), &[7, 3], &[4, 4])
            .weights([("kernel", &[3, 3, 4])]),
        case(Conv1D::new(4, 3).dilation_rate(2).groups(2).padding(arguments::SequencePadding::Causal), &[7, 2], &[7, 4])
            .weights([("kernel", &[3, 1, 4]), ("bias", &[4])]),
        case(Conv2D::new(4, 3).activation("relu"), image, &[3, 4, 4])
            .weights([("kernel", &[3, 3, 3, 4]), ("bias", &[4])])
            .refuses(flat),
        case(Conv2D::new(4, (2, 3)).strides(2).padding(arguments::Padding::Same).activation("tanh"), image, &[3, 3, 4])
            .weights([("kernel", &[2, 3, 3, 4]), ("bias", &[4])]),
        case(Conv2D::new(6, 3).groups(3).use_bias(false), image, &[3, 4, 6]).weights([("kernel", &[3, 3, 1, 6])]),
        case(Conv2DTranspose::new(2, 3).strides(2).activation("tanh"), &[3, 2, 3], &[7, 5, 2])
            .weights([("kernel", &[3, 3, 2, 3]), ("bias", &[2])])
            .refuses(flat),
        case(Conv2DTranspose::new(4, 2).padding(arguments::Padding::Same).use_bias(false), image, &[5, 6, 4])
            .weights([("kernel", &[2, 2, 4, 3])]),
        case(Dense::new(4).activation("relu"), &[9], &[4]).weights([("kernel", &[9, 4]), ("bias", &[4])]).refuses(&[]),
        case(Dense::new(4).activation("silu"), &[2, 5], &[2, 4]).weights([("kernel", &[5, 4]), ("bias", &[4])]),
        case(DepthwiseConv2D::new(3).padding(arguments::Padding::Same), image, image)
            .weights([("kernel", &[3, 3, 3, 1]), ("bias", &[3])])
            .refuses(flat),
        case(DepthwiseConv2D::new(2).depth_multiplier(2).activation("sigmoid"), image, &[4, 5, 6])
            .weights([("kernel", &[2, 2, 3, 2]), ("bias", &[6])]),
        case(SeparableConv2D::new(4, 3).activation("relu"), image, &[3, 4, 4])
            .weights([("depthwise_kernel", &[3, 3, 3, 1]), ("pointwise_kernel", &[1, 1, 3, 4]), ("bias", &[4])])
            .refuses(flat),
        case(Dropout::new(0.4), image, image).mode(Mode::Random),
        case(ELU::new(), flat, flat),
        case(Flatten::new(), image, &[90]),
        case(GaussianNoise::new(0.3), flat, flat).mode(Mode::Random),
        case(GlobalAveragePooling2D::new(), image, &[3]).refuses(flat),
        case(GlobalMaxPooling2D::new().keepdims(true), image, &[1, 1, 3]).refuses(flat),
        case(LeakyReLU::new(), flat, flat),
        case(MaxPooling1D::new(2), &[7, 3], &[3, 3]).refuses(flat),
        case(MaxPooling1D::new(3).strides(2).padding(arguments::Padding::Same), &[7, 3], &[4, 3]),
        case(MaxPooling2D::new(2), image, &[2, 3, 3]).refuses(flat),
        case(MaxPooling2D::new(3).strides(1), image, &[3, 4, 3]),
        case(Permute::new([3, 1, 2]), image, &[3, 5, 6]).refuses(flat),
        case(PReLU::new(), flat, flat).weights([("alpha", &[30])]),
        case(PReLU::new().shared_axes([1, 2]), image, image).weights([("alpha", &[1, 1, 3])]).refuses(flat),
        case(ReLU::new().max_value(1.5).negative_slope(0.1), flat, flat),
        case(Normalization::new(), image, image).weights([("mean", &[3]), ("variance", &[3]), ("count", &[])]).refuses(&[]),
        case(Normalization::new().axis([1, 3]).mean(0.25).variance(0.5), image, image),
        case(Rescaling::new(0.25).offset(-0.5), image, image),
        case(Resizing::new(3, 8), image, &[3, 8, 3]).refuses(flat),
        case(Resizing::new(10, 6), image, &[10, 6, 3]),
        case(Resizing::new(12, 10).crop_to_aspect_ratio(true).interpolation(Interpolation::Nearest), image, &[12, 10, 3]),
        case(RepeatVector::new(3), &[4], &[3, 4]).refuses(image),
        case(Reshape::new([5, -1]), image, &[5, 18]).refuses(&[4, 3]),
        case(Softmax::new(), &[7], &[7]).refuses(&[]),
        case(Softmax::new().axis(1), image, image),
        case(RandomBrightness::new(0.4).value_range((-1.0, 1.0)), image, image).mode(Mode::Random).refuses(flat),
        case(RandomContrast::new((0.5, 0.9)).value_range((-1.0, 1.0)), image, image).mode(Mode::Random).refuses(flat),
        case(RandomFlip::new(), image, image).mode(Mode::Random).refuses(flat),
        case(SpatialDropout2D::new(0.5), image, image).mode(Mode::Random).refuses(flat),
        case(UpSampling2D::new((1, 2)), &[3, 2, 2], &[3, 4, 2]).refuses(flat),
        case(UpSampling2D::new((2, 3)).interpolation(UpSampling::Bilinear), &[3, 2, 2], &[6, 6, 2]),
        case(ZeroPadding2D::new(((1, 0), (2, 1))), image, &[6, 9, 3]).refuses(flat),
    ];
    cases.extend(normalisation());
    cases.extend(merging());
    cases.extend(random());
    cases
}

fn normalisation() -> Vec<Case> {
    let state: [(&'static str, &[usize]); 2] = [("moving_mean", &[3]), ("moving_variance", &[3])];
    vec![
        case(BatchNormalization::new(), IMAGE, IMAGE)
            .weights([("gamma", &[3]), ("beta", &[3]), state[0], state[1]])
            .mode(Mode::Batch)
            .refuses(&[]),
        case(BatchNormalization::new().scale(false), &[3], &[3]).weights([("beta", &[3]), state[0], state[1]]).mode(Mode::Batch),
        case(BatchNormalization::new().center(false), &[3], &[3])
            .weights([("gamma", &[3]), state[0], state[1]])
            .mode(Mode::Batch),
        case(GroupNormalization::new().groups(2), &[3, 2, 4], &[3, 2, 4])
            .weights([("gamma", &[4]), ("beta", &[4])])
            .refuses(&[3, 2, 5]),
        case(GroupNormalization::new().groups(-1).axis(1).center(false), IMAGE, IMAGE).weights([("gamma", &[5])]),
        case(GroupNormalization::new().groups(3).axis(2).scale(false), IMAGE, IMAGE).weights([("beta", &[6])]),
        case(LayerNormalization::new(), IMAGE, IMAGE).weights([("gamma", &[3]), ("beta", &[3])]).refuses(&[]),
        case(LayerNormalization::new().axis([1, 2, 3]).center(false), &[2, 3, 4], &[2, 3, 4]).weights([("gamma", &[2, 3, 4])]),
        case(UnitNormalization::new(), IMAGE, IMAGE).refuses(&[]),
        case(UnitNormalization::new().axis([1, 3]), &[2, 3, 4], &[2, 3, 4]),
    ]
}

fn merging() -> Vec<Case> {
    let shape: &[usize] = &[2, 3, 4];
    let gate: &[usize] = &[1, 1, 4];
    vec![
        case(Add::new(), &[], shape).inputs([shape, shape]).refuses_all([shape]),
        case(Add::new(), &[], shape).inputs([shape, gate, shape]),
        case(Average::new(), &[], shape).inputs([shape, shape]).refuses_all([shape]),
        case(Average::new(), &[], shape).inputs([shape, gate, shape]),
        case(Maximum::new(), &[], shape).inputs([shape, shape, shape]).refuses_all([shape, &[2, 3, 3]]),
        case(Maximum::new(), &[], shape).inputs([gate, shape]),
        case(Minimum::new(), &[], shape).inputs([shape, gate]).refuses_all([shape]),
        case(Multiply::new(), &[], shape).inputs([shape, shape, shape]).refuses_all([shape, &[2, 3, 3]]),
        case(Multiply::new(), &[], shape).inputs([shape, gate]),
        case(Subtract::new(), &[], shape).inputs([shape, shape]).refuses_all([shape, shape, shape]),
        case(Subtract::new(), &[], shape).inputs([gate, shape]),
        case(Dot::new(1), &[], &[1]).inputs([&[4], &[4]]).refuses_all([&[4], &[3]]),
        case(Dot::new((2, 1)), &[], &[2, 4, 5]).inputs([shape, &[3, 5]]),
        case(Dot::new((-1, 1)).normalize(true), &[], &[2, 3]).inputs([&[2, 4], &[4, 3]]),
        case(Concatenate::new(), &[], &[2, 3, 9]).inputs([shape, &[2, 3, 5]]).refuses_all([shape, &[3, 3, 4]]),
        case(Concatenate::new().axis(1), &[], &[3, 3, 4]).inputs([shape, &[1, 3, 4]]),
    ]
}

fn random() -> Vec<Case> {
    let mut cases = Vec::new();
    for fill in [FillMode::Reflect, FillMode::Wrap, FillMode::Constant, FillMode::Nearest] {
        cases
            .push(case(RandomRotation::new(0.3).fill_mode(fill).fill_value(0.5), IMAGE, IMAGE).mode(Mode::Random).refuses(&[30]));
        cases.push(case(RandomTranslation::new(0.4, (0.1, 0.6)).fill_mode(fill), IMAGE, IMAGE).mode(Mode::Random).refuses(&[30]));
        cases.push(case(RandomZoom::new(0.4).fill_mode(fill), IMAGE, IMAGE).mode(Mode::Random).refuses(&[30]));
    }
    cases.push(
        case(RandomZoom::new(0.4).width_factor((-0.2, 0.1)).interpolation(Interpolation::Nearest), IMAGE, IMAGE)
            .mode(Mode::Random),
    );
    cases
}
