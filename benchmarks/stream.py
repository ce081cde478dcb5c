"""Training on rows that do not fit into memory, beside training in memory: speed, memory, and the order of the rows.

python benchmarks/stream.py
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

import gatewise as gw
from page import machine
from reporting import digits, say, spread, table
from workload import NUMBERS, TASKS, VOCABULARIES, WORKLOADS, Workload, make_rows

COMMAND = "make bench PARTS=stream"
ROWS = {"W1": 1_000_000, "W2": 250_000}
LOGS = (2_000_000, 8_000_000)
SORTED = 2_000_000
QUICK = {"rows": {"W1": 20_000, "W2": 20_000}, "logs": (20_000, 40_000), "sorted_rows": 40_000, "rounds": 1}
SCRIPT = Path(__file__).parent.parent / "scripts" / "log.py"
IN_MEMORY, ON_DISK = "100 GB", 0


@dataclass(frozen=True)
class Fit:
    """One training of an epoch.

    Attributes:
        rate: rows per second of the epoch alone.
        seconds: of everything, from the file to the trained model.
        cpu: likewise, CPU seconds.
        auc: by task, on held-out rows, if there were any.
    """

    rate: float
    seconds: float
    cpu: float
    auc: dict[str, float]


def model_of(workload: Workload) -> tuple[gw.Schema, gw.MMoE]:
    """Return the workload's features, tasks and model."""
    ids = [gw.Categorical(f"c{i}", dim=workload.dim) for i in range(len(VOCABULARIES))]
    schema = gw.Schema(
        features=[*ids, *(gw.Numeric(f"d{i}") for i in range(NUMBERS))], tasks=[gw.Binary(task) for task in TASKS]
    )
    model = gw.MMoE(
        experts=workload.experts, expert_dims=workload.expert_dims, gate_dims=[], tower_dims=workload.tower_dims
    )
    return schema, model


def fit(workload: Workload, source: Any, valid: Any = None, **options: Any) -> Fit:
    """Train an epoch."""
    schema, model = model_of(workload)
    ranker = gw.Ranker(
        schema, model, epochs=1, batch_size=workload.batch_size, lr=workload.lr, optimizer="adam", **options
    )
    started, cpu = time.perf_counter(), time.process_time()
    ranker.fit(source, progress=False)
    seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
    judged = {} if valid is None else {task: each["auc"] for task, each in ranker.evaluate(valid).items()}
    return Fit(ranker.history[0].rows_per_second, seconds, cpu, judged)


def speed(workload: Workload, count: int, rounds: int) -> list[list[str]]:
    """Return a line of the table of speeds: ratios of epochs, and of everything from the file on."""
    rows = make_rows(count)
    with tempfile.TemporaryDirectory() as place:
        path, cache = Path(place) / "rows.parquet", str(Path(place) / "cache")
        columns = {name: np.ascontiguousarray(values) for name, values in rows.columns().items()}
        pq.write_table(pa.table(columns), path, row_group_size=65_536)
        fit(workload, path, memory=ON_DISK, cache=cache)
        epochs, firsts, cpus, rates = list[float](), list[float](), list[float](), list[float]()
        for turn in range(rounds):
            say(f"{workload.name}, round {turn + 1}/{rounds}")
            inside, outside = (fit(workload, path, memory=memory, cache=cache) for memory in (IN_MEMORY, ON_DISK))
            cold = fit(workload, path, memory=ON_DISK, cache=f"{cache} {turn}")
            epochs.append(outside.rate / inside.rate)
            firsts.append(inside.seconds / cold.seconds)
            cpus.append(inside.cpu / cold.cpu)
            rates.append(inside.rate)
    return [[workload.name, f"{count:,}", spread(rates), spread(epochs), spread(firsts), spread(cpus)]]


