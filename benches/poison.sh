#!/usr/bin/env bash
# The validation of new models in practice: mean average precision of the running service on a folder, before and after its
# training folder is filled with noise, with copies of one picture, or with coloured blocks, which are different enough to be
# trained on: beside the inventory they do no harm, alone (train_on_inventory = false) the gate has to find them out. Needs python3.
#
#   benches/poison.sh [PROGRAM] [FOLDER] [COUNT]     FOLDER holds inventory/, at most 50 pictures named after what they show
#
# Every inventory picture is used as a query; the other pictures in the answer are compared by their labels.
set -euo pipefail
program=$(realpath "${1:-target/release/artificio}") folder=$(realpath "${2:-../shared/data/food}") count=${3:-1000}
scratch=$(mktemp -d)
trap 'kill "$daemon" 2>/dev/null; wait 2>/dev/null; rm -rf "$scratch"' EXIT

fill() { # KIND FOLDER: pictures without information
  python3 - "$1" "$2" "$count" "$folder/inventory" <<'PYTHON'
import os, struct, sys
kind, target, count, inventory = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
first = sorted(name for name in os.listdir(inventory) if not name.startswith("."))[0]
side = 96
size = side * side * 3
header = b"BM" + struct.pack("<IIIIIIHHIIIIII", 54 + size, 0, 54, 40, side, side, 1, 24, 0, size, 0, 0, 0, 0)
os.makedirs(target, exist_ok=True)
for number in range(count):
    if kind == "noise":
        name, content = f"{number}.bmp", header + os.urandom(size)
    elif kind.startswith("blocks"):
        cells = 2 + number % 7
        colours = [[os.urandom(3) for _ in range(cells)] for _ in range(cells)]
        rows = [b"".join(colours[y * cells // side][x * cells // side] for x in range(side)) for y in range(side)]
        name, content = f"{number}.bmp", header + b"".join(rows)
    else:  # the same pixels, different bytes
        name, content = f"{number}-{first}", open(os.path.join(inventory, first), "rb").read() + str(number).encode()
    open(os.path.join(target, name), "wb").write(content)
PYTHON
}

measure() { # ROUND: queries with every inventory picture, prints the mean average precision
  for picture in "$place"/db/img_inventory_raw/*; do cp "$picture" "$place/query/$1-$(basename "$picture")"; done
  python3 - "$place" "$1" <<'PYTHON'
import json, os, re, sys, time
place, round_ = sys.argv[1], sys.argv[2]
label = lambda name: re.match(r"[A-Za-z]*", name).group()
precisions = []
for name in sorted(os.listdir(f"{place}/db/img_inventory_raw")):
    record = f"{place}/answer/result_{round_}-{os.path.splitext(name)[0]}.json"
    while not os.path.exists(record):
        time.sleep(0.05)
    matches = json.load(open(record))["matches"]
    others = [match["path"] for match in sorted(matches, key=lambda match: match["rank"]) if match["path"] != name]
    found, precision = 0, 0.0
    for rank, other in enumerate(others, 1):
        if label(other) == label(name):
            found += 1
            precision += found / rank
    precisions.append(precision / max(found, 1))
print(f"{sum(precisions) / len(precisions):.4f}", end="")
PYTHON
}

for kind in noise copies blocks blocks-alone; do
  place=$scratch/$kind
  mkdir -p "$place/db" "$place/query" "$place/config"
  cp -r "$folder/inventory" "$place/db/img_inventory_raw"
  printf '[answer]\nresults = 50\n' >"$place/config/artificio.toml"
  if [ "$kind" = blocks-alone ]; then printf '[model]\ntrain_on_inventory = false\n' >>"$place/config/artificio.toml"; fi
  "$program" --root "$place" 2>"$place/log" &
  daemon=$!
  if [ "$kind" != blocks-alone ]; then until grep -q "serves: trained" "$place/log"; do sleep 0.2; done; fi
  before=$(measure before)
  fill "$kind" "$place/db/img_train_raw"
  until grep -qE "is refused|serves: trained on [0-9]+ training" "$place/log"; do sleep 0.2; done
  after=$(measure after)
  echo "$count pictures, $kind: mAP $before before, $after after; $(grep -oE 'model m[0-9-]+ (is refused[^;]*|serves: trained on [0-9]+ training)' "$place/log" | tail -1)"
  kill "$daemon" && wait "$daemon" 2>/dev/null || true
done
