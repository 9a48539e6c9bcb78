"""Turns as tables."""
import datetime
import json
import statistics

dumps = json.dumps


def brief(line):
    """A turn in a few words."""
    train = line["train_samples_per_second"]
    trains = f"{statistics.median(train):12,.0f} img/s" if train else f"{'':18}"
    return f"{trains} {line['latency_us']:9.1f} µs"


class Results:
    """Turns by peer, recipe and round."""

    def __init__(self, turns, lineup):
        self.lineup = lineup
        self.rounds = sorted({turn["round"] for turn in turns})
        self.by = {(turn["peer"], turn["recipe"], turn["round"]): turn for turn in turns}

    def value(self, peer, recipe, turn, what):
        """Of one turn: training (the median epoch), predict_images_per_second or latency_us; None where there is none."""
        line = self.by.get((peer.key, recipe, turn))
        if line is None:
            return None
        if what == "train":
            return statistics.median(line["train_samples_per_second"]) if line["train_samples_per_second"] else None
        return line.get(what)

    def median(self, peer, recipe, what):
        values = [v for turn in self.rounds if (v := self.value(peer, recipe, turn, what)) is not None]
        return statistics.median(values) if values else None

    def best(self, recipe, what):
        """The f32 peer with the best median, and that."""
        sign = -1 if what == "latency_us" else 1
        peers = [p for p in self.lineup if p.f32 and p.key != "maobi"]
        medians = [(sign * m, p) for p in peers if (m := self.median(p, recipe, what)) is not None]
        return max(medians, key=lambda pair: pair[0])[1] if medians else None

    def ratios(self, recipe, what):
        """How many times better we are than the best f32 peer, in each round."""
        best, out = self.best(recipe, what), []
        for turn in self.rounds if best else []:
            ours, theirs = (self.value(p, recipe, turn, what) for p in (self.lineup[0], best))
            if ours and theirs:
                out.append(theirs / ours if what == "latency_us" else ours / theirs)
        return out


def spread(ratios):
    if not ratios:
        return "–"
    return f"**{statistics.median(ratios):.2f}** ({min(ratios):.2f} to {max(ratios):.2f})"


def summary(turns, recipe, lineup):
    """The two lines that matter, once a recipe is done."""
    results = Results(turns, lineup)
    parts = []
    for what, name in [("train", "train, × the best f32 peer"), ("latency_us", "batch-1 latency, best peer ÷ ours")]:
        best = results.best(recipe, what)
        parts.append(f"{name} ({best.title if best else 'none'}): {spread(results.ratios(recipe, what)).replace('*', '')}")
    return f"{recipe}: " + "; ".join(parts)


def number(value, what):
    if value is None:
        return "–"
    return f"{value:.1f}" if what == "latency_us" and value < 100 else f"{value:,.0f}"


def table(results, recipes, what, peers, last):
    """Peers in rows, recipes in columns, the best f32 peer in bold, and the ratio below."""
    best = {recipe: results.best(recipe, what) for recipe in recipes}
    lines = ["| | " + " | ".join(f"`{recipe}`" for recipe in recipes) + " |", "|---|" + "---|" * len(recipes)]
    for peer in peers:
        cells = [number(results.median(peer, recipe, what), what) for recipe in recipes]
        if all(cell == "–" for cell in cells):
            continue
        cells = [f"**{cell}**" if best[recipe] is peer else cell for cell, recipe in zip(cells, recipes)]
        lines.append(f"| {peer.title} | " + " | ".join(cells) + " |")
    lines.append(f"| {last} | " + " | ".join(spread(results.ratios(recipe, what)) for recipe in recipes) + " |")
    return "\n".join(lines)


def ours(results, recipes):
    """Our own figures beside the machine's."""
    lines = ["| | " + " | ".join(f"`{recipe}`" for recipe in recipes) + " |", "|---|" + "---|" * len(recipes)]
    peer = results.lineup[0]
    rows = [
        ("GFLOP/s in training", "train_gflops", lambda v: f"{v:.1f}"),
        ("share of the multiply-add rate", "peak_fraction", lambda v: f"{100 * v:.0f} %"),
        ("peak memory", "peak_rss_bytes", lambda v: f"{v / 1e6:.0f} MB"),
    ]
    for title, key, show in rows:
        values = [results.median(peer, recipe, key) for recipe in recipes]
        lines.append(f"| {title} | " + " | ".join("–" if v is None else show(v) for v in values) + " |")
    one = next((p for p in results.lineup if p.key == "maobi-1"), None)
    if one:
        pairs = [(results.median(peer, r, "train"), results.median(one, r, "train")) for r in recipes]
        lines.append("| all threads, × one | " + " | ".join(f"{a / b:.2f}" if a and b else "–" for a, b in pairs) + " |")
    return "\n".join(lines)


def markdown(turns, a, lineup, skipped, machine, others, seconds):
    """The whole report."""
    results, recipes = Results(turns, lineup), [r for r in a.recipes if any(t["recipe"] == r for t in turns)]
    isa = next((t["isa"] for t in turns if t["peer"] == "maobi"), "?")
    versions = sorted({t["version"] for t in turns if "version" in t})
    quiet = "unknown" if others is None else f"{100 * others:.0f} %"
    options = [f"--{name} {getattr(a, name)}" for name in ("threads", "rounds", "epochs", "samples") if getattr(a, name)]
    calls = [t["call_us"] for t in turns if "call_us" in t]
    call = f" An ONNX Runtime call that computes nothing takes {statistics.median(calls):.1f} µs, Python's share of its figures." if calls else ""
    gone = "\n".join(f"- skipped: {why}" for why in skipped)
    return f"""# Side by side

Written by `bench/side_by_side.py {' '.join(options)} {' '.join(recipes)}` on {datetime.date.today()}, in {seconds / 60:.0f} minutes.

- Machine: {machine}; ours ran with {isa}, {a.threads} threads.
- Versions: {'; '.join(versions)}.
- Other programs used {quiet} of the processor meanwhile (where that is more than a few per cent, the figures say little).
- f32, the recipe's batch size, shuffled epochs, the whole step with the gather; medians of {a.rounds} turns of {a.epochs} epochs, each turn a
  process of its own, in turn. Ratios are taken within a round: median (smallest to largest). The best f32 peer is in bold.
{gone}

## Training, images a second

{table(results, recipes, "train", [p for p in lineup if p.trains], "maobi, × the best f32 peer")}

PyTorch's loop computes no accuracy and no sum of losses, ours and Keras' do.

## One image, microseconds

{table(results, recipes, "latency_us", lineup, "best peer ÷ maobi")}

Ours is the library's `predict`; theirs is the call as a program of theirs makes it.{call}

## Batches of 500, images a second

{table(results, recipes, "predict_images_per_second", lineup, "maobi, × the best f32 peer")}

## Ours beside the machine

{ours(results, recipes)}

GFLOP are those of the direct algorithms; the share is of the multiply-add rate that `maobi bench` measures on the same threads.
""".replace("\n\n\n", "\n\n")
