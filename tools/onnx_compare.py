"""Compare networks under artificio's runtime with onnxruntime: the largest difference, and CPU time on one thread.

    pip install numpy onnxruntime
    cargo bench --profile dev --features onnx --bench networks -- --rows FOLDER FILE.onnx... > ours.csv
    python tools/onnx_compare.py FOLDER ours.csv FILE.onnx...

The bench writes FOLDER/NAME.f32, the numbers that the network takes and those that it makes of them, and a line for each network with what
it took. Both make rows of the same input; the difference is that of rows at unit length.
"""
import csv
import os
import sys
import time

import numpy as np
import onnxruntime


def unit(row):
    return row / np.linalg.norm(row)


def pooled(output, width):
    """As `pooling` in the TOML file would: the first token, or what there is."""
    return output.reshape(-1)[:width]


def main():
    if len(sys.argv) < 4:
        raise SystemExit(__doc__)
    folder, ours, networks = sys.argv[1], sys.argv[2], sys.argv[3:]
    with open(ours, newline="", encoding="utf-8") as file:
        ours = {row["network"]: row for row in csv.DictReader(file)}
    print("| network | numbers | largest difference | artificio, CPU-ms | onnxruntime, CPU-ms | loading, CPU-ms | memory, MB |")
    print("|---|---|---|---|---|---|---|")
    for path in networks:
        name = os.path.splitext(os.path.basename(path))[0]
        numbers = np.fromfile(os.path.join(folder, f"{name}.f32"), np.float32)
        row = ours[name]
        width, side, output = int(row["width"]), int(row["side"]), row["output"]
        picture, made = numbers[: 3 * side * side].reshape(1, 3, side, side), numbers[3 * side * side :]
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        session = onnxruntime.InferenceSession(path, options)
        inputs = {session.get_inputs()[0].name: picture}
        theirs = pooled(session.run([output], inputs)[0], width)
        started, times = time.process_time(), 0
        while time.process_time() - started < 2 or times < 5:
            session.run([output], inputs)
            times += 1
        took = (time.process_time() - started) / times * 1000
        difference = np.abs(unit(theirs) - unit(made)).max()
        print(f"| {name} | {width} | {difference:.1e} | {row['cpu_ms']} | {took:.1f} | {row['load_cpu_ms']} | {row['memory_mb']} |")


if __name__ == "__main__":
    main()
