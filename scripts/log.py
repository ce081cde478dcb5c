"""Make a log of day files that is larger than memory: rows of the benchmark's narrow workload, from a planted model.

python scripts/log.py --rows 8_000_000 [--days 8] [--folder logs/8m] [--drift] [--positives-first] [--valid 200_000]

Writes ``train/DAY.parquet``, ``valid.parquet`` and ``recipe.yaml`` into the folder. The model that draws the labels is
the same for any number of rows. With ``--drift`` other ids become frequent from day to day; with ``--positives-first``
all rows with a click come first, which training in the order of the files does not survive.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

sys.path.insert(0, str(Path(__file__).parent.parent / "benchmarks"))
from workload import NUMBERS, RATES, TASKS, VOCABULARIES, W1, effects

PIECE = 250_000
"""Rows that are drawn at once."""
RECIPE = """# gatewise train {folder}/recipe.yaml
data: {{train: train, valid: valid.parquet}}
features:
{features}
tasks:
  - {{kind: binary, name: click}}
  - {{kind: binary, name: purchase}}
model: {{kind: mmoe, experts: {experts}, expert_dims: [{expert}], tower_dims: [{tower}]}}
training: {{epochs: 1, batch_size: {batch}, lr: {lr}, memory: 1 GB}}
output: {folder}/run
"""


class Planted:
    """The model that draws the labels: what every value adds to both tasks' log odds.

    Args:
        seed: of the model.
        drift: whether other ids become frequent from day to day.
    """

    def __init__(self, seed: int = 0, *, drift: bool = False) -> None:
        rng = np.random.default_rng(seed)
        self.seed, self.drift = seed, drift
        self.of_numbers = effects(rng, NUMBERS)
        self.of_ids = [effects(rng, size) for size in VOCABULARIES]
        logits = self._logits(*self._features(np.random.default_rng([seed, 1, 0]), PIECE, 0))
        self.shift = [_shift(logits[:, task], rate) for task, rate in enumerate(RATES)]

    def rows(self, count: int, day: int, piece: int) -> pa.Table:
        """Return rows of a day; the same for the same numbers."""
        rng = np.random.default_rng([self.seed, 2, day, piece])
        ids, numbers = self._features(rng, count, day)
        odds = self._logits(ids, numbers) + self.shift
        labels = (rng.random(odds.shape) < 1 / (1 + np.exp(-odds))).astype(np.int8)
        columns = {f"c{place}": values for place, values in enumerate(ids)}
        columns |= {f"d{place}": numbers[:, place] for place in range(NUMBERS)}
        return pa.table(columns | {task: labels[:, place] for place, task in enumerate(TASKS)})

    def _features(self, rng: np.random.Generator, count: int, day: int) -> tuple[list[np.ndarray], np.ndarray]:
        moved = day / 100 if self.drift else 0.0
        ids = [
            (np.minimum((size + 1.0) ** rng.random(count) - 1, size - 1).astype(np.int64) + int(moved * size)) % size
            for size in VOCABULARIES
        ]
        return ids, rng.standard_normal((count, NUMBERS), dtype=np.float32)

    def _logits(self, ids: list[np.ndarray], numbers: np.ndarray) -> np.ndarray:
        found: np.ndarray = numbers @ self.of_numbers
        for values, effect in zip(ids, self.of_ids, strict=True):
            found += effect[values]
        return found


def _shift(logits: np.ndarray, rate: float) -> float:
    """Return what makes the mean probability the rate (bisection)."""
    low, high = -20.0, 5.0
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if (1 / (1 + np.exp(-(logits + middle)))).mean() < rate else (low, middle)
    return low


def write_day(planted: Planted, path: Path, rows: int, day: int) -> None:
    """Write the rows of a day."""
    path.parent.mkdir(parents=True, exist_ok=True)
    sizes = [min(PIECE, rows - start) for start in range(0, rows, PIECE)]
    writer = None
    for piece, count in enumerate(sizes):
        table = planted.rows(count, day, piece)
        writer = writer or pq.ParquetWriter(path, table.schema, compression="zstd")
        writer.write_table(table, row_group_size=65_536)
    assert writer is not None
    writer.close()


def put_positives_first(folder: Path) -> None:
    """Write the files anew: first the rows of all files with a click, then the others, file by file."""
    paths = sorted(folder.glob("*.parquet"))
    whole = pa.concat_tables([pq.read_table(path) for path in paths])
    whole = whole.take(np.argsort(1 - whole[TASKS[0]].to_numpy(), kind="stable"))
    share = -(-whole.num_rows // len(paths))
    for place, path in enumerate(paths):
        pq.write_table(whole.slice(place * share, share), path, row_group_size=65_536)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=8_000_000)
    parser.add_argument("--days", type=int, default=8)
    parser.add_argument("--valid", type=int, default=200_000)
    parser.add_argument("--folder", type=Path, default=Path("logs/log"))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--drift", action="store_true")
    parser.add_argument("--positives-first", action="store_true")
    given = parser.parse_args()
    planted = Planted(given.seed, drift=given.drift)
    for day in range(given.days):
        rows = given.rows * (day + 1) // given.days - given.rows * day // given.days
        write_day(planted, given.folder / "train" / f"2026-01-{day + 1:02d}.parquet", rows, day)
    if given.positives_first:
        put_positives_first(given.folder / "train")
    write_day(planted, given.folder / "valid.parquet", given.valid, given.days)
    features = [f"  - {{kind: categorical, name: c{place}, dim: {W1.dim}}}" for place in range(len(VOCABULARIES))]
    features += [f"  - {{kind: numeric, name: d{place}}}" for place in range(NUMBERS)]
    recipe = RECIPE.format(
        folder=given.folder,
        features="\n".join(features),
        experts=W1.experts,
        expert=W1.expert_dims[0],
        tower=W1.tower_dims[0],
        batch=W1.batch_size,
        lr=W1.lr,
    )
    (given.folder / "recipe.yaml").write_text(recipe)
    print(f"{given.rows:,} rows in {given.days} files, {given.valid:,} to judge on: {given.folder}/recipe.yaml")


if __name__ == "__main__":
    main()
