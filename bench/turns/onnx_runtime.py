"""ONNX Runtime, inference only: the same network, written with onnx' own helper. See common.py.

`call_us` is what a call costs that computes nothing (one Identity on the same picture): Python's share of the latency.
"""
import common
import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper

a = common.arguments()
_, _, test = common.pictures(a)
rng = np.random.default_rng(1)


def session(nodes, weights, output):
    image = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 1, 28, 28])
    graph = helper.make_graph(nodes, "net", [image], [output], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    options = ort.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = a.threads, 1
    return ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def network():
    nodes, weights, x, shape = [], [], "x", (1, 28, 28)

    def add(op, out_shape, *values, **attributes):
        nonlocal x, shape
        names = [f"w{len(weights) + i}" for i in range(len(values))]
        weights.extend(numpy_helper.from_array(v, name) for v, name in zip(values, names))
        y = f"y{len(nodes)}"
        nodes.append(helper.make_node(op, [x, *names], [y], **attributes))
        x, shape = y, out_shape

    def values(*sides):
        # As after training: small numbers, of both signs.
        return rng.normal(0, (2 / np.prod(sides[1:])) ** 0.5, sides).astype("float32")

    for layer in common.network(a.table):
        kind = layer["type"]
        if kind == "conv":
            k, f = layer["kernel"], layer["filters"]
            pad = k // 2 if layer["same"] else 0
            side = shape[1] + 2 * pad - k + 1
            add("Conv", (f, side, side), values(f, shape[0], k, k), values(f), kernel_shape=[k, k], pads=[pad] * 4)
        elif kind == "pool":
            add("MaxPool", (shape[0], shape[1] // 2, shape[2] // 2), kernel_shape=[2, 2], strides=[2, 2])
        elif kind == "flatten":
            add("Flatten", (int(np.prod(shape)),))
        elif kind == "dense":
            add("Gemm", (layer["units"],), values(layer["units"], shape[0]), values(layer["units"]), transB=1)
        if layer.get("relu"):
            add("Relu", shape)
    add("Softmax", shape, axis=1)
    return nodes, weights, helper.make_tensor_value_info(x, TensorProto.FLOAT, ["n", 10])


net = session(*network())
identity = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 1, 28, 28])
nothing = session([helper.make_node("Identity", ["x"], ["y"])], [], identity)
T = test.transpose(0, 3, 1, 2).copy()
singles = [T[i : i + 1] for i in range(500)]
latency = common.latency(lambda z: net.run(None, {"x": z}), singles)
call = common.latency(lambda z: nothing.run(None, {"x": z}), singles)
batches = [T[i : i + common.PREDICT_BATCH] for i in range(0, len(T), common.PREDICT_BATCH)]
predict = common.throughput(lambda z: net.run(None, {"x": z}), batches)
common.report(a, "onnx-runtime", f"ONNX Runtime {ort.__version__}", None, predict, latency, call_us=call)
