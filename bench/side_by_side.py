#!/usr/bin/env python3
"""Training speed beside Keras on TensorFlow: the same recipe, batch size, images and threads, in turn (A B A B ...) in one run.

    bench/side_by_side.py [--maobi target/release/maobi] [--data DIR] [--samples 8000] [--rounds 3] [RECIPE...]

Needs the packages of .ci/requirements.txt, a release build (cargo build --release) and MNIST (--data or MAOBI_DATA_DIR).
Each turn is a process of its own: one epoch to warm up, then two timed ones; f32, shuffled, the whole step counted. Prints for
each recipe the median images per second of both and the ratio ours / theirs, turn by turn: median (smallest to largest).
"""
import argparse
import gzip
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
RECIPES = ["softmax", "tiny-cnn", "tf2-cnn", "tf1-cnn", "mnist-convnet", "keras-lenet", "deep-cnn"]


def images(data, samples):
    import numpy as np

    def idx(name, skip):
        for path in (pathlib.Path(data) / "mnist" / (name + ".gz"), pathlib.Path(data) / (name + ".gz")):
            if path.exists():
                return np.frombuffer(gzip.open(path).read()[skip:], np.uint8)
        sys.exit(f"{name}.gz is not in {data} nor in its folder mnist")

    x = idx("train-images-idx3-ubyte", 16).reshape(-1, 28, 28, 1)[:samples]
    return x, idx("train-labels-idx1-ubyte", 8)[:samples]


def keras_turn(recipe, data, samples):
    """One epoch to warm up, two timed; prints the rates as JSON."""
    import time

    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    sys.path.insert(0, str(ROOT / "fixtures" / "parity"))
    import build
    import numpy as np

    recipe = build.read(ROOT / "recipes" / f"{recipe}.toml")
    net = build.model(recipe, dropout=True)
    net.compile(build.optimizer(recipe), build.loss(recipe), metrics=recipe["training"]["metrics"])
    x, y = images(data, samples)
    x = x.astype("float32") * np.float32(build.number(recipe["data"]["scale"])) + np.float32(build.number(recipe["data"]["offset"]))
    if recipe["data"]["labels"] == "one-hot":
        y = np.eye(10, dtype="float32")[y]
    rates = []
    for epoch in range(3):
        start = time.perf_counter()
        net.fit(x, y, recipe["training"]["batch_size"], epochs=1, verbose=0)
        rates.append(len(x) / (time.perf_counter() - start))
    print(json.dumps(rates[1:]))


def maobi_turn(maobi, recipe, data, samples):
    with tempfile.TemporaryDirectory() as out:
        text = (ROOT / "recipes" / f"{recipe}.toml").read_text()
        # Epochs instead of steps, no validation and no files: what is timed is training alone.
        lines = [l for l in text.split("[[callbacks]]")[0].splitlines() if not l.startswith(("steps", "epochs", "log_every", "evaluate_every", "validation"))]
        path = pathlib.Path(out) / "recipe.toml"
        path.write_text("\n".join(lines).replace("[training]", "[training]\nepochs = 3") + "\n")
        command = [maobi, "train", str(path), "--dataset", "mnist", "--data-dir", data, "--limit", str(samples), "--out", f"{out}/run", "--json", "--quiet"]
        lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    epochs = [e for e in map(json.loads, lines) if e["event"] == "epoch"]
    return [e["images_per_second"] for e in epochs[1:]]


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("recipes", nargs="*", default=RECIPES)
    p.add_argument("--maobi", default=str(ROOT / "target" / "release" / "maobi"))
    p.add_argument("--data", default=os.environ.get("MAOBI_DATA_DIR"))
    p.add_argument("--samples", type=int, default=8000)
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--keras-turn", action="store_true", help=argparse.SUPPRESS)
    a = p.parse_args()
    if not a.data:
        p.error("where is MNIST? give --data or set MAOBI_DATA_DIR")
    if a.keras_turn:
        return keras_turn(a.recipes[0], a.data, a.samples)
    print(f"{'recipe':15} {'maobi':>9} {'Keras':>9}  ratio, median (smallest to largest) of {a.rounds} turns; images/s", flush=True)
    for recipe in a.recipes:
        ours, theirs = [], []
        for _ in range(a.rounds):
            ours.append(statistics.median(maobi_turn(a.maobi, recipe, a.data, a.samples)))
            command = [sys.executable, __file__, recipe, "--keras-turn", "--data", a.data, "--samples", str(a.samples)]
            theirs.append(statistics.median(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1])))
        ratios = [x / y for x, y in zip(ours, theirs)]
        print(f"{recipe:15} {statistics.median(ours):9.0f} {statistics.median(theirs):9.0f}  {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})", flush=True)


main()
