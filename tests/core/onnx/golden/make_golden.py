#!/usr/bin/env python3
"""Writes the .onnx files and expected.json of this folder with the onnx package (Debian's python3-onnx).

The files are shaped as the exporters of PyTorch, scikit-learn (skl2onnx) and TensorFlow (tf2onnx) shape
theirs: operators, names, initializers. The expected outputs are NumPy's, in double, by the definition of
each operator.
  make_golden.py [FOLDER]
"""
import json
import pathlib
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

random = np.random.default_rng(20240607)
folder = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent)
expected = {}


def weights(*shape):
    return random.uniform(-0.5, 0.5, shape).astype(np.float32)


def raw(name, values):
    return numpy_helper.from_array(values, name)


def typed(name, values):
    """As helper.make_tensor does it, which skl2onnx uses: float_data, not raw_data."""
    return helper.make_tensor(name, TensorProto.FLOAT, values.shape, values.ravel().tolist())


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def save(name, producer, opset, ir_version, graph, rows, outputs, ml_domain=False):
    opsets = [helper.make_opsetid("", opset)] + ([helper.make_opsetid("ai.onnx.ml", 1)] if ml_domain else [])
    model = helper.make_model(graph, producer_name=producer, opset_imports=opsets, ir_version=ir_version)
    onnx.checker.check_model(model, full_check=True)
    (folder / name).write_bytes(model.SerializeToString())
    expected[name] = {"inputs": rows.reshape(len(rows), -1).tolist(), "outputs": outputs.tolist()}


def value(name, shape, kind=TensorProto.FLOAT):
    return helper.make_tensor_value_info(name, kind, shape)


def pytorch():
    """nn.Sequential(Flatten, Linear, ReLU, Dropout, Linear, Sigmoid) on images of 1 x 3 x 2."""
    w1, b1, w2, b2 = weights(4, 6), weights(4), weights(3, 4), weights(3)
    graph = helper.make_graph(
        [helper.make_node("Flatten", ["input.1"], ["/0/Flatten_output_0"], "/0/Flatten", axis=1),
         helper.make_node("Gemm", ["/0/Flatten_output_0", "1.weight", "1.bias"], ["/1/Gemm_output_0"], "/1/Gemm",
                          alpha=1.0, beta=1.0, transB=1),
         helper.make_node("Relu", ["/1/Gemm_output_0"], ["/2/Relu_output_0"], "/2/Relu"),
         helper.make_node("Gemm", ["/2/Relu_output_0", "4.weight", "4.bias"], ["/4/Gemm_output_0"], "/4/Gemm",
                          alpha=1.0, beta=1.0, transB=1),
         helper.make_node("Sigmoid", ["/4/Gemm_output_0"], ["11"], "/5/Sigmoid")],
        "torch_jit", [value("input.1", ["batch", 1, 3, 2])], [value("11", ["batch", 3])],
        [raw("1.weight", w1), raw("1.bias", b1), raw("4.weight", w2), raw("4.bias", b2)])
    x = random.uniform(0, 1, (5, 6))
    save("pytorch.onnx", "pytorch", 17, 8, graph, x, sigmoid(np.maximum(x @ w1.T + b1, 0) @ w2.T + b2))


def pytorch_normalized():
    """transforms.Normalize inside the module, view(-1, D), Linear without bias, Dropout in inference, logits."""
    mean, std, w1, w2, b2 = (np.float32([[[0.13]]]), np.float32([[[0.31]]]), weights(4, 3), weights(3, 2),
                             weights(2))
    graph = helper.make_graph(
        [helper.make_node("Constant", [], ["mean"], "Constant_0", value=raw("", mean)),
         helper.make_node("Sub", ["x", "mean"], ["7"], "Sub_1"),
         helper.make_node("Constant", [], ["std"], "Constant_2", value=raw("", std)),
         helper.make_node("Div", ["7", "std"], ["9"], "Div_3"),
         helper.make_node("Constant", [], ["shape"], "Constant_4", value=raw("", np.int64([-1, 4]))),
         helper.make_node("Reshape", ["9", "shape"], ["11"], "Reshape_5"),
         helper.make_node("MatMul", ["11", "onnx::MatMul_20"], ["13"], "MatMul_6"),
         helper.make_node("Tanh", ["13"], ["14"], "Tanh_7"),
         helper.make_node("Constant", [], ["ratio"], "Constant_8", value=raw("", np.float32(0.5))),
         helper.make_node("Constant", [], ["training"], "Constant_9", value=raw("", np.bool_(False))),
         helper.make_node("Dropout", ["14", "ratio", "training"], ["15", "16"], "Dropout_10"),
         helper.make_node("Gemm", ["15", "fc2.weight", "fc2.bias"], ["y"], "Gemm_11", alpha=0.5, beta=2.0)],
        "main_graph", [value("x", [1, 1, 2, 2])], [value("y", [1, 2])],
        [raw("onnx::MatMul_20", w1), raw("fc2.weight", w2), raw("fc2.bias", b2)])
    x = random.uniform(0, 1, (4, 4))
    h = np.tanh((x - float(mean.item())) / float(std.item()) @ w1)
    save("pytorch_normalized.onnx", "pytorch", 13, 7, graph, x, 0.5 * (h @ w2) + 2.0 * b2)


