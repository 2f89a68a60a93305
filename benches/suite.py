#!/usr/bin/env python3
"""Retrieval figures of many labelled sets, with their pictures in folders of several kinds.

    benches/suite.py [--against FORMER] [--variants none,taught] [--keep FILE.json] [--seed N] PROGRAM DIR...

Each DIR is a set, which holds inventory/ and query/ (and maybe train/), or a folder of sets. `PROGRAM evaluate --json` measures
each set as it is (`none`), then copies of it (hard links where possible, in a temporary folder) whose inventory and training
pictures lie in sub-folders, while labels remain those of the file names and the queries stay where they are:

    taught       a folder for each kind
    random       folders as large as the kinds, their pictures drawn at random
    date         twelve consecutive pieces of a shuffled order, as folders by month would be
    half_wrong   a folder for each kind, but half of the pictures, drawn at random, have exchanged their places
    years        the kinds inside four folders, drawn for each picture: 2021/hats/, 2022/hats/
    pairs        the kinds inside folders of two kinds each

A set with fewer than ten queries asks itself (`--leave-one-out`). Printed are, for each set, P@1 and mAP of the features, of
the fit without folders and of what the service would answer, and at the end the means over sets. FORMER is another program, such
as yesterday's: measured once per set, as it is, because folders taught it nothing. With --keep a measurement that FILE.json holds
is not made again, so that an interrupted run goes on; another PROGRAM is another measurement.
"""
import argparse
import hashlib
import json
import os
import pathlib
import random
import resource
import shutil
import subprocess
import sys
import tempfile

ROWS = ("features", "untaught", "artificio")
FEWEST_QUERIES = 10
MONTHS, YEARS = 12, 4


def pictures(folder):
    return sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))


def label(name):
    """As `evaluate` takes it from a file name."""
    if "__" in name:
        return name.split("__")[0]
    letters = next((at for at, letter in enumerate(name) if not (letter.isascii() and letter.isalpha())), len(name))
    return name[:letters].lower()


def taught(labels, draw):
    return list(labels)


def at_random(labels, draw):
    return draw.sample(labels, len(labels))


def by_date(labels, draw):
    order = draw.sample(range(len(labels)), len(labels))
    months = {at: f"month{place * MONTHS // len(labels):02}" for place, at in enumerate(order)}
    return [months[at] for at in range(len(labels))]


