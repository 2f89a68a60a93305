#!/usr/bin/env bash
# The convolutional encoder compared with Keras, in one run: retrieval quality against an older convolutional autoencoder, and
# training pictures per second against the same network in Keras (convolutional_keras.py), each on one core.
#
#   benches/convolutional_vs_keras.sh [PROGRAM] [FOLDER] [PEERS] [EPOCHS]
#
# FOLDER holds inventory/ and query/; PEERS holds convae_keras.py and what it imports, which are not part of this repository.
# Needs python3 with numpy, pillow and tensorflow-cpu (PYTHON=... names one). CARGO_PROFILE chooses the profile (default: bench).
set -euo pipefail
program=$(realpath "${1:-target/release/artificio}") folder=$(realpath "${2:-../shared/data/food}")
peers=$(realpath "${3:-../shared/peers}") epochs=${4:-500} python=${PYTHON:-python3}
export TF_CPP_MIN_LOG_LEVEL=3
cd "$(dirname "$0")/.."
cargo bench --quiet --profile "${CARGO_PROFILE:-bench}" --bench convolutional --no-run

# In turn, so that other load on this machine affects both; the median of three.
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
