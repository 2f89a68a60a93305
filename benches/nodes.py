#!/usr/bin/env python3
"""Several nodes and one Milvus: does each find what the others have, and what do outages, new models and kills do?

    benches/nodes.py PROGRAM PICTURES... [--each 200] [--url http://127.0.0.1:19530] [--keys ENGINE]
                     [--engine-pid PID] [--away 20] [--cluster FOLDER]

PROGRAM is built with `--features milvus`; PICTURES are folders with labelled pictures in `inventory` and `query`. Where Milvus has a network
name space of its own, run this in it: `ip netns exec NAME benches/nodes.py ...`. Two nodes get EACH different pictures; where there are too
few, crops of them are made (needs Pillow). One trains. Measured: seconds until each finds the other's, whether both answer the same, seconds
until a removed, a moved and a new picture show; with --engine-pid, that process is stopped for AWAY seconds (less than 30: a Milvus
whose session is over ends itself, and somebody has to start it again) while pictures come and go; new
models while both nodes are asked and one is killed at each step; a node killed while it reads; with --cluster, the folder that
`tests/milvus/server cluster FOLDER` was given, a query node, the data node and the coordinator killed while pictures come and go. With
--keys, the binary of the bench `engine`, the engine's keys are compared with the catalogs after each. Exit code 1 where something is not as it should be.
"""

import argparse, json, os, shutil, signal, subprocess, sys, time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from service import Service, Workplace

OPTIONS = argparse.ArgumentParser()
OPTIONS.add_argument("program")
OPTIONS.add_argument("pictures", nargs="+")
OPTIONS.add_argument("--url", default="http://127.0.0.1:19530")
OPTIONS.add_argument("--each", type=int, default=200)
OPTIONS.add_argument("--keys")
OPTIONS.add_argument("--engine-pid", type=int)
OPTIONS.add_argument("--away", type=int, default=20)
OPTIONS.add_argument("--cluster")
OPTIONS = OPTIONS.parse_args()
PROGRAM = str(Path(OPTIONS.program).resolve())
SERVER = str(Path(__file__).resolve().parent.parent / "tests/milvus/server")
FAILED = []
# What is acknowledged is found after this long at most: Milvus's bounded consistency.
VISIBLE_S = 10


def settings(place: Path, name: str, trains: bool) -> str:
    shared = f'[index]\nengine = "milvus"\nurl = "{OPTIONS.url}"\npatience_s = 3\n[node]\nname = "{name}"\nshared = "{place}/shared"\n'
    shared += f'trains = {str(trains).lower()}\npictures = "{place}/{{node}}/db/img_inventory_raw"\n'
    return "[answer]\nresults = 10\n[model]\nquiet_s = 1\n" + shared


class Node:
    def __init__(self, place: Path, name: str, pictures: list, trains: bool):
        self.name, self.root = name, place / name
        (self.root / "config").mkdir(parents=True)
        self.inventory = self.root / "db/img_inventory_raw"
        self.inventory.mkdir(parents=True)
        (self.root / "config/artificio.toml").write_text(settings(place, name, trains))
        for picture in pictures:
            shutil.copy(picture, self.inventory / picture.name)
        self.service = None
        self.start()

    def start(self):
        """Again, after it was killed."""
        if self.service:
            self.service.__exit__()
        self.service = Service(PROGRAM, self.root, has_manager=False)

    def kill(self):
        self.service.process.send_signal(signal.SIGKILL)
        self.service.process.wait()

    def status(self) -> dict:
        try:
            return json.loads((self.root / "db/state/status.json").read_text())
        except (OSError, ValueError):
            return {}

    def pending(self) -> int:
        return self.status().get("engine", {}).get("pending", -1)

    def indexed(self) -> int:
        return self.status().get("inventory", {}).get("indexed", -1)

    def ask(self, picture: Path, name: str) -> dict:
        """The record, which is new."""
        record = self.root / f"answer/result_{name}.json"
        record.unlink(missing_ok=True)
        shutil.copy(picture, self.root / "query" / f"{name}{picture.suffix}")
        until(120, f"{self.name} answers {name}", record.exists)
        return json.loads(record.read_text())

    def found(self, picture: Path, name: str) -> list:
        return [(found.get("node"), found["path"]) for found in self.ask(picture, name)["matches"]]


