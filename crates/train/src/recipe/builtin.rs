//! The recipes that the binary carries.

macro_rules! recipes {
    ($($name:literal),+ $(,)?) => {
        /// Name and text.
        pub(super) const RECIPES: &[(&str, &str)] = &[
            $(($name, include_str!(concat!("../../../../recipes/", $name, ".toml")))),+
        ];
    };
}

recipes![
    "tf2-cnn",
    "keras-lenet",
    "tiny-cnn",
    "tiny-cnn-deep",
    "tiny-cnn-dropout",
    "tiny-cnn-dense",
    "tiny-cnn-strided",
    "deep-cnn",
    "softmax",
    "tf1-cnn",
    "mnist-convnet",
    "fast",
    "best",
    "digits",
];
