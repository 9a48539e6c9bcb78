//! File formats of maobi: .keras and what Keras puts into it.
