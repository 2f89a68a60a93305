#!/usr/bin/env bash
# Cost of an idle service: CPU seconds and memory over ten minutes with 10,000 inventory files.
#
#   benches/idle.sh [PROGRAM] [FILES] [SECONDS] [MODE]
#   benches/idle.sh target/release/artificio 10000 600 auto     # by events (the default)
#   benches/idle.sh target/release/artificio 10000 600 poll     # with regular listing of all folders as well
set -euo pipefail
program=$(realpath "${1:-target/release/artificio}") files=${2:-10000} seconds=${3:-600} mode=${4:-auto}
place=$(mktemp -d)
trap 'kill "$daemon" 2>/dev/null; wait 2>/dev/null; rm -rf "$place"' EXIT
"$program" demo "$place/demo" >/dev/null
mkdir -p "$place/root/config" "$place/root/db/img_inventory_raw"
printf '[watch]\nmode = "%s"\n' "$mode" >"$place/root/config/artificio.toml"
mapfile -t pictures < <(find "$place/demo/db/img_inventory_raw" -type f)
for ((number = 0; number < files; number++)); do
  folder=$place/root/db/img_inventory_raw/$((number % 20))
  [ -d "$folder" ] || mkdir "$folder"
  ln "${pictures[number % ${#pictures[@]}]}" "$folder/$number.jpg"
done
"$program" --root "$place/root" 2>"$place/log" &
daemon=$!
until grep -q "inventory: $files pictures searchable" "$place/log"; do sleep 0.5; done
sleep 15 # training, and the last files becoming ready
ticks() { awk '{print $14 + $15}' "/proc/$daemon/stat"; }
resident() { awk '/VmRSS/ {print $2}' "/proc/$daemon/status"; }
before=$(ticks) resident_before=$(resident) lines_before=$(wc -l <"$place/log")
sleep "$seconds"
after=$(ticks) resident_after=$(resident) lines_after=$(wc -l <"$place/log")
awk -v used="$((after - before))" -v hertz="$(getconf CLK_TCK)" -v seconds="$seconds" -v files="$files" -v mode="$mode" \
  -v r0="$resident_before" -v r1="$resident_after" -v lines="$((lines_after - lines_before))" 'BEGIN {
  printf "idle for %d s with %d files (%s): %.2f CPU seconds = %.3f %% of a core; resident %d KiB at the start, %d KiB at the end; %d log lines\n",
    seconds, files, mode, used / hertz, 100 * used / hertz / seconds, r0, r1, lines }'
