"""ONNX Runtime behind the simplest fast Python server: uvicorn (uvloop, httptools) without a framework, orjson.

    onnx_server.py MODEL.onnx PORT THREADS

Answers POST with {"instances": …} as TensorFlow Serving does, one request at a time; a thread of ONNX Runtime for each of THREADS.
"""
import sys

import numpy as np
import onnxruntime as ort
import orjson
import uvicorn

model, port, threads = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
options = ort.SessionOptions()
options.intra_op_num_threads = threads
session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
name = session.get_inputs()[0].name
HEAD = {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]}


async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message.get("body", b""), message.get("more_body", False)
    images = np.array(orjson.loads(body)["instances"], np.float32)
    answer = orjson.dumps({"predictions": session.run(None, {name: images})[0]}, option=orjson.OPT_SERIALIZE_NUMPY)
    await send(HEAD)
    await send({"type": "http.response.body", "body": answer})


uvicorn.run(app, host="127.0.0.1", port=port, loop="uvloop", http="httptools", access_log=False, log_level="warning")
