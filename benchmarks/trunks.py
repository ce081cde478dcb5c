"""Training speed of every trunk beside MMoE, each with as many parameters."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from statistics import median
from typing import Any

import numpy as np

from page import machine
from reporting import digits, say, spread, table
from worker import Worker, WorkerError

COMMAND = "make bench PARTS=trunks"
TASKS = ("click", "like", "buy")
IDS, VALUES, DIM, NUMBERS, ITEMS = 8, 5_000, 16, 8, 10
BATCH = 1024
ROWS = 60 * BATCH
ROUNDS = 5
QUICK = {"rows": 4 * BATCH, "rounds": 2}

Width = Callable[[int], dict[str, Any]]


def experts(width: int) -> dict[str, Any]:
    """Return hidden widths of experts."""
    return {"expert_dims": [2 * width, width]}


def layers(name: str) -> Width:
    """Return hidden widths under the name that a trunk gives them."""
    return lambda width: {name: [2 * width, width]}


# what is fixed, and how the rest follows from a width
TRUNKS: dict[str, tuple[dict[str, Any], Width]] = {
    "mmoe": ({}, experts),
    "omoe": ({}, experts),
    "single_task": ({}, layers("bottom_dims")),
    "shared_bottom": ({}, layers("bottom_dims")),
    "cgc": ({"own_experts": 2, "shared_experts": 2}, experts),
    "ple": ({"own_experts": 2, "shared_experts": 2}, experts),
    "adatt": ({"own_experts": 2, "shared_experts": 2}, experts),
    "cross_stitch": ({}, layers("layer_dims")),
    "aitm": ({"order": list(TASKS)}, layers("bottom_dims")),
    "home": ({"groups": {"look": ["click"], "act": ["like", "buy"]}}, experts),
    "stem": ({"own_experts": 2, "shared_experts": 2}, experts),
    "pepnet": ({"scenario": ["id0"], "priors": ["id1", "id2"], "tower_dims": []}, layers("layer_dims")),
    "mose": ({}, lambda width: {"expert_dim": width}),
    "facet_aware_moe": ({"facet": "id0"}, lambda width: {"expert_dim": 4 * max(width // 4, 1)}),
}
REFERENCE, REFERENCE_WIDTH = "mmoe", 32


class Trunks:
    """Holds the rows and one ranker a trunk: runs in a process of its own."""

    def __init__(self, rows: int) -> None:
        rng = np.random.default_rng(0)
        self.rows = {f"id{i}": rng.integers(0, VALUES, rows) for i in range(IDS)}
        self.rows |= {f"number{i}": rng.normal(size=rows) for i in range(NUMBERS)}
        self.rows |= {task: rng.integers(0, 2, rows) for task in TASKS}
        self.rows["history"] = list(rng.integers(0, VALUES, (rows, ITEMS)))
        self.encoders: dict[bool, Any] = {}
        self.budget = self._parameters(REFERENCE, REFERENCE_WIDTH)
        self.widths: dict[str, int] = {}

    def prepare(self, kind: str) -> int:
        """Find the width that comes nearest to MMoE's parameters; return how many those are."""
        low, high = 1, 2
        while self._parameters(kind, high) < self.budget:
            low, high = high, 2 * high
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self._parameters(kind, middle) < self.budget else (low, middle)
        self.widths[kind] = min((low, high), key=lambda width: abs(self._parameters(kind, width) - self.budget))
        return self._parameters(kind, self.widths[kind])

    def train(self, kind: str) -> float:
        """Return the training rows a second in the second epoch."""
        ranker = self._ranker(kind, self.widths[kind]).fit(self.rows, progress=False)
        return ranker.history[-1].rows_per_second

    def _ranker(self, kind: str, width: int) -> Any:
        import warnings

        import gatewise as gw

        # labels are random: what gates make of them is of no interest
        warnings.simplefilter("ignore", gw.GatewiseWarning)
        fixed, of_width = TRUNKS[kind]
        features = [gw.Categorical(f"id{i}", dim=DIM, hash_buckets=VALUES) for i in range(IDS)]
        features += [gw.Numeric(f"number{i}") for i in range(NUMBERS)]
        features.append(gw.Sequence("history", shares="id0", pooling=None if kind == "mose" else "mean"))
        schema = gw.Schema(features=features, tasks=[gw.Binary(task) for task in TASKS])
        model = {"kind": kind, **fixed, **of_width(width)}
        return gw.Ranker(schema, model, epochs=2, batch_size=BATCH, device="cpu")

    def _parameters(self, kind: str, width: int) -> int:
        import torch

        from gatewise.assembly import build_model, build_tasks
        from gatewise.data import TableEncoder

        ranker = self._ranker(kind, width)
        pooled = kind != "mose"
        if pooled not in self.encoders:
            few = {name: column[:100] for name, column in self.rows.items()}
            self.encoders[pooled] = TableEncoder.fit(ranker.schema, few)[0]
        encoder = self.encoders[pooled]
        with torch.no_grad():
            model = build_model(ranker.options.model, encoder.layout, build_tasks(ranker.schema, encoder.statistics))
        return model.num_parameters(embeddings=False)


def section(rows: int = ROWS, rounds: int = ROUNDS) -> str:
    """Time all trunks in turn and return the section."""
    rates: dict[str, list[float]] = {kind: [] for kind in TRUNKS}
    with Worker("trunks", "trunks", "Trunks", rows=rows) as worker:
        sizes = {kind: worker.call("prepare", kind=kind) for kind in TRUNKS}
        for number in range(1, rounds + 1):
            for kind in TRUNKS:
                rates[kind].append(worker.call("train", kind=kind))
                say(f"round {number}/{rounds}: {kind} {digits(rates[kind][-1])} samples/s")
    lines = []
    for kind, found in rates.items():
        ratios = [own / reference for own, reference in zip(found, rates[REFERENCE], strict=True)]
        lines.append([f"`{kind}`", f"{sizes[kind]:,}", digits(median(found)), spread(ratios)])
    return (
        f"## Trunks\n\n`{COMMAND}`; {machine()}; median of {rounds} rounds and range, all in turn in every round.\n\n"
        f"{IDS} id features and a list of {ITEMS} items of width {DIM}, {NUMBERS} numbers, {len(TASKS)} binary tasks, "
        f"batch {BATCH:,}. MMoE has 8 experts of [{2 * REFERENCE_WIDTH}, {REFERENCE_WIDTH}]; every other trunk is made "
        "as wide as its parameters outside the embeddings come nearest to MMoE's.\n\n"
        + table(["", "parameters", "samples/s", "times MMoE"], lines)
    )


def main() -> None:
    """Print the section."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    given = parser.parse_args()
    try:
        print(section(given.rows, given.rounds))
    except WorkerError as error:
        raise SystemExit(f"trunks: {error}") from None


if __name__ == "__main__":
    main()
