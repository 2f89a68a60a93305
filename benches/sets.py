#!/usr/bin/env python3
"""Query sets of any size: the service's peak memory, seconds and CPU seconds for sets of so many pictures of 1300×1300, then for one
picture more, and what a single query took that was dropped while the largest set was being answered.

    benches/sets.py PROGRAM [--sizes 300,10000] [--side 1300]

The pictures are generated; the standard library suffices.
"""

import argparse, json, struct, time, zlib

from service import Service, Workplace, count_of


def picture(side: int, number: int) -> bytes:
    """A PNG of that many pixels a side."""
    chunk = lambda kind, data: struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    rows, packed = zlib.compressobj(1), b""
    for y in range(side):
        row = bytes((x * (number % 7 + 1) ^ y * (number % 5 + 1)) & 0xF0 for x in range(0, side)) * 3
        packed += rows.compress(b"\0" + row)
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    data = packed + rows.flush()
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("program")
    parser.add_argument("--sizes", default="300,10000")
    parser.add_argument("--side", type=int, default=1300)
    options = parser.parse_args()
    patterns = [picture(options.side, number) for number in range(12)]
    with Workplace(None, "sets") as root:
        inventory = root / "db/img_inventory_raw"
        inventory.mkdir(parents=True)
        for number, pattern in enumerate(patterns):
            (inventory / f"{number}.png").write_bytes(pattern)
        with Service(options.program, root) as service:
            service.wait_ready()
            service.wait_indexed(len(patterns))
            service.wait_quiet()
            print(f"{'':>8}{'peak MB':>10}{'seconds':>10}{'CPU s':>10}{'one more: s':>14}{'CPU s':>10}   record")
            print(f"{'before':>8}{service.memory_mb()[1]:>10.0f}")
            for size in map(count_of, options.sizes.split(",")):
                report(service, root, patterns, size)


def report(service, root, patterns, size):
    """One row: a set of `size` pictures."""
    name, made = f"set{size}", root / "making"
    made.mkdir()
    for number in range(size):
        # What follows the end of a PNG is no part of the picture, but makes another content.
        (made / f"{number:06}.png").write_bytes(patterns[number % len(patterns)] + str(number).encode())
    record = root / "answer" / f"result_{name}.json"

    def answered(count):
        begun, cpu = time.monotonic(), service.cpu_s()
        while True:
            service.check()
            try:
                query = json.loads(record.read_text())["query"]
                if len(query["files"]) + query.get("unused", 0) == count:
                    return time.monotonic() - begun, service.cpu_s() - cpu, query
            except (OSError, ValueError):
                pass
            time.sleep(0.05)

    made.rename(root / "query" / name)
    time.sleep(1.5)
    single = service.answered_ms(service.drop(f"single{size}", patterns[0]))
    seconds, cpu, query = answered(size)
    (root / "query" / name / "zzz.png").write_bytes(patterns[1] + b"one more")
    more = answered(size + 1)
    what = f"{len(query['files'])} files, {query.get('unused', 0)} unused, {record.stat().st_size // 1000} kB; single query meanwhile {single:.0f} ms"
    print(f"{size:>8}{service.memory_mb()[1]:>10.0f}{seconds:>10.1f}{cpu:>10.1f}{more[0]:>14.1f}{more[1]:>10.1f}   {what}", flush=True)


if __name__ == "__main__":
    main()
