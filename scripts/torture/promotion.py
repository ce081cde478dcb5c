"""Updates and promotions that are killed, promotions under load, and the time from new rows to answers.

    python scripts/torture/promotion.py [kills] [promotions]

A service watches a folder of runs all the time, and clients on this machine ask it. Prints a line each for the killed
updates, the killed promotions, the promotions, and the way of new rows of the demo's size to the first answer of the
model that has seen them. With 0 and 0 only the last one.
"""

from __future__ import annotations

import contextlib
import logging
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import httpx
import pyarrow as pa
import pyarrow.parquet as pq
from kills import ended, forked
from service import running, schema, table

import gatewise as gw
from gatewise.declare import Recipe, Update
from gatewise.jobs import ARTEFACT, find_tables, promote, update_run
from gatewise.promoted import Pointer, checksum

CLIENTS, PAUSE = 2, 0.01
UPDATE = """
import sys, gatewise as gw
old, new, target = sys.argv[1:]
gw.load(old).update(new, progress=False).save(target)
"""


def small_runs(folder: Path, count: int) -> tuple[list[Path], pa.Table]:
    """Train a small model and updates of it, and return their folders and a canary table."""
    rows = pa.table(table())
    model = gw.MMoE(experts=2, expert_dims=[8], tower_dims=[4])
    ranker = gw.Ranker(schema(), model, epochs=1, batch_size=128, seed=0).fit(rows, progress=False)
    made = []
    for day in range(count):
        if day:
            ranker.update(rows.slice(50 * day, 200), progress=False)
        made.append(folder / f"day-{day}")
        ranker.save(made[-1])
    return made, rows


class Clients:
    """Ask a service without a pause, and count answers by version and failures."""

    def __init__(self, url: str, rows: list[dict[str, Any]]) -> None:
        self.url, self.rows = url, rows
        self.versions, self.failures = Counter[str](), list[str]()
        self.stop = threading.Event()

    def ask(self) -> None:
        with httpx.Client(base_url=self.url, timeout=60) as client:
            while not self.stop.is_set():
                try:
                    answer = client.post("/predict", json={"rows": self.rows})
                except httpx.HTTPError as error:
                    self.failures.append(repr(error))
                    continue
                # a bounded load: exporting a model needs a core, too
                time.sleep(PAUSE)
                if answer.status_code == 200:
                    self.versions[answer.json()["version"]] += 1
                else:
                    self.failures.append(answer.text)

    @contextlib.contextmanager
    def asking(self) -> Iterator[None]:
        with ThreadPoolExecutor(CLIENTS) as pool:
            clients = [pool.submit(self.ask) for _ in range(CLIENTS)]
            try:
                yield
            finally:
                self.stop.set()
            for client in clients:
                client.result()


def wait_for(url: str, version: str, rows: list[dict[str, Any]], seconds: float = 300) -> None:
    """Wait until a service answers with a version."""
    until = time.monotonic() + seconds
    with httpx.Client(base_url=url, timeout=60) as client:
        while client.post("/predict", json={"rows": rows}).json()["version"] != version:
            if time.monotonic() > until:
                raise SystemExit(f"{version} was promoted and is not served")
            time.sleep(0.1)


def promoting(run: Path, folder: Path, canary: pa.Table) -> None:
    """Promote a run, however good it is."""
    promote(run, folder, table=canary, worst=1e9)


def killed(folder: Path, runs: list[Path], canary: pa.Table, url: str, rows: list[Any], kills: int) -> str:
    """Kill promotions at random moments, and look at what is in place after each."""
    draw, found = random.Random(0), Counter[str]()
    began = time.monotonic()
    ended(forked(partial(promoting, runs[1], folder, canary)))
    takes = time.monotonic() - began
    for turn in range(kills):
        before = Pointer.read(folder).current
        child = forked(partial(promoting, runs[turn % len(runs)], folder, canary))
        # other work on the machine may make it take longer
        time.sleep(draw.uniform(0, 2 * takes))
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, 9)
        found["killed" if ended(child) else "too late"] += 1
        now = Pointer.read(folder).current
        assert before is not None
        assert now is not None
        found["another in place" if now.version != before.version else "the same in place"] += 1
        place = now.artefact(folder)
        found["whole"] += checksum(place) == now.manifest and gw.load(place).predict(canary).num_rows == canary.num_rows
        wait_for(url, now.version, rows)
        found["served"] += 1
    return f"{kills} promotions (of {takes:.1f} s) killed at random moments: " + ", ".join(
        f"{name} {count}" for name, count in found.items()
    )


def updating(run: Path, rows: pa.Table, target: Path) -> None:
    """Update a run, with every option that writes something of its own."""
    options = Update(epochs=5, replay_share=0.5)
    update_run(run, rows, target, options, valid=rows, replay=rows, progress=False)


