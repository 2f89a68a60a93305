"""The table of `growth.py`: which figures it has, in which order, and what should not grow with the number of pictures.

Not a bench itself.
"""

import sys

from service import percentile

#: Key, label, decimals, and what should be the same at every size: the figure ("same"), its share an item ("item"), or neither.
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
    ("search", "  of which the search, by the record: median ms", 1, "item"),
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
    ("distinct_search", "  of which the search, by the record: median ms", 1, "item"),
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
