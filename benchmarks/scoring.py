"""Serving: how long 200 candidates take, and how many rows a second whole tables are scored with."""

from __future__ import annotations

import argparse
from statistics import median

import numpy as np

from contestants import DEEPCTR, OURS, RECHUB
from page import machine
from race import Race, race
from reporting import digits, libraries, say, spread, table
from workload import WORKLOADS, Workload, make_rows

COMMAND = "make bench PARTS=scoring"
NAMES = (OURS, RECHUB, DEEPCTR)
ROWS = 200_000
CANDIDATES = 200
BLOCKS = 20
CALLS = 60
BATCH_SIZES = (1024, 4096, 16_384)
OWN = 0
QUICK = {"rows": 20_000, "blocks": 4, "rounds": 1}


def latencies(running: Race, method: str, blocks: int) -> dict[str, np.ndarray]:
    """Return every contestant's milliseconds a call; blocks alternate, and a first one does not count."""
    running.each(method, calls=CALLS)
    taken = [running.each(method, calls=CALLS) for _ in range(blocks)]
    return {name: 1e3 * np.array([block[name] for block in taken]).ravel() for name in running.workers}


def bulk(running: Race, rows: int, rounds: int) -> dict[str, tuple[list[float], int]]:
    """Return every contestant's rows a second, time by time, with the batch size that is its best."""
    rates: dict[str, dict[int, list[float]]] = {}
    for turn in range(1, rounds + 1):
        for size in BATCH_SIZES:
            for name, seconds in running.each("time_bulk", rows=rows, batch_size=size).items():
                rates.setdefault(name, {}).setdefault(OWN if name == OURS else size, []).append(rows / seconds)
            say(f"bulk, round {turn}/{rounds}: batches of {size:,}")
    best = {name: max(sizes, key=lambda size: median(sizes[size])) for name, sizes in rates.items()}
    return {name: (rates[name][size], size) for name, size in best.items()}


def part(workload: Workload, rows: int, blocks: int, rounds: int) -> str:
    """Return one workload's table."""
    say(f"{workload.name}: {rows:,} rows are drawn")
    with race(workload, make_rows(rows), dict.fromkeys(NAMES, rows)) as running:
        running.each("make_calls", candidates=CANDIDATES)
        say(f"{workload.name}: {blocks * CALLS:,} calls of each model")
        model = latencies(running, "time_model", blocks)
        say(f"{workload.name}: {blocks * CALLS:,} calls of each library")
        whole = latencies(running, "time_whole", blocks)
        tables = bulk(running, rows, rounds)
    lines = []
    for name in running.workers:
        rates, size = tables[name]
        batch = "its own" if size == OWN else f"{size:,}"
        lines.append([name, *percentiles(model[name]), *percentiles(whole[name]), spread(rates), batch])
    header = ["", "model p50", "p99", "columns to predictions p50", "p99", "bulk, rows/s", "batch"]
    return f"### {workload.name}\n\n{table(header, lines)}{running.failure_lines()}"


def percentiles(milliseconds: np.ndarray) -> list[str]:
    """Return median and 99th percentile."""
    return [f"{digits(float(np.percentile(milliseconds, share)))} ms" for share in (50, 99)]


def section(rows: int = ROWS, blocks: int = BLOCKS, rounds: int = 3) -> str:
    """Measure both workloads and return the section."""
    parts = [part(workload, rows, blocks, rounds) for workload in WORKLOADS.values()]
    return (
        f"## Scoring\n\n`{COMMAND}`; {machine()}, {libraries()}; {blocks * CALLS:,} calls of {CANDIDATES} candidates "
        f"each, contestants in alternating blocks of {CALLS}; bulk: median of {rounds} rounds and their range.\n\n"
        "The model alone is its eager forward pass in evaluation mode on tensors that are ready. From columns to "
        "predictions is what each library offers for numpy columns: `Ranker.predict`, `MTLTrainer.predict` over a "
        f"`DataLoader`, `model.predict`. There Gatewise also looks raw values up in its vocabularies; the peers are "
        f"given ids. Bulk is the same with {rows:,} rows, the peers at the best batch size of "
        f"{', '.join(f'{size:,}' for size in BATCH_SIZES)}.\n\n" + "\n".join(parts)
    )


def main() -> None:
    """Print the section."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--blocks", type=int, default=BLOCKS)
    parser.add_argument("--rounds", type=int, default=3)
    print(section(**vars(parser.parse_args())))


if __name__ == "__main__":
    main()
