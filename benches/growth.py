#!/usr/bin/env python3
"""What the service costs with 10,000, 100,000 and 1,000,000 pictures, and whether an item costs the same at every size.

    benches/growth.py PROGRAM [--sizes 10k,100k,1M] [--work FOLDER] [--skip untrained,distinct]

One column a size. The inventory consists of hard links to the 90 pictures of `artificio demo`, whose contents the catalog knows
before the import: what is measured is the service, not the network. Phases, each with what it prints:

- known      the import into a service with a model: rate, CPU, longest turn, queries meanwhile, memory, catalog
- warm       three starts beside `find -printf`; queries while idle, during another import and during trainings
- look       a look-through of all folders, beside the same `find`
- untrained  the same import before the first training, and then that training
- distinct   a catalog in which every picture has features and an embedding of its own, made up (`cargo bench --bench start
             -- fill`, built with CARGO_PROFILE, dev by default): catalog, starts, queries, a training on all of it

Queries are pictures the service has not seen: drop -> answer contains settle_ms (400), the decoding and the network. While
pictures are being read, a query waits for them, for 5 s at most. Wall times need an idle machine; CPU times and the ratios to
`find` need it less. A million takes half an hour on two cores. Ctrl-C prints what is known by then; everything is made in a
folder of its own in FOLDER, on one file system, and removed. Needs GNU find.
"""

import argparse, json, os, shutil, statistics, subprocess, sys, threading, time
from contextlib import contextmanager
from pathlib import Path

sys.dont_write_bytecode = True
from service import Service, Stopped, Workplace, measured, percentile

FIND = ["-printf", "%s %T@ %C@ %i\\n"]
#: Links to one file: ext4 allows 65,000.
MOST_LINKS = 60_000
IN_A_FOLDER = 1_000
QUERIES = 24
#: Seconds between the drops of an import: at most a hundredth of its time is theirs.
DROP_EVERY_S = 5.0
#: Pictures of another import, for sizes whose first is over before there were enough queries; they are removed again.
MORE = 5_000
#: float16 features, a float32 embedding, a miniature; what a file's row says beside its path: stamp and hash.
CONTENT_BYTES, ROW_BYTES = 1280 * 2 + 192 * 4 + 1024, 4 * 8 + 32

# Key, label, decimals, and what of it should be the same at every size: an item's share ("item"), or nothing.
ROWS = [
    ("rate", "import: files a second, from start to all indexed", 0, ""),
    ("import_cpu_ms", "import: CPU-ms a file", 3, "same"),
    ("import_p99", "turn of the loop, importing: p99 below, ms", 1, ""),
    ("import_longest", "turn of the loop, importing: longest, ms", 1, ""),
    ("rss", "memory after the import, MB", 0, ""),
    ("rss_item", "memory after the import: bytes a file more than the first size has", 0, ""),
    ("peak", "memory, peak of the import, MB", 0, ""),
    ("catalog", "catalog: bytes a file", 0, "same"),
    ("catalog_payload", "catalog: times the path, stamp and hash of its files", 2, ""),
    ("ready", "start to READY, warm, median of 3, s", 2, ""),
    ("ready_cpu", "start to READY: CPU-s", 2, "item"),
    ("find", "find -printf of the same folders, s", 2, "item"),
    ("idle_p50", "drop -> answer, idle: p50 ms", 0, ""),
    ("idle_p99", "drop -> answer, idle: p99 ms", 0, ""),
    ("search", "  of which the search, by the record: median ms", 1, ""),
    ("importing_p50", "drop -> answer, importing: p50 ms", 0, ""),
    ("importing_p99", "drop -> answer, importing: p99 ms", 0, ""),
    ("importing_count", "  queries", 0, ""),
    ("training_p50", "drop -> answer, training: p50 ms", 0, ""),
    ("training_p99", "drop -> answer, training: p99 ms", 0, ""),
    ("training_count", "  queries", 0, ""),
    ("train_s", "retraining on the 90 contents, s", 1, ""),
    ("train_cpu", "retraining on the 90 contents: CPU-s", 1, ""),
    ("serving_p99", "turn of the loop, answering and training: p99 below, ms", 1, ""),
    ("serving_longest", "turn of the loop, answering and training: longest, ms", 1, ""),
    ("serving_peak", "memory, peak of that, MB", 0, ""),
    ("look_cpu", "look-through: CPU-s", 3, "item"),
    ("look_find", "find -printf: CPU-s", 3, "item"),
    ("look_ratio", "look-through: times find's CPU", 2, ""),
    ("look_longest", "turn of the loop, looking through: longest, ms", 1, ""),
    ("untrained_rate", "untrained: import, files a second", 0, ""),
    ("untrained_cpu_ms", "untrained: import, CPU-ms a file", 3, "same"),
    ("untrained_rss", "untrained: memory after the import, MB", 0, ""),
    ("untrained_peak", "untrained: memory, peak of the import, MB", 0, ""),
    ("first_s", "first training, until it serves, s", 1, ""),
    ("first_cpu", "first training: CPU-s", 1, ""),
    ("first_peak", "first training: memory, peak since the start, MB", 0, ""),
    ("untrained_longest", "turn of the loop, all of it: longest, ms", 1, ""),
    ("distinct_catalog", "distinct: catalog, bytes a picture", 0, "same"),
    ("distinct_payload", "distinct: catalog, times its payload", 2, ""),
    ("distinct_ready", "distinct: start to READY, warm, median of 3, s", 2, ""),
    ("distinct_ready_cpu", "distinct: start to READY, CPU-s", 2, "item"),
    ("distinct_rss", "distinct: memory after the start, MB", 0, ""),
    ("distinct_idle_p50", "distinct: drop -> answer, idle: p50 ms", 0, ""),
    ("distinct_idle_p99", "distinct: drop -> answer, idle: p99 ms", 0, ""),
    ("distinct_search", "  of which the search, by the record: median ms", 1, ""),
    ("distinct_train_s", "distinct: retraining on all, s", 1, ""),
    ("distinct_train_cpu", "distinct: retraining on all, CPU-s", 1, "item"),
    ("distinct_training_p50", "distinct: drop -> answer, training: p50 ms", 0, ""),
    ("distinct_training_p99", "distinct: drop -> answer, training: p99 ms", 0, ""),
    ("distinct_training_count", "  queries", 0, ""),
    ("distinct_longest", "distinct: turn of the loop, longest, ms", 1, ""),
    ("distinct_peak", "distinct: memory, peak, MB", 0, ""),
]


