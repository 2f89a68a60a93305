#!/usr/bin/env bash
# The convolutional encoder beside Keras, in one run: how well pictures are found, beside the original project's network;
# and training pictures a second, beside the same network in Keras (convolutional_keras.py), each on one core.
#
#   benches/convolutional_vs_keras.sh [PROGRAM] [FOLDER] [PEERS] [EPOCHS]
#
# FOLDER holds inventory/ and query/; PEERS (default: ../shared/peers) holds convae_keras.py and retrieval.py. Needs python3
# with numpy, pillow and tensorflow-cpu (PYTHON=... names one). CARGO_PROFILE chooses the profile (default: bench).
set -euo pipefail
program=$(realpath "${1:-target/release/artificio}") folder=$(realpath "${2:-../shared/data/food}")
peers=$(realpath "${3:-../shared/peers}") epochs=${4:-500} python=${PYTHON:-python3}
export TF_CPP_MIN_LOG_LEVEL=3
cd "$(dirname "$0")/.."
cargo bench --quiet --profile "${CARGO_PROFILE:-bench}" --bench convolutional --no-run

# In turn, so that whoever else works on this machine hampers both; the median of three.
figures=$(mktemp)
trap 'rm -f "$figures"' EXIT
for _ in 1 2 3; do
    cargo bench --quiet --profile "${CARGO_PROFILE:-bench}" --bench convolutional
    "$python" benches/convolutional_keras.py 2>/dev/null
done | tee "$figures"
median() { awk -v name="$1:" '$1 == name { print $2 }' "$figures" | sort -n | sed -n 2p; }
ours=$(median artificio) theirs=$(median Keras)
awk "BEGIN { printf \"the same network: %d and %d training pictures a CPU second, %.2f times as many as Keras\\n\", $ours, $theirs, $ours / $theirs }"

echo
echo "artificio, encoder = \"convolutional\", leave-one-out:"
time "$program" evaluate "$folder" --leave-one-out --encoder convolutional 2>/dev/null
echo
echo "convae_keras.py, $epochs epochs:"
time (cd "$peers" && "$python" convae_keras.py "$folder" "$epochs" 2>/dev/null)
