#!/usr/bin/env python3
"""Drops every file of a folder into the query folder, one after another, then puts all into the inventory: what comes of each, after
how long, with how much memory.

    benches/zoo.py PROGRAM FOLDER [TABLE]        # TABLE: where to write a line for each file, as tab-separated values

FOLDER may have a `manifest.csv` whose columns `file` and `must` (or `path` and `expect`) say what has to happen to each: `decode` (with the
size, which is not checked here), `refuse`, or another word where both are right. Memory is that of the service and of its child processes, looked at every
five milliseconds. Needs nothing but Python. Ends with 1 where something else happened than must, or where no answer came.
"""
import csv, json, os, shutil, sys, threading, time
from pathlib import Path

from service import Service, Workplace

if len(sys.argv) < 3:
    sys.exit(__doc__)
PROGRAM, FOLDER = str(Path(sys.argv[1]).resolve()), Path(sys.argv[2]).resolve()
TABLE = Path(sys.argv[3]) if len(sys.argv) > 3 else None
PATIENCE_S = 120
SETTINGS = "[watch]\nsettle_ms = 50\n[model]\nmin_train = 1000000\ntrain_on_inventory = false\n"
PAGE_MB = os.sysconf("SC_PAGE_SIZE") / 1e6


class Peak:
    """The most memory that a process and its children had since it was last asked, in MB."""

    def __init__(self, process: int):
        self.process, self.most = process, 0.0
        threading.Thread(target=self._look, daemon=True).start()

    def _resident_mb(self, process: int) -> float:
        try:
            children = [int(child) for task in Path(f"/proc/{process}/task").iterdir() for child in (task / "children").read_text().split()]
            own = int(Path(f"/proc/{process}/statm").read_text().split()[1]) * PAGE_MB
        except (OSError, IndexError):
            return 0.0
        return own + sum(map(self._resident_mb, children))

    def _look(self):
        while True:
            self.most = max(self.most, self._resident_mb(self.process))
            time.sleep(0.005)

    def take(self) -> float:
        most, self.most = self.most, 0.0
        return most


def verdict(must: str, status: str) -> str:
    """Whether what happened is what must: pictures that are decoded are answered, with whatever is similar or with nothing."""
    happened = "refuse" if status == "error" else "decode" if status else "no answer"
    word = must.split()[0]
    return "right" if status and (word == happened or word not in ("decode", "refuse")) else f"must {must}, got {happened}"


def files_of(folder: Path) -> list[tuple[Path, str]]:
    manifest = folder / "manifest.csv"
    if not manifest.exists():
        return [(path, "either") for path in sorted(folder.rglob("*")) if path.is_file()]
    lines = csv.DictReader(manifest.open())
    named = [(folder / (line.get("file") or line["path"]), line.get("must") or line["expect"]) for line in lines]
    return [(path, must) for path, must in named if path.is_file()]


def ask(service: Service, peak: Peak, number: int, path: Path) -> tuple[float, float, dict]:
    # The name matters for a few formats; a file keeps it but for what would be no query.
    name = f"{number:03}-{path.name.lstrip('.')}"
    half = service.root / f"dropping-{name}"
    shutil.copyfile(path, half)
    peak.take()
    begun = time.monotonic()
    half.rename(service.root / "query" / name)
    record = service.root / "answer" / f"result_{name.rsplit('.', 1)[0]}.json"
    while not record.exists() and time.monotonic() - begun < PATIENCE_S:
        service.check()
        time.sleep(0.005)
    took = time.monotonic() - begun
    time.sleep(0.02)
    return took, peak.take(), json.loads(record.read_text()) if record.exists() else {"status": "", "message": "no answer"}


lines, wrong = [], []
with Workplace(None, "zoo") as root:
    for part in ["query", "config", "db/img_inventory_raw"]:
        (root / part).mkdir(parents=True)
    (root / "config/artificio.toml").write_text(SETTINGS)
    files = files_of(FOLDER)
    with Service(PROGRAM, root) as service:
        service.wait_ready()
        peak = Peak(service.process.pid)
        time.sleep(0.1)
        idle = peak.take()
        for number, (path, must) in enumerate(files):
            took, memory, record = ask(service, peak, number, path)
            came_of_it = verdict(must, record["status"])
            lines.append((path.name, must, came_of_it, f"{took:.2f}", f"{memory:.0f}", record["status"], record["message"]))
            if came_of_it != "right":
                wrong.append(lines[-1])
        begun = time.monotonic()
        for number, (path, _) in enumerate(files):
            half = root / f"putting-{number:03}"
            shutil.copyfile(path, half)
            half.rename(root / "db/img_inventory_raw" / f"{number:03}-{path.name.lstrip('.')}")
        time.sleep(1)
        peak.take()
        inventory = service.wait(lambda status: status["inventory"]["pending"] == 0)["inventory"]
        whole_s, whole_mb = time.monotonic() - begun, peak.take()
if TABLE:
    TABLE.write_text("\n".join("\t".join(line) for line in lines) + "\n")
print(f"{len(files)} files, the service idle: {idle:.0f} MB")
print(f"as queries: {len(files) - len(wrong)} as they must be")
for line in wrong:
    print("   ", " | ".join(line))
for what, column in [("slowest", 3), ("most memory", 4)]:
    print(f"{what}:", "; ".join(f"{line[0]} {line[3]} s {line[4]} MB" for line in sorted(lines, key=lambda line: -float(line[column]))[:5]))
print(f"as inventory, all at once: {whole_s:.0f} s, {whole_mb:.0f} MB, {inventory['indexed']} searchable, {inventory['failed']} refused")
sys.exit(1 if wrong else 0)