class Column(dict):
    """The figures of one size; each is also reported as it comes."""

    def __init__(self, files: int):
        self.files = files

    def note(self, **figures):
        labels = {key: (label, decimals) for key, label, decimals, _ in ROWS}
        for key, value in figures.items():
            if value is None:
                continue
            self[key] = value
            label, decimals = labels[key]
            print(f"[{self.files}] {label.strip()}: {value:.{decimals}f}", file=sys.stderr, flush=True)

    def note_queries(self, prefix: str, times: list):
        """Times of queries; one that was never answered counts as infinitely long."""
        times = [float("inf") if took is None else took for took in times]
        self.note(**{f"{prefix}_p50": percentile(times, 0.5), f"{prefix}_p99": percentile(times, 0.99)})

    def note_turns(self, prefix: str, turns: dict):
        if turns:
            names = {key for key, *_ in ROWS}
            figures = {f"{prefix}_{name}": turns[name] for name in ("longest", "p99")}
            self.note(**{key: value for key, value in figures.items() if key in names})


class Queries:
    """Pictures that the service has not seen, each dropped once."""

    def __init__(self, pictures: list[bytes]):
        self.pictures, self.number = pictures, 0

    def drop(self, service: Service, name: str):
        self.number += 1
        content = self.pictures[self.number % len(self.pictures)] + f"{os.getpid()} {self.number}".encode()
        return service.drop(f"{name}-{self.number}", content)

    def one_by_one(self, service: Service, name: str, count: int) -> tuple[list, list]:
        """Milliseconds of each, and of its search alone by its record."""
        took, search = [], []
        for _ in range(count):
            dropped = self.drop(service, name)
            took.append(service.answered_ms(dropped))
            if took[-1] is not None:
                search.append(json.loads(dropped[1].read_text())["timings_ms"]["search"])
            time.sleep(0.1)
        return took, search

    @contextmanager
    def meanwhile(self, service: Service, name: str, every_s: float):
        """Drops one every `every_s` whether or not the one before was answered, and more rarely once there are enough. In the
        list that is given, there are the milliseconds of each at the end."""
        over, took, waiting = threading.Event(), [], []

        def follow(dropped):
            try:
                took.append(service.answered_ms(dropped))
            except Stopped:
                took.append(None)

        def drop():
            while not over.wait(every_s if len(waiting) < QUERIES else DROP_EVERY_S):
                waiting.append(threading.Thread(target=follow, args=[self.drop(service, name)], daemon=True))
                waiting[-1].start()

        dropping = threading.Thread(target=drop, daemon=True)
        dropping.start()
        try:
            yield took
        finally:
            over.set()
            dropping.join()
        for thread in waiting:
            thread.join()


