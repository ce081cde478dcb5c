"""Training in several processes: what a step costs, sends and holds, beside one process.

python benchmarks/processes.py [--page FILE] [--quick]
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import socket
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from page import machine
from reporting import digits, say, table
from workload import VOCABULARIES, W1, W2, Workload, make_rows

COMMAND = "make bench PARTS=processes"
ROWS, ROUNDS = {"W1": 400_000, "W2": 80_000}, 3
TABLE = 2_000_000
DIM = 32
QUICK = {"rows": {"W1": 20_000, "W2": 8_000}, "rounds": 1, "wide": 20_000}
NETWORK = 10e9 / 8
"""Bytes a second of the network that the model on paper assumes."""


@dataclass(frozen=True)
class Case:
    """One training: the workload, how many processes, and where its tables are."""

    workload: str
    rows: int
    batch_size: int
    processes: int = 1
    tables: str = "replicate"
    update: str = "lazy"
    table: int = TABLE

    @property
    def name(self) -> str:
        """The way of training in words."""
        if self.processes == 1:
            return "one process, two threads"
        how = {"replicate": "touched rows exchanged", "shard": "rows dealt to processes"}[self.tables]
        how = "whole gradients summed" if self.update == "dense" else how
        return f"{self.processes} processes, one thread each: {how}"


class Counted:
    """Processes that count the bytes that this one receives."""

    def __init__(self, inner: Any) -> None:
        self.inner, self.rank, self.size, self.received = inner, inner.rank, inner.size, 0

    def sum(self, tensor: Any) -> Any:
        """Sum, and count what other processes send for it."""
        if tensor.is_sparse:
            own = tensor._values()
            self.received += (self.size - 1) * (own.numel() * own.element_size() + 8 * len(own))
        else:
            # a ring sends everything twice but for one part
            self.received += int(2 * (self.size - 1) / self.size * tensor.numel() * tensor.element_size())
        return self.inner.sum(tensor)

    def exchange(self, parts: Any, lengths: Any = None) -> Any:
        """Exchange, and count what other processes send."""
        found = self.inner.exchange(parts, lengths)
        others = [part for rank, part in enumerate(found) if rank != self.rank]
        self.received += sum(part.numel() * part.element_size() for part in others)
        return found


def declared(case: Case) -> tuple[Any, Any, Any]:
    """Return schema, architecture and columns of a case."""
    import gatewise as gw

    if case.workload == "wide table":
        rng = np.random.default_rng(0)
        schema = gw.Schema([gw.Categorical("id", dim=DIM, hash_buckets=case.table)], [gw.Binary("click")])
        columns = {"id": rng.integers(0, 10 * case.table, case.rows), "click": rng.integers(0, 2, case.rows)}
        return schema, gw.MMoE(experts=2, expert_dims=[16], tower_dims=[8]), columns
    workload = {"W1": W1, "W2": W2}[case.workload]
    ids = [gw.Categorical(f"c{i}", dim=workload.dim) for i in range(len(VOCABULARIES))]
    rows = make_rows(case.rows)
    numbers = [gw.Numeric(f"d{i}") for i in range(rows.numbers.shape[1])]
    schema = gw.Schema([*ids, *numbers], [gw.Binary("click"), gw.Binary("purchase")])
    model = gw.MMoE(experts=8, expert_dims=workload.expert_dims, tower_dims=workload.tower_dims)
    return schema, model, rows.columns()


def child(case: Case, rounds: int) -> dict[str, float]:
    """Train, and return what a step of this process takes, receives and holds."""
    from functools import partial

    import torch

    import gatewise as gw
    from gatewise import declare
    from gatewise.assembly import build_model, build_tasks
    from gatewise.data import TableEncoder
    from gatewise.distributed import processes
    from gatewise.fitting import make_trainer
    from gatewise.machine import tune_process
    from gatewise.nn import EmbeddingTables, ShardedTables
    from gatewise.progress import Reporter
    from gatewise.serving import Scorer

    tune_process()
    among = Counted(processes())
    schema, model, columns = declared(case)
    how = {"tables": case.tables, "embedding_update": case.update, "epochs": 10, "patience": None, "device": "cpu"}
    training = gw.Training(optimizer="adam", lr=1e-3, batch_size=case.batch_size, **how)
    encoder, encoded = TableEncoder.fit(schema, columns)
    tasks = build_tasks(schema, encoder.statistics)
    shared = case.tables == "shard" and among.size > 1
    tables = partial(ShardedTables, processes=among) if shared else EmbeddingTables
    scorer = Scorer(encoder, build_model(model, encoder.layout, tasks, 0, tables), tasks)
    rows = scorer.tensors(encoded)
    options = declare.Options(model=model, training=training)
    trainer = make_trainer(scorer, options, rows, None, Reporter(), processes=among)
    prepared = trainer.prepare(rows)
    steps = -(-case.rows // case.batch_size)
    seconds, cpu = [], []
    trainer.run_epoch(prepared)
    among.received = 0
    for _ in range(rounds):
        begun, used = time.perf_counter(), _cpu()
        trainer.run_epoch(prepared)
        seconds.append(time.perf_counter() - begun)
        cpu.append(_cpu() - used)
    weights = list(trainer.model.input_layer.tables.parameters())
    state = [value for weight in weights for value in _tensors(trainer.step.optimizer.state[weight])]
    dense = sum(p.numel() for p in trainer.model.parameters()) - sum(weight.numel() for weight in weights)
    torch.manual_seed(0)
    return {
        "step": median(seconds) / steps,
        "cpu": median(cpu) / steps,
        "received": among.received / rounds / steps,
        "held": sum(each.numel() * each.element_size() for each in [*weights, *state]),
        "dense": 4 * dense,
    }


def _tensors(state: Any) -> list[Any]:
    import torch

    if isinstance(state, torch.Tensor):
        return [state]
    return [each for value in state.values() for each in _tensors(value)] if isinstance(state, dict) else []


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def measured(case: Case, rounds: int) -> dict[str, float]:
    """Run a case in processes of its own, and return what rank 0 found."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    # a process of several has one core of two
    common = os.environ | {"OMP_NUM_THREADS": "2" if case.processes == 1 else "1", "WORLD_SIZE": str(case.processes)}
    common |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    command = [sys.executable, __file__, "--case", json.dumps(asdict(case)), "--rounds", str(rounds)]
    started = [
        subprocess.Popen(command, env=common | {"RANK": str(rank)}, stdout=subprocess.PIPE, text=True)
        for rank in range(case.processes)
    ]
    outputs = [process.communicate()[0] for process in started]
    if any(process.returncode for process in started):
        sys.exit(f"{case} failed")
    return json.loads(outputs[0].splitlines()[-1])