def killed_updates(folder: Path, runs: list[Path], rows: pa.Table, url: str, asked: list[Any], kills: int) -> str:
    """Kill updates of the model in place at random moments, look at both runs, and give the command again."""
    draw, found, turn = random.Random(1), Counter[str](), 0
    current = promote(runs[0], folder, table=rows, worst=1e9)
    begun, whole = runs[0], folder / "whole"
    began = time.monotonic()
    ended(forked(partial(updating, begun, rows, whole)))
    takes, expected = time.monotonic() - began, gw.load(whole / ARTEFACT).predict(rows)
    while found["killed"] < kills:
        target, turn, began = folder / f"updated-{turn}", turn + 1, time.monotonic()
        child = forked(partial(updating, begun, rows, target))
        time.sleep(draw.uniform(0, takes))
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, 9)
        if ended(child) == 0:
            # it ended before its moment came: other work on the machine takes less now
            takes = min(takes, time.monotonic() - began)
            continue
        found["killed"] += 1
        pointer = Pointer.read(folder).current
        assert pointer is not None
        place = pointer.artefact(folder)
        same = pointer.version == current.version and checksum(place) == pointer.manifest
        found["whole in place"] += same and gw.load(place).predict(rows).num_rows == rows.num_rows
        wait_for(url, pointer.version, asked)
        found["served"] += 1
        if (target / ARTEFACT).exists():
            found["new one there and whole"] += gw.load(target / ARTEFACT).predict(rows).equals(expected)
            continue
        ended(forked(partial(updating, begun, rows, target)))
        found["made again, equal bit for bit"] += gw.load(target / ARTEFACT).predict(rows).equals(expected)
    return f"updates (of {takes:.1f} s) killed at random moments: " + ", ".join(
        f"{name} {count}" for name, count in found.items()
    )


def under_load(folder: Path, runs: list[Path], canary: pa.Table, url: str, rows: list[Any], promotions: int) -> str:
    """Promote under load, and wait until each is served."""
    first = Pointer.read(folder).current
    assert first is not None
    clients, put, began = Clients(url, rows), {first.version}, time.monotonic()
    with clients.asking():
        for turn in range(promotions):
            done = promote(runs[(turn + 1) % len(runs)], folder, table=canary, worst=1e9)
            put.add(str(done.version))
            wait_for(url, str(done.version), rows)
    took, answers = time.monotonic() - began, clients.versions
    strange = {*answers} - put
    return (
        f"{promotions} promotions under load in {took:.0f} s: {sum(answers.values()):,} answers of {len(answers)} "
        f"versions, {len(strange)} of them never promoted, {len(clients.failures)} failed requests"
    )


def from_rows_to_answers(folder: Path) -> str:
    """Return how long the demo's new rows take to the first answer of the model that was updated with them."""
    with as_file(files("gatewise") / "recipes" / "movielens.yaml") as path:
        recipe = Recipe.read(path)
    tables = find_tables(recipe, Path())
    assert isinstance(tables.train, pa.Table)
    assert isinstance(tables.valid, pa.Table)
    assert isinstance(tables.test, pa.Table)
    pq.write_table(tables.valid, folder / "new.parquet")
    pq.write_table(tables.test, folder / "canary.parquet")
    runs = folder / "runs"
    ranker = gw.Ranker.from_options(recipe.schema(), recipe).fit(tables.train, progress=False)
    ranker.save(runs / "day-1")
    promote(runs / "day-1")
    some = tables.test.slice(0, 5).select([feature.name for feature in recipe.features]).to_pylist()
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    with running(None, "--watch", f"m={runs}") as service:
        began = time.monotonic()
        update = [sys.executable, "-c", UPDATE, runs / "day-1", folder / "new.parquet", runs / "day-2"]
        subprocess.run([*map(str, update)], check=True, env=environment)
        updated = time.monotonic()
        program = "from gatewise.cli import main; main()"
        asked = ["promote", runs / "day-2", "--table", folder / "canary.parquet", "--worst", "1"]
        subprocess.run([*map(str, (sys.executable, "-c", program, *asked))], check=True, env=environment)
        promoted = time.monotonic()
        current = Pointer.read(runs).current
        assert current is not None
        wait_for(service.url, current.version, some)
        answered = time.monotonic()
    return (
        f"{tables.valid.num_rows:,} new rows beside {tables.train.num_rows:,} of the demo: {answered - began:.0f} s to "
        f"the first answer ({updated - began:.0f} s update, {promoted - updated:.0f} s promotion on "
        f"{tables.test.num_rows:,} rows, {answered - promoted:.0f} s until served)"
    )


def main() -> None:
    kills, promotions = (
        int(sys.argv[place]) if len(sys.argv) > place else count for place, count in ((1, 20), (2, 50))
    )
    # what stands out here is the made-up table's fault
    warnings.simplefilter("ignore")
    logging.getLogger("gatewise.problems").setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory() as place, tempfile.TemporaryDirectory() as cache:
        # the models are new ones: what a service keeps of them is of no use later
        os.environ["XDG_CACHE_HOME"] = cache
        if not kills and not promotions:
            print(from_rows_to_answers(Path(place)), flush=True)
            return
        folder = Path(place, "small")
        runs, canary = small_runs(folder, 5)
        promote(runs[0], folder)
        rows = canary.slice(0, 5).drop_columns(["click", "stay"]).to_pylist()
        with running(None, "--watch", f"m={folder}") as service:
            # the ONNX model of each is made once, so that kills and promotions follow each other at once
            for run in runs:
                wait_for(service.url, str(promote(run, folder, table=canary, worst=1e9).version), rows)
            print(killed_updates(folder, runs, canary, service.url, rows, kills), flush=True)
            print(killed(folder, runs, canary, service.url, rows, kills), flush=True)
            print(under_load(folder, runs, canary, service.url, rows, promotions), flush=True)
        print(from_rows_to_answers(Path(place)), flush=True)


if __name__ == "__main__":
    main()
