#!/usr/bin/env python3
"""The search in our index beside faiss, in turn on the same machine: CPU time, and what of the exact answer is found.

    benches/search_vs_faiss.py [--sizes 10k,100k,1M] [--work FOLDER] [--real PROGRAM PICTURES...]

- Time: simulated embeddings of 192 values at unit length, in groups that differ in few directions, as real ones do. Each query
  is asked alone, on one thread, for the 200 nearest by cosine: from its embedding to 200 pictures in their order. Ours averages
  and orders them as well, which costs the same at every size ("ranking"). faiss: `IndexFlatIP`, which is exact float32, and
  `IndexScalarQuantizer` with QT_8bit, which has 8 bits a value as our scan has, and no exact order after it. Three turns each;
  the fastest counts.
- recall@10: how many of the 10 nearest by float32 are among the first 10 of ours, before they are averaged. `--real` has
  PROGRAM index and train on folders of pictures, such as `inventory/` of sets for `artificio evaluate`; then every
  embedding asks for the others.

Needs: pip install numpy faiss-cpu. Our side is built with CARGO_PROFILE (dev by default). A million takes 4 GB of memory.
"""

import argparse, os, re, shutil, subprocess, sys, time
from pathlib import Path

sys.dont_write_bytecode = True
from service import Service, Stopped, Workplace, count_of

try:
    import faiss
    import numpy as np
except ImportError as missing:
    sys.exit(f"{missing}: python3 -m venv VENV, VENV/bin/pip install numpy faiss-cpu, and run this with VENV/bin/python")

WIDTH, SHORTLIST, QUERIES, TURNS = 192, 300, 40, 3
GROUPS, DIRECTIONS = 2_000, 40
#: In a measurement; as in benches/search.rs.
ROWS_COMPARED = 20_000_000


def at_unit_length(rows):
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)


def simulated(count: int, seed: int):
    """Members of groups. Groups and the directions within them have variances that fall, and a little noise is in all values."""
    shape = np.random.default_rng(0)
    scale = (1.0 / np.sqrt(1.0 + np.arange(WIDTH))).astype(np.float32)
    groups = shape.standard_normal((GROUPS, WIDTH), dtype=np.float32) * scale
    directions = shape.standard_normal((DIRECTIONS, WIDTH), dtype=np.float32) * scale / np.sqrt(DIRECTIONS)
    random, rows = np.random.default_rng(seed), np.empty((count, WIDTH), dtype=np.float32)
    for start in range(0, count, 50_000):
        size = min(50_000, count - start)
        within = random.standard_normal((size, DIRECTIONS), dtype=np.float32) @ directions
        noise = random.standard_normal((size, WIDTH), dtype=np.float32) * scale * 0.1
        rows[start : start + size] = at_unit_length(groups[random.integers(GROUPS, size=size)] + within + noise)
    return rows


def bench(*arguments: str) -> str:
    command = ["cargo", "bench", "--quiet", "--profile", os.environ.get("CARGO_PROFILE", "dev"), "--bench", "search", "--"]
    place = Path(__file__).resolve().parent.parent
    return subprocess.run(command + list(arguments), check=True, cwd=place, stdout=subprocess.PIPE, text=True).stdout


def ours(work: Path, queries, count: int):
    """CPU-ms a query and those of it for the ranking, and the positions found `[queries, count]`."""
    queries.astype("<f4").tofile(work / "queries")
    files = [str(work / name) for name in ("embeddings", "queries", "found")]
    output = bench(files[0], files[1], str(queries.shape[1]), str(count), files[2])
    took, ranking = re.findall(r"([\d.]+) (?:CPU ms/query|of it ranking)", output)
    return (float(took), float(ranking)), np.fromfile(work / "found", dtype="<u4").reshape(len(queries), -1)


