"""onnxruntime on the same photos, channels first, as it wants them; it folds and fuses what it likes."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from jobs.photos import JOBS, SIDE, Float32, Word, pictures, read
from onnx import TensorProto, helper, numpy_helper

from contestants.protocol import serve


def model_of(words: Sequence[Word], arrays: dict[str, Float32]) -> bytes:
    """The words as a graph; each node is named by its number."""
    nodes: list[onnx.NodeProto] = []
    constants: list[onnx.TensorProto] = []
    kept: list[str] = []

    def constant(value: object) -> str:
        constants.append(numpy_helper.from_array(np.asarray(value, np.float32), f"constant_{len(constants)}"))
        return constants[-1].name

    def add(kind: str, *inputs: str, **attributes: object) -> str:
        nodes.append(helper.make_node(kind, [*inputs], [f"node_{len(nodes)}"], **attributes))
        return str(nodes[-1].output[0])

    last = "x"
    for word in words:
        match word:
            case ("scale", factor, shift):
                last = add("Add", add("Mul", last, constant(factor)), constant(shift))
            case ("conv", str(name), int(stride), int(padding), int(groups)):
                weight = arrays[f"{name}.weight"].transpose(3, 2, 0, 1)
                sizes = {"kernel_shape": weight.shape[2:], "strides": [stride] * 2, "pads": [padding] * 4}
                last = add("Conv", last, constant(weight), group=groups, **sizes)
            case ("norm", str(name), float(epsilon), str(activation)):
                parts = [f"{name}.{part}" for part in ("gamma", "beta", "moving_mean", "moving_variance")]
                last = add("BatchNormalization", last, *(constant(arrays[part]) for part in parts), epsilon=epsilon)
                last = add("Clip", last, constant(0), constant(6)) if activation == "relu6" else last
            case ("keep",):
                kept.append(last)
            case ("add",):
                last = add("Add", last, kept.pop())
            case ("average",):
                last = add("Flatten", add("GlobalAveragePool", last))
            case ("dense", str(name)):
                last = add("Gemm", last, constant(arrays[f"{name}.weight"]), constant(arrays[f"{name}.bias"]))
            case _:
                raise ValueError(word)
    last = add("Softmax", last, axis=1)
    inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["pictures", 3, SIDE, SIDE])]
    outputs = [helper.make_tensor_value_info(last, TensorProto.FLOAT, ["pictures", None])]
    graph = helper.make_graph(nodes, "photos", inputs, outputs, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    onnx.checker.check_model(model)
    return model.SerializeToString()


def main() -> None:
    count, calls, threads = JOBS[sys.argv[1]]
    x = np.ascontiguousarray(pictures(count).transpose(0, 3, 1, 2))
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(model_of(*read(Path(sys.argv[2]))), options, providers=["CPUExecutionProvider"])
    batches = np.array_split(x, max(1, count // 25))  # pictures by the hundred do not fit into its caches

    def work() -> None:
        for _ in range(calls):
            for batch in batches:
                session.run(None, {"x": batch})

    serve(work, {"onnxruntime": onnxruntime.__version__}, answer=lambda: session.run(None, {"x": x[:1]})[0].tolist())


if __name__ == "__main__":
    main()
