#!/usr/bin/env python3
"""Photographs a second into a new inventory, beside what decoding and the network alone would allow on all cores.

    benches/throughput.py PROGRAM [--distinct 64] [--files 256] [--work FOLDER]

The inventory: drawings with noise of 12 megapixels, JPEG at quality 85, `--distinct` of them, repeated with other last bytes up
to `--files`, which makes other contents of them. "Alone" is `cargo bench --bench encode -- FILE...` (CARGO_PROFILE, dev by
default) on some of the same files: the same functions on one thread, with nothing beside them. It is measured before and after the
service, and by as many processes at once as there are cores, because cores share memory, and some are halves of one.

The last line is the service's pictures a second through those of one thread alone, times the cores: .9 is asked for. It needs an
idle machine; the line of CPU times before it does not: what a picture costs in the service through what it costs alone.
No model is trained meanwhile. Needs Pillow, and 2 MB of disk a file.
"""

import argparse, io, os, random, re, statistics, subprocess, sys, time
from pathlib import Path

sys.dont_write_bytecode = True
from service import Service, Stopped, Workplace

try:
    from PIL import Image
except ImportError as missing:
    sys.exit(f"{missing}: pip install Pillow")

SIDES = (4000, 3000)
#: Files that are measured alone, each time.
ALONE = 24


def photograph(seed: int) -> bytes:
    """Soft shapes, an edge here and there, and a camera's noise: about 1.4 MB, as such files have."""
    chance = random.Random(seed)
    soft = Image.new("RGB", (40, 30))
    soft.putdata([tuple(chance.randrange(256) for _ in range(3)) for _ in range(40 * 30)])
    edges = Image.new("RGB", (160, 120))
    edges.putdata([tuple(chance.randrange(256) for _ in range(3)) for _ in range(160 * 120)])
    picture = Image.blend(soft.resize(SIDES, Image.BICUBIC), edges.resize(SIDES, Image.NEAREST), 0.25)
    noise = Image.effect_noise(SIDES, 12).convert("RGB")
    out = io.BytesIO()
    Image.blend(picture, noise, 0.15).save(out, "JPEG", quality=85)
    return out.getvalue()


def alone(files: list[Path], processes: int) -> dict:
    """Milliseconds a picture on one thread, by as many processes at once: the mean of them."""
    command = ["cargo", "bench", "--quiet", "--profile", os.environ.get("CARGO_PROFILE", "dev"), "--bench", "encode", "--"]
    options = {"cwd": Path(__file__).resolve().parent.parent, "stdout": subprocess.PIPE, "text": True}
    running = [subprocess.Popen(command + [str(path) for path in files], **options) for _ in range(processes)]
    outputs = [process.communicate()[0] for process in running]
    if any(process.returncode for process in running):
        raise subprocess.CalledProcessError(1, command[:8])
    figures = [[float(value) for value in re.findall(r"([\d.]+) (?:CPU )?ms", output)] for output in outputs]
    return dict(zip(("decode", "network", "cpu", "wall"), map(statistics.mean, zip(*figures))))


def show(what: str, took: dict):
    print(
        f"{what}: {took['decode']:.1f} CPU-ms decoding, {took['network']:.1f} CPU-ms network, {took['wall']:.1f} ms a picture",
        flush=True,
    )


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--distinct", type=int, default=64)
    parser.add_argument("--files", type=int, default=256)
    parser.add_argument("--work")
    options = parser.parse_args()
    program, cores = str(Path(options.program).resolve()), len(os.sched_getaffinity(0))
    try:
        with Workplace(options.work, "throughput") as root:
            inventory = root / "db/img_inventory_raw"
            inventory.mkdir(parents=True)
            (root / "config").mkdir()
            (root / "config/artificio.toml").write_text("[model]\nmin_train = 1000000\n")
            drawn = [photograph(seed) for seed in range(options.distinct)]
            for number in range(options.files):
                (inventory / f"{number:05}.jpg").write_bytes(drawn[number % len(drawn)] + str(number).encode())
            sample = sorted(inventory.iterdir())[:ALONE]
            alone(sample[:1], 1)  # builds it
            before = alone(sample, 1)
            with Service(program, root) as service:
                service.wait_ready()
                # From the first pictures on, so that loading is not counted.
                first = service.wait(lambda status: status["inventory"]["indexed"] > 0, 0.02)["inventory"]["indexed"]
                begun, spent = time.monotonic(), service.cpu_s()
                service.wait(lambda status: status["inventory"]["indexed"] == options.files, 0.02)
                seconds, spent = time.monotonic() - begun, service.cpu_s() - spent
                service.stop()
            after, together = alone(sample, 1), alone(sample, cores)
            mean = {key: (before[key] + after[key]) / 2 for key in before}
            show("alone, one thread", mean)
            show(f"alone, {cores} processes at once", together)
            count = options.files - first
            rate, limit = count / seconds, cores * 1e3 / mean["wall"]
            print(f"service: {rate:.2f} pictures a second, {spent * 1e3 / count:.1f} CPU-ms a picture, {cores} cores")
            print(f"CPU: {spent * 1e3 / count / mean['cpu']:.3f} times that of one thread alone")
            print(f"of what the processes at once reach: {rate * together['wall'] / 1e3 / cores:.3f}")
            print(f"of one thread alone, times {cores}: {rate / limit:.3f}")
    except (KeyboardInterrupt, Stopped, subprocess.CalledProcessError) as reason:
        sys.exit(f"not finished: {str(reason) or type(reason).__name__}")


main()
