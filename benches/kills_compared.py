#!/usr/bin/env python3
"""Kills the service at random moments under load, and compares every row of vectors afterwards with one made from nothing.

    benches/kills_compared.py PROGRAM [KILLS [SEED]]        # 500 kills if no number is given: about two seconds each

300 pictures of the demo lie in the inventory. In each round queries are dropped, pictures of the inventory are added, replaced,
exchanged with others, renamed and removed, and pictures for training arrive, some of it before the start; somewhere within the
first two seconds comes kill -9. `refresh` is off in one half of the rounds and on in the other. After every fiftieth kill the service
works until it has nothing left to do. Then the contents of its files are looked up, and everything that the catalog holds of them is
compared with what the same program makes of the same files with the same model, with nothing known before. Needs nothing but Python.
Printed: kills, models that served, rows compared, and how many of them were wrong, missing or left over; answers that never came, files whose
picture is not found as itself. Ends with 1 if there is any.
"""
import json, os, random, shutil, signal, sqlite3, struct, subprocess, sys, tempfile, time
from pathlib import Path

if len(sys.argv) < 2:
    sys.exit(__doc__)
PROGRAM = str(Path(sys.argv[1]).resolve())
KILLS = int(sys.argv[2]) if len(sys.argv) > 2 else 500
SEED = int(sys.argv[3]) if len(sys.argv) > 3 else 16
FILES, BETWEEN_CHECKS, PATIENCE_S = 300, 50, 240
SETTINGS = """[watch]
settle_ms = 50
[answer]
results = 5
refresh = "{refresh}"
[model]
min_train = 12
retrain_after = 6
quiet_s = 0
"""
VECTORS = [("features", "trunk", "row"), ("miniatures", "kind", "pixels"), ("codes", "model", "row")]


class People:
    """What happens to the folders, never twice the same content but by copying."""

    def __init__(self, root, chance):
        self.root, self.chance, self.number, self.asked = root, chance, 0, {}
        self.inventory = root / "db/img_inventory_raw"
        self.pictures = [path.read_bytes() for path in sorted(self.inventory.rglob("*")) if path.suffix == ".jpg"]

    def picture(self):
        self.number += 1
        # Bytes behind the end of a JPEG make another content of the same picture.
        return self.chance.choice(self.pictures) + self.number.to_bytes(8, "little")

    def put(self, path, content):
        """As a copying program does: the file has its name from the beginning."""
        with open(path, "wb") as out:
            out.write(content)

    def files(self):
        return sorted(path for path in self.inventory.rglob("*.jpg"))

    def show_the_same(self, content, path):
        """Whether the inventory's picture at `path` has the same pixels."""
        other = self.inventory / path if path else None
        bytes_there = other.read_bytes() if other and other.exists() else b""
        return any(content.startswith(picture) and bytes_there.startswith(picture) for picture in self.pictures)

    def act(self):
        files = self.files()
        some = lambda: self.chance.choice(files)
        what = self.chance.randrange(8)
        if what == 0:
            self.put(self.inventory / f"new-{self.number}.jpg", self.picture())
        elif what == 1:
            self.put(some(), self.picture())
        elif what == 2:
            some().rename(self.inventory / f"renamed-{self.number}.jpg")
        elif what == 3 and len(files) > FILES:
            some().unlink()
        elif what == 4:
            # Two files exchange their names: what is known must not stay with the name.
            one, other = self.chance.sample(files, 2)
            aside = self.root / "aside"
            one.rename(aside), other.rename(one), aside.rename(other)
        elif what == 5:
            self.put(self.root / f"db/img_train_raw/more-{self.number}.jpg", self.picture())
        elif what == 6 and self.asked and self.chance.random() < 0.5:
            self.asked.pop(self.forget(self.chance.choice(sorted(self.asked))))
        else:
            # A picture of the inventory: it must be found as itself, if it is still there.
            name = f"asked-{self.number}"
            self.number += 1
            self.asked[name] = some().read_bytes()
            self.put(self.root / f"query/{name}.jpg", self.asked[name])

    def forget(self, name):
        (self.root / f"query/{name}.jpg").unlink()
        return name


class Service:
    def __init__(self, root):
        self.root, self.state = root, root / "db/state"
        (self.state / "status.json").unlink(missing_ok=True)
        self.log = open(root / "log", "ab")
        self.process = subprocess.Popen([PROGRAM, "--root", str(root), "run"], stdout=self.log, stderr=self.log)

    def end(self, how):
        self.process.send_signal(how)
        self.process.wait()
        self.log.close()

    def wait_quiet(self):
        deadline, still = time.monotonic() + PATIENCE_S, 0
        # Answers are redone one at a time, and are not counted as pending before their turn.
        while still < 10 or time.time() - self.last_answer() < 5:
            if self.process.poll() is not None:
                sys.exit(f"the service ended with {self.process.returncode}: {(self.root / 'log').read_text()[-3000:]}")
            if time.monotonic() > deadline:
                sys.exit(f"there is no end of work: {(self.state / 'status.json').read_text()}")
            still = still + 1 if self.is_quiet() else 0
            time.sleep(0.1)

    def last_answer(self):
        """When something was last written into `answer`, but for what is not finished: that has gone before it is looked at."""
        finished = (self.root / "answer").glob("result_*")
        return max((path.stat().st_mtime for path in finished), default=0)

    def is_quiet(self):
        try:
            status = json.loads((self.state / "status.json").read_text())
        except (OSError, ValueError):
            return False
        threads = [task.read_text().strip() for task in Path(f"/proc/{self.process.pid}/task").glob("*/comm")]
        has_work = status["inventory"]["pending"] or status["queries"]["pending"] or status["model"]["training"]
        return status["state"] in ("ready", "degraded") and not has_work and "catalog-check" not in threads


