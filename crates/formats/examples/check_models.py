#!/usr/bin/env python3
"""Lets real Keras load what the example write_models wrote:  check_models.py FOLDER

Predictions within 1e-5 (mixed policies: one rounding, as Keras' softmax is in 16 bits and ours is not); every optimizer slot as saved; the losses of three steps more within 1e-4 of ours (where nothing is random);
`fit` and `save` go on from there; the .weights.h5 loads into the same network.
"""
import json
import os
import pathlib
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["CUDA_VISIBLE_DEVICES"] = ""
os.environ["KERAS_BACKEND"] = "tensorflow"

import keras
import numpy as np

SAMPLES = 24
NO_SLOTS = {"iteration", "learning_rate", "step_counter", "dynamic_scale"}
# Its layers are random in training.
RANDOM = {"every_layer", "rare"}
# No schedule of Keras: written as the rate of the moment.
OWN_SCHEDULE = {"adam_one_cycle"}
# The distance of 16-bit numbers below 1, for predictions (a few of them for losses): Keras rounds the softmax, and processors differ in how
# they add 16-bit products, which moves a number to its neighbor.
ROUNDING = {"mixed_bfloat16": 2.0**-8, "mixed_float16": 2.0**-11}


def raw(path, shape):
    return np.fromfile(path, "<f4").reshape((SAMPLES, *shape[1:]))


def noise(count, seed):
    h, values = (seed * 2654435761 + 1) & 0xFFFFFFFF, []
    for _ in range(count):
        h = (h * 1664525 + 1013904223) & 0xFFFFFFFF
        values.append(np.float32(h >> 8) / np.float32(8388608) - np.float32(1))
    return np.array(values, np.float32)


def alone(values):
    return values if len(values) > 1 else values[0]


def difference(model, x, ours):
    theirs = model.predict(alone(x), verbose=0)
    theirs = theirs if isinstance(theirs, list) else [theirs]
    return max(float(np.abs(a - b).max()) for a, b in zip(ours, theirs))


def check(folder, case):
    name = case["name"]
    model = keras.models.load_model(folder / f"{name}.keras")
    x = [raw(folder / f"{name}_x{i}.f32", t.shape) for i, t in enumerate(model.inputs)]
    ours = [raw(folder / f"{name}_y{i}.f32", t.shape) for i, t in enumerate(model.outputs)]
    worst = difference(model, x, ours)
    rounding = ROUNDING.get(name, 0)
    assert worst <= 1e-5 + rounding, f"predictions differ by {worst:.1e}"
    assert int(model.optimizer.iterations) == 4, f"iterations {int(model.optimizer.iterations)}"
    slots = [v for v in model.optimizer.variables if v.path.rsplit("/", 1)[-1] not in NO_SLOTS]
    assert len(slots) == len(case["slots"]), f"{len(slots)} slots, {len(case['slots'])} were written"
    for slot, expected in zip(slots, case["slots"]):
        got = float(np.sum(slot.numpy(), dtype=np.float64))
        assert abs(got - expected) <= 1e-5 * max(1, abs(expected)), f"{slot.path}: sum {got}, written {expected}"
    y = [np.array([i * 7 % 5 for i in range(SAMPLES)]), noise(SAMPLES, 99)][: len(ours)]
    losses = []
    for _ in range(3):
        model.reset_metrics()
        losses.append(float(model.train_on_batch(alone(x), alone(y), return_dict=True)["loss"]))
    if name not in RANDOM | OWN_SCHEDULE:
        drift = max(abs(a - b) / max(1, b) for a, b in zip(losses, case["losses"]))
        assert drift <= 1e-4 + 4 * rounding, f"losses {losses}, ours {case['losses']}"
    history = model.fit(alone(x), alone(y), batch_size=8, epochs=1, verbose=0)
    assert np.isfinite(history.history["loss"]).all()
    model.save(folder / f"{name}_again.keras")
    again = type(model).from_config(model.get_config())
    again.load_weights(folder / f"{name}.weights.h5")
    assert difference(again, x, ours) <= 1e-5 + rounding, ".weights.h5: predictions differ"
    return worst, len(slots)


def main():
    folder = pathlib.Path(sys.argv[1])
    failed = 0
    for case in json.loads((folder / "models.json").read_text()):
        try:
            worst, slots = check(folder, case)
            print(f"ok     {case['name']}: predictions within {worst:.1e}, {slots} slots", flush=True)
        except Exception as error:  # whatever Keras raises is what is wrong with the file
            print(f"FAILED {case['name']}: {type(error).__name__}: {str(error)[:600]}", flush=True)
            failed += 1
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
