//! Layers, model graph, losses, metrics and optimisers of maobi.
