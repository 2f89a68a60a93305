#!/usr/bin/env python3
"""Hours of modest work: does anything grow?

    benches/soak.py target/release/artificio [MINUTES] [SECONDS_BETWEEN]

Every few seconds one thing happens that people do: a query is dropped or removed, a picture arrives, is replaced, renamed or
removed, a set is asked, a file is damaged, the settings are saved, pictures arrive for training. How many files there are stays
the same on average. Printed every tenth of the time: memory, descriptors, threads, bytes of the catalog with its journal and
of the state folder, lines of the log, queries answered; at the end the growth over the second half, and the idle time.
"""

import os, random, statistics, subprocess, sys, time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from service import Service, Workplace, percentile

PROGRAM = str(Path(sys.argv[1]).resolve())
MINUTES = float(sys.argv[2]) if len(sys.argv) > 2 else 120
BETWEEN_S = float(sys.argv[3]) if len(sys.argv) > 3 else 2
# Quiet for a second is enough to train: a soak has no ten quiet seconds.
SETTINGS = "[watch]\nrescan_s = 60\n[model]\nmin_train = 12\nretrain_after = 20\nquiet_s = 1\n"
KEPT_QUERIES = 40


class People:
    """What happens to the folders."""

    def __init__(self, root: Path, pictures: list[bytes], chance: random.Random):
        self.root, self.pictures, self.chance, self.number = root, pictures, chance, 0
        self.inventory, self.query = root / "db/img_inventory_raw", root / "query"
        self.waits_ms: list[float] = []
        self.unanswered = 0

    def picture(self) -> bytes:
        # Bytes behind the end of a JPEG make another content of the same picture.
        return self.chance.choice(self.pictures) + self.number.to_bytes(8, "little")

    def a_file(self) -> Path:
        return self.chance.choice([path for path in self.inventory.rglob("*.jpg")])

    def act(self, service: Service):
        self.number += 1
        kind = self.chance.choices(
            ["ask", "ask_set", "add", "replace", "rename", "remove", "damage", "train", "settings"],
            [10, 2, 4, 2, 2, 4, 1, 1, 1],
        )[0]
        getattr(self, kind)(service)

    def ask(self, service):
        waited = service.answered_ms(service.drop(f"q{self.number}", self.picture()))
        self.unanswered += waited is None
        self.waits_ms.append(waited or 120_000)
        for old in sorted(self.query.glob("q*"), key=lambda path: path.stat().st_mtime)[:-KEPT_QUERIES]:
            subprocess.run(["rm", "-r", str(old)], check=True)

    def ask_set(self, service):
        folder = self.query / f"q-set-{self.number}"
        folder.mkdir()
        for at in range(3):
            (folder / f"{at}.jpg").write_bytes(self.picture())

    def add(self, service):
        folder = self.inventory / f"folder-{self.number % 7}"
        folder.mkdir(exist_ok=True)
        (folder / f"{self.number}.jpg").write_bytes(self.picture())

    def replace(self, service):
        self.a_file().write_bytes(self.picture())

    def rename(self, service):
        path = self.a_file()
        path.rename(path.with_name(f"renamed-{self.number}.jpg"))

    def remove(self, service):
        self.a_file().unlink()

    def damage(self, service):
        (self.inventory / "damaged.jpg").write_bytes(self.picture()[: 500 + self.number % 500])

    def train(self, service):
        folder = self.root / "db/img_train_raw"
        for at in range(5):
            (folder / f"{self.number % 50}-{at}.jpg").write_bytes(self.picture())

    def settings(self, service):
        width = 1200 + self.number % 3
        (self.root / "config/artificio.toml").write_text(f"{SETTINGS}[answer]\nwidth_px = {width}\n")


def sample(service: Service, people: People) -> dict:
    process = Path(f"/proc/{service.process.pid}")
    sizes = lambda pattern: sum(path.stat().st_size for path in service.state.glob(pattern) if path.is_file())
    return {
        "RSS MB": round(service.memory_mb()[0], 1),
        "descriptors": len(os.listdir(process / "fd")),
        "threads": len(os.listdir(process / "task")),
        "catalog kB": sizes("catalog.sqlite*") // 1000,
        "state kB": sizes("**/*") // 1000,
        "log lines": (service.root / "log").read_bytes().count(b"\n"),
        "answered": service.status()["queries"]["answered"],
        "median ms": round(percentile(people.waits_ms[-100:], 0.5) or 0),
        "worst ms": round(max(people.waits_ms[-100:], default=0)),
    }


def main() -> None:
    with Workplace(None, "soak") as root:
        subprocess.run([PROGRAM, "demo", str(root / "demo")], check=True, stdout=subprocess.DEVNULL)
        pictures = [path.read_bytes() for path in sorted((root / "demo/db/img_inventory_raw").rglob("*.jpg"))]
        for folder in ["config", "query", "db/img_inventory_raw", "db/img_train_raw"]:
            (root / folder).mkdir(parents=True)
        (root / "config/artificio.toml").write_text(SETTINGS)
        people = People(root, pictures, random.Random(1))
        for _ in range(200):
            people.number += 1
            people.add(None)
        with Service(PROGRAM, root) as service:
            service.wait_ready()
            begun, samples = time.monotonic(), []
            while (elapsed := time.monotonic() - begun) < 60 * MINUTES:
                if elapsed >= 60 * MINUTES / 10 * len(samples):
                    samples.append(sample(service, people))
                    if len(samples) == 1:
                        print("minutes", *samples[0], sep="\t")
                    print(f"{elapsed / 60:.0f}", *samples[-1].values(), sep="\t", flush=True)
                people.act(service)
                service.check()
                time.sleep(BETWEEN_S)
            service.wait_quiet()
            samples.append(sample(service, people))
            print("end", *samples[-1].values(), sep="\t")
            half = samples[len(samples) // 2 :]
            for name in ["RSS MB", "descriptors", "threads", "catalog kB", "state kB"]:
                values = [one[name] for one in half]
                slope = statistics.linear_regression(range(len(values)), values).slope
                print(f"{name}: {values[0]} to {values[-1]} over the second half, {slope:+.2f} a sample")
            lines = sample(service, people)["log lines"]
            idle = service.cpu_of_s(60)
            print(f"idle: {100 * idle / 60:.3f} % of a core, {sample(service, people)['log lines'] - lines} lines of log in 60 s")
            print(f"{people.number} things happened, {len(people.waits_ms)} queries waited for, {people.unanswered} unanswered")
            service.stop()


if __name__ == "__main__":
    main()
