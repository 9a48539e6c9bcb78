"""Keras on TensorFlow: `fit` as a user calls it, `tf.function` for one image. See common.py."""
import os
import pathlib
import sys

import common

a = common.arguments()
os.environ |= {"TF_CPP_MIN_LOG_LEVEL": "3", "KERAS_BACKEND": "tensorflow", "OMP_NUM_THREADS": str(a.threads)}
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "fixtures" / "parity"))

import numpy as np
import tensorflow as tf

tf.config.threading.set_intra_op_parallelism_threads(a.threads)
tf.config.threading.set_inter_op_parallelism_threads(a.threads)

import build
import keras

x, y, test = common.pictures(a)
if a.table["data"]["labels"] == "one-hot":
    y = np.eye(10, dtype="float32")[y]
net = build.model(a.table, dropout=True)
net.compile(build.optimizer(a.table), build.loss(a.table), metrics=a.table["training"]["metrics"])
net.fit(x[: 4 * a.batch], y[: 4 * a.batch], a.batch, epochs=1, verbose=0)
train = common.rates(a, lambda: net.fit(x, y, a.batch, epochs=1, verbose=0))

infer = tf.function(lambda z: net(z, training=False), input_signature=[tf.TensorSpec((None, 28, 28, 1))])
batches = [tf.constant(test[i : i + common.PREDICT_BATCH]) for i in range(0, len(test), common.PREDICT_BATCH)]
predict = common.throughput(lambda z: infer(z).numpy(), batches)
one = tf.function(lambda z: net(z, training=False), input_signature=[tf.TensorSpec((1, 28, 28, 1))])
latency = common.latency(lambda z: one(z).numpy(), [tf.constant(test[i : i + 1]) for i in range(500)])
common.report(a, "keras-tensorflow", f"Keras {keras.__version__}, TensorFlow {tf.__version__}", train, predict, latency)