class Inventory:
    """The folder with the links, and how many there are."""

    def __init__(self, folder: Path, originals: list[Path]):
        self.folder, self.originals, self.files = folder, [], 0
        (folder / "originals").mkdir(parents=True)
        for number, original in enumerate(originals):
            self.originals.append(folder / "originals" / f"{number:03}{original.suffix}")
            shutil.copyfile(original, self.originals[-1])
        self.contents = self.files = len(originals)

    def path(self, number: int) -> Path:
        return self.folder / f"{number // IN_A_FOLDER:04}" / f"{number:07}{self.originals[number % self.contents].suffix}"

    def grow(self, files: int):
        """Up to `files` in all."""
        assert files / self.contents < MOST_LINKS, "more links than a file system allows"
        for number in range(self.files, files):
            path = self.path(number)
            if number % IN_A_FOLDER == 0 or number == self.files:
                path.parent.mkdir(exist_ok=True)
            os.link(self.originals[number % self.contents], path)
        self.files = files

    def shrink(self, files: int):
        """Down to `files` in all."""
        for number in range(files, self.files):
            self.path(number).unlink()
        self.files = files

    def find(self) -> tuple[float, float]:
        """Wall and CPU seconds of looking through it as `find` does."""
        return measured(["find", str(self.folder), *FIND], stdout=subprocess.DEVNULL)


def settings(root: Path, inventory: Path, more: str = ""):
    (root / "config").mkdir(parents=True, exist_ok=True)
    half = root / "config/half"
    half.write_text(f'[folders]\ninventory = "{inventory}"\n[answer]\nmin_likeness = 0.0\n{more}')
    half.rename(root / "config/artificio.toml")


def catalog_bytes(root: Path) -> int:
    return sum(path.stat().st_size for path in (root / "db/state").glob("catalog.sqlite*"))


def is_trained(status: dict) -> bool:
    return status["model"]["trained_on"] > 0 and status["model"]["training"] is None


NEVER_TRAINED = "[model]\nmin_train = 1000000\n"