def log(folder: Path, rows: int, *options: str) -> None:
    """Make a log of day files."""
    command = [sys.executable, str(SCRIPT), "--rows", str(rows), "--folder", str(folder), *options]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def memory(count: int) -> list[str]:
    """Return a line of the table of memory: what training on a log of so many rows took at most."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        log(folder, count)
        say(f"a log of {count:,} rows is trained on")
        started = time.perf_counter()
        command = [sys.executable, "-m", "gatewise", "train", str(folder / "recipe.yaml"), "-o", str(folder / "run")]
        command += ["--no-report", "--baseline", "none", "--set", "training.memory=0"]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        process = subprocess.Popen(command, env={**os.environ, "GATEWISE_CACHE": str(folder / "cache")}, **quiet)  # type: ignore[call-overload]
        anonymous, whole = 0, 0
        while process.poll() is None:
            found = _memory_of(process.pid)
            anonymous, whole = max(anonymous, found.get("RssAnon", 0)), max(whole, found.get("VmHWM", 0))
            time.sleep(0.02)
        if process.returncode:
            raise RuntimeError(f"gatewise train ended with {process.returncode}")
        seconds = time.perf_counter() - started
        source = sum(path.stat().st_size for path in (folder / "train").iterdir())
        cached = sum(path.stat().st_size for path in (folder / "cache").rglob("*.arrow"))
        metrics = json.loads((folder / "run" / "metrics.json").read_text())["valid"]
        judged = ", ".join(digits(metrics[task]["auc"], 4) for task in TASKS)
        sizes = [f"{digits(size / 1e6)} MB" for size in (source, cached, anonymous, whole)]
        return [f"{count:,}", *sizes, digits(seconds), judged]


def _memory_of(process: int) -> dict[str, int]:
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return {}
    return {line.split(":")[0]: int(line.split()[1]) * 1024 for line in lines if line.startswith(("RssAnon", "VmHWM"))}


def orders(count: int, seeds: int) -> list[list[str]]:
    """Return the table of orders: AUC on a log whose files have all positives first."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        log(folder, count, "--positives-first")
        lines = []
        for name, options in (
            ("in memory, all rows shuffled", {"memory": IN_MEMORY}),
            ("on disk, as by default", {"memory": ON_DISK}),
            ("on disk, `order: time`", {"memory": ON_DISK, "order": "time"}),
        ):
            found = []
            for seed in range(seeds):
                say(f"positives first: {name}, seed {seed}")
                options |= {"cache": str(folder / "cache"), "seed": seed}
                found.append(fit(WORKLOADS["W1"], folder / "train", folder / "valid.parquet", **options).auc)
            lines.append([name, *(spread([each[task] for each in found], 4) for task in TASKS)])
        seconds = [second_epoch(folder, seed) for seed in range(seeds)]
        lines.append(["in memory, after a second epoch", *(spread([e[task] for e in seconds], 4) for task in TASKS)])
    return lines


def second_epoch(folder: Path, seed: int) -> dict[str, float]:
    """Return the AUC by task after two epochs, without stopping at the best one."""
    workload = WORKLOADS["W1"]
    schema, model = model_of(workload)
    options = {"batch_size": workload.batch_size, "lr": workload.lr, "optimizer": "adam", "seed": seed}
    ranker = gw.Ranker(schema, model, epochs=2, memory=IN_MEMORY, **options)
    ranker.fit(folder / "train", folder / "valid.parquet", progress=False)
    return {task: ranker.history[-1].valid[task]["auc"] for task in TASKS}


def section(
    rows: dict[str, int] | None = None, logs: tuple[int, ...] = LOGS, sorted_rows: int = SORTED, rounds: int = 3
) -> str:
    """Measure everything and return the section."""
    counts = ROWS | (rows or {})
    speeds = [line for name, workload in WORKLOADS.items() for line in speed(workload, counts[name], rounds)]
    memories = [memory(count) for count in logs]
    mixed = orders(sorted_rows, rounds)
    return (
        f"## Tables larger than memory\n\n`{COMMAND}`; {machine()}; median of {rounds} rounds and their range, ratios "
        "taken round by round.\n\n"
        "An epoch on rows of a cache beside one on rows in memory, and all from a Parquet file to a model "
        "trained for one epoch, where the cache is made anew and vocabularies are learnt in a pass of their own:\n\n"
        + table(
            [
                "",
                "rows",
                "samples/s in memory",
                "epoch: cache / memory",
                "from the file: cache / memory",
                "in CPU time",
            ],
            speeds,
        )
        + "\nA log of day files (`scripts/log.py`), trained on for one epoch by `gatewise train` with "
        "`training.memory=0`, in a process of its own. Anonymous memory is what the process made itself, interpreter "
        "and libraries included; mapped pages of the cache are the system's to take back:\n\n"
        + table(
            ["rows", "files", "cache", "anonymous memory", "resident memory", "seconds", "AUC click, purchase"],
            memories,
        )
        + f"\nA log of {sorted_rows:,} rows whose files have all positives first: AUC of held-out rows, {rounds} "
        "seeds, after one epoch but in the last line:\n\n" + table(["", *TASKS], mixed)
    )


def main() -> None:
    """Print the section."""
    print(section())


if __name__ == "__main__":
    main()
