#!/usr/bin/env python3
"""Several nodes and one Milvus: does each find what the others have, and what does an outage do?

    benches/nodes.py PROGRAM PICTURES [--url http://127.0.0.1:19530] [--each 200] [--engine-pid PID]

PROGRAM is built with `--features milvus`; PICTURES a folder with an inventory of labelled pictures. Where Milvus has a network name space of
its own, run this in it: `ip netns exec NAME benches/nodes.py ...`. Two nodes get EACH pictures; one trains. Measured: seconds until each
finds the other's, recall@10 of a query over both against one daemon that has all, seconds until a removed, a moved and a new picture show;
with --engine-pid, that process is stopped for 20 s while pictures come and go; and one node is killed while it reads. At the end
each node's pictures are found by the other, and nothing that is gone is. Exit code 1 where something is not as it should be.
"""

import argparse, json, os, shutil, signal, subprocess, sys, time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from service import Service, Workplace

OPTIONS = argparse.ArgumentParser()
OPTIONS.add_argument("program")
OPTIONS.add_argument("pictures")
OPTIONS.add_argument("--url", default="http://127.0.0.1:19530")
OPTIONS.add_argument("--each", type=int, default=200)
OPTIONS.add_argument("--engine-pid", type=int)
OPTIONS = OPTIONS.parse_args()
PROGRAM = str(Path(OPTIONS.program).resolve())
FAILED = []


def settings(place: Path, name: str, trains: bool, engine: bool) -> str:
    shared = f'[index]\nengine = "milvus"\nurl = "{OPTIONS.url}"\npatience_s = 3\n[node]\nname = "{name}"\nshared = "{place}/shared"\n'
    shared += f'trains = {str(trains).lower()}\npictures = "{place}/{{node}}/db/img_inventory_raw"\n'
    return "[answer]\nresults = 10\n[model]\nquiet_s = 1\n" + (shared if engine else "")


class Node:
    def __init__(self, place: Path, name: str, pictures: list, trains=True, engine=True):
        self.name, self.root = name, place / name
        (self.root / "config").mkdir(parents=True)
        self.inventory = self.root / "db/img_inventory_raw"
        self.inventory.mkdir(parents=True)
        (self.root / "config/artificio.toml").write_text(settings(place, name, trains, engine))
        for picture in pictures:
            shutil.copy(picture, self.inventory / picture.name)
        self.start()

    service = None

    def start(self):
        """Again, after it was killed."""
        if self.service:
            self.service.__exit__()
        self.service = Service(PROGRAM, self.root, has_manager=False)

    def status(self) -> dict:
        try:
            return json.loads((self.root / "db/state/status.json").read_text())
        except (OSError, ValueError):
            return {}

    def ask(self, picture: Path, name: str) -> dict:
        """The record, which is new."""
        record = self.root / f"answer/result_{name}.json"
        record.unlink(missing_ok=True)
        shutil.copy(picture, self.root / "query" / f"{name}{picture.suffix}")
        until(60, f"{self.name} answers {name}", record.exists)
        return json.loads(record.read_text())

    def found(self, picture: Path, name: str) -> list:
        return [(found.get("node"), found["path"]) for found in self.ask(picture, name)["matches"]]


def until(seconds: float, what: str, holds) -> float:
    started = time.monotonic()
    while not holds():
        if time.monotonic() - started > seconds:
            FAILED.append(what)
            print(f"NOT within {seconds} s: {what}")
            break
        time.sleep(0.1)
    return time.monotonic() - started


def check(what: str, holds: bool):
    print(f"{'ok ' if holds else 'NOT'} {what}")
    if not holds:
        FAILED.append(what)


def is_whole(nodes: list) -> bool:
    parts = [node.status() for node in nodes]
    models = {part.get("model", {}).get("id") for part in parts}
    return len(models) == 1 and all(
        part.get("engine", {}).get("state") == "ready" and part["engine"]["pending"] == 0 and part["model"]["training"] is None
        and part["model"]["trained_on"] > 0 and part["inventory"]["pending"] == 0
        and len(part["engine"]["nodes"]) == len(nodes) and all(one["is_complete"] for one in part["engine"]["nodes"])
        for part in parts
    )


def numbers(node: Node) -> tuple:
    status = node.status()
    return status.get("inventory", {}).get("indexed"), status.get("engine", {}).get("pending")