def faiss_ms(index, queries) -> float:
    """CPU-ms a query."""
    rounds = max(1, ROWS_COMPARED // index.ntotal // len(queries))
    start = time.process_time()
    for query in [*queries] * rounds:
        index.search(query[None], SHORTLIST)
    return (time.process_time() - start) * 1e3 / (rounds * len(queries))


def recall_at_10(embeddings, queries, found, itself: bool) -> float:
    """Of the 10 nearest by float32, the share among the first 10 found. Where a query is one of the pictures (`itself`), it is
    asked for 11 and taken out. What is exactly as near as the tenth may stand in its place."""
    hits = 0
    for number, query in enumerate(queries):
        similarities = embeddings @ query
        answers = [position for position in found[number] if not (itself and position == number)][:10]
        if itself:
            similarities[number] = -np.inf
        tenth = np.partition(similarities, -10)[-10]
        hits += int(np.sum(similarities[answers] >= tenth))
    return hits / (10 * len(queries))


def time_beside_faiss(work: Path, count: int):
    embeddings, queries = simulated(count, 1), simulated(QUERIES, 2)
    embeddings.astype("<f4").tofile(work / "embeddings")
    flat, sq8 = faiss.IndexFlatIP(WIDTH), faiss.IndexScalarQuantizer(
        WIDTH, faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_INNER_PRODUCT
    )
    flat.add(embeddings)
    sq8.train(embeddings[:100_000])
    sq8.add(embeddings)
    best = {}
    for _ in range(TURNS):
        (took, ranking), found = ours(work, queries, SHORTLIST)
        turn = {"ours": took, "ranking": ranking, "flat": faiss_ms(flat, queries), "sq8": faiss_ms(sq8, queries)}
        best = {name: min(best.get(name, took), took) for name, took in turn.items()}
    quantized = sq8.search(queries, 10)[1]
    scan = best["ours"] - best["ranking"]
    print(
        f"{count:>9,} simulated, CPU-ms a query: artificio {best['ours']:.3f} (ranking {best['ranking']:.3f}), "
        f"faiss IndexFlatIP {best['flat']:.3f}, SQ8 {best['sq8']:.3f}\n"
        f"{'':>9} ours {best['ours'] / best['flat']:.2f} of IndexFlatIP, {best['ours'] / best['sq8']:.2f} of SQ8; "
        f"without the ranking {scan / best['flat']:.2f}, {scan / best['sq8']:.2f}\n"
        f"{'':>9} recall@10 {recall_at_10(embeddings, queries, found, False):.4f}, "
        f"SQ8 {recall_at_10(embeddings, queries, quantized, False):.4f}",
        flush=True,
    )


def recall_on_pictures(work: Path, program: str, folders: list[str]):
    root = work / "root"
    for number, folder in enumerate(folders):
        shutil.copytree(folder, root / "db/img_inventory_raw" / str(number))
    with Service(str(Path(program).resolve()), root) as service:
        inventory = lambda status: status["inventory"]
        service.wait(lambda status: inventory(status)["files"] > 0 and inventory(status)["pending"] == 0)
        service.wait(lambda status: status["model"]["trained_on"] > 0 and status["model"]["training"] is None)
        service.stop()
    width = int(bench("export", str(root), str(work / "embeddings")))
    embeddings = at_unit_length(np.fromfile(work / "embeddings", dtype="<f4").reshape(-1, width))
    embeddings.tofile(work / "embeddings")
    (took, _), found = ours(work, embeddings, SHORTLIST)
    recall = recall_at_10(embeddings, embeddings, found, True)
    print(f"{len(embeddings):>9,} real, each asks for the others: recall@10 {recall:.5f}; {took:.3f} CPU-ms a query", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--sizes", default="10k,100k,1M")
    parser.add_argument("--work")
    parser.add_argument("--real", nargs="+", metavar=("PROGRAM", "PICTURES"), default=[])
    options = parser.parse_args()
    faiss.omp_set_num_threads(1)
    try:
        with Workplace(options.work, "search") as work:
            for count in map(count_of, filter(None, options.sizes.split(","))):
                time_beside_faiss(work, count)
            if options.real:
                recall_on_pictures(work, options.real[0], options.real[1:])
    except (KeyboardInterrupt, Stopped, subprocess.CalledProcessError) as reason:
        sys.exit(f"not finished: {str(reason) or type(reason).__name__}")


main()
