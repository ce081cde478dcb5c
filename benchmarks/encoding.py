"""What turning raw columns into matrices costs: a large table beside scikit-learn and bare Arrow, and one request.

python benchmarks/encoding.py
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import pyarrow as pa
from sklearn.preprocessing import LabelEncoder

import gatewise as gw
from gatewise.data import TableEncoder
from page import machine
from reporting import digits, say, spread, table
from workload import NUMBERS, TASKS, VOCABULARIES, Rows, make_rows

COMMAND = "make bench PARTS=encoding"
REQUEST_ROWS = 200
REQUESTS = 50
REPEATS = 20
QUICK = {"rows": 20_000, "rounds": 1}

IDS = [f"c{i}" for i in range(len(VOCABULARIES))]
SCHEMA = gw.Schema(
    features=[*(gw.Categorical(name, dim=4) for name in IDS), *(gw.Numeric(f"d{i}") for i in range(NUMBERS))],
    tasks=[gw.Binary(TASKS[0])],
)
LEARN, OTHER, LABELS, BARE = (
    "learn and encode the training table",
    "encode another table",
    "`LabelEncoder.fit_transform`, column by column",
    "`dictionary_encode`, column by column",
)


def as_table(rows: Rows, as_text: bool) -> pa.Table:
    """Return rows as an Arrow table, its ids as strings or integers."""
    columns = {name: pa.array(np.ascontiguousarray(values)) for name, values in rows.columns().items()}
    if as_text:
        columns |= {name: columns[name].cast(pa.string()) for name in IDS}
    return pa.table(columns)


def as_objects(column: pa.ChunkedArray) -> np.ndarray:
    """Return strings as NumPy objects, equal ones as the same object, as pandas reads them from a file."""
    split = column.combine_chunks().dictionary_encode()
    return np.array(split.dictionary.to_pylist(), dtype=object)[split.indices.to_numpy()]


def seconds(work: Callable[[], object]) -> float:
    """Return how long a piece of work takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def time_labels(strings: pa.Table) -> float:
    """Return what scikit-learn takes; one column's objects at a time are in memory, and are not timed."""
    taken = 0.0
    for name in IDS:
        objects = as_objects(strings[name])
        taken += seconds(lambda c=objects: LabelEncoder().fit_transform(c))
    return taken


def time_bare(strings: pa.Table) -> float:
    """Return what Arrow takes to find distinct values and codes, in one thread."""
    return sum(seconds(strings[name].combine_chunks().dictionary_encode) for name in IDS)


def measure_tables(training: Rows, other: Rows, rounds: int) -> dict[tuple[str, str], list[float]]:
    """Return seconds a round by what was done to which kind of ids; all are measured in turn in every round."""
    tables = {
        kind: [as_table(rows, kind == "strings") for rows in (training, other)] for kind in ("strings", "integers")
    }
    encoders = {kind: TableEncoder.fit(SCHEMA, first)[0] for kind, (first, _) in tables.items()}
    taken: dict[tuple[str, str], list[float]] = {}
    for turn in range(rounds):
        for kind, (first, second) in tables.items():
            taken.setdefault((LEARN, kind), []).append(seconds(lambda t=first: TableEncoder.fit(SCHEMA, t)))
            taken.setdefault((OTHER, kind), []).append(seconds(lambda e=encoders[kind], t=second: e.encode(t)))
        taken.setdefault((LABELS, "strings"), []).append(time_labels(tables["strings"][0]))
        taken.setdefault((BARE, "strings"), []).append(time_bare(tables["strings"][0]))
        say(f"round {turn + 1}/{rounds}: " + ", ".join(f"{digits(found[-1])} s" for found in taken.values()))
    return taken


def table_lines(taken: dict[tuple[str, str], list[float]]) -> list[list[str]]:
    """Return one line a piece of work, compared with our learning from strings in the same round."""
    ours = taken[LEARN, "strings"]
    names = {LABELS: "scikit-learn", BARE: "pyarrow"}
    lines = []
    for (what, kind), found in taken.items():
        ratios = spread([theirs / own for theirs, own in zip(found, ours, strict=True)]) if found is not ours else "1"
        lines.append([names.get(what, "Gatewise"), what, kind, f"{spread(found)} s", ratios])
    return lines


def requests(rows: Rows, as_text: bool) -> list[dict[str, np.ndarray]]:
    """Return requests of raw rows: a dict of NumPy arrays each, strings as objects."""
    found = []
    for start in range(0, REQUESTS * REQUEST_ROWS, REQUEST_ROWS):
        columns = rows[start : start + REQUEST_ROWS].features()
        found.append({n: v.astype(str).astype(object) if as_text and n in IDS else v for n, v in columns.items()})
    return found


def latency_lines(training: Rows, other: Rows) -> list[list[str]]:
    """Return one line a kind of request; no request is like the one before."""
    lines = []
    for kind in ("strings", "integers"):
        encoder, _ = TableEncoder.fit(SCHEMA, as_table(training, kind == "strings"))
        arrays = requests(other, kind == "strings")
        lists = [{name: values.tolist() for name, values in request.items()} for request in arrays]
        first = seconds(lambda e=encoder, r=arrays[0]: e.encode(r, labels=False))
        for name, asked in (("NumPy arrays", arrays), ("lists", lists)):
            taken = [seconds(lambda e=encoder, r=r: e.encode(r, labels=False)) for _ in range(REPEATS) for r in asked]
            p50, p99 = (f"{digits(1e3 * float(np.quantile(taken, level)))} ms" for level in (0.5, 0.99))
            lines.append([f"dict of {name}", kind, p50, p99, f"{digits(1e3 * first)} ms" if asked is arrays else ""])
    return lines


def section(rows: int = 1_000_000, rounds: int = 3) -> str:
    """Measure and return the section."""
    say(f"encoding: {rows:,} rows are drawn twice")
    training, other = make_rows(rows, seed=0), make_rows(rows, seed=1)
    return (
        f"## Encoding\n\n`{COMMAND}`; {machine()}, pyarrow {pa.__version__} with {pa.cpu_count()} threads; median of "
        f"{rounds} rounds and range, all in turn in every round.\n\n"
        f"{rows:,} rows in memory: {len(IDS)} id columns of up to {max(VOCABULARIES):,} values, {NUMBERS} numbers and "
        "a label. Gatewise encodes all of them, scikit-learn and pyarrow the id columns alone; pyarrow's distinct "
        "values and codes, found in one thread, are what learning cannot do without.\n\n"
        + table(["", "work", "ids", "time", "ratio to the first"], table_lines(measure_tables(training, other, rounds)))
        + f"\nA request of {REQUEST_ROWS} raw rows, {len(SCHEMA.features)} features, {REQUESTS * REPEATS:,} requests; "
        "the first one to a new encoder also prepares its vocabularies:\n\n"
        + table(["request", "ids", "p50", "p99", "first"], latency_lines(training, other))
    )


if __name__ == "__main__":
    print(section())
