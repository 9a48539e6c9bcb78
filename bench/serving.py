#!/usr/bin/env python3
"""Requests a second of `maobi serve` beside ONNX Runtime behind Python, in turn in one run, on the same cores.

    bench/serving.py --python P [--seconds 10] [--rounds 2] [--connections 64] [--cores 0,1]

One picture of 28×28 numbers as JSON a request, the model in the box, `wrk` as the client on the same cores as the server. Ours with
batches, ours with one request at a time (--max-batch 1, as servers do that do not batch), and ONNX Runtime 1.31 behind uvicorn with
the same network (turns/onnx_server.py). P needs onnxruntime, uvicorn, uvloop, httptools and orjson. The ratio is taken within a round.

On a busy machine the figures are worthless: what share of the cores others took stands below the table.
"""
import argparse
import json
import os
import pathlib
import random
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
MODEL = ROOT / "crates/recognize/model/digits.keras"


def parse():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--python", help="a python with onnxruntime, uvicorn, uvloop, httptools and orjson; without one, ours alone")
    p.add_argument("--maobi", default=ROOT / "target/release/maobi", help="our binary; default: target/release/maobi")
    p.add_argument("--seconds", type=int, default=10)
    p.add_argument("--rounds", type=int, default=2)
    p.add_argument("--connections", type=int, default=64)
    p.add_argument("--cores", default="0,1", help="for servers and client alike; default: 0,1")
    return p.parse_args()


def request(folder):
    """wrk's script and the body it sends: a picture a third of which is ink, with four digits a number."""
    draw = random.Random(1)
    ink = lambda x, y: 6 < x < 20 and 5 < y < 22 and draw.random() < 0.6
    image = [[[round(draw.random(), 4) if ink(x, y) else 0.0] for x in range(28)] for y in range(28)]
    (folder / "body.json").write_text(json.dumps({"instances": [image]}))
    script = folder / "post.lua"
    script.write_text(
        f'local f = io.open("{folder}/body.json"); wrk.body = f:read("*a"); f:close()\n'
        'wrk.method = "POST"; wrk.headers["Content-Type"] = "application/json"\n'
    )
    return script


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def others_share(before, after, mine):
    """Share of the machine that neither idled nor was ours, between two lines of /proc/stat."""
    total, idle = sum(after) - sum(before), after[3] + after[4] - before[3] - before[4]
    return (total - idle - mine) / max(total, 1)


def stat():
    return [int(v) for v in open("/proc/stat").readline().split()[1:9]]


def turn(command, port, script, a):
    """Requests a second, p50 and p99 in milliseconds, and the share that others took."""
    pin = ["taskset", "-c", a.cores]
    server = subprocess.Popen(pin + [str(part) for part in command], stdout=subprocess.DEVNULL)
    try:
        for _ in range(300):
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                time.sleep(0.1)
        url = f"http://127.0.0.1:{port}/v1/models/digits:predict"
        wrk = lambda seconds: pin + ["wrk", "-t1", f"-c{a.connections}", f"-d{seconds}s", "--latency", "-s", str(script), url]
        subprocess.run(wrk(1), stdout=subprocess.DEVNULL, check=True)
        before, times = stat(), os.times()
        busy = lambda: sum(int(v) for v in open(f"/proc/{server.pid}/stat").read().rsplit(")", 1)[1].split()[11:13])
        began = busy()
        out = subprocess.run(wrk(a.seconds), capture_output=True, text=True, check=True).stdout
        after, now = stat(), os.times()
        client = (now.children_user + now.children_system - times.children_user - times.children_system) * os.sysconf("SC_CLK_TCK")
        others = others_share(before, after, busy() - began + client)
    finally:
        server.terminate()
        server.wait()
    if "Non-2xx" in out:
        sys.exit(f"{command[0]}: answers that are no answers\n{out}")
    unit = {"us": 1e-3, "ms": 1, "s": 1e3}
    latency = {share: float(v) * unit[u] for share, v, u in re.findall(r"(\d+)%\s+([\d.]+)(us|ms|s)", out)}
    return float(re.search(r"Requests/sec:\s+([\d.]+)", out)[1]), latency["50"], latency["99"], others


def main():
    a = parse()
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        script = request(folder)
        threads = len(a.cores.split(","))
        serve = lambda *more: lambda port: [a.maobi, "serve", "--addr", f"127.0.0.1:{port}", "--threads", threads, "--log", "none", *more]
        peers = {"maobi serve": serve(), "maobi serve, one request at a time": serve("--max-batch", "1")}
        if a.python:
            onnx = folder / "digits.onnx"
            subprocess.run([a.maobi, "export", MODEL, "--to", "onnx", "--out", onnx], check=True, stdout=subprocess.DEVNULL)
            peer = ROOT / "bench/turns/onnx_server.py"
            peers["ONNX Runtime, uvicorn, orjson"] = lambda port: [a.python, peer, onnx, port, threads]
        rounds = []
        for _ in range(a.rounds):
            measured = {}
            for name, command in peers.items():
                port = free_port()
                measured[name] = turn(command(port), port, script, a)
                print(f"{name}: {measured[name][0]:,.0f} requests/s, p99 {measured[name][2]:.1f} ms", file=sys.stderr)
            rounds.append(measured)
    print(f"{a.connections} connections, cores {a.cores}, {a.rounds} rounds of {a.seconds} s\n")
    print("| | requests/s | p50, ms | p99, ms | ours ÷ theirs |\n|---|---|---|---|---|")
    for name in peers:
        rate, p50, p99 = (statistics.median(r[name][i] for r in rounds) for i in range(3))
        ratio = statistics.median(r["maobi serve"][0] / r[name][0] for r in rounds)
        print(f"| {name} | {rate:,.0f} | {p50:.1f} | {p99:.1f} | {ratio:.2f} |")
    print(f"\nOthers took {max(0, max(m[3] for r in rounds for m in r.values())):.0%} of the machine at most.")


if __name__ == "__main__":
    main()
