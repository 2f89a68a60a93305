#!/usr/bin/env python3
"""Which `min_likeness` separates unrelated queries from those with an answer: benches/strangers.py PROGRAM SET SET...

Each SET holds inventory/ and query/; without query/ the inventory's own pictures are the queries (each is then excluded from
its results). A set's own queries should be answered, the queries of the other sets should not: for several thresholds the
share of both that would get "nothing similar here" is printed, one line per threshold and inventory.
"""
import json
import pathlib
import subprocess
import sys
import tempfile
import time

THRESHOLDS = (0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6)
MOST_QUERIES = 100


def pictures(folder):
    return sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))


def queries(place):
    """Queries of a set, evenly sampled; and whether they are in its inventory."""
    asks_itself = not (place / "query").is_dir() or len(pictures(place / "query")) < 10
    found = pictures(place / ("inventory" if asks_itself else "query"))
    step = max(1, len(found) // MOST_QUERIES)
    return found[::step], asks_itself


def store(program, inventory, root):
    (root / "db").mkdir(parents=True)
    (root / "db/img_inventory_raw").symlink_to(inventory)
    (root / "config").mkdir()
    (root / "config/artificio.toml").write_text("[answer]\nmin_likeness = 0.0\n")
    with open(root / "log", "w") as log:
        service = subprocess.Popen([program, "--root", root, "run"], stderr=log)
    status, count = root / "db/state/status.json", len(pictures(inventory))
    while True:
        current = json.loads(status.read_text()) if status.exists() else None
        if current and current["inventory"]["indexed"] >= count and current["model"]["trained_on"]:
            break
        if service.poll() is not None:
            sys.exit((root / "log").read_text())
        time.sleep(0.5)
    service.terminate()
    service.wait()


def likeness(program, root, query, is_inside):
    """The highest likeness among the matches; the query itself does not count."""
    output = subprocess.run([program, "--root", root, "query", query, "--json"], check=True, capture_output=True).stdout
    others = [match for match in json.loads(output)["matches"] if not (is_inside and match["path"] == query.name)]
    return max(match["likeness"] for match in others)


def main():
    program, places = sys.argv[1], [pathlib.Path(place).resolve() for place in sys.argv[2:]]
    assert len(places) > 1, "at least two sets: the queries of the others are unrelated"
    asked = {place: queries(place) for place in places}
    with tempfile.TemporaryDirectory(prefix="artificio-strangers-") as scratch:
        for place in places:
            root = pathlib.Path(scratch) / place.name
            store(program, place / "inventory", root)
            own, strange = [], []
            for other, (paths, asks_itself) in asked.items():
                found = [likeness(program, root, path, asks_itself and other == place) for path in paths]
                (own if other == place else strange).extend(found)
            for threshold in THRESHOLDS:
                share = lambda values: sum(value < threshold for value in values) / len(values)
                print(f"{place.name:10} {threshold:.2f}  of {len(own)} queries with an answer {share(own):6.1%} hidden, "
                      f"of {len(strange)} unrelated queries {share(strange):6.1%} recognised", flush=True)


main()
