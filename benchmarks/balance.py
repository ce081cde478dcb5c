"""What every balancing rule costs: the time of a training step as a ratio to static weights."""

from __future__ import annotations

import argparse
import time
from statistics import median
from typing import Any

import numpy as np

from page import ROOT, machine
from reporting import say, spread, table
from worker import Worker, WorkerError

COMMAND = "make bench PARTS=balance"
PAGE = ROOT / "docs" / "balancing.md"
TASKS = ("click", "like", "share", "buy")
IDS, VALUES, DIM, NUMBERS = 16, 20_000, 16, 8
BATCH, BATCHES = 1024, 4
ROUNDS = 15
QUICK = {"rounds": 2}
KINDS = (
    *("static", "uncertainty", "constrained_uncertainty", "soft_uncertainty", "dwa", "rlw", "geometric_mean"),
    *("imtl_l", "smooth_tchebycheff", "famo", "gradnorm", "metabalance", "db_mtl", "mgda", "pcgrad", "upgrad"),
    *("cagrad", "imtl_g", "aligned_mtl", "dualproj", "fairgrad", "nash_mtl"),
)


class Rules:
    """Holds the rows and a trainer a rule, all of one model: runs in a process of its own."""

    def __init__(self) -> None:
        import torch

        import gatewise as gw
        from gatewise.assembly import build_model, build_tasks
        from gatewise.data import TableEncoder

        torch.set_num_threads(1)
        rng, rows = np.random.default_rng(0), BATCH * BATCHES
        table = {f"id{i}": rng.integers(0, VALUES, rows) for i in range(IDS)}
        table |= {f"number{i}": rng.normal(size=rows) for i in range(NUMBERS)}
        table |= {task: rng.integers(0, 2, rows) for task in TASKS}
        features: list[Any] = [gw.Categorical(f"id{i}", dim=DIM, hash_buckets=VALUES) for i in range(IDS)]
        features += [gw.Numeric(f"number{i}") for i in range(NUMBERS)]
        self.schema = gw.Schema(features=features, tasks=[gw.Binary(task) for task in TASKS])
        self.model = gw.MMoE(experts=8, expert_dims=[128, 64], tower_dims=[32])
        self.encoder, self.encoded = TableEncoder.fit(self.schema, table)
        self.tasks = build_tasks(self.schema, self.encoder.statistics)
        self.build = lambda: build_model(self.model, self.encoder.layout, self.tasks)
        self.trainers: dict[str, Any] = {}

    def prepare(self, kind: str) -> None:
        """Make a trainer and its first step, which builds what is built once."""
        from gatewise import declare
        from gatewise.fitting import make_trainer
        from gatewise.serving import Scorer
        from gatewise.training import Reporter

        values = {"model": self.model, "balance": kind, "training": {"batch_size": BATCH, "device": "cpu"}}
        options = declare.from_dict(declare.Options, values)
        scorer = Scorer(self.encoder, self.build(), self.tasks)
        trainer = make_trainer(scorer, options, scorer.tensors(self.encoded), None, Reporter())
        self.table = trainer.prepare(scorer.tensors(self.encoded))
        self.trainers[kind] = trainer
        self.step(kind, 1)

    def step(self, kind: str, parts: int) -> float:
        """Make a step on each batch, cut into parts that are accumulated; return the seconds of CPU time of one."""
        import torch

        order = torch.arange(BATCH * BATCHES).split(BATCH // parts)
        cut = [self.table.batch(index) for index in order]
        trainer = self.trainers[kind]
        trainer.step.batch_size = BATCH // parts
        started = time.process_time()
        for first in range(0, len(cut), parts):
            trainer.step(cut[first : first + parts])
        return (time.process_time() - started) / BATCHES


def section(rounds: int = ROUNDS) -> str:
    """Time all rules in turn, on whole batches and on accumulated halves, and return the section."""
    seconds: dict[tuple[str, int], list[float]] = {(kind, parts): [] for kind in KINDS for parts in (1, 2)}
    with Worker("balance", "balance", "Rules") as worker:
        for kind in KINDS:
            worker.call("prepare", kind=kind)
        for number in range(1, rounds + 1):
            for (kind, parts), found in seconds.items():
                found.append(worker.call("step", kind=kind, parts=parts))
            say(f"round {number}/{rounds}")
    lines = []
    for kind in KINDS:
        ratios = [
            spread([own / base for base, own in zip(seconds["static", parts], seconds[kind, parts], strict=True)])
            for parts in (1, 2)
        ]
        lines.append([f"`{kind}`", f"{1e3 * median(seconds[kind, 1]):.1f}", *ratios])
    return (
        f"`{COMMAND}`; {machine()}; median of {rounds} rounds and range, all in turn in every round; CPU time of one "
        "thread, so that what else runs on the machine counts little.\n\n"
        f"MMoE with 8 experts of [128, 64], {len(TASKS)} binary tasks, {IDS} id features of width {DIM}, {NUMBERS} "
        f"numbers; steps of {BATCH:,} rows, in one batch or in two that are accumulated, each beside static in the "
        "same way.\n\n" + table(["", "ms a step", "times static", "accumulated, times static"], lines)
    )


def main() -> None:
    """Print the section."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    given = parser.parse_args()
    try:
        print(section(given.rounds))
    except WorkerError as error:
        raise SystemExit(f"balance: {error}") from None


if __name__ == "__main__":
    main()
