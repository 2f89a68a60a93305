#!/usr/bin/env python3
"""Upgrades catalogs of older versions with made-up rows: seconds, bytes a picture before and after, and what a kill -9 half-way costs.

    benches/upgrade.py PROGRAM [--from 3|5] [COUNT...]     # PROGRAM is this version's; from 5, 10000 and 100000 pictures by default

A million pictures take 11 GB of disk below $TMPDIR (from version 3, 17 GB), and minutes to make. Needs nothing but Python.
"""
import hashlib, os, signal, sqlite3, subprocess, sys, tempfile, time
from pathlib import Path

MODELS = """
CREATE TABLE models (number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, created_s INTEGER NOT NULL,
    encoder TEXT NOT NULL, trunk TEXT NOT NULL, trained_on INTEGER NOT NULL, source TEXT NOT NULL,
    reconstruction_error REAL NOT NULL, weights BLOB NOT NULL, is_current INTEGER NOT NULL, beside INTEGER NOT NULL DEFAULT 0,
    decision TEXT NOT NULL DEFAULT 'unchecked', reason TEXT NOT NULL DEFAULT '', figures TEXT NOT NULL DEFAULT 'null');
CREATE TABLE answers (query BLOB PRIMARY KEY, name TEXT NOT NULL UNIQUE, content BLOB, status TEXT NOT NULL,
    is_provisional INTEGER NOT NULL, answered_s INTEGER NOT NULL) WITHOUT ROWID;
PRAGMA application_id = 0x61727466;
"""
TABLES = {
    3: """
CREATE TABLE files (root INTEGER NOT NULL, path BLOB NOT NULL, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL,
    ctime_ns INTEGER NOT NULL, inode INTEGER NOT NULL, hash BLOB, problem TEXT, remedy TEXT, PRIMARY KEY (root, path)) WITHOUT ROWID;
CREATE INDEX files_by_hash ON files (hash);
CREATE TABLE features (hash BLOB NOT NULL, trunk TEXT NOT NULL, row BLOB NOT NULL, PRIMARY KEY (hash, trunk)) WITHOUT ROWID;
CREATE TABLE miniatures (hash BLOB PRIMARY KEY, kind TEXT NOT NULL, pixels BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE trained_pictures (model TEXT NOT NULL, hash BLOB NOT NULL, PRIMARY KEY (model, hash)) WITHOUT ROWID;
CREATE TABLE codes (model TEXT NOT NULL, hash BLOB NOT NULL, row BLOB NOT NULL, PRIMARY KEY (model, hash)) WITHOUT ROWID;
PRAGMA user_version = 3;
""",
    5: """
CREATE TABLE contents (id INTEGER PRIMARY KEY AUTOINCREMENT, hash BLOB NOT NULL UNIQUE, gone_s INTEGER);
CREATE TABLE files (root INTEGER NOT NULL, path BLOB NOT NULL, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL,
    ctime_ns INTEGER NOT NULL, inode INTEGER NOT NULL, content INTEGER, problem TEXT, remedy TEXT, PRIMARY KEY (root, path)) WITHOUT ROWID;
CREATE INDEX files_by_content ON files (content);
CREATE TABLE features (content INTEGER NOT NULL, trunk TEXT NOT NULL, row BLOB NOT NULL, UNIQUE (trunk, content));
CREATE TABLE miniatures (content INTEGER PRIMARY KEY, kind TEXT NOT NULL, pixels BLOB NOT NULL);
CREATE INDEX miniatures_by_kind ON miniatures (kind);
CREATE TABLE trained_pictures (model TEXT NOT NULL, root INTEGER NOT NULL, hash BLOB NOT NULL, folders BLOB,
    PRIMARY KEY (model, root, hash)) WITHOUT ROWID;
CREATE TABLE codes (content INTEGER NOT NULL, model TEXT NOT NULL, row BLOB NOT NULL, UNIQUE (model, content));
PRAGMA user_version = 5;
""",
}
FEATURES, MINIATURE, EMBEDDING, MODEL = 2 * 1280, 1024, 4 * 192, "m1-made-up"