def of_wide_table(rows: int, rounds: int) -> str:
    """Return the table of one wide embedding table in two processes."""
    case = Case("wide table", 10 * 4096, 4096, 2, table=rows)
    cases = [case, replace(case, tables="shard"), replace(case, update="dense")]
    found = {each: measured(each, rounds) for each in cases}
    dense = found[cases[-1]]
    lines = [
        [
            each.name,
            digits(1e3 * one["step"]),
            f"{dense['step'] / one['step']:.1f}",
            digits(one["received"] / 1e6),
            f"{one['held'] / 1e6:,.0f}",
            f"{one['held'] / found[case]['held']:.2f}",
        ]
        for each, one in found.items()
    ]
    header = ["", "ms a step", "times faster", "MB received a step", "MB of table and moments", "of the whole"]
    return (
        f"### A table of {rows:,} rows of {DIM} numbers, {case.batch_size:,} rows a step\n\n"
        f"Per process; Adam.\n\n{table(header, lines)}"
    )


def of_workloads(rows: dict[str, int], rounds: int) -> str:
    """Return the table of both workloads, in one and two processes."""
    lines = []
    for workload, batch_size in ((W1, W1.batch_size), (W1, 8 * W1.batch_size), (W2, W2.batch_size)):
        alone = Case(workload.name, rows[workload.name], batch_size)
        cases = [alone, replace(alone, processes=2), replace(alone, processes=2, tables="shard")]
        found = {case: measured(case, rounds) for case in cases}
        for case, one in found.items():
            say(f"{workload.name} {batch_size} {case.name}: {1e3 * one['step']:.1f} ms")
            lines.append(
                [
                    f"{workload.name}, {batch_size:,} rows a step; {case.name}",
                    digits(batch_size / one["step"]),
                    f"{found[alone]['step'] / one['step']:.2f}",
                    digits(1e3 * one["cpu"]),
                    digits(one["received"] / 1e6) if case.processes > 1 else "",
                    digits(1e3 * on_paper(workload, case, found)) if case.processes > 1 else "",
                ]
            )
    header = ["", "samples/s", "of one process", "CPU ms a step and process", "MB received a step"]
    return f"### W1 and W2\n\n{table([*header, '8 processes, on paper: ms a step'], lines)}"


def on_paper(workload: Workload, case: Case, found: dict[Case, dict[str, float]], processes: int = 8) -> float:
    """Return the seconds of a step of eight machines with one core each, from what two processes computed and sent.

    Each computes an eighth of the rows; the sum of dense gradients grows with (W - 1) / W, exchanged rows with W - 1
    times the W-th part.
    """
    del workload
    one = found[case]
    whole = case.processes * min(each["cpu"] for other, each in found.items() if other.processes > 1)
    grown = (processes - 1) / processes / ((case.processes - 1) / case.processes)
    return whole / processes + one["received"] * grown / NETWORK


def section(rows: dict[str, int] | None = None, rounds: int = ROUNDS, wide: int = TABLE) -> str:
    """Measure everything and return the section."""
    return (
        f"## Several processes\n\n`{COMMAND}`; {machine()}. Gloo on one machine of two cores; median of {rounds} "
        "epochs after a first one. What one process computes with two threads, two compute with one each. The last "
        "column is a model on paper, not measured: eight machines of one core, 10 Gbit/s between them.\n\n"
        f"{of_wide_table(wide, rounds)}\n{of_workloads(rows or ROWS, rounds)}"
    )


def main() -> None:
    """Measure one case, or print the section."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--case")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--page", type=Path)
    given = parser.parse_args()
    if given.case:
        from gatewise.distributed import end_process

        print(json.dumps(child(Case(**json.loads(given.case)), given.rounds)))
        end_process(0)
    text = section(**QUICK if given.quick else {})
    if given.page:
        from page import write_section

        write_section("processes", text, given.page)
    print(text)


if __name__ == "__main__":
    main()
