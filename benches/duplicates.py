#!/usr/bin/env python3
"""How many altered copies `artificio duplicates` finds, and how much else: benches/duplicates.py PROGRAM PICTURES...

Every third picture of the folders PICTURES gets three altered copies; the service reads all of them in a folder of its
own; then precision and recall over pairs are printed for several thresholds, and for each alteration the share of copies
found. Pictures of the folders that are nearly the same by themselves count against the precision. Needs Pillow.
"""
import collections
import itertools
import json
import pathlib
import random
import subprocess
import sys
import tempfile
import time

from PIL import Image, ImageEnhance, ImageOps


def trimmed(picture, share):
    width, height = int(picture.width * share), int(picture.height * share)
    left, top = random.randint(0, picture.width - width), random.randint(0, picture.height - height)
    return picture.crop((left, top, left + width, top + height))


def turned_hue(picture):
    hue, saturation, value = picture.convert("HSV").split()
    return Image.merge("HSV", (hue.point(lambda shade: (shade + 40) % 256), saturation, value)).convert("RGB")


ALTERATIONS = {
    "quality30": lambda picture: picture,
    "half": lambda picture: picture.resize((max(1, picture.width // 2), max(1, picture.height // 2))),
    "mirrored": ImageOps.mirror,
    "trimmed90": lambda picture: trimmed(picture, 0.9),
    "trimmed75": lambda picture: trimmed(picture, 0.75),
    "trimmed60": lambda picture: trimmed(picture, 0.6),
    "brighter": lambda picture: ImageEnhance.Brightness(picture).enhance(1.35),
    "saturated": lambda picture: ImageEnhance.Color(picture).enhance(1.8),
    "hue": turned_hue,
    "grey": lambda picture: ImageOps.grayscale(picture).convert("RGB"),
    "framed": lambda picture: ImageOps.expand(picture, border=max(4, picture.width // 20), fill="white"),
}


def make(folders, inventory):
    inventory.mkdir(parents=True)
    paths = sorted(path for folder in folders for path in pathlib.Path(folder).rglob("*") if path.is_file())
    for number, path in enumerate(paths):
        picture = ImageOps.exif_transpose(Image.open(path)).convert("RGB")
        picture.save(inventory / f"{number:05}_original.png")
        for name in random.sample(sorted(ALTERATIONS), 3) if number % 3 == 0 else []:
            quality = 30 if name == "quality30" else 90
            ALTERATIONS[name](picture).save(inventory / f"{number:05}_{name}.jpg", quality=quality)
    return sorted(path.name for path in inventory.iterdir())


def read(program, root, count):
    with open(root / "log", "w") as log:
        service = subprocess.Popen([program, "--root", root, "run"], stderr=log)
    status = root / "db/state/status.json"
    while not (status.exists() and json.loads(status.read_text())["inventory"]["indexed"] >= count):
        if service.poll() is not None:
            sys.exit((root / "log").read_text())
        time.sleep(1)
    service.terminate()
    service.wait()


def measure(program, root, names, alike):
    began = time.monotonic()
    output = subprocess.run([program, "--root", root, "duplicates", "--json", "--alike", str(alike)],
                            check=True, capture_output=True).stdout
    took = time.monotonic() - began
    right = wrong = 0
    found, copies = collections.Counter(), collections.Counter(name[6:].split(".")[0] for name in names)
    for group in json.loads(output)["groups"]:
        pairs = [one[:5] == other[:5] for one, other in itertools.combinations(group["paths"], 2)]
        right, wrong = right + sum(pairs), wrong + len(pairs) - sum(pairs)
        sources = collections.Counter(path[:5] for path in group["paths"])
        found.update(path[6:].split(".")[0] for path in group["paths"] if sources[path[:5]] > 1)
    wanted = sum(count * (count - 1) // 2 for count in collections.Counter(name[:5] for name in names).values())
    shares = "  ".join(f"{name} {found[name] / copies[name]:.2f}" for name in ALTERATIONS)
    print(f"{alike:.2f}  precision {right / max(1, right + wrong):.3f}  recall {right / wanted:.3f}  {took:.1f} s  {shares}")


def main():
    program, folders = sys.argv[1], sys.argv[2:]
    random.seed(1)
    with tempfile.TemporaryDirectory(prefix="artificio-duplicates-") as place:
        root = pathlib.Path(place)
        names = make(folders, root / "db/img_inventory_raw")
        assert names, "no pictures"
        read(program, root, len(names))
        for alike in (0.97, 0.95, 0.93, 0.90, 0.87, 0.85):
            measure(program, root, names, alike)


main()
