"""Write the encoding section of docs/results.md: a million rows, 23 id columns and 8 numbers.

python scripts/encoding_results.py
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import numpy as np
import pyarrow as pa
from results_page import machine, write_section

import gatewise as gw
from gatewise.data import TableEncoder

ROWS = 1_000_000
ROUNDS = 3
VOCABULARIES = [240_000, 98, 14, 3, 8, 4, 4, 3, 5, 467_000, 6_900, 264_000]
VOCABULARIES += [80_000, 106, 43_000, 106, 43_000, 5_900, 51_000, 67_000, 6_800, 6_500, 4]
NUMBERS = 8


def make_table(as_text: bool) -> pa.Table:
    """Draw ids with few frequent and many rare values, numbers and a label."""
    rng = np.random.default_rng(0)
    columns: dict[str, pa.Array] = {}
    for i, size in enumerate(VOCABULARIES):
        ids = pa.array(np.minimum((size ** rng.random(ROWS)).astype(np.int64), size - 1))
        columns[f"c{i}"] = ids.cast(pa.string()) if as_text else ids
    columns |= {f"d{i}": pa.array(rng.normal(size=ROWS)) for i in range(NUMBERS)}
    return pa.table(columns | {"click": pa.array(rng.integers(0, 2, ROWS))})


def seconds(work: Callable[[], object]) -> str:
    """Return median and range over the rounds."""
    taken = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        work()
        taken.append(time.perf_counter() - started)
    return f"{statistics.median(taken):.2f} s ({min(taken):.2f} to {max(taken):.2f})"


def main() -> None:
    """Measure both kinds of ids and write the section."""
    features = [gw.Categorical(f"c{i}", dim=4) for i in range(len(VOCABULARIES))]
    schema = gw.Schema(features=[*features, *(gw.Numeric(f"d{i}") for i in range(NUMBERS))], tasks=[gw.Binary("click")])
    lines = ["| ids | learn and encode the training table | encode another table |", "|---|---|---|"]
    for kind, as_text in (("integers", False), ("strings", True)):
        table = make_table(as_text)
        encoder, _ = TableEncoder.fit(schema, table)
        cells = seconds(lambda t=table: TableEncoder.fit(schema, t)), seconds(lambda e=encoder, t=table: e.encode(t))
        lines.append(f"| {kind} | {cells[0]} | {cells[1]} |")
    write_section(
        "encoding",
        "## Encoding\n\n"
        f"`make results` ({ROWS:,} rows in memory, {len(VOCABULARIES)} id columns of up to "
        f"{max(VOCABULARIES):,} values, {NUMBERS} numbers, one label; median of {ROUNDS} rounds and their range)\n\n"
        f"{machine()}.\n\n" + "\n".join(lines) + "\n",
    )


if __name__ == "__main__":
    main()
