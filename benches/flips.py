#!/usr/bin/env python3
"""Flips one bit of the catalog or its journal, starts the service on it, and sees what comes of it; again and again.

    benches/flips.py PROGRAM [FLIPS [SEED]]        # 1000 flips if no number is given: about two seconds each

The catalog is that of the demo's pictures and model, some of it still in the journal: the service was killed. After each flip two
queries are asked, one that waits when the service starts and one when it has nothing left to do, and every row of features,
miniatures and embeddings is compared with what was there before. Needs nothing but Python.
Printed: how often the catalog was rebuilt, something was made again, or nothing came of it; and how often an answer or a row was
wrong, which must be never. Ends with 1 if it ever was.
"""
import json, random, shutil, signal, sqlite3, struct, subprocess, sys, tempfile, time
from collections import Counter
from pathlib import Path

if len(sys.argv) < 2:
    sys.exit(__doc__)
PROGRAM = str(Path(sys.argv[1]).resolve())
FLIPS = int(sys.argv[2]) if len(sys.argv) > 2 else 1000
SEED = int(sys.argv[3]) if len(sys.argv) > 3 else 16
FILES = ["catalog.sqlite", "catalog.sqlite-wal"]
# No training but the demo's: it would take longer than all the rest.
SETTINGS = "[watch]\nsettle_ms = 50\n[answer]\nresults = 50\n[model]\nquiet_s = 0\nmin_train = 1000000\n"
INVENTORY, LATER = 28, 12
PATIENCE_S = 120
# What the log says where something is made again.
SAID = ["is not what was written", "journal is damaged"]


class Service:
    def __init__(self, root):
        self.root, self.state = root, root / "db/state"
        with open(root / "log", "wb") as log:
            self.process = subprocess.Popen([PROGRAM, "--root", str(root), "run"], stdout=log, stderr=log)

    def log(self):
        return (self.root / "log").read_text(errors="replace")

    def wait(self, what, done):
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise RuntimeError(f"the service ended with {self.process.returncode}:\n{self.log()}")
            found = done()
            if found:
                return found
            time.sleep(0.02)
        raise RuntimeError(f"{what} did not come:\n{self.log()}")

    def is_quiet(self):
        try:
            status = json.loads((self.state / "status.json").read_text())
        except (OSError, ValueError):
            return False
        threads = [task.read_text().strip() for task in Path(f"/proc/{self.process.pid}/task").glob("*/comm")]
        is_done = status["inventory"]["pending"] == 0 and status["queries"]["pending"] == 0
        return status["pid"] == self.process.pid and status["state"] in ("ready", "degraded") and is_done and "catalog-check" not in threads

    def wait_quiet(self):
        """Until there is nothing to do, and a moment later still nothing: what the check found takes a turn to become work."""
        def is_still():
            for _ in range(8):
                if not self.is_quiet():
                    return False
                time.sleep(0.05)
            return True
        self.wait("an end of all work", is_still)

    def ask(self, name, picture):
        shutil.copy(picture, self.root / f"query/{name}.jpg")
        return self.answer(name)

    def answer(self, name):
        path = self.root / f"answer/result_{name}.json"
        self.wait(f"the answer to {name}", path.exists)
        return json.loads(path.read_text())

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


def matches(record):
    return {match["path"]: match["similarity"] for match in record["matches"]}


def rows(state):
    """Every vector, by table, owner and content."""
    connection = sqlite3.connect(f"file:{state / FILES[0]}?mode=ro", uri=True, timeout=30)
    found = {}
    for table, owner, value in [("features", "trunk", "row"), ("miniatures", "kind", "pixels"), ("codes", "model", "row")]:
        for content, name, blob in connection.execute(f"SELECT hash, {owner}, {value} FROM {table} JOIN contents ON id = content"):
            found[table, name, content] = blob
    connection.close()
    return found


def is_same(key, one, other):
    if key[0] != "codes" or len(one) != len(other):
        return one == other
    values = [struct.unpack(f"<{len(blob) // 4}f", blob) for blob in (one, other)]
    # Computed alone or together with others, the sums are in another order.
    return all(abs(a - b) <= 1e-4 * (1 + abs(a)) for a, b in zip(*values))


