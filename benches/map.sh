#!/usr/bin/env bash
# The map of a large inventory: wall and CPU seconds of `artificio map`, picture and page, without a running service.
# Prints two runs. Needs python3.
#
#   benches/map.sh [PROGRAM] [FOLDER] [INVENTORY]     FOLDER holds pictures at any depth; they are repeated
#
# Copies have the same pixels but different bytes: different contents to the service, each read, decoded and encoded.
set -euo pipefail
program=$(realpath "${1:-target/release/artificio}") folder=$(realpath "${2:-../shared/data/caltech90}") inventory=${3:-5000}
place=$(mktemp -d)
daemon=
trap '[ -z "$daemon" ] || kill "$daemon" 2>/dev/null; wait 2>/dev/null; rm -rf "$place"' EXIT
mkdir -p "$place/db/img_inventory_raw"
mapfile -t pictures < <(find "$folder" -type f \( -name '*.jpg' -o -name '*.jpeg' \) | sort)
[ "${#pictures[@]}" -gt 0 ] || { echo "no .jpg below $folder" >&2; exit 2; }
for ((number = 0; number < inventory; number++)); do
    { cat "${pictures[number % ${#pictures[@]}]}"; echo "copy $number"; } >"$place/db/img_inventory_raw/$number.jpg"
done
"$program" --root "$place" 2>"$place/log" &
daemon=$!
# The map uses the model that was trained on all of them.
until python3 - "$place/db/state/status.json" 2>/dev/null <<'PYTHON'
import json, sys
status = json.load(open(sys.argv[1]))
inventory, model = status["inventory"], status["model"]
is_read = inventory["indexed"] > 0 and inventory["pending"] == 0
sys.exit(not (is_read and model["training"] is None and model["trained_on"] == inventory["indexed"]))
PYTHON
do sleep 1; done
kill "$daemon" && wait "$daemon" || true
daemon=
TIMEFORMAT='%R s, of the processor %U + %S s'
for run in 1 2; do
    echo "run $run, of ${#pictures[@]} pictures $inventory copies, $(nproc) cores, load $(cut -d' ' -f1 /proc/loadavg):"
    time "$program" --root "$place" map "$place/map.jpg" "$place/map.html" 2>/dev/null | head -1
done
ls -l "$place/map.jpg" "$place/map.html" | awk '{ n = split($NF, part, "/"); printf "%s: %.1f MB\n", part[n], $5 / 1e6 }'
