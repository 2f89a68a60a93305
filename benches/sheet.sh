#!/usr/bin/env bash
# Time and size of a sheet of ten matches from 12-megapixel inventory pictures, and of ImageMagick's montage of the same pictures.
#
#   benches/sheet.sh [PROGRAM] [ROUNDS]        needs ImageMagick (convert, montage)
#
# Both decode ten JPEGs of 4000 x 3000 pixels each time. The sheet's own time is the record's timings_ms.sheet: decoding,
# drawing and encoding, without reading the query and searching. Both run in turn, on one core.
set -euo pipefail
program=$(realpath "${1:-target/release/artificio}") rounds=${2:-7}
place=$(mktemp -d)
trap 'kill "$daemon" 2>/dev/null; wait 2>/dev/null; rm -rf "$place"' EXIT
mkdir -p "$place/db/img_inventory_raw" "$place/config" "$place/out"
printf '[answer]\nresults = 10\nmin_likeness = 0\n' >"$place/config/artificio.toml"
for number in $(seq 12); do
  convert -size 1000x750 -seed "$number" plasma:tomato-steelblue -resize 4000x3000 -attenuate 0.3 +noise Gaussian \
    -quality 88 "$place/db/img_inventory_raw/picture_$number.jpg"
done
cp "$place/db/img_inventory_raw/picture_1.jpg" "$place/query.jpg"
"$program" --root "$place" 2>"$place/log" &
daemon=$!
until grep -q "12 pictures searchable\|serves" "$place/log"; do sleep 0.2; done
sleep 2
kill "$daemon"; wait "$daemon" || true
mapfile -t found < <("$program" --root "$place" query "$place/query.jpg" --json | sed -n 's/.*"absolute_path": "\(.*\)",/\1/p' | head -10)
for ((round = 0; round < rounds; round++)); do
  taskset -c 0 "$program" --root "$place" query "$place/query.jpg" --json --sheet "$place/out/sheet.png" \
    | sed -n 's/.*"sheet": \([0-9.]*\),/sheet \1/p'
  start=$(date +%s%N)
  MAGICK_THREAD_LIMIT=1 taskset -c 0 montage "$place/query.jpg" "${found[@]}" -geometry 300x225+10+10 -tile 6x "$place/out/montage.png"
  echo "montage $((($(date +%s%N) - start) / 1000000))"
done | sort -k1,1 -k2,2n | awk '{ all[$1, ++count[$1]] = $2 } END {
  for (name in count) printf "%-8s median %.0f ms (%.0f to %.0f), %d rounds\n", name,
    all[name, int((count[name] + 1) / 2)], all[name, 1], all[name, count[name]], count[name] }'
for name in sheet montage; do
  printf '%-8s %s, %d kB\n' "$name" "$(identify -format '%w x %h' "$place/out/$name.png")" "$(($(stat -c %s "$place/out/$name.png") / 1000))"
done
