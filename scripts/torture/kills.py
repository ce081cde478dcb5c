"""A training that is killed, at random moments and at every operation on a file of its run, and goes on.

    python scripts/torture/kills.py [random kills]

After every kill whatever artefact there is loads and is the old or the new one, and ``--resume`` ends with the
predictions and the history of a training that was never killed, bit for bit. Prints a line for each way of killing.
Trainings are forked from a process that has imported everything, so that a kill takes a fraction of a second.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import sys
import tempfile
import threading
import time
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

import gatewise as gw
from gatewise.declare import Recipe, from_dict
from gatewise.errors import ArtefactError
from gatewise.jobs import ARTEFACT, train_recipe
from gatewise.jobs.tables import Tables

EVENTS = ("open", "os.", "shutil.", "tempfile.", "ctypes.dlsym")


def made_up(rows: int, seed: int) -> pa.Table:
    """Return rows of a table with a click that follows from a user."""
    rng = np.random.default_rng(seed)
    user = rng.integers(0, 20, rows)
    return pa.table({"user": user, "click": (rng.random(rows) < 0.2 + 0.6 * (user % 2)).astype(int)})


TABLES = Tables(made_up(400, 0), made_up(100, 1), made_up(100, 2))
RECIPE = from_dict(
    Recipe,
    {
        "data": {"train": "unused.parquet", "valid": "unused.parquet", "test": "unused.parquet"},
        "features": [{"kind": "categorical", "name": "user", "dim": 4}],
        "tasks": [{"kind": "binary", "name": "click"}],
        "model": {"kind": "mmoe", "experts": 2, "expert_dims": [8], "dropout": 0.1},
        "training": {"epochs": 5, "batch_size": 32, "lr": 0.02, "patience": None},
        "calibration": "platt",
    },
)


def train(run: Path, **how: Any) -> None:
    """Make the run of the recipe."""
    train_recipe(RECIPE, TABLES, run, progress=False, **how)


def forked(work: Callable[[], None]) -> int:
    """Start some work in a forked child and return its process id."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            warnings.simplefilter("ignore")
            with Path(os.devnull).open("w", encoding="utf-8") as sys.stderr:
                work()
            code = 0
        finally:
            os._exit(code)
    return child


def ended(child: int) -> int:
    """Return how a child ended; below 0: by a signal."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def die_at(operation: int, place: Path) -> None:
    """Kill this process at its n-th operation on files of a folder."""
    left, inside = [operation], str(place)

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if event.startswith(EVENTS) and (event == "ctypes.dlsym" or inside in str(arguments)):
            left[0] -= 1
            if left[0] < 0:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)


class Judge:
    """Knows the run that was never killed, and one before it."""

    def __init__(self, folder: Path) -> None:
        self.run, whole, before = folder / "run", folder / "whole", folder / "before"
        assert ended(forked(lambda: train(whole))) == 0
        shutil.copytree(whole, before)
        older = gw.load(before / ARTEFACT).update(TABLES.train, progress=False)
        older.save(before / ARTEFACT)
        self.before, self.old, self.new = before, self.seen(before), self.seen(whole)
        assert self.old != self.new

    def seen(self, run: Path) -> tuple[object, ...]:
        """Return predictions and history of a run's artefact."""
        ranker = gw.load(run / ARTEFACT)
        history = [(record.epoch, record.lr, record.score, json.dumps(record.train)) for record in ranker.history]
        return ranker.predict(TABLES.test).to_pydict(), history

    def after_a_kill(self, found: Counter[str], *, over: bool) -> None:
        """Look at what there is, go on, and look again."""
        try:
            state = self.seen(self.run)
            found["mixed"] += state not in (self.old, self.new)
        except ArtefactError as error:
            found["lost"] += over or "there is no artefact" not in str(error)
        if ended(forked(lambda: train(self.run, resume=True))) != 0:
            found["refused to go on"] += 1
        else:
            found["bit-equal"] += self.seen(self.run) == self.new
        left = [path.name for path in self.run.rglob(".*")]
        found["leftovers"] += bool(left)

    def prepare(self, *, over: bool) -> None:
        """Let there be no run, or an older one."""
        shutil.rmtree(self.run, ignore_errors=True)
        if over:
            shutil.copytree(self.before, self.run)


def at_every_operation(judge: Judge, *, over: bool) -> Counter[str]:
    """Kill at the first operation on files, at the second, ... until the training comes to its end."""
    found, operation = Counter[str](), 0
    while True:
        judge.prepare(over=over)
        place = judge.run

        def work(operation: int = operation, place: Path = place) -> None:
            die_at(operation, place)
            train(place, overwrite=over)

        if ended(forked(work)) == 0:
            return found
        found["kills"] += 1
        judge.after_a_kill(found, over=over)
        operation += 1


def at_random(judge: Judge, kills: int, seed: int = 0) -> Counter[str]:
    """Kill after a while that is drawn, anywhere within the time that a training takes."""
    found, draw = Counter[str](), random.Random(seed)
    judge.prepare(over=False)
    started = time.perf_counter()
    ended(forked(lambda: train(judge.run)))
    whole = time.perf_counter() - started
    while found["kills"] < kills:
        over = draw.random() < 0.5
        judge.prepare(over=over)
        child = forked(lambda over=over: train(judge.run, overwrite=over))  # type: ignore[misc]
        timer = threading.Timer(draw.uniform(0, whole), os.kill, (child, signal.SIGKILL))
        timer.start()
        if ended(child) < 0:
            found["kills"] += 1
            judge.after_a_kill(found, over=over)
        timer.cancel()
    return found


def told(how: str, found: Counter[str]) -> str:
    """Return a line."""
    wrong = ", ".join(f"{found[name]} {name}" for name in ("lost", "mixed", "refused to go on", "leftovers"))
    return f"{how}: {found['kills']} kills, {wrong}; {found['bit-equal']} went on to the same bits"


def sound(found: Counter[str]) -> bool:
    """Whether nothing went wrong."""
    return found["bit-equal"] == found["kills"] and not any(found[name] for name in ("lost", "mixed", "leftovers"))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        judge = Judge(Path(place))
        results = {
            "at every operation on a file of a new run": at_every_operation(judge, over=False),
            "at every operation on a file of a run that is replaced": at_every_operation(judge, over=True),
            "at random": at_random(judge, int(sys.argv[1]) if len(sys.argv) > 1 else 300),
        }
    for way, counted in results.items():
        print(told(way, counted))
    sys.exit(not all(map(sound, results.values())))
