"""Is fast also good? AUC at convergence of every contestant, over several seeds of the model, on the same rows.

Every finished training is kept in ``benchmarks/results/quality.jsonl`` under all that it depends on, the version of the
contestant's code included; a run that was interrupted goes on there.
"""

from __future__ import annotations

import argparse
import hashlib
import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from contestants import DEEPCTR, OURS, RECHUB, auc
from page import machine
from reporting import libraries, say, table
from store import Store
from worker import Worker, WorkerError
from workload import TASKS, WORKLOADS, Rows, make_rows

COMMAND = "make bench PARTS=quality"
NAMES = (OURS, f"{OURS}, batch norm", f"{OURS}, dense Adam", RECHUB, DEEPCTR)
PARTS = (800_000, 100_000, 100_000)
SEEDS = (0, 1, 2)
EPOCHS = 6
QUICK = {"parts": (16_000, 2_000, 2_000), "seeds": (0, 1), "epochs": 2}


@dataclass(frozen=True)
class Split:
    """How many of the generated rows are for training, validation and test, in this order."""

    train: int
    valid: int
    test: int

    @property
    def valid_rows(self) -> tuple[int, int]:
        """First row and end."""
        return self.train, self.train + self.valid

    @property
    def test_rows(self) -> tuple[int, int]:
        """First row and end."""
        return self.train + self.valid, self.train + self.valid + self.test


class Trainings:
    """All trainings of the comparison; finished ones come from the store, failed ones are left out.

    Attributes:
        found: results by workload and contestant, one a seed.
        failures: one line each, by contestant.
    """

    def __init__(self, rows: Rows, split: Split, epochs: int, folder: Path) -> None:
        rows.save(folder)
        self.split, self.epochs, self.folder = split, epochs, folder
        self.store = Store("quality")
        drawn = hashlib.blake2b(rows.labels.tobytes(), digest_size=6).hexdigest()
        self.common = vars(split) | {"epochs": epochs, "rows": drawn}
        self.found: dict[str, dict[str, list[dict[str, Any]]]] = {}
        self.failures: dict[str, str] = {}

    def run_all(self, names: tuple[str, ...], seeds: tuple[int, ...], workloads: tuple[str, ...]) -> None:
        """Train seed by seed, so that an interrupted run has something of every contestant."""
        runs = [(name, workload, seed) for seed in seeds for workload in workloads for name in names]
        for position, (name, workload, seed) in enumerate(runs, 1):
            if name in self.failures:
                continue
            say(f"training {position}/{len(runs)}: {workload}, {name}, seed {seed}; {self._left(runs[position - 1 :])}")
            try:
                result = self.run(name, workload, seed)
            except WorkerError as error:
                self.failures[name] = str(error)
                say(f"{name} is left out: {error}")
                continue
            say(f"  test AUC {_shown(result['test'])}")
            self.found.setdefault(workload, {}).setdefault(name, []).append(result)

    def run(self, name: str, workload: str, seed: int) -> dict[str, Any]:
        """Train in a new process, or take a kept result."""
        with Worker(f"quality {name}", "session", "Session", contestant=name, folder=str(self.folder)) as worker:
            of = self.common | {"workload": workload, "seed": seed, "contestant": name}
            of["version"] = worker.call("version")
            result = self.store.get(of)
            if result is None:
                result = self._train(worker, workload, seed)
                self.store.add(of, result)
        return result

    def _train(self, worker: Worker, workload: str, seed: int) -> dict[str, Any]:
        started, curve = time.perf_counter(), []
        worker.call("prepare", workload=workload, rows=self.split.train, seed=seed)
        for epoch, found in enumerate(worker.stream("learn", valid=self.split.valid_rows, epochs=self.epochs), 1):
            curve.append(found)
            say(f"  epoch {epoch}/{self.epochs}: AUC {_shown(found)}")
        test = worker.call("judge", test=self.split.test_rows, batch_size=WORKLOADS[workload].batch_size)
        best = max(range(len(curve)), key=lambda epoch: sum(curve[epoch])) + 1
        return {"valid": curve, "best": best, "test": test, "seconds": round(time.perf_counter() - started, 1)}

    def _left(self, runs: list[tuple[str, str, int]]) -> str:
        """Say how long the runs will take, from what such trainings took so far."""
        seconds = 0.0
        for name, workload, _ in runs:
            known = self.found.get(workload, {}).get(name)
            if not known:
                return "time left is known after the first seed"
            seconds += statistics.mean(result["seconds"] for result in known)
        return f"about {seconds / 60:.0f} minutes left"


