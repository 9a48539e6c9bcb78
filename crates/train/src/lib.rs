//! Fit, evaluate, predict, callbacks and recipes of maobi.
