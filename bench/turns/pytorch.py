"""PyTorch, eager. Variants: none, channels-last, channels-last-bf16 (autocast). See common.py.

The loop does less than Keras' and ours: no accuracy, no sum of losses, no decay of the learning rate.
"""
import common
import torch
import torch.nn as nn
import torch.nn.functional as F

a = common.arguments()
torch.set_num_threads(a.threads)
x, y, test = common.pictures(a)


def build():
    """The network, and its parameters in groups by L2."""
    modules, shape, groups = [], (1, 28, 28), {}
    for layer in common.network(a.table):
        kind = layer["type"]
        if kind == "conv":
            k = layer["kernel"]
            module = nn.Conv2d(shape[0], layer["filters"], k, padding=k // 2 if layer["same"] else 0)
        elif kind == "pool":
            module = nn.MaxPool2d(2)
        elif kind == "flatten":
            module = nn.Flatten()
        elif kind == "dropout":
            module = nn.Dropout(layer["rate"])
        else:
            module = nn.Linear(shape[0], layer["units"])
        shape = tuple(module(torch.zeros(1, *shape)).shape[1:])
        # Keras' penalty is l2 · w², hence a gradient of 2 · l2 · w.
        groups.setdefault(2 * layer.get("l2", 0.0), []).extend(module.parameters())
        modules.append(module)
        if layer.get("relu"):
            modules.append(nn.ReLU())
    return nn.Sequential(*modules), [{"params": p, "weight_decay": decay} for decay, p in groups.items() if p]


def optimizer(groups):
    table = a.table["training"]["optimizer"]
    rate = common.learning_rate(table)
    if table["type"] == "SGD":
        return torch.optim.SGD(groups, rate, momentum=table.get("momentum", 0.0))
    return getattr(torch.optim, table["type"])(groups, rate)


net, groups = build()
X, Y = torch.tensor(x.transpose(0, 3, 1, 2).copy()), torch.tensor(y)
T = torch.tensor(test.transpose(0, 3, 1, 2).copy())
if a.variant.startswith("channels-last"):
    net = net.to(memory_format=torch.channels_last)
    X, T = (v.contiguous(memory_format=torch.channels_last) for v in (X, T))
opt = optimizer(groups)
bf16 = a.variant.endswith("bf16")


def step(rows):
    opt.zero_grad(set_to_none=True)
    with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        loss = F.cross_entropy(net(X[rows]), Y[rows])
    loss.backward()
    opt.step()


def epoch():
    order = torch.randperm(len(X))
    for i in range(0, len(X), a.batch):
        step(order[i : i + a.batch])


for _ in range(5):
    step(torch.randperm(a.batch))
train = common.rates(a, epoch)
net.eval()
with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=bf16):
    predict = common.throughput(net, list(T.split(common.PREDICT_BATCH)))
    latency = common.latency(net, list(T[:500].split(1)))
name = "-".join(["torch", *filter(None, [a.variant])])
common.report(a, name, f"PyTorch {torch.__version__.split('+')[0]}", train, predict, latency)