class Growth:
    """The measurements of one size."""

    def __init__(self, program: str, work: Path, originals: list[Path], files: int):
        self.program, self.work, self.column = program, work, Column(files)
        self.queries = Queries([path.read_bytes() for path in originals if path.suffix == ".jpg"])
        self.inventory = Inventory(work / "inventory", originals)
        self.known, self.untrained = work / "known", work / "untrained"

    def run(self, skipped: set[str], smallest: Column):
        settings(self.known, self.inventory.folder)
        with Service(self.program, self.known) as service:
            service.wait_indexed(self.inventory.files)
            service.wait(is_trained)
            service.stop()
        self.empty_catalog = catalog_bytes(self.known)
        if "untrained" not in skipped:
            settings(self.untrained, self.inventory.folder, NEVER_TRAINED)
            with Service(self.program, self.untrained) as service:
                service.wait_indexed(self.inventory.files)
                service.stop()
        self.inventory.grow(self.column.files)
        self.inventory.find()
        self.import_known()
        if self.column is not smallest:
            more = self.column.files - smallest.files
            self.column.note(rss_item=(self.column["rss"] - smallest["rss"]) * 1e6 / more)
        self.serve()
        self.look_through()
        if "untrained" not in skipped:
            self.import_untrained()
        if "distinct" not in skipped:
            self.distinct()

    def import_known(self):
        column, files = self.column, self.inventory.files
        with Service(self.program, self.known) as service:
            with self.queries.meanwhile(service, "importing", DROP_EVERY_S) as self.importing:
                service.wait_indexed(files)
                seconds, cpu_s = time.monotonic() - service.started, service.cpu_s()
                column.note(rate=files / seconds, import_cpu_ms=cpu_s * 1e3 / files)
            time.sleep(3)
            rss, peak = service.memory_mb()
            column.note(rss=rss, peak=peak)
            service.stop()
            column.note_turns("import", service.turns())
        added = catalog_bytes(self.known) - self.empty_catalog
        links = files - self.inventory.contents
        column.note(
            catalog=added / links, catalog_payload=added / links / (len("0000/0000000.jpg") + ROW_BYTES)
        )

    def start_three_times(self, root: Path, files: int, prefix: str, find=None):
        """The last of three starts goes on. All are warm: the files were read a moment ago."""
        ready, cpu, found = [], [], []
        for start in range(3):
            if find:
                found.append(find()[0])
            service = Service(self.program, root)
            try:
                ready.append(service.wait_ready())
                cpu.append(service.cpu_s())
                status = service.wait(lambda status: status["state"] != "starting")
                indexed = status["inventory"]["indexed"]
                if indexed != files:
                    print(f"[{self.column.files}] only {indexed} of {files} searchable at READY", file=sys.stderr)
                if start < 2:
                    service.stop()
            except BaseException:
                service.__exit__()
                raise
        median = statistics.median
        self.column.note(**{f"{prefix}ready": median(ready), f"{prefix}ready_cpu": median(cpu)})
        if find:
            self.column.note(find=median(found))
        return service

    def serve(self):
        column, inventory = self.column, self.inventory
        with self.start_three_times(self.known, inventory.files, "", inventory.find) as service:
            took, search = self.queries.one_by_one(service, "idle", QUERIES)
            column.note_queries("idle", took)
            column.note(search=statistics.median(search) if search else None)
            files = inventory.files
            for _ in range(8):
                if len(self.importing) >= QUERIES:
                    break
                with self.queries.meanwhile(service, "importing", 0.3) as took:
                    inventory.grow(files + MORE)
                    service.wait_indexed(inventory.files)
                self.importing += took
                inventory.shrink(files)
                service.wait_indexed(files)
            column.note_queries("importing", self.importing)
            column.note(importing_count=len(self.importing))
            self.train(service, "", 10)
            column.note(serving_peak=service.memory_mb()[1])
            service.stop()
            column.note_turns("serving", service.turns())

    def train(self, service: Service, prefix: str, most: int):
        """Trainings that are asked for, until enough queries were dropped in them; the median's time and CPU."""
        took, walls, cpus = [], [], []
        while len(took) < QUERIES and len(walls) < most:
            before, begun = service.cpu_s(), time.monotonic()
            command = [self.program, "--root", str(service.root), "train", "--json"]
            with self.queries.meanwhile(service, "training", 0.4) as answered:
                training = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
                output, errors = training.communicate()
                walls.append(time.monotonic() - begun)
                cpus.append(service.cpu_s() - before)
            took += answered
            decision = json.loads(output)["decision"] if output.startswith("{") else f"nothing: {errors[-300:]}"
            if decision != "passed":
                print(f"[{self.column.files}] the training gave: {decision}", file=sys.stderr)
        self.column.note(**{f"{prefix}train_s": statistics.median(walls), f"{prefix}train_cpu": statistics.median(cpus)})
        self.column.note_queries(f"{prefix}training", took)
        self.column.note(**{f"{prefix}training_count": len(took)})

    def look_through(self):
        column, inventory = self.column, self.inventory
        every_s = max(8, round(12 * inventory.find()[0]))
        settings(self.known, inventory.folder, f"[watch]\nrescan_s = {every_s}\n")
        with Service(self.program, self.known) as service:
            service.wait_ready()
            service.wait_indexed(inventory.files)
            begun, before = time.monotonic() - service.started, service.cpu_s()
            # Quiet until the first look-through is due. If the start took longer than that, nothing is taken off.
            time.sleep(max(0.0, 0.9 * every_s - begun))
            quiet_s = time.monotonic() - service.started - begun
            idle = (service.cpu_s() - before) / quiet_s if begun < every_s / 2 else 0.0
            before, begun, rounds = service.cpu_s(), time.monotonic(), 3
            found = []
            for _ in range(rounds):
                found.append(inventory.find()[1])
                time.sleep(max(0.0, begun + every_s * len(found) - time.monotonic()))
            looked = (service.cpu_s() - before - idle * (time.monotonic() - begun)) / rounds
            find = statistics.median(found)
            column.note(look_cpu=looked, look_find=find, look_ratio=looked / find)
            service.stop()
            column.note_turns("look", service.turns())
        settings(self.known, inventory.folder)

    def import_untrained(self):
        column, files = self.column, self.inventory.files
        with Service(self.program, self.untrained) as service:
            service.wait_indexed(files)
            seconds, cpu_s = time.monotonic() - service.started, service.cpu_s()
            column.note(untrained_rate=files / seconds, untrained_cpu_ms=cpu_s * 1e3 / files)
            time.sleep(3)
            rss, peak = service.memory_mb()
            column.note(untrained_rss=rss, untrained_peak=peak)
            before, begun = service.cpu_s(), time.monotonic()
            settings(self.untrained, self.inventory.folder)
            service.wait(is_trained)
            column.note(
                first_s=time.monotonic() - begun, first_cpu=service.cpu_s() - before, first_peak=service.memory_mb()[1]
            )
            service.stop()
            column.note_turns("untrained", service.turns())

    def distinct(self):
        column, files, root = self.column, self.column.files, self.work / "distinct"
        profile = os.environ.get("CARGO_PROFILE", "dev")
        command = ["cargo", "bench", "--quiet", "--profile", profile, "--bench", "start", "--", "fill", str(root), str(files)]
        subprocess.run(command, check=True, cwd=Path(__file__).resolve().parent.parent, stdout=subprocess.DEVNULL)
        paths = sum(len("000/000.png") + (number % 1_000 == 0) for number in range(files))
        # A first start may upgrade the file, and settles what the filling left in its log.
        with Service(self.program, root) as service:
            service.wait_ready()
            service.stop()
        size = catalog_bytes(root)
        column.note(
            distinct_catalog=size / files, distinct_payload=size / (files * (CONTENT_BYTES + ROW_BYTES) + paths)
        )
        settings(root, root / "db/img_inventory_raw")
        with self.start_three_times(root, files, "distinct_") as service:
            column.note(distinct_rss=service.memory_mb()[0])
            took, search = self.queries.one_by_one(service, "idle", QUERIES)
            column.note_queries("distinct_idle", took)
            column.note(distinct_search=statistics.median(search) if search else None)
            self.train(service, "distinct_", 3)
            column.note(distinct_peak=service.memory_mb()[1])
            service.stop()
            column.note_turns("distinct", service.turns())