def made_up(catalog, count, version):
    """Rows as the program of that version wrote them: a picture at a time, by the hash or number of its content. Returns the payload
    in bytes."""
    connection = sqlite3.connect(catalog, isolation_level=None)
    page = 4096 if version == 3 else 8192
    connection.executescript(f"PRAGMA page_size = {page}; PRAGMA journal_mode = wal; PRAGMA synchronous = off;" + TABLES[version] + MODELS)
    noise, payload = os.urandom(1 << 20), 0
    blob = lambda number, size: noise[(start := number * 7919 % (len(noise) - size)):start + size]
    for first in range(0, count, 256):
        connection.execute("BEGIN")
        for number in range(first, min(first + 256, count)):
            digest = hashlib.blake2b(b"%d" % number, digest_size=32).digest()
            path, stamp = b"%04d/IMG_%07d.jpg" % (number // 1000, number), 1_790_000_000_000_000_000 + number
            content = digest
            if version == 5:
                content = connection.execute("INSERT INTO contents (hash) VALUES (?)", (digest,)).lastrowid
            key = "hash" if version == 3 else "content"
            connection.execute("INSERT INTO files VALUES (1, ?, ?, ?, ?, ?, ?, NULL, NULL)",
                               (path, 1_400_000 + number, stamp, stamp, 20_000_000 + number, content))
            connection.execute("INSERT INTO features VALUES (?, 'lite0-288-centred-1', ?)", (content, blob(number, FEATURES)))
            connection.execute("INSERT INTO miniatures VALUES (?, 'grey32-1', ?)", (content, blob(number, MINIATURE)))
            connection.execute(f"INSERT INTO codes (model, {key}, row) VALUES (?, ?, ?)", (MODEL, content, blob(number, EMBEDDING)))
            payload += FEATURES + MINIATURE + EMBEDDING + 32 + 32 + len(path)
        connection.execute("COMMIT")
    # Its weights are none: the program trains another model, and keeps this one's embeddings until then.
    connection.execute("INSERT INTO models VALUES (1, ?, 1, 'pretrained', 'of another program', 9, 'inventory', 0.5, x'', 0, 0, "
                       "'passed', '', 'null')", (MODEL,))
    connection.execute("PRAGMA wal_checkpoint(truncate)").fetchall()
    connection.close()
    return payload


def version_of(catalog):
    with open(catalog, "rb") as file:
        file.seek(60)
        return int.from_bytes(file.read(4), "big")


def upgrade(program, root, version, kill_after=None):
    """Runs the service until the catalog is upgraded, or is killed; returns its wall and CPU seconds until then."""
    catalog, started = root / "db/state/catalog.sqlite", time.monotonic()
    with open(root / "log", "ab") as log:
        service = subprocess.Popen([program, "--root", root, "run"], stderr=log)
    try:
        while version_of(catalog) == version:
            if kill_after is not None and time.monotonic() > started + kill_after:
                break
            if service.poll() is not None:
                sys.exit(f"the service ended:\n{(root / 'log').read_text()}")
            time.sleep(0.02)
        fields = Path(f"/proc/{service.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return time.monotonic() - started, (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    finally:
        service.send_signal(signal.SIGKILL)
        service.wait()


def rows(catalog):
    connection = sqlite3.connect(catalog)
    counts = [connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in ("files", "features", "miniatures", "codes")]
    health = connection.execute("PRAGMA quick_check").fetchone()[0]
    connection.close()
    return counts, health


def measure(program, version, count):
    with tempfile.TemporaryDirectory() as place:
        root = Path(place)
        state, catalog = root / "db/state", root / "db/state/catalog.sqlite"
        state.mkdir(parents=True)
        payload = made_up(catalog, count, version)
        before = catalog.stat().st_size
        # How long it takes, without knowing: killed after ever longer times until one is too late.
        kills, patience = 0, 0.05
        while True:
            seconds, cpu = upgrade(program, root, version, kill_after=patience)
            if version_of(catalog) != version:
                break
            kills, patience = kills + 1, patience * 1.6
        counts, health = rows(catalog)
        assert counts == [count] * 4 and health == "ok", (counts, health)
        after = catalog.stat().st_size
        former = state / f"catalog.sqlite.version-{version}"
        print(f"{count} pictures of version {version}: {before / count:.0f} bytes each before ({before / payload:.2f} times the payload), {after / count:.0f} "
              f"after ({after / payload:.2f}); upgraded in {seconds:.1f} s, {cpu:.1f} CPU-s, after {kills} kills half-way; "
              f"no row lost; the former file is {'kept' if former.exists() else 'not kept'}", flush=True)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    arguments, version = sys.argv[2:], 5
    if arguments[:1] == ["--from"]:
        version, arguments = int(arguments[1]), arguments[2:]
    for number in [int(argument) for argument in arguments] or [10_000, 100_000]:
        measure(Path(sys.argv[1]).resolve(), version, number)
