"""Write ONNX files with random weights in the shapes of well-known networks, to see which operators a runtime covers and how fast it is.

    pip install numpy onnx
    python tools/onnx_shapes.py FOLDER          # vit_s14, vit_b32, siglip_b16, mobilenet_v4: each .onnx and .toml, 0.6 GB in all

The graphs have the operators that exporters write, each another set of them: vit_s14 (as DINOv2) normalises by single operators of opset 14
and asks for shapes while it runs; vit_b32 (as CLIP) has LayerNormalization and a sigmoid for the activation; siglip_b16 has the operator
Gelu of opset 20 and pools by attention; mobilenet_v4 has BatchNormalization and HardSwish. `cargo bench --features onnx --bench networks`
runs them, and tools/onnx_compare.py compares what it makes with onnxruntime.
"""
import os
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

IMAGENET = "mean = [0.485, 0.456, 0.406]\ndeviation = [0.229, 0.224, 0.225]\n"
HALVES = "mean = [0.5, 0.5, 0.5]\ndeviation = [0.5, 0.5, 0.5]\n"


class Graph:
    """Nodes and constants, with a name for each."""

    def __init__(self, opset):
        self.opset, self.nodes, self.arrays, self.random = opset, [], [], np.random.default_rng(23)

    def node(self, operator, *inputs, **attributes):
        name = f"{operator}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, list(inputs), [name], name=name, **attributes))
        return name

    def array(self, values, dtype=np.float32):
        name = f"array_{len(self.arrays)}"
        self.arrays.append(numpy_helper.from_array(np.asarray(values, dtype=dtype), name))
        return name

    def ints(self, *values):
        return self.array(values, np.int64)

    def weights(self, *shape):
        fan_in = int(np.prod(shape[1:])) if len(shape) == 4 else shape[0]
        return self.array(self.random.standard_normal(shape) * fan_in**-0.5)

    def linear(self, x, inputs, outputs):
        return self.node("Add", self.node("MatMul", x, self.weights(inputs, outputs)), self.array(np.zeros(outputs)))

    def norm(self, x, width):
        scale, bias = self.array(np.ones(width)), self.array(np.zeros(width))
        if self.opset >= 17:
            return self.node("LayerNormalization", x, scale, bias, axis=-1, epsilon=1e-6)
        centred = self.node("Sub", x, self.node("ReduceMean", x, axes=[-1]))
        variance = self.node("ReduceMean", self.node("Pow", centred, self.array(2.0)), axes=[-1])
        deviation = self.node("Sqrt", self.node("Add", variance, self.array(1e-6)))
        return self.node("Add", self.node("Mul", self.node("Div", centred, deviation), scale), bias)

    def gelu(self, x, kind):
        if kind == "sigmoid":
            return self.node("Mul", x, self.node("Sigmoid", self.node("Mul", x, self.array(1.702))))
        if kind == "operator":
            return self.node("Gelu", x, approximate="tanh")
        erf = self.node("Erf", self.node("Div", x, self.array(2**0.5)))
        return self.node("Mul", self.node("Mul", x, self.node("Add", erf, self.array(1.0))), self.array(0.5))

    def heads(self, x, heads, width, axes):
        return self.node("Transpose", self.node("Reshape", x, self.ints(0, -1, heads, width // heads)), perm=axes)

    def attention(self, asking, x, width, heads):
        query = self.heads(self.linear(asking, width, width), heads, width, [0, 2, 1, 3])
        key = self.heads(self.linear(x, width, width), heads, width, [0, 2, 3, 1])
        value = self.heads(self.linear(x, width, width), heads, width, [0, 2, 1, 3])
        scores = self.node("MatMul", self.node("Mul", query, self.array((width // heads) ** -0.5)), key)
        mixed = self.node("MatMul", self.node("Softmax", scores, axis=-1), value)
        mixed = self.node("Reshape", self.node("Transpose", mixed, perm=[0, 2, 1, 3]), self.ints(0, -1, width))
        return self.linear(mixed, width, width)

    def perceptron(self, x, width, gelu):
        return self.linear(self.gelu(self.linear(x, width, 4 * width), gelu), 4 * width, width)

    def block(self, x, width, heads, gelu, is_scaled=False):
        for layer in (lambda y: self.attention(y, y, width, heads), lambda y: self.perceptron(y, width, gelu)):
            y = layer(self.norm(x, width))
            x = self.node("Add", x, self.node("Mul", y, self.array(np.full(width, 0.5))) if is_scaled else y)
        return x

    def patches(self, side, patch, width):
        kernel = self.weights(width, 3, patch, patch)
        x = self.node("Conv", "picture", kernel, self.array(np.zeros(width)), strides=[patch] * 2, dilations=[1, 1], pads=[0] * 4)
        return self.node("Transpose", self.node("Reshape", x, self.ints(0, width, -1)), perm=[0, 2, 1]), (side // patch) ** 2

    def save(self, folder, name, side, output, shape, description):
        def value(name, shape):
            return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)

        self.nodes.append(helper.make_node("Identity", [output], ["features"], name="features"))
        batch = "batch" if self.opset < 17 else 1
        outputs = [value("features", [batch] + shape)]
        graph = helper.make_graph(self.nodes, name, [value("picture", [batch, 3, side, side])], outputs, self.arrays)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", self.opset)], ir_version=9)
        onnx.checker.check_model(model)
        onnx.save(model, os.path.join(folder, f"{name}.onnx"))
        with open(os.path.join(folder, f"{name}.toml"), "w", encoding="utf-8") as file:
            file.write(f"version = 1\nside = {side}\n{description}")


def vit_s14(folder):
    graph, side, width = Graph(14), 224, 384
    x, count = graph.patches(side, 14, width)
    batch = graph.node("Gather", graph.node("Shape", x), graph.array(0, np.int64), axis=0)
    shape = graph.node("Concat", graph.node("Unsqueeze", batch, graph.ints(0)), graph.ints(-1, -1), axis=0)
    shape = graph.node("Where", graph.node("Equal", shape, graph.ints(-1, -1, -1)), graph.ints(1, 1, width), shape)
    token = graph.node("Expand", graph.array(graph.random.standard_normal((1, 1, width)) * 0.02), shape)
    x = graph.node("Concat", token, x, axis=1)
    x = graph.node("Add", x, graph.array(graph.random.standard_normal((1, count + 1, width)) * 0.02))
    for _ in range(12):
        x = graph.block(x, width, 6, "erf", is_scaled=True)
    # All tokens, as last_hidden_state has them.
    graph.save(folder, "vit_s14", side, graph.norm(x, width), [count + 1, width], IMAGENET + 'pooling = "first"\n')


def vit_b32(folder):
    graph, side, width = Graph(17), 224, 768
    x, count = graph.patches(side, 32, width)
    x = graph.node("Concat", graph.array(graph.random.standard_normal((1, 1, width)) * 0.02), x, axis=1)
    x = graph.norm(graph.node("Add", x, graph.array(graph.random.standard_normal((count + 1, width)) * 0.02)), width)
    for _ in range(12):
        x = graph.block(x, width, 12, "sigmoid")
    first = graph.node("Squeeze", graph.node("Slice", x, graph.ints(0), graph.ints(1), graph.ints(1)), graph.ints(1))
    embedding = graph.node("MatMul", graph.norm(first, width), graph.weights(width, 512))
    length = graph.node("ReduceL2", embedding, axes=[-1], keepdims=1)
    graph.save(folder, "vit_b32", side, graph.node("Div", embedding, length), [512], IMAGENET)


def siglip_b16(folder):
    graph, side, width = Graph(20), 224, 768
    x, count = graph.patches(side, 16, width)
    x = graph.node("Add", x, graph.array(graph.random.standard_normal((1, count, width)) * 0.02))
    for _ in range(12):
        x = graph.block(x, width, 12, "operator")
    x = graph.norm(x, width)
    probe = graph.array(graph.random.standard_normal((1, 1, width)))
    pooled = graph.attention(probe, x, width, 12)
    pooled = graph.node("Add", pooled, graph.perceptron(graph.norm(pooled, width), width, "operator"))
    graph.save(folder, "siglip_b16", side, graph.node("Squeeze", pooled, graph.ints(1)), [width], HALVES)


def mobilenet_v4(folder):
    graph, side = Graph(14), 224

    def convolution(x, inputs, outputs, kernel, stride=1, groups=1, activation="Relu"):
        pad = kernel // 2
        weights = graph.weights(outputs, inputs // groups, kernel, kernel)
        x = graph.node("Conv", x, weights, strides=[stride] * 2, dilations=[1, 1], group=groups, pads=[pad] * 4)
        ones, zeros = graph.array(np.ones(outputs)), graph.array(np.zeros(outputs))
        x = graph.node("BatchNormalization", x, ones, zeros, zeros, ones)
        return graph.node(activation, x) if activation else x

    # Universal inverted bottlenecks: (depthwise before, depthwise within, outputs, expansion, stride, times).
    stages = [(0, 3, 48, 4, 2, 2), (5, 5, 80, 4, 2, 4), (3, 3, 80, 4, 1, 4), (5, 5, 160, 6, 2, 4), (5, 0, 160, 4, 1, 4), (0, 5, 256, 4, 2, 6)]
    x, width = convolution(convolution("picture", 3, 32, 3, 2), 32, 32, 3, 2), 32
    for before, within, outputs, expansion, stride, times in stages:
        for time in range(times):
            stride, y, wide = 1 if time else stride, x, width * expansion
            if before:
                y = convolution(y, width, width, before, 1 if within else stride, width, None)
            y = convolution(y, width, wide, 1)
            if within:
                y = convolution(y, wide, wide, within, stride, wide)
            y = convolution(y, wide, outputs, 1, activation=None)
            x, width = graph.node("Add", x, y) if stride == 1 and width == outputs else y, outputs
    x = convolution(x, width, 960, 1, activation="HardSwish")
    x = convolution(graph.node("GlobalAveragePool", x), 960, 1280, 1)
    graph.save(folder, "mobilenet_v4", side, graph.node("Flatten", x), [1280], IMAGENET)


def main():
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    os.makedirs(sys.argv[1], exist_ok=True)
    for write in (vit_s14, vit_b32, siglip_b16, mobilenet_v4):
        write(sys.argv[1])


if __name__ == "__main__":
    main()