def sklearn_nodes(w1, b1, w2, b2, last):
    return ([helper.make_node("Scaler", ["X"], ["variable"], "Scaler", domain="ai.onnx.ml",
                              offset=[1.0, 2.0, -3.0], scale=[0.5, 0.25, 2.0]),
             helper.make_node("Cast", ["variable"], ["cast_input"], "Cast", to=TensorProto.FLOAT),
             helper.make_node("MatMul", ["cast_input", "coefficient"], ["mul_result"], "MatMul"),
             helper.make_node("Add", ["mul_result", "intercepts"], ["add_result"], "Add"),
             helper.make_node("Tanh", ["add_result"], ["next_activations"], "Tanh"),
             helper.make_node("MatMul", ["next_activations", "coefficient1"], ["mul_result1"], "MatMul1"),
             helper.make_node("Add", ["mul_result1", "intercepts1"], ["add_result1"], "Add1"),
             helper.make_node("Softmax", ["add_result1"], ["out_activations_result"], "Tanh1", axis=1),
             helper.make_node("Identity", ["out_activations_result"], ["probabilities"], "Identity")] + last,
            [typed("coefficient", w1), typed("intercepts", b1), typed("coefficient1", w2),
             typed("intercepts1", b2)])


def sklearn():
    """make_pipeline(StandardScaler(), MLPClassifier(activation="tanh")), whole and cut to its probabilities."""
    w1, b1, w2, b2 = weights(3, 4), weights(1, 4), weights(4, 3), weights(1, 3)
    x = random.uniform(-4, 4, (5, 3))
    outputs = softmax(np.tanh((x - [1, 2, -3]) * [0.5, 0.25, 2] @ w1 + b1) @ w2 + b2)
    nodes, tensors = sklearn_nodes(w1, b1, w2, b2, [])
    probabilities = value("probabilities", [None, 3])
    save("sklearn.onnx", "skl2onnx", 12, 7,
         helper.make_graph(nodes, "mlp", [value("X", [None, 3])], [probabilities], tensors), x, outputs, True)

    nodes, tensors = sklearn_nodes(w1, b1, w2, b2, [
        helper.make_node("ArgMax", ["probabilities"], ["argmax_output"], "ArgMax", axis=1),
        helper.make_node("ArrayFeatureExtractor", ["classes", "argmax_output"], ["array_feature"],
                         "ArrayFeatureExtractor", domain="ai.onnx.ml"),
        helper.make_node("Cast", ["array_feature"], ["label"], "Cast1", to=TensorProto.INT64)])
    classes = helper.make_tensor("classes", TensorProto.INT32, [3], [0, 1, 2])
    save("sklearn_whole.onnx", "skl2onnx", 12, 7,
         helper.make_graph(nodes, "mlp", [value("X", [None, 3])], [value("label", [None], TensorProto.INT64),
                                                                   probabilities], tensors + [classes]),
         x, outputs, True)
    del expected["sklearn_whole.onnx"]


def tensorflow():
    """keras: uint8 images of 2 x 2 x 1, Rescaling, Flatten, Dense(relu), Dense(softmax), by tf2onnx."""
    w1, b1, w2, b2 = weights(4, 5), weights(5), weights(5, 3), weights(3)
    scale, offset = np.float32(1 / 127.5), np.float32(-1)
    graph = helper.make_graph(
        [helper.make_node("Cast", ["image"], ["sequential/rescaling/Cast:0"], "sequential/rescaling/Cast",
                          to=TensorProto.FLOAT),
         helper.make_node("Mul", ["sequential/rescaling/Cast:0", "scale:0"], ["mul:0"], "sequential/rescaling/mul"),
         helper.make_node("Add", ["mul:0", "offset:0"], ["add:0"], "sequential/rescaling/add"),
         helper.make_node("Reshape", ["add:0", "flatten:0"], ["flat:0"], "sequential/flatten/Reshape"),
         helper.make_node("MatMul", ["flat:0", "dense/kernel:0"], ["dense/MatMul:0"], "sequential/dense/MatMul"),
         helper.make_node("Add", ["dense/MatMul:0", "dense/bias:0"], ["dense/BiasAdd:0"],
                          "sequential/dense/BiasAdd"),
         helper.make_node("Relu", ["dense/BiasAdd:0"], ["dense/Relu:0"], "sequential/dense/Relu"),
         helper.make_node("MatMul", ["dense/Relu:0", "dense_1/kernel:0"], ["dense_1/MatMul:0"],
                          "sequential/dense_1/MatMul"),
         helper.make_node("Add", ["dense_1/bias:0", "dense_1/MatMul:0"], ["dense_1/BiasAdd:0"],
                          "sequential/dense_1/BiasAdd"),
         helper.make_node("Softmax", ["dense_1/BiasAdd:0"], ["dense_1"], "sequential/dense_1/Softmax")],
        "tf2onnx", [value("image", ["unk__20", 2, 2, 1], TensorProto.UINT8)], [value("dense_1", ["unk__21", 3])],
        [raw("scale:0", scale), raw("offset:0", offset), raw("flatten:0", np.int64([-1, 4])),
         raw("dense/kernel:0", w1), raw("dense/bias:0", b1), raw("dense_1/kernel:0", w2), raw("dense_1/bias:0", b2)])
    x = random.integers(0, 256, (4, 4)).astype(np.float64)
    h = np.maximum((x * float(scale) + float(offset)) @ w1 + b1, 0)
    save("tensorflow.onnx", "tf2onnx", 15, 8, graph, x, softmax(h @ w2 + b2))


pytorch()
pytorch_normalized()
sklearn()
tensorflow()
(folder / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")
