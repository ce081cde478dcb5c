"""Vocabularies and statistics of a table that lies in files, learnt by one process and by several together.

python benchmarks/learning.py [--rows N] [--ranks 1,2]
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from hashlib import sha256
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

ROWS, ROUNDS = 4_000_000, 3
FILE_ROWS = 500_000


def schema():
    """Return features of all sorts: two with many values, numbers with and without quantiles, a list."""
    import gatewise as gw

    return gw.Schema(
        features=[
            gw.Categorical("user"),
            gw.Categorical("item"),
            gw.Categorical("city"),
            gw.Numeric("age"),
            gw.Numeric("price", transform="log"),
            gw.Numeric("level", column="price", transform="quantile"),
            gw.Sequence("tags"),
        ],
        tasks=[gw.Binary("click"), gw.Regression("stay", loss="mae")],
    )


def write(folder: Path, rows: int) -> None:
    """Write the table, some rows a file."""
    folder.mkdir()
    for number, start in enumerate(range(0, rows, FILE_ROWS)):
        rng, count = np.random.default_rng(number), min(FILE_ROWS, rows - start)
        ends = np.concatenate([[0], np.cumsum(rng.integers(0, 4, count))])
        tags = pa.array([f"tag {i}" for i in range(500)]).take(pa.array(rng.integers(0, 500, ends[-1])))
        table = {
            "user": rng.zipf(1.2, count).clip(max=3_000_000),
            "item": pa.array([f"item {i}" for i in range(300_000)]).take(pa.array(rng.integers(0, 300_000, count))),
            "city": pa.array([f"city {i}" for i in range(900)]).take(pa.array(rng.integers(0, 900, count))),
            "age": rng.integers(15, 80, count),
            "price": rng.lognormal(2, 1, count),
            "tags": pa.ListArray.from_arrays(pa.array(ends, pa.int32()), tags),
            "click": rng.integers(0, 2, count),
            "stay": rng.exponential(10, count),
        }
        pq.write_table(pa.table(table), folder / f"{number:03d}.parquet")


def child(rows: str, folder: Path) -> None:
    """Learn in this process, which may be one of several, and print a line of JSON."""
    import gatewise as gw
    from gatewise.caching import Cacher
    from gatewise.distributed import end_process, processes
    from gatewise.machine import tune_process
    from gatewise.meeting import meeting

    tune_process()
    pa.set_cpu_count(1)
    among = processes()
    with meeting(among, folder) as turns:
        assert turns is not None
        turns.wait()
        begun, used = time.perf_counter(), time.process_time()
        found = Cacher(schema(), gw.Training(), among=among).learn(rows, None, folder, turns)
        taken = {"rank": turns.rank, "seconds": time.perf_counter() - begun, "cpu": time.process_time() - used}
        turns.wait()
    if found is not None:
        state, values = found[0].saved()
        taken |= {"rows": found[1], "state": sha256(json.dumps(state).encode() + values).hexdigest()[:12]}
    print(json.dumps(taken), flush=True)
    end_process(0)


def run(ranks: int, rows: Path, folder: Path) -> list[dict[str, float]]:
    """Learn in so many processes, and return what each says."""
    command = [sys.executable, __file__, "--child", str(rows), str(folder)]
    if ranks > 1:
        launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(ranks)]
        command = [*launcher, *command[1:]]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    printed = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
    found = [json.loads(line) for line in printed.splitlines() if line.startswith("{")]
    return sorted(found, key=lambda taken: taken["rank"])


def main() -> None:
    """Measure, and print a line per run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--ranks", default="1,2")
    parser.add_argument("--child", nargs=2)
    options = parser.parse_args()
    if options.child is not None:
        child(options.child[0], Path(options.child[1]))
    with tempfile.TemporaryDirectory() as place:
        write(Path(place) / "rows", options.rows)
        for _ in range(ROUNDS):
            for ranks in map(int, options.ranks.split(",")):
                found = run(ranks, Path(place) / "rows", Path(place) / "cache")
                cpu = ", ".join(f"{taken['cpu']:.1f}" for taken in found)
                first = found[0]
                said = f"{first['seconds']:.1f} s, CPU seconds by rank: {cpu}; state {first['state']}"
                print(f"{ranks} of {first['rows']:,} rows: {said}", flush=True)


if __name__ == "__main__":
    main()
