#!/usr/bin/env python3
"""Kills the service again and again, and counts which pictures it set aside.

    benches/kills.py target/debug/artificio [KILLS]

200 good pictures lie in the inventory, 20 of them changed in each round so that there is always one being decoded, beside
three deadly ones: one that crashes its decoder, one that never returns, one for which the memory does not suffice. The
program has to be a debug build, where the first two can be planted (`src/picture/faults.rs`). Needs Pillow.
Printed: how often it was killed and died, what was set aside, and what a trial of a good picture costs.
"""

import io, json, os, random, resource, signal, statistics, subprocess, sys, tempfile, time
from pathlib import Path

from PIL import Image

PROGRAM = str(Path(sys.argv[1]).resolve())
KILLS = int(sys.argv[2]) if len(sys.argv) > 2 else 500
GOOD, CHANGED = 200, 20
MEMORY = 900_000 << 10
SETTINGS = "[watch]\nsettle_ms = 50\n[limits]\nworkers = 2\nmax_decode_ms = 3000\n[model]\nmin_train = 1000000\n"


def photograph(seed: int) -> bytes:
    noise = random.Random(seed)
    small = Image.new("RGB", (40, 30))
    small.putdata([tuple(noise.randrange(256) for _ in range(3)) for _ in range(1200)])
    out = io.BytesIO()
    small.resize((1600, 1200), Image.BICUBIC).save(out, "JPEG", quality=88)
    return out.getvalue()


def start(root: Path) -> subprocess.Popen:
    limit = lambda: resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    log = open(root / "log", "ab")
    return subprocess.Popen([PROGRAM, "--root", str(root), "run"], stdout=log, stderr=log, preexec_fn=limit)


def trial_ms(picture: bytes) -> float:
    bounds = {"file_bytes": 1 << 28, "pixels": 150_000_000, "decode_ms": 60_000}
    order = {"bounds": bounds, "outputs": {"square": True, "features": True, "longest_px": None}, "encoder": "pretrained"}
    request = {"parent": os.getpid(), "extension": "jpg", "order": order, "memory_bytes": 1 << 30}
    took = []
    for _ in range(30):
        begun = time.perf_counter()
        done = subprocess.run([PROGRAM, "decode-isolated", json.dumps(request)], input=picture, capture_output=True)
        took.append((time.perf_counter() - begun) * 1000)
        assert done.returncode == 0, done.stderr
    return statistics.median(took)


def main() -> None:
    chance = random.Random(1)
    with tempfile.TemporaryDirectory(prefix="artificio-kills-") as folder:
        root = Path(folder)
        inventory = root / "db/img_inventory_raw"
        inventory.mkdir(parents=True)
        (root / "config").mkdir()
        (root / "config/artificio.toml").write_text(SETTINGS)
        for at in range(GOOD):
            (inventory / f"good_{at}.jpg").write_bytes(photograph(at))
        (inventory / "deadly_crash.png").write_bytes(b"artificio test fault: abort\n")
        (inventory / "deadly_loop.png").write_bytes(b"artificio test fault: loop\n")
        Image.new("RGBA", (12_200, 12_200)).save(inventory / "deadly_memory.png", compress_level=1)
        killed = died = 0
        seed = GOOD
        while killed < KILLS:
            for at in chance.sample(range(GOOD), CHANGED):
                seed += 1
                (inventory / f"good_{at}.jpg").write_bytes(photograph(seed))
            service = start(root)
            try:
                service.wait(chance.uniform(0.02, 1.5))
                assert service.returncode != 0, "it ended by itself"
                died += 1
            except subprocess.TimeoutExpired:
                service.send_signal(signal.SIGKILL)
                service.wait()
                killed += 1
        print(f"killed {killed} times; died {died} times by itself, over deadly pictures that had not been tried yet")
        deadline = time.monotonic() + 300
        inventory_now = {}
        while time.monotonic() < deadline:
            service = start(root)
            while service.poll() is None and time.monotonic() < deadline:
                time.sleep(0.5)
                try:
                    inventory_now = json.loads((root / "db/state/status.json").read_text())["inventory"]
                except (OSError, ValueError):
                    continue
                if inventory_now["indexed"] == GOOD and inventory_now["failed"] == 3 and inventory_now["pending"] == 0:
                    deadline = 0
            service.send_signal(signal.SIGTERM)
            service.wait()
        contents = json.loads((root / "db/state/quarantine.json").read_text())["contents"]
        aside = {Path(entry["path"]).name: entry["state"]["set_aside"] for entry in contents if entry["state"] != "suspect"}
        good = [name for name in aside if name.startswith("good")]
        print(f"good pictures set aside: {len(good)} of {GOOD} {good}")
        print(f"deadly pictures set aside: {sum(name.startswith('deadly') for name in aside)} of 3: {aside}")
        print(f"at the end: {inventory_now}")
        print(f"a trial of a good picture of 1600x1200: {trial_ms(photograph(0)):.0f} ms (median of 30); of no suspect: none")


main()
