"""Trainings on rows that do not fit into memory, killed with SIGKILL at random moments, then resumed.

    python scripts/torture/training.py [kills] [rows]

Kills a training while it learns vocabularies, encodes, trains or writes a checkpoint; resumes it, and kills it again
half of the time. Prints how many ended with the weights of the training that was never killed (all), and in what each
was killed. Processes are forked, so that one start of Python serves all.
"""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

import gatewise as gw

SCHEMA = gw.Schema(
    features=[
        gw.Categorical("user", dim=4, min_count=2),
        gw.Categorical("item", dim=4),
        gw.Numeric("age", embedding=gw.PiecewiseLinear(bins=8)),
        gw.Sequence("tags", dim=2),
    ],
    tasks=[gw.Binary("click"), gw.Binary("buy", after="click"), gw.Regression("stay")],
)
MODEL = gw.MMoE(experts=3, expert_dims=[16], tower_dims=[8], dropout=0.1)
OPTIONS = {
    "epochs": 2,
    "batch_size": 256,
    "accumulate": 2,
    "balance": "uncertainty",
    "schedule": "cosine",
    "clip_norm": 1.0,
    "memory": 0,
    "save_minutes": 0.1 / 60,
    "seed": 3,
}


def write_log(path: Path, rows: int) -> None:
    """Write a table with missing labels and ids that occur once."""
    rng = np.random.default_rng(0)
    click = rng.random(rows) < 0.3
    table = pa.table(
        {
            "user": rng.zipf(1.4, rows).clip(max=10**6),
            "item": rng.integers(0, 500, rows),
            "age": pa.array(rng.lognormal(3, 1, rows), mask=rng.random(rows) < 0.05),
            "tags": rng.choice(["a|b", "", "c", "a|c|d"], rows),
            "click": click.astype(np.int8),
            "buy": (click & (rng.random(rows) < 0.2)).astype(np.int8),
            "stay": pa.array(rng.normal(size=rows), mask=rng.random(rows) < 0.3),
        }
    )
    pq.write_table(table, path, row_group_size=10_000)


def train(table: Path, run: Path, cache: Path) -> None:
    """Train, or go on with what was killed."""
    ranker = gw.Ranker(SCHEMA, MODEL, **OPTIONS, cache=str(cache))
    ranker.fit(table, run_dir=run, resume=run.is_dir(), progress=False)
    ranker.save(run / "artefact")


def digest(run: Path) -> str:
    """Return the SHA-256 of the weights."""
    return hashlib.sha256((run / "artefact" / "weights.safetensors").read_bytes()).hexdigest()


def forked(table: Path, run: Path, cache: Path, seconds: float | None) -> bool:
    """Train in a process of its own, killed after so many seconds; returns whether it ended by itself."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            train(table, run, cache)
            status = 0
        finally:
            os._exit(status)
    if seconds is not None:
        time.sleep(seconds)
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    if os.WIFEXITED(status) and os.WEXITSTATUS(status):
        sys.exit("a training failed")
    return os.WIFEXITED(status)


def doing(run: Path, cache: Path) -> str:
    """Return what a killed training was doing."""
    if (run / "checkpoint.pt").exists() and any(cache.glob("*/manifest.json")):
        return "training"
    folder = next(cache.glob("*"), None)
    if folder is None or not (folder / "encoder.json").exists():
        return "learning"
    return "gathering parts" if any(folder.glob("part-*")) else "encoding pieces"


def torture(kills: int, rows: int, seed: int = 0) -> tuple[int, Counter[str]]:
    """Return how many killed and resumed trainings have the right weights, and what they were killed in."""
    draw, found, right = random.Random(seed), Counter[str](), 0
    with tempfile.TemporaryDirectory() as place:
        home = Path(place)
        table = home / "log.parquet"
        write_log(table, rows)
        # what a training imports is imported here, and not in every process
        train(table, home / "first", home / "first cache")
        started = time.perf_counter()
        forked(table, home / "whole", home / "whole cache", None)
        whole, wanted = time.perf_counter() - started, digest(home / "whole")
        for number in range(kills):
            run, cache = home / f"run {number}", home / f"cache {number}"
            # over the whole length, and closer at its beginning, where learning and encoding are short
            ended = forked(table, run, cache, whole * ((number + draw.random()) / kills) ** 2)
            found["ended before" if ended else doing(run, cache)] += 1
            while not ended:
                again = whole * draw.random() if draw.random() < 0.5 else None
                ended = forked(table, run, cache, again) or again is None
            right += digest(run) == wanted
            shutil.rmtree(run)
            shutil.rmtree(cache)
    return right, found


def main() -> None:
    kills, rows = (int(argument) for argument in (*sys.argv[1:], "50", "200000")[:2])
    right, found = torture(kills, rows, seed=int(time.time()))
    what = ", ".join(f"{count} while {name}" for name, count in found.items())
    print(f"{right} of {kills} have the weights of a training that was never killed (killed {what})")
    sys.exit(right != kills)


if __name__ == "__main__":
    main()
