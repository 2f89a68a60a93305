#!/usr/bin/env python3
"""What the confinement of the service costs: CPU time of the start, a picture read, a query answered, with it and without.

    benches/confined.py PROGRAM PICTURES [RUNS]        # PICTURES: a folder of pictures; 7 runs of each kind if no number is given

The service confines itself where a service manager started it (here: this script), and does not where nobody did. The runs alternate;
medians are printed, and the ratio of the medians. Needs nothing but Python.
"""
import shutil, statistics, sys
from pathlib import Path

from service import Service, Workplace

if len(sys.argv) < 3:
    sys.exit(__doc__)
PROGRAM, SOURCE = str(Path(sys.argv[1]).resolve()), Path(sys.argv[2])
RUNS = int(sys.argv[3]) if len(sys.argv) > 3 else 7
QUERIES = 60
# No training: it would take longer than all the rest.
SETTINGS = "[watch]\nsettle_ms = 50\n[model]\nmin_train = 1000000\ntrain_on_inventory = false\n"


def measure(place: Path, confined: bool, pictures: list[Path]) -> dict:
    root = place / "root"
    for folder in ["query", "config", "db/img_inventory_raw"]:
        (root / folder).mkdir(parents=True)
    (root / "config/artificio.toml").write_text(SETTINGS)
    with Service(PROGRAM, root, has_manager=confined) as service:
        service.wait(lambda status: status["state"] == "ready", pause_s=0.01)
        start = service.cpu_s()
        assert ("confined to" in (root / "log").read_text()) == confined, "the kernel here has no Landlock, or it is turned off"
        for number, picture in enumerate(pictures):
            # By a rename, so that the copying has no part in it.
            copy = root / f"db/copy{picture.suffix}"
            shutil.copyfile(picture, copy)
            copy.rename(root / f"db/img_inventory_raw/{number:05}{picture.suffix}")
        service.wait_indexed(len(pictures))
        service.wait_quiet()
        read = service.cpu_s()
        for number, picture in enumerate(pictures[:QUERIES]):
            shutil.copyfile(picture, root / f"query/q{number}{picture.suffix}")
        service.wait(lambda status: status["queries"]["answered"] == QUERIES)
        answered = service.cpu_s()
    shutil.rmtree(root)
    return {
        "start": 1000 * start,
        "a picture": 1000 * (read - start) / len(pictures),
        "a query": 1000 * (answered - read) / QUERIES,
    }


pictures = sorted(path for path in SOURCE.rglob("*") if path.suffix in (".jpg", ".png"))[:300]
if len(pictures) < QUERIES:
    sys.exit(f"{SOURCE}: {len(pictures)} pictures, {QUERIES} are needed")
with Workplace(None, "confined") as place:
    runs = {confined: [] for confined in (True, False)}
    for _ in range(RUNS):
        for confined, figures in runs.items():
            figures.append(measure(place, confined, pictures))
print(f"CPU-ms, medians of {RUNS} runs of {len(pictures)} pictures and {QUERIES} queries")
print(f"{'':10} {'confined':>10} {'free':>10} {'ratio':>7}")
for what in runs[True][0]:
    confined, free = (statistics.median(figures[what] for figures in runs[kind]) for kind in (True, False))
    print(f"{what:10} {confined:10.1f} {free:10.1f} {confined / free:7.3f}")
