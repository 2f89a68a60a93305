#!/usr/bin/env bash
# From dropping a picture to its record, on the running service: every query of a labelled folder, round after round.
#
#   benches/drop_to_answer.sh [PROGRAM] [FOLDER] [DROPS]     FOLDER holds inventory/ and query/
#
# The time includes the wait (settle_ms, 400 by default) that keeps half-written files from being read.
set -euo pipefail
program=$(realpath "${1:-target/release/artificio}") folder=$(realpath "${2:-../shared/data/food}") drops=${3:-10}
place=$(mktemp -d)
trap 'kill "$daemon" 2>/dev/null; wait 2>/dev/null; rm -rf "$place"' EXIT
mkdir -p "$place/db" "$place/query"
cp -r "$folder/inventory" "$place/db/img_inventory_raw"
"$program" --root "$place" 2>"$place/log" &
daemon=$!
until grep -q "serves" "$place/log"; do sleep 0.2; done
mapfile -t queries < <(find "$folder/query" -type f | sort)
for ((drop = 0; drop < drops; drop++)); do
  query=${queries[drop % ${#queries[@]}]}
  record=$place/answer/result_drop_$drop.json
  start=$(date +%s%N)
  cp "$query" "$place/query/drop_$drop.${query##*.}"
  until [ -e "$record" ]; do sleep 0.002; done
  echo $((($(date +%s%N) - start) / 1000000)) "$(sed -n 's/.*"total": //p' "$record")"
done | sort -n | awk '{ wall[NR] = $1; own[NR] = $2 } END {
  printf "drop to answer, %d drops: median %d ms (%d to %d), of which the last stage took %.0f ms (median drop)\n",
    NR, wall[int((NR + 1) / 2)], wall[1], wall[NR], own[int((NR + 1) / 2)] }'