def rows(state):
    """Every vector of a content that a file of the inventory has, by table, owner and hash; and the hashes."""
    connection = sqlite3.connect(f"file:{state / 'catalog.sqlite'}?mode=ro", uri=True, timeout=30)
    model = connection.execute("SELECT id FROM models WHERE is_current").fetchone()
    inventory = {hash for (hash,) in connection.execute("SELECT hash FROM contents JOIN files ON content = id WHERE root = 1")}
    found = {}
    for table, owner, value in VECTORS:
        for content, name, blob in connection.execute(f"SELECT hash, {owner}, {value} FROM {table} JOIN contents ON id = content"):
            if content in inventory and (table != "codes" or model and name == model[0]):
                found[table, name, content] = blob
    connection.close()
    return found, inventory


def is_same(key, one, other):
    if key[0] != "codes" or len(one) != len(other):
        return one == other
    values = [struct.unpack(f"<{len(blob) // 4}f", blob) for blob in (one, other)]
    # Computed alone or together with others, the sums are in another order.
    return all(abs(a - b) <= 1e-4 * (1 + abs(a)) for a, b in zip(*values))


def made_from_nothing(root, place):
    """The rows that come of the same files and the same model where nothing else is known."""
    other = place / "other"
    shutil.copytree(root, other)
    connection = sqlite3.connect(other / "db/state/catalog.sqlite", isolation_level=None)
    for table in ["features", "miniatures", "codes", "files", "contents", "answers"]:
        connection.execute(f"DELETE FROM {table}")
    connection.close()
    shutil.rmtree(other / "query")
    (other / "config/artificio.toml").write_text("[watch]\nsettle_ms = 50\n[model]\nmin_train = 1000000\n")
    service = Service(other)
    service.wait_quiet()
    service.end(signal.SIGTERM)
    found = rows(other / "db/state")
    shutil.rmtree(other)
    return found


def check(root, place, people, totals):
    """Compares; returns what is wrong."""
    wrong = []
    service = Service(root)
    service.wait_quiet()
    service.end(signal.SIGTERM)
    (found, has), (expected, should) = rows(root / "db/state"), made_from_nothing(root, place)
    wrong += [f"{key[0]} of {key[2].hex()}" for key in expected if key in found and not is_same(key, expected[key], found[key])]
    wrong += [f"missing: {key[0]} of {key[2].hex()}" for key in expected.keys() - found.keys()]
    wrong += [f"left over: {key[0]} of {key[2].hex()}" for key in found.keys() - expected.keys() if key[1] in {k[1] for k in expected}]
    wrong += [f"a content that no file has, or a file's is not known: {hash.hex()}" for hash in has ^ should]
    contents = {path.read_bytes() for path in people.files()}
    for name, content in people.asked.items():
        try:
            record = json.loads((root / f"answer/result_{name}.json").read_text())
        except (OSError, ValueError):
            wrong.append(f"{name} has no answer")
            continue
        best = record["matches"][0] if record["matches"] else {"similarity": -1, "path": None}
        # Without `refresh` an answer tells of the inventory that was there. Which of the copies comes first is left open.
        if REFRESHES and content in contents and not people.show_the_same(content, best["path"]):
            wrong.append(f"{name} is found as {best['path']} ({best['similarity']}), not as itself")
    totals["rows"] += len(expected)
    totals["models"].add(next((key[1] for key in found if key[0] == "codes"), None))
    return wrong


def main():
    global REFRESHES
    chance, totals, bad = random.Random(SEED), {"rows": 0, "models": set()}, 0
    with tempfile.TemporaryDirectory(prefix="artificio-kills-") as place:
        place = Path(place)
        root = place / "root"
        subprocess.run([PROGRAM, "demo", str(root)], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        shutil.rmtree(root / "query"), shutil.rmtree(root / "answer")
        (root / "query").mkdir(), (root / "answer").mkdir()
        people = People(root, chance)
        while len(people.files()) < FILES:
            people.put(people.inventory / f"first-{people.number}.jpg", people.picture())
        for kill in range(1, KILLS + 1):
            REFRESHES = (kill - 1) // BETWEEN_CHECKS % 2 == 1
            refresh = "inventory" if REFRESHES else "never"
            (root / "config/artificio.toml").write_text(SETTINGS.format(refresh=refresh))
            for _ in range(chance.randrange(4)):
                people.act()
            service = Service(root)
            end = time.monotonic() + chance.uniform(0.02, 2)
            while time.monotonic() < end:
                if chance.random() < 0.3:
                    people.act()
                time.sleep(0.02)
            if service.process.poll() is not None:
                sys.exit(f"the service ended with {service.process.returncode}: {(root / 'log').read_text()[-3000:]}")
            service.end(signal.SIGKILL)
            if kill % BETWEEN_CHECKS == 0 or kill == KILLS:
                wrong = check(root, place, people, totals)
                bad += len(wrong)
                print(*wrong, sep="\n", end="\n" if wrong else "")
                print(f"{kill} kills (refresh {refresh}): {len(totals['models'])} models seen, {totals['rows']} rows compared, {bad} wrong", flush=True)
    sys.exit(1 if bad else 0)


main()
