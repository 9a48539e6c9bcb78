"""What every turn of a peer shares: the recipe, the pictures, the clock and the line that it prints.

    TURN.py RECIPE.toml --data DIR --samples N --epochs E --threads T [--variant V]

One process, one network. The line has the keys of `maobi bench --json`, as far as the peer has them.
"""
import argparse
import fractions
import gzip
import json
import pathlib
import resource
import statistics
import sys
import time
import tomllib

import numpy as np

PREDICT_BATCH = 500
BUDGET = 0.4  # seconds of timing for each of the two ways to predict
WARM_UP_CALLS = 20


def arguments():
    p = argparse.ArgumentParser()
    p.add_argument("recipe", type=pathlib.Path)
    p.add_argument("--data", type=pathlib.Path, required=True, help="folder with the four IDX files, gzipped")
    p.add_argument("--samples", type=int, default=8000)
    p.add_argument("--epochs", type=int, default=2)
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--variant", default="")
    a = p.parse_args()
    a.table = tomllib.loads(a.recipe.read_text())
    a.batch = a.table["training"]["batch_size"]
    return a


def number(value):
    """A number, or a fraction as text such as "1/255"."""
    return float(fractions.Fraction(value)) if isinstance(value, str) else float(value)


def idx(path, header):
    return np.frombuffer(gzip.open(path).read()[header:], np.uint8)


def pictures(a):
    """`[n, 28, 28, 1]` as the network sees them and classes, to train; and pictures to predict."""
    data = a.table["data"]
    scale, offset = number(data["scale"]), number(data["offset"])

    def images(part):
        pixels = idx(a.data / f"{part}-images-idx3-ubyte.gz", 16).reshape(-1, 28, 28, 1)
        return pixels[: a.samples if part == "train" else 4 * PREDICT_BATCH].astype("float32") * np.float32(scale) + np.float32(offset)

    return images("train"), idx(a.data / "train-labels-idx1-ubyte.gz", 8)[: a.samples].astype("int64"), images("t10k")


def learning_rate(optimizer):
    """The rate, or a schedule's first one."""
    rate = optimizer["learning_rate"]
    return rate["initial_learning_rate"] if isinstance(rate, dict) else rate


def network(table):
    """The recipe's layers in the few words that the peers need; a final softmax is left to the loss."""
    layers = []
    for layer in table["layers"]:
        kind, relu = layer["type"], layer.get("activation") == "relu"
        same = layer.get("padding") == "same"
        if kind == "Conv2D":
            if layer.get("strides", [1, 1]) != [1, 1]:
                raise SystemExit(f"{table['name']}: a convolution with strides is not in this comparison")
            layers.append({"type": "conv", "filters": layer["filters"], "kernel": layer["kernel_size"][0], "same": same, "relu": relu})
        elif kind == "MaxPooling2D":
            layers.append({"type": "pool"})  # 2 by 2; the sides are even or the rest is dropped, and then same pads nothing
        elif kind == "Flatten":
            layers.append({"type": "flatten"})
        elif kind == "Dense":
            l2 = (layer.get("kernel_regularizer") or {}).get("l2", 0.0)
            layers.append({"type": "dense", "units": layer["units"], "relu": relu, "l2": l2})
        elif kind == "Dropout":
            layers.append({"type": "dropout", "rate": layer["rate"]})
        elif kind != "Softmax":
            raise SystemExit(f"{table['name']}: {kind} is not in this comparison")
    return layers


def rates(a, epoch):
    """Images a second of each epoch; `epoch()` trains one."""
    out = []
    for _ in range(a.epochs):
        start = time.perf_counter()
        epoch()
        out.append(a.samples / (time.perf_counter() - start))
    return out


def repeated(call, inputs, least=5):
    """Seconds of a call, inputs in turn: the median after a warm-up."""
    seconds = []
    begun, n = time.perf_counter(), 0
    while True:
        if n == WARM_UP_CALLS or (n == 1 and least < WARM_UP_CALLS):
            seconds, begun = [], time.perf_counter()
        x = inputs[n % len(inputs)]
        start = time.perf_counter()
        call(x)
        seconds.append(time.perf_counter() - start)
        n += 1
        if len(seconds) >= least and time.perf_counter() - begun > BUDGET:
            return statistics.median(seconds)


def throughput(call, batches):
    """Images a second in batches."""
    return PREDICT_BATCH / repeated(call, batches)


def latency(call, singles):
    """Microseconds of one image."""
    return repeated(call, singles, least=WARM_UP_CALLS) * 1e6


def report(a, framework, version, train=None, predict=None, latency_us=None, **more):
    # Linux counts in kilobytes.
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    line = {"framework": framework, "version": version, "recipe": a.table["name"], "batch_size": a.batch, "threads": a.threads}
    line |= {"samples": a.samples, "train_samples_per_second": [round(rate, 1) for rate in train or []]}
    line |= {"predict_images_per_second": predict, "latency_us": latency_us, "peak_rss_bytes": memory} | more
    print(json.dumps(line), flush=True)
