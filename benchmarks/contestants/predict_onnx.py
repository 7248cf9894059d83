"""onnxruntime, on the same rows with the same parameters; the last argument is its number of threads."""

from __future__ import annotations

import sys

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from contestants.protocol import prediction, serve


def model_of(arrays: dict[str, NDArray[np.float32]]) -> bytes:
    """Gemm, Relu, Gemm, Softmax."""
    nodes = [
        helper.make_node("Gemm", ["x", "w1", "b1"], ["z1"]),
        helper.make_node("Relu", ["z1"], ["a1"]),
        helper.make_node("Gemm", ["a1", "w2", "b2"], ["z2"]),
        helper.make_node("Softmax", ["z2"], ["probabilities"], axis=1),
    ]
    inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["rows", len(arrays["w1"])])]
    outputs = [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["rows", len(arrays["b2"])])]
    initializers = [numpy_helper.from_array(array, name) for name, array in arrays.items()]
    graph = helper.make_graph(nodes, "digits", inputs, outputs, initializers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    onnx.checker.check_model(model)
    return model.SerializeToString()


def main() -> None:
    arrays, x, calls = prediction()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = int(sys.argv[-1])
    session = onnxruntime.InferenceSession(model_of(arrays), options, providers=["CPUExecutionProvider"])

    def work() -> None:
        run, feed = session.run, {"x": x}
        for _ in range(calls):
            run(None, feed)

    serve(work, {"onnxruntime": onnxruntime.__version__}, answer=lambda: session.run(None, {"x": x})[0][:100].tolist())


if __name__ == "__main__":
    main()
