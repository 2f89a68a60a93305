#!/usr/bin/env bash
# A retraining while the service runs: seconds from the last of ten new training pictures to the new model serving, with a
# large inventory whose features are stored, and what queries take meanwhile. Needs python3.
#
#   benches/retrain.sh [PROGRAM] [FOLDER] [INVENTORY]     FOLDER holds inventory/; its pictures are repeated
#
# Copies have the same pixels but different bytes: different contents to the service, each read, decoded and encoded.
set -euo pipefail
program=$(realpath "${1:-target/release/artificio}") folder=$(realpath "${2:-../shared/data/grocery}") inventory=${3:-10000}
place=$(mktemp -d)
trap 'kill "$daemon" 2>/dev/null; wait 2>/dev/null; rm -rf "$place"' EXIT
mkdir -p "$place/db/img_inventory_raw" "$place/db/img_train_raw" "$place/query" "$place/config"
printf '[model]\nretrain_growth = 0.0\n' >"$place/config/artificio.toml"
mapfile -t pictures < <(find "$folder/inventory" -type f | sort)
copy() { { cat "${pictures[$1 % ${#pictures[@]}]}"; echo "$3 $1"; } >"$2"; }
for ((number = 0; number < inventory; number++)); do copy "$number" "$place/db/img_inventory_raw/$number.jpg" inventory; done
for ((number = 0; number < 40; number++)); do copy "$number" "$place/db/img_train_raw/$number.jpg" train; done
"$program" --root "$place" 2>"$place/log" &
daemon=$!
# A training may start before the last picture has arrived: wait for the model that was trained on all of them.
until python3 - "$place/db/state/status.json" "$inventory" 2>/dev/null <<'PYTHON'
import json, sys
status = json.load(open(sys.argv[1]))
is_read = status["inventory"]["indexed"] == int(sys.argv[2]) and status["inventory"]["pending"] == 0
sys.exit(not (is_read and status["model"]["training"] is None and status["model"]["trained_on"] == 40))
PYTHON
do sleep 1; done
sleep 10
python3 - "$place" "${pictures[@]}" <<'PYTHON'
import json, os, sys, time
place, pictures = sys.argv[1], sys.argv[2:]
def status():
    return json.load(open(f"{place}/db/state/status.json"))["model"]
def ask(name, number):
    """Milliseconds from ready to answered, as the record says."""
    content = open(pictures[number % len(pictures)], "rb").read() + name.encode()
    open(f"{place}/query/{name}.jpg", "wb").write(content)
    record = f"{place}/answer/result_{name}.json"
    while not os.path.exists(record):
        time.sleep(0.002)
    return json.load(open(record))["timings_ms"]["total"]
def report(what, times):
    times = sorted(times)
    at = lambda share: times[min(len(times) - 1, int(share * len(times)))]
    print(f"{what}: {len(times)} queries, p50 {at(.5):.0f} ms, p99 {at(.99):.0f} ms")
report("idle", [ask(f"idle-{number}", number) for number in range(60)])
before = status()["id"]
for number in range(10):
    content = open(pictures[number % len(pictures)], "rb").read() + f"late {number}".encode()
    open(f"{place}/db/img_train_raw/late-{number}.jpg", "wb").write(content)
start, meanwhile, number = time.time(), [], 0
while status()["id"] == before and time.time() - start < 300:
    meanwhile.append(ask(f"busy-{number}", number))
    number += 1
took = time.time() - start
report("from the trigger to the new model serving", meanwhile)
print(f"new model after {took:.1f} s, of which settle_ms 0.4 s and quiet_s 3 s are waiting for more pictures")
PYTHON
grep -E "training model|serves: trained|refused" "$place/log"
