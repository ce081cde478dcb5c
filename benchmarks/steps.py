"""Where the time of one training step goes: by what the loop does, and by operator."""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from collections.abc import Callable
from statistics import median
from typing import Any

from page import ROOT, machine
from reporting import digits, say, table
from workload import TASKS, VOCABULARIES, WORKLOADS, Rows, Workload, make_rows

COMMAND = "make bench PARTS=steps"
PAGE = ROOT / "docs" / "performance.md"
ROWS = {"W1": 300_000, "W2": 120_000}
EPOCHS = 3
OPERATORS = 9
QUICK = {"rows": {"W1": 20_000, "W2": 20_000}}
PHASES = (
    "fetch rows",
    "input layer",
    "forward and loss",
    "backward",
    "sum gradients by row",
    "move weights",
    "the rest",
)


class Stopwatch:
    """Adds up the seconds of wrapped functions, by name."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)

    def timed(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return the function with its time taken."""

        def run(*arguments: Any, **options: Any) -> Any:
            started = time.perf_counter()
            try:
                return function(*arguments, **options)
            finally:
                self.seconds[name] += time.perf_counter() - started

        return run


class Bench:
    """A trainer of a workload's model on generated rows, as ``Ranker.fit`` would make it."""

    def __init__(self, workload: Workload, rows: Rows) -> None:
        import gatewise as gw
        from gatewise import declare
        from gatewise.assembly import build_model, build_tasks
        from gatewise.data import TableEncoder
        from gatewise.fitting import make_trainer
        from gatewise.progress import Reporter
        from gatewise.serving import Scorer

        ids = [gw.Categorical(f"c{i}", dim=workload.dim) for i in range(len(VOCABULARIES))]
        numbers = [gw.Numeric(f"d{i}") for i in range(rows.numbers.shape[1])]
        schema = gw.Schema(features=[*ids, *numbers], tasks=[gw.Binary(task) for task in TASKS])
        model = gw.MMoE(experts=8, expert_dims=workload.expert_dims, tower_dims=workload.tower_dims)
        training = gw.Training(optimizer="adam", lr=workload.lr, batch_size=workload.batch_size, device="cpu")
        options = declare.Options(model=model, training=training)
        encoder, encoded = TableEncoder.fit(schema, rows.columns())
        tasks = build_tasks(schema, encoder.statistics)
        scorer = Scorer(encoder, build_model(model, encoder.layout, tasks), tasks)
        self.trainer = make_trainer(scorer, options, scorer.tensors(encoded), None, Reporter())
        self.table = self.trainer.prepare(scorer.tensors(encoded))
        self.steps = -(-len(rows) // workload.batch_size)

    def phases(self) -> dict[str, float]:
        """Return the seconds of a step by what the loop does, the median over epochs."""
        import torch

        found = []
        tables = self.trainer.model.input_layer.tables
        self.trainer.run_epoch(self.table)
        for _ in range(EPOCHS):
            watch = Stopwatch()
            wrapped = {
                (self.trainer.model.input_layer, "forward"): "input layer",
                (self.trainer.step, "_compiled"): "forward and loss",
                (torch.Tensor, "backward"): "backward",
                (tables, "_set_gradients"): "sum gradients by row",
                (self.trainer.step, "_update"): "move weights",
                (self.trainer.step, "_step"): "whole step",
            }
            originals = {key: getattr(*key) for key in wrapped}
            for (owner, name), phase in wrapped.items():
                setattr(owner, name, watch.timed(phase, originals[owner, name]))
            started = time.perf_counter()
            self.trainer.run_epoch(self.table)
            seconds = watch.seconds | {"epoch": time.perf_counter() - started}
            for (owner, name), original in originals.items():
                setattr(owner, name, original)
            found.append(seconds)
        of_step = {name: median(one[name] for one in found) / self.steps for name in found[0]}
        of_step["fetch rows"] = of_step["epoch"] - of_step["whole step"]
        known = sum(of_step[phase] for phase in PHASES[:-1])
        return {phase: of_step.get(phase, of_step["epoch"] - known) for phase in PHASES}

    def operators(self) -> list[tuple[str, float, float]]:
        """Return the operators with the most time of their own: name, seconds and calls a step."""
        from torch.profiler import ProfilerActivity, profile

        with profile(activities=[ProfilerActivity.CPU]) as found:
            self.trainer.run_epoch(self.table)
        rows = [
            (event.key, event.self_cpu_time_total / 1e6 / self.steps, event.count / self.steps)
            for event in found.key_averages()
        ]
        return sorted(rows, key=lambda row: -row[1])[:OPERATORS]


def profiled(workload: Workload, rows: int) -> str:
    """Return both tables of one workload."""
    from gatewise.machine import tune_process

    tune_process()
    say(f"{workload.name}: {rows:,} rows")
    bench = Bench(workload, make_rows(rows))
    phases, operators = bench.phases(), bench.operators()
    whole = sum(phases.values())
    lines = [[name, f"{seconds * 1e3:.2f}", f"{seconds / whole:.0%}"] for name, seconds in phases.items()]
    lines.append(["a step", f"{whole * 1e3:.2f}", f"{digits(workload.batch_size / whole)} samples/s"])
    of_operators = [[f"`{name}`", f"{seconds * 1e3:.2f}", f"{calls:.0f}"] for name, seconds, calls in operators]
    return (
        f"### One step of {workload.name}: {workload.batch_size:,} rows\n\n"
        f"{table(['', 'ms', 'share'], lines)}\n"
        f"{table(['operator', 'ms of its own', 'calls'], of_operators)}"
    )


def section(rows: dict[str, int] | None = None) -> str:
    """Profile both workloads and return the section."""
    parts = [profiled(workload, (rows or ROWS)[name]) for name, workload in WORKLOADS.items()]
    return (
        f"## Where a step's time goes\n\n`{COMMAND}`; {machine()}. Phases: median of {EPOCHS} epochs. Operators: with "
        "the profiler on, which slows small ones; compiled kernels that no operator wraps count to what calls them.\n\n"
        + "\n".join(parts)
    )


def main() -> None:
    """Print the section."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true")
    given = parser.parse_args()
    print(section(**QUICK if given.quick else {}))


if __name__ == "__main__":
    main()
