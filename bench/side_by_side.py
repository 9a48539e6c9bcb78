#!/usr/bin/env python3
"""Our speed beside the peers': the same networks, batch sizes, images and threads, in turn (A B C … A B C …) in one run.

    bench/side_by_side.py [RECIPE...] [--markdown bench/RESULTS.md] --keras-python P --torch-python P

Peers: Keras on TensorFlow; PyTorch (eager, channels last, and with bf16 autocast as information); ONNX Runtime, for inference;
burn and candle (the crate bench/peers). What is not there is skipped, and the output says so. To have all:

    cargo build --release && (cd bench/peers && cargo build --release)
    python -m venv keras && keras/bin/pip install -r .ci/requirements.txt
    python -m venv torch && torch/bin/pip install torch onnx onnxruntime

Each turn is a process of its own: a warm-up, then timed epochs in f32, shuffled, the whole step counted, gather included; then
prediction in batches of 500 and of one image. Rates are medians over epochs and turns; a ratio is taken within each round, and shown
as median (smallest to largest). Peers that are there as information have one turn.

Takes ten minutes on two idle cores. On a busy machine the figures are worthless, those of peers that spin most of all: how busy
others kept it stands above the tables.
"""
import argparse
import os
import pathlib
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import machine
import peers
import tables

RECIPES = ["keras-lenet", "tf2-cnn", "tiny-cnn", "deep-cnn", "softmax", "tf1-cnn"]


def parse():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("recipes", nargs="*", default=RECIPES, metavar="RECIPE", help="default: " + " ".join(RECIPES))
    p.add_argument("--data", default=os.environ.get("MAOBI_DATA_DIR"), help="folder with mnist/*.gz, or those; default MAOBI_DATA_DIR")
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--rounds", type=int, default=2)
    p.add_argument("--epochs", type=int, default=3, help="timed epochs of a turn")
    p.add_argument("--samples", type=int, help="images an epoch; default: about a second's worth for the fastest peer")
    p.add_argument("--timeout", type=float, default=90, help="seconds after which a turn is given up")
    p.add_argument("--only", nargs="+", metavar="PEER", help="only these peers, of: " + " ".join(peer.key for peer in peers.ALL))
    p.add_argument("--maobi", help="our binary; default: target/release/maobi")
    p.add_argument("--rust-peers", help="binary of bench/peers; default: its target/release")
    p.add_argument("--keras-python", help="a python with Keras and TensorFlow")
    p.add_argument("--torch-python", help="a python with torch, onnx and onnxruntime")
    p.add_argument("--markdown", type=pathlib.Path, help="write the tables here, with machine and versions")
    p.add_argument("--json", type=pathlib.Path, help="write every turn here, one object a line")
    a = p.parse_args()
    if not a.data:
        p.error("where is MNIST? give --data or set MAOBI_DATA_DIR")
    a.data = next((d for d in (pathlib.Path(a.data) / "mnist", pathlib.Path(a.data)) if (d / "train-images-idx3-ubyte.gz").exists()), None)
    if a.data is None:
        p.error("--data holds no train-images-idx3-ubyte.gz, nor does its folder mnist")
    a.data = a.data.resolve()
    return a


def main():
    a = parse()
    lineup, skipped = peers.lineup(a)
    for why in skipped:
        print(f"skipped: {why}", file=sys.stderr)
    if not lineup or lineup[0].key != "maobi":
        sys.exit("there is no binary of ours to compare with: cargo build --release, or --maobi PATH")
    watch, turns, started = machine.Watch(), [], time.monotonic()
    for recipe in a.recipes:
        for turn in range(a.rounds):
            for peer in (p for p in lineup if turn == 0 or not p.once):
                line, why = peers.take_turn(peer, recipe, a)
                if line is None:
                    skipped.append(f"{peer.title}, {recipe}, round {turn + 1}: {why}")
                    print(f"skipped: {skipped[-1]}", file=sys.stderr)
                    continue
                turns.append(line | {"peer": peer.key, "recipe": recipe, "round": turn})
                print(f"{time.monotonic() - started:6.0f} s  {recipe:13} {peer.title:34} {tables.brief(line)}", file=sys.stderr, flush=True)
        print(tables.summary(turns, recipe, lineup), flush=True)
    report = tables.markdown(turns, a, lineup, skipped, machine.describe(), watch.others(), time.monotonic() - started)
    print("\n" + report)
    if a.markdown:
        a.markdown.write_text(report)
    if a.json:
        a.json.write_text("".join(tables.dumps(turn) + "\n" for turn in turns))


if __name__ == "__main__":
    try:
        main()
    except subprocess.SubprocessError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
