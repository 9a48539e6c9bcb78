//! Small convolutional networks in Rust, Keras-shaped.