def lines_of(results: dict[str, list[dict[str, Any]]], ceiling: list[float]) -> list[list[str]]:
    """Return one line of the table a contestant: mean and deviation over the seeds, and by how much ours is better."""
    tests = {name: np.array([result["test"] for result in found]) for name, found in results.items()}
    lines = []
    for name, found in results.items():
        differences = [""] * len(TASKS)
        if name != OURS and OURS in tests:
            differences = [f"{value:+.4f}" for value in tests[OURS].mean(axis=0) - tests[name].mean(axis=0)]
        epochs = ", ".join(str(result["best"]) for result in found)
        lines.append([name, *map(mean_and_deviation, tests[name].T), *differences, epochs])
    lines.append(["the labels' own probabilities", *(f"{value:.4f}" for value in ceiling), *[""] * (len(TASKS) + 1)])
    return lines


def mean_and_deviation(values: np.ndarray) -> str:
    """Return mean and sample standard deviation."""
    return f"{values.mean():.4f}" + (f" ± {values.std(ddof=1):.4f}" if len(values) > 1 else "")


def section(
    parts: tuple[int, int, int] = PARTS,
    seeds: tuple[int, ...] = SEEDS,
    epochs: int = EPOCHS,
    names: tuple[str, ...] = NAMES,
    workloads: tuple[str, ...] = tuple(WORKLOADS),
) -> str:
    """Train what is not kept yet and return the section."""
    say(f"{sum(parts):,} rows are drawn")
    split, rows = Split(*parts), make_rows(sum(parts))
    with tempfile.TemporaryDirectory() as folder:
        trainings = Trainings(rows, split, epochs, Path(folder))
        trainings.run_all(names, seeds, workloads)
    judged = rows[slice(*split.test_rows)]
    ceiling = auc(judged.labels, judged.probabilities)
    differences = (f"{OURS} is better by, {task}" for task in TASKS)
    header = ["", *(f"{task}, AUC" for task in TASKS), *differences, "best epochs"]
    tables = [f"### {name}\n\n{table(header, lines_of(found, ceiling))}" for name, found in trainings.found.items()]
    failures = "".join(f"\n{name} could not take part: {line}\n" for name, line in trainings.failures.items())
    return (
        f"## Quality\n\n`{COMMAND}`; {machine()}, {libraries()}; mean and standard deviation over {len(seeds)} seeds "
        f"of the model.\n\n{split.train:,} rows to train, {split.valid:,} to choose the epoch (training "
        f"ends with the first that is no better than the one before, at the latest after {epochs}), {split.test:,} to "
        "judge; Adam at 1e-3, no penalties, no dropout. The probabilities that the labels were "
        "drawn with are the best that any model can reach; for that it would have to know values that it never "
        "saw.\n\n" + "\n".join(tables) + failures
    )


def _shown(values: list[float]) -> str:
    return ", ".join(f"{task} {value:.4f}" for task, value in zip(TASKS, values, strict=True))


def main() -> None:
    """Print the section."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=sum(PARTS), help="of all parts together")
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument("--seeds", type=int, nargs="+", default=SEEDS)
    parser.add_argument("--names", nargs="+", choices=NAMES, default=NAMES)
    parser.add_argument("--workloads", nargs="+", choices=list(WORKLOADS), default=list(WORKLOADS))
    given = parser.parse_args()
    parts = (given.rows * 8 // 10, given.rows // 10, given.rows // 10)
    print(section(parts, tuple(given.seeds), given.epochs, tuple(given.names), tuple(given.workloads)))


if __name__ == "__main__":
    main()