def table(columns: list[Column]) -> str:
    """Every figure that is known, one column a size; in the last, what an item costs at the largest size in units of the smallest."""
    width = max(len(label) for _, label, *_ in ROWS)
    lines = [f"{'':{width}}" + "".join(f"{column.files:>12,}" for column in columns) + "    an item"]
    for key, label, decimals, kind in ROWS:
        values = [column.get(key) for column in columns]
        if all(value is None for value in values):
            continue
        line = f"{label:{width}}" + "".join(f"{'-' if value is None else f'{value:,.{decimals}f}':>12}" for value in values)
        first, last = values[0], values[-1]
        if kind and len(columns) > 1 and first and last is not None:
            ratio = last / first * (columns[0].files / columns[-1].files if kind == "item" else 1)
            line += f"{ratio:>9.2f} x"
        lines.append(line)
    return "\n".join(lines)


def number(text: str) -> int:
    units = {"k": 1_000, "m": 1_000_000}
    return int(float(text[:-1]) * units[text[-1].lower()]) if text[-1].lower() in units else int(text)


def main():
    parser = argparse.ArgumentParser(usage="benches/growth.py PROGRAM [--sizes 10k,100k,1M] [--work FOLDER] [--skip untrained,distinct]")
    parser.add_argument("program")
    parser.add_argument("--sizes", default="10k,100k,1M")
    parser.add_argument("--work", help="where the pictures and catalogs are made")
    parser.add_argument("--skip", default="", help="untrained, distinct")
    options = parser.parse_args()
    program, columns = str(Path(options.program).resolve()), []
    try:
        with Workplace(options.work, "growth") as work:
            print(f"in {work}", file=sys.stderr)
            subprocess.run([program, "demo", str(work / "demo")], check=True, stdout=subprocess.DEVNULL)
            originals = sorted(path for path in (work / "demo/db").rglob("*") if path.suffix in (".jpg", ".png"))
            for files in map(number, options.sizes.split(",")):
                place = work / str(files)
                growth = Growth(program, place, originals, files)
                columns.append(growth.column)
                growth.run(set(options.skip.split(",")), columns[0])
                shutil.rmtree(place)
    except (KeyboardInterrupt, Stopped, subprocess.CalledProcessError) as reason:
        print(f"\nnot finished: {str(reason) or type(reason).__name__}", file=sys.stderr)
        sys.exit(1)
    finally:
        if columns:
            print(table(columns), flush=True)


main()