def half_wrong(labels, draw):
    wrong = draw.sample(range(len(labels)), len(labels) // 2)
    folders = list(labels)
    for at, other in zip(wrong, draw.sample(wrong, len(wrong))):
        folders[at] = labels[other]
    return folders


def in_years(labels, draw):
    return [f"{2021 + draw.randrange(YEARS)}/{kind}" for kind in labels]


def in_pairs(labels, draw):
    kinds = sorted(set(labels))
    draw.shuffle(kinds)
    pair = {kind: f"pair{at // 2:03}/{kind}" for at, kind in enumerate(kinds)}
    return [pair[kind] for kind in labels]


VARIANTS = {"none": None, "taught": taught, "random": at_random, "date": by_date, "half_wrong": half_wrong, "years": in_years,
            "pairs": in_pairs}


def put(path, target):
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(path, target)
    except OSError:
        shutil.copyfile(path, target)


def sorted_into_folders(place, sort, draw, copy):
    """A copy of the set `place` whose inventory and training pictures lie in the folders that `sort` gives their labels. Both are
    sorted together, so that a folder means the same in both."""
    found = [(part, path) for part in ("inventory", "train") for path in pictures(place / part)]
    folders = sort([label(path.name) for _, path in found], draw)
    for at, ((part, path), folder) in enumerate(zip(found, folders)):
        # The number keeps pictures of one name apart, and after the label it changes nothing.
        put(path, copy / part / folder / f"{path.stem}~{at}{path.suffix}")
    for at, path in enumerate(pictures(place / "query")):
        put(path, copy / "query" / f"{path.stem}~{at}{path.suffix}")


def digest(program):
    return hashlib.sha256(pathlib.Path(program).read_bytes()).hexdigest()[:16]


class Measurements:
    """Reports of `evaluate`, kept in a file where one is wanted."""

    def __init__(self, file, seed):
        self.file, self.seed = file, seed
        self.kept = json.loads(file.read_text()) if file and file.exists() else {}

    def measure(self, program, place, variant):
        key = f"{digest(program)} {place} {variant}" + (f" {self.seed}" if VARIANTS[variant] else "")
        if key not in self.kept:
            self.kept[key] = self.run(program, place, variant)
            if self.file:
                self.file.write_text(json.dumps(self.kept, indent=1))
        return self.kept[key]

    def run(self, program, place, variant):
        options = [] if len(pictures(place / "query")) >= FEWEST_QUERIES else ["--leave-one-out"]
        usage = subprocess.run([program, "evaluate", "--help"], capture_output=True, text=True).stdout
        if "--label-by" in usage:
            options += ["--label-by", "name"]
        with tempfile.TemporaryDirectory(prefix="artificio-suite-") as scratch:
            measured = place
            if VARIANTS[variant]:
                measured = pathlib.Path(scratch) / "set"
                draw = random.Random(f"{self.seed} {place.name} {variant}")
                sorted_into_folders(place, VARIANTS[variant], draw, measured)
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            command = [program, "--root", scratch, "evaluate", measured, "--json", *options]
            output = subprocess.run(command, capture_output=True, text=True)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
        if output.returncode != 0:
            sys.exit(f"{place} ({variant}): {output.stderr}")
        report = json.loads(output.stdout)
        figures = {row["method"]: [row["p_at_1"], row["map"]] for row in report["rows"]}
        # Where there are no folders, the fit is the one without them.
        figures.setdefault("untaught", figures["artificio"])
        lessons = [model["folders"] for model in report["models"] if model.get("folders")]
        return {"figures": {row: figures[row] for row in ROWS}, "lesson": lessons[0] if lessons else None,
                "cpu_s": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime}


def sets_in(places):
    found = []
    for place in map(pathlib.Path.resolve, map(pathlib.Path, places)):
        inside = [place] if (place / "inventory").is_dir() else sorted(path.parent for path in place.glob("*/inventory"))
        if not inside:
            sys.exit(f"{place}: no sets in it, which are folders with inventory/ in them")
        found += inside
    return found


def cells(figures):
    return "".join(f"{p_at_1:9.3f}{average:7.3f}" for p_at_1, average in figures)


def heading(columns):
    return " " * 12 + "".join(f"{column:>16}" for column in columns) + "\n" + " " * 12 + "      P@1    mAP" * len(columns)


def lesson_in_words(lesson):
    if not lesson:
        return ""
    strength = f" (strength {lesson['strength']:.2f}, depth {lesson['depth']})" if lesson["taught"] else ""
    return f"   {lesson['message']}{strength}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("places", nargs="+", metavar="DIR")
    parser.add_argument("--against", metavar="FORMER")
    parser.add_argument("--variants", default=",".join(VARIANTS))
    parser.add_argument("--keep", type=pathlib.Path, metavar="FILE.json")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    variants = options.variants.split(",")
    unknown = set(variants) - set(VARIANTS)
    if unknown:
        parser.error(f"there is no variant {', '.join(sorted(unknown))}; there are {', '.join(VARIANTS)}")
    measurements = Measurements(options.keep, options.seed)
    columns = list(ROWS) + (["former"] if options.against else [])
    measured = {variant: [] for variant in variants}
    for place in sets_in(options.places):
        former = measurements.measure(options.against, place, "none") if options.against else None
        print(f"\n{place.name}\n{heading(columns)}", flush=True)
        for variant in variants:
            report = measurements.measure(options.program, place, variant)
            figures = [report["figures"][row] for row in ROWS] + ([former["figures"]["artificio"]] if former else [])
            measured[variant].append(figures)
            print(f"{variant:12}{cells(figures)}{report['cpu_s']:7.0f} CPU-s{lesson_in_words(report['lesson'])}", flush=True)
    count = len(next(iter(measured.values())))
    print(f"\nmeans of {count} sets\n{heading(columns)}")
    for variant, of_sets in measured.items():
        means = [[sum(values) / count for values in zip(*column)] for column in zip(*of_sets)]
        print(f"{variant:12}{cells(means)}")


main()
