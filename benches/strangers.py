#!/usr/bin/env python3
"""Which queries get "nothing similar here", with the settings as shipped: benches/strangers.py PROGRAM SET SET...

Each SET holds inventory/ and query/. Each inventory is asked its own queries, which have an answer, and those of every other set, which
have none there; at most 180 of a set. A line for each pair of sets: the share of the foreign that is refused, and of the own
that is lost; then the grades of the own matches, with how many are right where the name up to "__" is a label.
"""
import collections
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

MOST_QUERIES = 180


def pictures(folder):
    return sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))


def queries(place):
    found = pictures(place / "query")
    step = -(-len(found) // MOST_QUERIES)
    return found[::step]


def wait(service, log, is_done):
    while not is_done():
        if service.poll() is not None:
            sys.exit(log.read_text())
        time.sleep(0.5)


def label(path):
    name = pathlib.PurePath(path).name
    return name.split("__")[0] if "__" in name else None


def answers(program, place, asked, root):
    """The records of all `asked` sets, from one running service with the inventory of `place`."""
    (root / "db").mkdir(parents=True)
    (root / "query").mkdir()
    (root / "db/img_inventory_raw").symlink_to(place / "inventory")
    status, log, count = root / "db/state/status.json", root / "log", len(pictures(place / "inventory"))
    with open(log, "w") as out:
        service = subprocess.Popen([program, "--root", root, "run"], stderr=out)

    def is_trained():
        current = json.loads(status.read_text()) if status.exists() else None
        return current and current["inventory"]["indexed"] >= count and current["model"]["trained_on"]

    wait(service, log, is_trained)
    names = {}
    for other, paths in asked.items():
        for number, path in enumerate(paths):
            name = f"{other.name}-{number}{path.suffix}"
            shutil.copy(path, root / "query" / name)
            names[f"result_{other.name}-{number}.json"] = (other, path)
    wait(service, log, lambda: sum((root / "answer" / name).exists() for name in names) == len(names))
    service.terminate()
    service.wait()
    records = collections.defaultdict(list)
    for name, (other, path) in names.items():
        records[other].append((path, json.loads((root / "answer" / name).read_text())))
    return records


def refused(records):
    return sum(record["status"] == "nothing_similar" for _, record in records) / len(records)


def main():
    program, places = sys.argv[1], [pathlib.Path(place).resolve() for place in sys.argv[2:]]
    assert len(places) > 1, "at least two sets: the queries of the others are unrelated"
    asked = {place: queries(place) for place in places}
    with tempfile.TemporaryDirectory(prefix="artificio-strangers-") as scratch:
        for place in places:
            records = answers(program, place, asked, pathlib.Path(scratch) / place.name)
            own = records.pop(place)
            least = own[0][1]["settings"]["min_likeness"]
            for other, foreign in records.items():
                print(f"{place.name:18} asked {other.name:18} {len(foreign):4} foreign, refused {refused(foreign):.3f}; "
                      f"{len(own):4} own, lost {refused(own):.3f}; least likeness {least:.3f}", flush=True)
            grades = collections.Counter()
            for path, record in own:
                for match in record["matches"]:
                    grades[match.get("grade"), label(match["path"]) == label(path)] += 1
            shown = (f"{grade} {grades[grade, True]} of {grades[grade, True] + grades[grade, False]}"
                     for grade in ("same", "strong", "good", "weak"))
            print(f"{place.name:18} right by grade: {', '.join(shown)}", flush=True)


main()