def until(seconds: float, what: str, holds) -> float:
    started = time.monotonic()
    while not holds():
        if time.monotonic() - started > seconds:
            FAILED.append(what)
            print(f"NOT within {seconds} s: {what}", flush=True)
            break
        time.sleep(0.1)
    return time.monotonic() - started


def check(what: str, holds: bool):
    print(f"{'ok ' if holds else 'NOT'} {what}", flush=True)
    if not holds:
        FAILED.append(what)


def say(what: str):
    print(f"    {what} (load {os.getloadavg()[0]:.1f})", flush=True)


def is_whole(nodes: list) -> bool:
    parts = [node.status() for node in nodes]
    models = {part.get("model", {}).get("id") for part in parts}
    return len(models) == 1 and all(
        part.get("engine", {}).get("state") == "ready" and part["engine"]["pending"] == 0 and part["model"]["training"] is None
        and part["model"]["trained_on"] > 0 and part["inventory"]["pending"] == 0
        and len(part["engine"]["nodes"]) == len(nodes) and all(one["is_complete"] for one in part["engine"]["nodes"])
        for part in parts
    )


def distinct(folders: list, count: int, place: Path) -> list:
    """So many pictures, no two of them the same: those of the folders, under names of their own, then crops of them."""
    found = [path for folder in folders for path in sorted((Path(folder) / "inventory").rglob("*")) if path.is_file()]
    found = found[:: max(1, len(found) // count)][:count]
    place.mkdir()
    made = []
    for at in range(count):
        source, turn = found[at % len(found)], at // len(found)
        copy = place / f"{source.stem}-{at:05}{source.suffix if turn == 0 else '.jpg'}"
        if turn == 0:
            shutil.copy(source, copy)
        else:
            from PIL import Image

            picture = Image.open(source).convert("RGB")
            cut = [side * (0.06 * turn + 0.003 * (at % 7)) for side in picture.size]
            picture.crop((int(cut[0]), 0, picture.width, int(picture.height - cut[1]))).save(copy, quality=85)
        made.append(copy)
    return made


def keys_agree(nodes: list, when: str):
    """The engine's keys and contents, and those of the catalogs."""
    if not OPTIONS.keys:
        return
    states = [f"{node.name}={node.root}/db/state" for node in nodes]
    compared = subprocess.run([OPTIONS.keys, OPTIONS.url, "keys", *states], capture_output=True, text=True)
    check(f"{when}: the engine has what the catalogs have: {compared.stdout.strip().replace(chr(10), '; ')}{compared.stderr.strip()[-300:]}", compared.returncode == 0)


def each_finds_the_others(nodes: list):
    a, b = nodes
    for one, other in [(a, b), (b, a)]:
        sample = sorted(other.inventory.iterdir())[:: max(1, OPTIONS.each // 50)][:50]
        hits = sum((other.name, picture.name) in one.found(picture, f"of-{at}") for at, picture in enumerate(sample))
        check(f"{one.name} finds {hits} of {len(sample)} pictures of {other.name} by themselves", hits == len(sample))


def both_answer_the_same(nodes: list, queries: list):
    answers, both = [[node.found(query, f"q{at}") for at, query in enumerate(queries)] for node in nodes]
    shares = [len({path for _, path in one} & {path for _, path in other}) / len(one) for one, other in zip(answers, both) if one]
    say(f"both nodes agree on {sum(shares) / max(1, len(shares)):.3f} of the ten nearest of {len(shares)} queries")


def pictures_go_move_and_come(nodes: list, place: Path):
    a, b = nodes
    gone, moved, new = sorted(b.inventory.iterdir())[:3]
    kept = place / gone.name
    shutil.copy(gone, kept)
    gone.unlink()
    took = until(5, "a removed picture is gone", lambda: (b.name, gone.name) not in a.found(kept, "gone"))
    (b.inventory / "deep").mkdir()
    moved.rename(b.inventory / "deep" / moved.name)
    copy = b.inventory / "deep" / moved.name
    places = {(b.name, moved.name), (b.name, f"deep/{moved.name}")}
    again = until(5, "a moved picture has moved", lambda: places & set(a.found(copy, "moved")) == {(b.name, f"deep/{moved.name}")})
    shutil.copy(kept, b.inventory / "new.jpg")
    fresh = until(5, "a new picture is found", lambda: (b.name, "new.jpg") in a.found(kept, "new"))
    say(f"removed after {took:.1f} s, moved after {again:.1f} s, new after {fresh:.1f} s")


def the_engine_hangs(nodes: list, queries: list, pictures: list):
    a, b = nodes
    until(60, "all is quiet", lambda: is_whole(nodes))
    os.kill(OPTIONS.engine_pid, signal.SIGSTOP)
    began = time.monotonic()
    record = a.ask(queries[0], "away")
    waited = time.monotonic() - began
    check(f"a query waits {waited:.1f} s and says what is missing: {record['message']}", record["status"] == "partial" and not record["engine"]["is_complete"])
    before = b.indexed()
    for at in range(30):
        shutil.copy(pictures[at], b.inventory / f"away-{at:02}{pictures[at].suffix}")
    until(120, "pictures are read while the engine is away", lambda: b.indexed() == before + 30)
    began_again = time.monotonic()
    a.ask(queries[1], "away-too")
    check(f"the next query does not wait: {time.monotonic() - began_again:.1f} s", time.monotonic() - began_again < 5)
    time.sleep(max(12, OPTIONS.away - (time.monotonic() - began)))
    check(f"30 pictures were read meanwhile; {b.pending()} changes wait", b.pending() == 30)
    os.kill(OPTIONS.engine_pid, signal.SIGCONT)
    say(f"the engine was away for {time.monotonic() - began:.0f} s")
    took = until(120, "the engine has them", lambda: is_whole(nodes))
    whole = lambda: json.loads((a.root / "answer/result_away.json").read_text())["engine"]["is_complete"]
    took_again = until(60, "the query is answered again", whole)
    say(f"after it came back: all sent after {took:.1f} s, answered again after {took_again:.1f} s")
    keys_agree(nodes, "after that")


def new_models(nodes: list, queries: list, place: Path):
    """Both are asked all the time; in each round but the first one of them is killed when the exchange is at one of its steps."""
    a, b = nodes
    exchange = place / "shared/exchange.json"
    stage = lambda: json.loads(exchange.read_text())["stage"] if exchange.exists() else ""
    asked, mixed, lacking = 0, 0, 0
    rounds = [None] + [(node, at) for node in (b, a) for at in ("training", "preparing", "serving", "done")]
    for number, killed in enumerate(rounds):
        until(120, "all is quiet before a new model", lambda: is_whole(nodes))
        before, generations = a.status()["model"]["id"], exchange.read_text() if exchange.exists() else ""
        subprocess.run([PROGRAM, "--root", str(a.root), "train"], capture_output=True, timeout=120)
        began, was_killed = time.monotonic(), ""
        while not (is_whole(nodes) and a.status()["model"]["id"] != before):
            if time.monotonic() - began > 300:
                FAILED.append(f"round {number}: no new model on both")
                break
            is_new = exchange.exists() and exchange.read_text() != generations
            if killed and (killed[1] == "training" or is_new and stage() in (killed[1], "done")):
                was_killed = f", {killed[0].name} killed while {'training' if killed[1] == 'training' else stage()}"
                killed[0].kill()
                killed[0].start()
                killed = None
                if not is_new and a.status().get("model", {}).get("training") is None:
                    # What was being trained is not asked for any more.
                    until(60, "a is there again", lambda: a.status().get("state") == "ready")
                    subprocess.run([PROGRAM, "--root", str(a.root), "train"], capture_output=True, timeout=120)
            record = nodes[asked % 2].ask(queries[asked % len(queries)], f"x{asked}")
            asked += 1
            generation = record.get("engine", {}).get("generation")
            plain = record["model"]["id"].replace("-", "_")
            mixed += generation is not None and not generation.startswith(plain + "_")
            lacking += not record["engine"]["is_complete"]
        say(f"round {number}: {before} to {a.status()['model']['id']} on both after {time.monotonic() - began:.1f} s{was_killed}; {asked} asked, {lacking} lacked something so far")
    incomplete = lambda: [path.name for node in nodes for path in (node.root / "answer").glob("result_x*.json") if not json.loads(path.read_text())["engine"]["is_complete"]]
    took = until(120, "incomplete answers are given again", lambda: not incomplete())
    check(f"{asked} queries during new models: {mixed} mix models, {lacking} lacked pictures and said so, all of them whole {took:.1f} s later", mixed == 0)
    keys_agree(nodes, "after new models")


def come_and_go(node: Node, pictures: list, name: str, then):
    """Forty come, `then` happens while they are read, every other one goes; they are found, and those that went are not."""
    for at, picture in enumerate(pictures[:40]):
        shutil.copy(picture, node.inventory / f"{name}-{at:02}{picture.suffix}")
    time.sleep(1.5)
    then()
    for at, picture in list(enumerate(pictures[:40]))[::2]:
        (node.inventory / f"{name}-{at:02}{picture.suffix}").unlink(missing_ok=True)


def are_found(asker: Node, node: Node, pictures: list, name: str):
    """What is not found at once is asked for again."""
    present, late = [], 0
    for at, picture in enumerate(pictures[:40]):
        wanted, expected = (node.name, f"{name}-{at:02}{picture.suffix}"), at % 2 == 1
        holds = lambda: (wanted in asker.found(picture, f"{name}-{at}")) == expected
        at_once = holds()
        late += not at_once
        took = 0 if at_once else until(VISIBLE_S, f"{wanted} is {'found' if expected else 'gone'}", holds)
        present.append(took <= VISIBLE_S)
    check(f"after {name}: of 20 that came and 20 that went {sum(present)} are as they should be, {late} of them not at once", all(present))


def a_node_is_killed(nodes: list, pictures: list):
    a, b = nodes
    come_and_go(b, pictures, "killed", b.kill)
    b.start()
    count = lambda: sum(1 for path in b.inventory.rglob("*") if path.is_file())
    until(180, "all is whole after the kill", lambda: is_whole(nodes) and b.indexed() == count())
    are_found(a, b, pictures, "killed")
    keys_agree(nodes, "after the kill")


def parts_of_the_engine_are_killed(nodes: list, pictures: list, queries: list):
    a, b = nodes
    for part in ("query1", "data", "coordinator"):
        until(120, "all is quiet", lambda: is_whole(nodes))
        kill = lambda: subprocess.run([SERVER, "kill", OPTIONS.cluster, part], check=True)
        come_and_go(b, pictures, part, kill)
        record = a.ask(queries[0], f"without-{part}")
        say(f"while {part} is gone: {record['status']}, complete: {record['engine']['is_complete']}, {record['engine'].get('problem')}")
        time.sleep(10)
        subprocess.run([SERVER, "again", OPTIONS.cluster, part], check=True)
        count = lambda: sum(1 for path in b.inventory.rglob("*") if path.is_file())
        took = until(240, f"all is whole after {part}", lambda: is_whole(nodes) and b.indexed() == count())
        answer = a.root / f"answer/result_without-{part}.json"
        until(120, "the query is answered again", lambda: json.loads(answer.read_text())["engine"]["is_complete"])
        say(f"whole {took:.1f} s after {part} is there again")
        are_found(a, b, pictures, part)
        keys_agree(nodes, f"after {part}")


with Workplace(None, "nodes") as place:
    (place / "shared").mkdir()
    pictures = distinct(OPTIONS.pictures, 2 * OPTIONS.each + 40, place / "pictures")
    extra, pictures = pictures[-40:], pictures[:-40]
    queries = sorted(path for folder in OPTIONS.pictures for path in (Path(folder) / "query").rglob("*") if path.is_file())
    queries = queries[:: max(1, len(queries) // 30)][:30]
    began = time.monotonic()
    nodes = [Node(place, "a", pictures[0::2], trains=True), Node(place, "b", pictures[1::2], trains=False)]
    until(3_600, "one model on both", lambda: is_whole(nodes))
    say(f"{len(pictures)} pictures on two nodes; one model on both after {time.monotonic() - began:.1f} s")
    keys_agree(nodes, "at first")
    each_finds_the_others(nodes)
    both_answer_the_same(nodes, queries)
    pictures_go_move_and_come(nodes, place)
    if OPTIONS.engine_pid:
        the_engine_hangs(nodes, queries, extra)
    a_node_is_killed(nodes, extra)
    if OPTIONS.cluster:
        parts_of_the_engine_are_killed(nodes, extra, queries)
    new_models(nodes, queries, place)
    for node in nodes:
        node.service.process.send_signal(signal.SIGTERM)
        node.service.process.wait()
        node.service.__exit__()

print("all is as it should be" if not FAILED else "\n".join(["NOT as it should be:"] + FAILED))
sys.exit(bool(FAILED))
