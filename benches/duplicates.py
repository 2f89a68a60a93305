#!/usr/bin/env python3
"""Precision and recall of `artificio duplicates` on altered copies.

    benches/duplicates.py [--settings TOML] PROGRAM [FORMER_PROGRAM] PICTURES...

Every third picture of the folders PICTURES gets three altered copies; the service reads all of them in a separate folder.
Printed are, for several values of --alike, precision and recall over pairs in one group, and for each alteration the
share of copies that are in a group with their original. Near-duplicates that were in the folders before count as
wrong; with --sheet FILE.jpg the groups at the default are drawn for inspection. An older program can be measured
on the same pictures. Needs Pillow.
"""
import argparse
import collections
import itertools
import json
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import time

from PIL import Image, ImageDraw, ImageEnhance, ImageOps


def trimmed(picture, across, down=None):
    width, height = int(picture.width * across), int(picture.height * (down or across))
    left, top = random.randint(0, picture.width - width), random.randint(0, picture.height - height)
    return picture.crop((left, top, left + width, top + height))


def turned_hue(picture):
    hue, saturation, value = picture.convert("HSV").split()
    return Image.merge("HSV", (hue.point(lambda shade: (shade + 40) % 256), saturation, value)).convert("RGB")


def grey(picture):
    return ImageOps.grayscale(picture).convert("RGB")


def captioned(picture):
    picture = picture.copy()
    (width, height), line = picture.size, max(3, picture.height // 10)
    draw = ImageDraw.Draw(picture)
    draw.rectangle((0, height - line, width, height), fill=(20, 20, 20))
    draw.rectangle((width // 8, height - line * 2 // 3, width * 5 // 8, height - line // 3), fill=(230, 230, 230))
    return picture


ALTERATIONS = {
    "quality30": lambda picture: picture,
    "half": lambda picture: picture.resize((max(1, picture.width // 2), max(1, picture.height // 2))),
    "mirrored": ImageOps.mirror,
    "turned": lambda picture: picture.transpose(Image.Transpose.ROTATE_90),
    "trimmed90": lambda picture: trimmed(picture, 0.9),
    "trimmed75": lambda picture: trimmed(picture, 0.75),
    "trimmed60": lambda picture: trimmed(picture, 0.6),
    "trimmed65x85": lambda picture: trimmed(picture, 0.65, 0.85),
    "mirrored75": lambda picture: ImageOps.mirror(trimmed(picture, 0.75)),
    "grey75": lambda picture: grey(trimmed(picture, 0.75)),
    "brighter": lambda picture: ImageEnhance.Brightness(picture).enhance(1.35),
    "contrast": lambda picture: ImageEnhance.Contrast(picture).enhance(1.6),
    "saturated": lambda picture: ImageEnhance.Color(picture).enhance(1.8),
    "hue": turned_hue,
    "grey": grey,
    "framed": lambda picture: ImageOps.expand(picture, border=max(4, picture.width // 20), fill="white"),
    "captioned": captioned,
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
    shutil.rmtree(root / "db/state", ignore_errors=True)
    with open(root / "log", "w") as log:
        service = subprocess.Popen([program, "--root", root, "run"], stderr=log)
    status = root / "db/state/status.json"
    while not (status.exists() and json.loads(status.read_text())["inventory"]["indexed"] >= count):
        if service.poll() is not None:
            sys.exit((root / "log").read_text())
        time.sleep(1)
    service.terminate()
    service.wait()


def measure(program, root, names, more):
    began = time.monotonic()
    output = subprocess.run([program, "--root", root, "duplicates", "--json", *more], check=True, capture_output=True)
    took = time.monotonic() - began
    report = json.loads(output.stdout)
    right = wrong = 0
    found, copies = collections.Counter(), collections.Counter(name[6:].split(".")[0] for name in names)
    for group in report["groups"]:
        pairs = [one[:5] == other[:5] for one, other in itertools.combinations(group["paths"], 2)]
        right, wrong = right + sum(pairs), wrong + len(pairs) - sum(pairs)
        originals = {path[:5] for path in group["paths"] if path[6:].startswith("original")}
        found.update(path[6:].split(".")[0] for path in group["paths"] if path[:5] in originals)
    wanted = sum(count * (count - 1) // 2 for count in collections.Counter(name[:5] for name in names).values())
    shares = "  ".join(f"{name} {found[name] / max(1, copies[name]):.2f}" for name in ALTERATIONS)
    print(f"{report['alike']:.2f}  precision {right / max(1, right + wrong):.3f} ({wrong} pairs wrong)  "
          f"recall {right / wanted:.3f}  {took:.1f} s  {shares}", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--settings", default="", help="for config/artificio.toml")
    parser.add_argument("--sheet", help="draw the groups at the default into this file")
    parser.add_argument("arguments", nargs="+", help="programs, then folders")
    given = parser.parse_args()
    programs = [os.path.abspath(name) for name in given.arguments if os.path.isfile(name)]
    folders = [name for name in given.arguments if os.path.isdir(name)]
    random.seed(1)
    with tempfile.TemporaryDirectory(prefix="artificio-duplicates-") as place:
        root = pathlib.Path(place)
        (root / "config").mkdir()
        (root / "config/artificio.toml").write_text(given.settings)
        names = make(folders, root / "db/img_inventory_raw")
        assert names and programs, "no pictures, or no program"
        for program in programs:
            print(f"{program}, {len(names)} pictures")
            read(program, root, len(names))
            measure(program, root, names, ["--sheet", os.path.abspath(given.sheet)] if given.sheet else [])
            for alike in (0.98, 0.96, 0.94, 0.92, 0.90, 0.85, 0.80):
                measure(program, root, names, ["--alike", str(alike)])


main()
