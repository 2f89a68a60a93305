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

import argparse, json, os, shutil, statistics, subprocess, sys, time
from pathlib import Path

sys.dont_write_bytecode = True
from growth_table import Column, table
from known_pictures import DROP_EVERY_S, QUERIES, Inventory, Queries
from service import Service, Stopped, Workplace, count_of

#: Pictures of another import, for sizes whose first is over before there were enough queries; they are removed again.
MORE = 5_000
#: Features in eight bits, a float32 embedding, a miniature; what a file's row says beside its path: stamp and hash.
CONTENT_BYTES, ROW_BYTES = 2432 + 192 * 4 + 1024, 4 * 8 + 32
NEVER_TRAINED = "[model]\nmin_train = 1000000\n"


def settings(root: Path, inventory: Path, more: str = ""):
    (root / "config").mkdir(parents=True, exist_ok=True)
    half = root / "config/half"
    half.write_text(f'[folders]\ninventory = "{inventory}"\n[answer]\nmin_likeness = 0.0\n{more}')
    half.rename(root / "config/artificio.toml")


def catalog_bytes(root: Path) -> int:
    return sum(path.stat().st_size for path in (root / "db/state").glob("catalog.sqlite*"))


def is_trained(status: dict) -> bool:
    return status["model"]["trained_on"] > 0 and status["model"]["training"] is None


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
            service.wait_quiet()
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
        every_s, rounds = max(8, round(12 * inventory.find()[0])), 3
        settings(self.known, inventory.folder, f"[watch]\nrescan_s = {every_s}\n")
        with Service(self.program, self.known) as service:
            service.wait_ready()
            service.wait_indexed(inventory.files)
            service.wait_quiet()
            # Each second's CPU time. Look-throughs take few of them, so the median is what the service uses without.
            seconds = [service.cpu_of_s(1.0) for _ in range(every_s * rounds)]
            looked = (sum(seconds) - statistics.median(seconds) * len(seconds)) / rounds
            find = statistics.median(inventory.find()[1] for _ in range(3))
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
            service.wait_quiet()
            took, search = self.queries.one_by_one(service, "idle", QUERIES)
            column.note_queries("distinct_idle", took)
            column.note(distinct_search=statistics.median(search) if search else None)
            self.train(service, "distinct_", 3)
            column.note(distinct_peak=service.memory_mb()[1])
            service.stop()
            column.note_turns("distinct", service.turns())


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
            for files in map(count_of, options.sizes.split(",")):
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
