//! Small convolutional networks in Rust, Keras-shaped: describe, train, evaluate, save, and predict on CPUs.
//!
//! ```
//! use maobi::data::source::{BuiltinSize, Request, Wanted, resolve};
//! use maobi::data::{DatasetName, Silent};
//! use maobi::prelude::*;
//!
//! # fn main() -> maobi::Result<()> {
//! // Handwriting-like digits that need no file; `DatasetName::Mnist` finds or downloads MNIST.
//! let mut request = Request::new(Wanted::Name(DatasetName::Builtin), &Silent);
//! request.builtin = BuiltinSize { seed: 7, train: 600, test: 200 };
//! let splits = resolve(&request)?.splits;
//!
//! let mut model = Sequential::new()
//!     .add(InputLayer::new([28, 28, 1]))
//!     .add(Conv2D::new(8, 3).activation("relu"))
//!     .add(MaxPooling2D::new(2))
//!     .add(Flatten::new())
//!     .add(Dense::new(10).activation("softmax"))
//!     .build(1)?;
//! model.compile(Compile::new(Adam::new(1e-3), SparseCategoricalCrossentropy::new()).metrics(["accuracy"])?)?;
//!
//! let (train, test) = (Images::new(&splits.train), Images::new(&splits.test));
//! let history = model.fit(&train, Fit::new().epochs(2).batch_size(32).validation_data(&test))?;
//! assert_eq!(history.epochs.len(), 2);
//! assert!(history.get("loss")[1] < history.get("loss")[0]);
//! # Ok(())
//! # }
//! ```
//!
//! The crates behind it: [`nn`] (layers, graph, losses, metrics, optimizers), [`train`] (fit, evaluate, callbacks, recipes), [`data`]
//! (data sets), [`vision`] (pictures), [`draw`] (drawings of them and of figures), [`recognize`] (reading them), [`formats`] (files). Everything one usually needs is in the [`prelude`].

pub use maobi_data as data;
pub use maobi_draw as draw;
pub use maobi_formats as formats;
pub use maobi_nn as nn;
pub use maobi_recognize as recognize;
pub use maobi_train as train;
pub use maobi_vision as vision;

pub use maobi_nn::Model;
pub use maobi_train::{Error, Result};

mod model_file;

pub use model_file::ModelFile;

/// What a program that trains or runs a network needs: `use maobi::prelude::*`.
pub mod prelude {
    pub use crate::ModelFile;
    pub use maobi_data::{Dataset, Splits};
    pub use maobi_nn::graph::{Call, Sequential, Submodel, Tensor};
    pub use maobi_nn::initializers::{Initializer, classes::*};
    pub use maobi_nn::layers::arguments::Padding;
    pub use maobi_nn::layers::{Layer, classes::*};
    pub use maobi_nn::losses::{Loss, classes::*};
    pub use maobi_nn::metrics::{Metric, arg_max};
    pub use maobi_nn::model::Output;
    pub use maobi_nn::optimizers::schedules::{Schedule, classes::*};
    pub use maobi_nn::optimizers::{Optimizer, classes::*};
    pub use maobi_nn::regularizers::{Regularizer, classes::*};
    pub use maobi_nn::{Batch, Compile, Model, Samples};
    pub use maobi_recognize::{Layout, Options, Reading, Recognizer};
    pub use maobi_train::callbacks::{Callback, OnBatchEnd, OnEpochEnd, classes::*};
    pub use maobi_train::{Arrays, Examples, Fit, History, Images, ModelExt, Recipe, Targets};
}