def prepare(root):
    """A root with a catalog, and what it answers: with its model, and without. Returns the files, the rows, and both answers."""
    subprocess.run([PROGRAM, "demo", str(root)], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    (root / "config/artificio.toml").write_text(SETTINGS)
    inventory = root / "db/img_inventory_raw"
    pictures = sorted(path for path in inventory.rglob("*") if path.is_file())
    others = sorted((root / "db/img_train_raw").iterdir())
    for picture in pictures[INVENTORY:] + others[LATER + 1:]:
        picture.unlink()
    for folder in ["query", "answer"]:
        shutil.rmtree(root / folder)
        (root / folder).mkdir()
    query = root / "asked.jpg"
    shutil.move(others[LATER], query)
    service = Service(root)
    service.wait_quiet()
    for picture in others[:LATER]:
        shutil.move(picture, inventory / picture.name)
    service.wait_quiet()
    service.wait("the newcomers", lambda: json.loads((root / "db/state/status.json").read_text())["inventory"]["indexed"] == INVENTORY + LATER)
    taught = service.ask("first", query)
    service.wait_quiet()
    service.kill()
    state = root / "db/state"
    files = [(state / name).read_bytes() for name in FILES]
    truth = rows(state)
    shutil.rmtree(state)
    forget_answers(root)
    service = Service(root)
    service.wait_quiet()
    untaught = service.ask("first", query)
    service.kill()
    assert min(len(taught["matches"]), len(untaught["matches"])) == INVENTORY + LATER, "not everything is found"
    assert taught["model"]["id"] != untaught["model"]["id"], "the demo has trained no model"
    answers = {record["model"]["id"]: matches(record) for record in (taught, untaught)}
    return files, truth, answers, query


def forget_answers(root):
    for path in [*(root / "query").iterdir(), *(root / "answer").glob("*result_*")]:
        path.unlink()


def flip(root, files, truth, answers, query, chance):
    """Returns what came of it, and what is wrong."""
    state = root / "db/state"
    shutil.rmtree(state, ignore_errors=True)
    state.mkdir(mode=0o700)
    forget_answers(root)
    at = chance.randrange(sum(map(len, files)))
    for name, content in zip(FILES, files):
        content = bytearray(content)
        if 0 <= at < len(content):
            content[at] ^= 1 << chance.randrange(8)
        at -= len(content)
        (state / name).write_bytes(content)
    shutil.copy(query, root / "query/first.jpg")
    service, wrong = Service(root), []
    try:
        first = service.answer("first")
        service.wait_quiet()
        later = service.ask("later", query)
        service.wait_quiet()
        log, found = service.log(), rows(state)
    except RuntimeError as error:
        return "wrong", [str(error)], False
    finally:
        service.kill()
    model = later["model"]["id"]
    if model not in answers:
        wrong.append(f"model {model}")
    elif (expected := answers[model]) != (got := matches(later)) and not (
            expected.keys() == got.keys() and all(abs(expected[path] - got[path]) < 1e-4 for path in got)):
        wrong.append(f"the later answer: {got}")
    # A picture that is being read again may be missing from the first answer; none may have another's place in it.
    expected, got = answers.get(first["model"]["id"], {}), matches(first)
    is_whole = expected.keys() == got.keys()
    if not got.keys() <= expected.keys() or is_whole and any(abs(expected[path] - got[path]) >= 1e-4 for path in got):
        wrong.append(f"the first answer: {got}")
    for key, blob in found.items():
        if key in truth and not is_same(key, truth[key], blob):
            wrong.append(f"{key[0]} of {key[2].hex()}")
    if wrong:
        return "wrong", wrong + [log], is_whole
    if any(state.glob("*.damaged-*")):
        return "rebuilt", [], is_whole
    # Embeddings of a model that is gone go later, and what the last transaction held is made again without a word.
    lacks = {key for key in truth if key not in found}
    is_made = any(said in log for said in SAID) or lacks or found.keys() - truth.keys()
    return "made again" if is_made else "no effect", [], is_whole


def main():
    chance, counts, partial = random.Random(SEED), Counter(), 0
    with tempfile.TemporaryDirectory(prefix="artificio-flips-") as place:
        root = Path(place)
        files, truth, answers, query = prepare(root)
        print(f"{len(files[0])} bytes of catalog, {len(files[1])} of journal; {len(truth)} rows of vectors", flush=True)
        for number in range(FLIPS):
            what, wrong, is_whole = flip(root, files, truth, answers, query, chance)
            counts[what] += 1
            partial += not is_whole
            if wrong:
                print(f"flip {number}:", *wrong, sep="\n", flush=True)
            if (number + 1) % 50 == 0 or number + 1 == FLIPS:
                kinds = ", ".join(f"{kind} {counts[kind]}" for kind in ["rebuilt", "made again", "no effect", "wrong"])
                print(f"{number + 1} flips: {kinds}; in {partial} the first answer came while pictures were read again", flush=True)
    sys.exit(1 if counts["wrong"] else 0)


main()
