//! What every layer must do (`contract`), and that it computes what real Keras computes (`parity`).

mod affine;
mod cases;
mod chain;
mod contract;
mod formula;
mod parity;
mod program;
mod training;