with Workplace(None, "nodes") as place:
    (place / "shared").mkdir()
    pictures = sorted(path for path in (Path(OPTIONS.pictures) / "inventory").rglob("*") if path.is_file())
    queries = sorted(path for path in (Path(OPTIONS.pictures) / "query").rglob("*") if path.is_file())[:30]
    step = max(1, len(pictures) // (2 * OPTIONS.each))
    pictures = pictures[::step][: 2 * OPTIONS.each]
    a, b = Node(place, "a", pictures[0::2], trains=True), Node(place, "b", pictures[1::2], trains=False)
    nodes = [a, b]
    print(f"{len(pictures)} pictures on two nodes; one model on both after {until(300, 'one model on both', lambda: is_whole(nodes)):.1f} s")

    for one, other in [(a, b), (b, a)]:
        sample = sorted(other.inventory.iterdir())[:: max(1, OPTIONS.each // 20)][:20]
        hits = sum((other.name, picture.name) in one.found(picture, f"of-{at}") for at, picture in enumerate(sample))
        check(f"{one.name} finds {hits} of {len(sample)} pictures of {other.name} by themselves", hits == len(sample))

    # What one daemon with all pictures and the same model answers: its catalog is that of the node that trains.
    answers = [a.found(query, f"q{at}") for at, query in enumerate(queries)]
    both = [b.found(query, f"q{at}") for at, query in enumerate(queries)]
    agreement = [len({path for _, path in one} & {path for _, path in other}) / max(1, len(one)) for one, other in zip(answers, both) if one]
    print(f"both nodes agree on {sum(agreement) / max(1, len(agreement)):.3f} of the ten nearest of {len(agreement)} queries")
    kinds = lambda found: [path.split("__")[0] for _, path in found]
    right = [sum(kind == query.name.split("__")[0] for kind in kinds(found)) / max(1, len(found)) for query, found in zip(queries, answers) if found]
    print(f"precision of these {sum(right) / max(1, len(right)):.3f}")

    gone, moved, new = sorted(b.inventory.iterdir())[:3]
    kept = place / gone.name
    shutil.copy(gone, kept)
    gone.unlink()
    took = until(10, "a removed picture is gone", lambda: (b.name, gone.name) not in a.found(kept, "gone"))
    (b.inventory / "deep").mkdir()
    moved.rename(b.inventory / "deep" / moved.name)
    copy = b.inventory / "deep" / moved.name
    again = until(10, "a moved picture has moved", lambda: {(b.name, moved.name), (b.name, f"deep/{moved.name}")} & set(a.found(copy, "moved")) == {(b.name, f"deep/{moved.name}")})
    shutil.copy(kept, b.inventory / "new.jpg")
    fresh = until(10, "a new picture is found", lambda: (b.name, "new.jpg") in a.found(kept, "new"))
    print(f"removed after {took:.1f} s, moved after {again:.1f} s, new after {fresh:.1f} s")

    if OPTIONS.engine_pid:
        until(30, "all is quiet", lambda: is_whole(nodes))
        os.kill(OPTIONS.engine_pid, signal.SIGSTOP)
        began = time.monotonic()
        record = a.ask(queries[0], "away")
        waited = time.monotonic() - began
        check(f"a query waits {waited:.1f} s and says what is missing: {record['message']}", record["status"] == "partial" and not record["engine"]["is_complete"])
        before = numbers(b)[0]
        for at in range(30):
            shutil.copy(pictures[-1], b.inventory / f"away-{at:02}.jpg")
        until(60, "pictures are read while the engine is away", lambda: numbers(b)[0] == before + 30)
        began_again = time.monotonic()
        a.ask(queries[1], "away-too")
        check(f"the next query does not wait: {time.monotonic() - began_again:.1f} s", time.monotonic() - began_again < 5)
        time.sleep(max(0, 20 - (time.monotonic() - began)))
        check(f"30 pictures were read meanwhile; {numbers(b)[1]} changes wait", True)
        os.kill(OPTIONS.engine_pid, signal.SIGCONT)
        took = until(90, "the engine has them", lambda: is_whole(nodes))
        whole = lambda: json.loads((a.root / "answer/result_away.json").read_text())["engine"]["is_complete"]
        took_again = until(60, "the query is answered again", whole)
        print(f"after it came back: all sent after {took:.1f} s, answered again after {took_again:.1f} s")

    # New models while both are asked, and a node is killed in the middle.
    until(60, "all is quiet before new models", lambda: is_whole(nodes))
    asked, mixed, lacking = 0, 0, 0
    for round, killed in enumerate([None, b, a]):
        before = a.status()["model"]["id"]
        subprocess.run([PROGRAM, "--root", str(a.root), "train"], capture_output=True, timeout=120)
        began = time.monotonic()
        while not (is_whole(nodes) and a.status()["model"]["id"] != before):
            if time.monotonic() - began > 240:
                FAILED.append(f"round {round}: no new model on both")
                break
            if killed and time.monotonic() - began > 1 + round:
                killed.service.process.send_signal(signal.SIGKILL)
                killed.service.process.wait()
                killed.start()
                killed = None
            for node in nodes:
                record = node.ask(queries[asked % len(queries)], f"x{asked}")
                asked += 1
                generation = record.get("engine", {}).get("generation")
                plain = record["model"]["id"].replace("-", "_")
                mixed += generation is not None and not generation.startswith(plain + "_")
                lacking += not record["engine"]["is_complete"]
        print(f"round {round}: {before} to {a.status()['model']['id']} on both after {time.monotonic() - began:.1f} s")
    incomplete = lambda: [path.name for node in nodes for path in (node.root / "answer").glob("result_x*.json") if not json.loads(path.read_text())["engine"]["is_complete"]]
    took = until(120, "incomplete answers are given again", lambda: not incomplete())
    check(f"{asked} queries during new models: {mixed} mix models, {lacking} lacked pictures and said so, all of them whole {took:.1f} s later", mixed == 0)

    # A node is killed while it reads.
    for at in range(40):
        shutil.copy(pictures[at], b.inventory / f"killed-{at:02}{pictures[at].suffix}")
    time.sleep(1.5)
    b.service.process.send_signal(signal.SIGKILL)
    b.service.process.wait()
    for at in range(0, 40, 2):
        (b.inventory / f"killed-{at:02}{pictures[at].suffix}").unlink(missing_ok=True)
    b.start()
    until(120, "all is whole after the kill", lambda: is_whole(nodes) and numbers(b)[0] == sum(1 for path in b.inventory.rglob("*") if path.is_file()))
    present = [(b.name, f"killed-{at:02}{pictures[at].suffix}") in a.found(pictures[at], f"k{at}") for at in range(40)]
    check(f"after the kill {sum(present[1::2])} of 20 are found, and {sum(present[0::2])} of 20 that went", all(present[1::2]) and not any(present[0::2]))
    for node in nodes:
        node.service.process.send_signal(signal.SIGTERM)
        node.service.process.wait()
        node.service.__exit__()

print("all is as it should be" if not FAILED else "\n".join(["NOT as it should be:"] + FAILED))
sys.exit(bool(FAILED))
