"""Who is compared, and how a turn of each is run."""
import dataclasses
import json
import os
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent
TURNS = ROOT / "bench" / "turns"


@dataclasses.dataclass(frozen=True)
class Peer:
    key: str
    title: str
    kind: str  # which program runs it
    variant: str = ""
    f32: bool = True  # whether it counts in "the best f32 peer"
    trains: bool = True
    threads: int | None = None  # other than all
    part: float = 1.0  # of the images of an epoch: slow peers need fewer for the same seconds
    once: bool = False  # only in the first round, as it cannot be the best


ALL = [
    Peer("maobi", "maobi", "maobi"),
    Peer("maobi-1", "maobi, one thread", "maobi", f32=False, threads=1, part=0.5, once=True),
    Peer("keras", "Keras on TensorFlow", "keras"),
    Peer("torch", "PyTorch, eager", "pytorch"),
    Peer("torch-cl", "PyTorch, channels last", "pytorch", "channels-last"),
    Peer("torch-bf16", "PyTorch, channels last, bf16", "pytorch", "channels-last-bf16", f32=False, once=True),
    Peer("ort-1", "ONNX Runtime, one thread", "onnx", trains=False, threads=1),
    Peer("ort", "ONNX Runtime", "onnx", trains=False),
    Peer("burn", "burn (flex)", "rust", "burn", part=0.5),
    Peer("candle", "candle", "rust", "candle", part=0.2, once=True),
]
# Images an epoch: about a second's worth for the fastest peer on two cores. Others: this many.
SAMPLES = {"softmax": 60_000, "tiny-cnn": 24_000, "tf2-cnn": 7_000, "tf1-cnn": 3_500, "keras-lenet": 3_000, "deep-cnn": 2_500}
OTHERWISE = 3_000


def default_target(folder):
    """Where cargo puts the binaries of a workspace."""
    return pathlib.Path(os.environ.get("CARGO_TARGET_DIR") or folder / "target") / "release"


def programs(a):
    """Command of each kind, and why some are missing."""
    maobi = pathlib.Path(a.maobi or default_target(ROOT) / "maobi")
    rust = pathlib.Path(a.rust_peers or default_target(ROOT / "bench" / "peers") / "maobi-bench-peers")
    pythons = {
        "keras": (a.keras_python, "--keras-python", "keras_tensorflow.py", "import tensorflow, keras"),
        "pytorch": (a.torch_python, "--torch-python", "pytorch.py", "import torch"),
        "onnx": (a.torch_python, "--torch-python", "onnx_runtime.py", "import onnx, onnxruntime"),
    }
    found, missing = {}, {}
    for kind, path, how in [("maobi", maobi, "cargo build --release"), ("rust", rust, "cd bench/peers && cargo build --release")]:
        if path.is_file():
            found[kind] = [str(path)]
        else:
            missing[kind] = f"its binary is not built ({how})"
    for kind, (python, option, script, needs) in pythons.items():
        if not python:
            missing[kind] = f"{option} is not given"
        elif subprocess.run([python, "-c", needs], capture_output=True).returncode != 0:
            missing[kind] = f"the python of {option} cannot {needs}"
        else:
            found[kind] = [python, str(TURNS / script)]
    return found, missing


def lineup(a):
    """The peers that are there, ours first, and a sentence for each that is not."""
    a.programs, missing = programs(a)
    wanted = [peer for peer in ALL if not a.only or peer.key in a.only or peer.key == "maobi"]
    wanted = [peer for peer in wanted if peer.threads is None or peer.threads < a.threads]
    there = [peer for peer in wanted if peer.kind in a.programs]
    return there, [f"{peer.title}: {missing[peer.kind]}" for peer in wanted if peer.kind in missing]


def take_turn(peer, recipe, a):
    """The line of one process, or None and the reason."""
    table = ROOT / "recipes" / f"{recipe}.toml"
    batch = next(int(line.split("=")[1].split("#")[0]) for line in table.read_text().splitlines() if line.startswith("batch_size"))
    samples = a.samples or SAMPLES.get(recipe, OTHERWISE)
    # Whole batches, and never a handful: where nothing but calls costs time, slow peers are not slow.
    samples = max(int(samples * (peer.part if recipe != "softmax" else 1)) // batch, 8) * batch
    threads = peer.threads or a.threads
    common = ["--samples", str(samples), "--epochs", str(a.epochs), "--threads", str(threads)]
    if peer.kind == "maobi":
        command = ["bench", recipe, "--json", "--data-dir", str(a.data.parent if a.data.name == "mnist" else a.data)]
    elif peer.kind == "rust":
        command = [peer.variant, str(table), "--data", str(a.data)]
    else:
        command = [str(table), "--data", str(a.data), "--variant", peer.variant]
    environment = os.environ | {name: str(threads) for name in ("OMP_NUM_THREADS", "RAYON_NUM_THREADS")}
    try:
        run = subprocess.run(a.programs[peer.kind] + command + common, capture_output=True, text=True, timeout=a.timeout, env=environment)
    except subprocess.TimeoutExpired:
        return None, f"given up after {a.timeout:.0f} s"
    if run.returncode != 0:
        return None, (run.stderr.strip().splitlines() or ["no message"])[-1]
    return json.loads(run.stdout.splitlines()[-1]), None
