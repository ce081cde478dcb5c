"""What tests of several processes run under torchrun: trainings, whose weights rank 0 writes."""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import torch

import gatewise as gw
from gatewise import declare
from gatewise.data import TableLearner
from gatewise.distributed import end_process
from gatewise.nn import HostTables, mapped
from gatewise.training import Reporter

SCHEMA = gw.Schema(
    features=[
        gw.Categorical("user", dim=4),
        gw.Numeric("x"),
        gw.Sequence("tags", dim=2),
        gw.Sequence("seen", shares="user"),
    ],
    tasks=[gw.Binary("click"), gw.Binary("buy", after="click"), gw.Regression("stay", weight_column="weight")],
    group="request",
)
APART = gw.Schema(features=[*SCHEMA.features[:2], gw.Sequence("seen", shares="user", pooling=None)], tasks=SCHEMA.tasks)
RANKED = gw.Schema(features=SCHEMA.features, tasks=[gw.Binary("click", ranking="pairwise")], group="request")
OPTIONS = {"epochs": 1, "batch_size": 50, "seed": 1, "optimizer": "adam", "lr": 3e-3, "clip_norm": 1.0}


def table(rows: int = 1010, seed: int = 0) -> pa.Table:
    rng = np.random.default_rng(seed)
    user, x = rng.integers(0, 30, rows), rng.normal(size=rows)
    click = rng.random(rows) < 1 / (1 + np.exp(-np.sin(user) - x))
    return pa.table(
        {
            "user": user,
            "x": x,
            "tags": rng.choice(["a|b", "", "c"], rows),
            "seen": [rng.integers(0, 30, n).tolist() for n in rng.integers(0, 4, rows)],
            "click": click.astype(int),
            "buy": (click & (rng.random(rows) < 0.3)).astype(int),
            "stay": pa.array(x + rng.normal(size=rows), mask=rng.random(rows) < 0.3),
            "weight": rng.random(rows) + 0.5,
            "request": np.arange(rows) // 4,
        }
    )


class Rows:
    """Counts the rows from which this process learns an encoder."""

    def __init__(self) -> None:
        self.learnt, absorb = 0, TableLearner.absorb

        def counting(learner: TableLearner, piece: pa.Table) -> Any:
            self.learnt += piece.num_rows
            return absorb(learner, piece)

        TableLearner.absorb = counting  # type: ignore[method-assign]


def trained(case: dict[str, Any], run_dir: Path | None = None, **more: Any) -> gw.Ranker:
    """Train one case: options of the training, ``model``, ``balance``, and ``schema``."""
    options = {**OPTIONS, **case}
    schema = {"ranked": RANKED, "apart": APART}.get(options.pop("schema", ""), SCHEMA)
    rows = options.pop("rows", 1010)
    model = options.pop("model", {"kind": "mmoe", "experts": 3, "expert_dims": [8], "tower_dims": [4]})
    ranker = gw.Ranker(schema, declare.from_dict(declare.Options, {"model": model}).model, **options)
    return ranker.fit(table(rows), table(300, 1), run_dir=run_dir, progress=False, **more)


class DiesAt(Reporter):
    """Kills its process in a step."""

    def __init__(self, step: int, mark: Path) -> None:
        self.left, self.mark = step, mark

    def on_step_end(self, losses: torch.Tensor) -> None:
        self.left -= 1
        if self.left == 0:
            self.mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)


def main() -> None:
    cases, out = json.loads(Path(sys.argv[1]).read_text()), Path(sys.argv[2])
    # rows are fetched as if the model were on another device
    HostTables.is_apart = lambda *_: True  # type: ignore[method-assign]
    rank, counted = int(os.environ.get("RANK", "0")), Rows()
    for name, case in cases.items():
        if case.pop("cache apart", False):
            case["cache"] = str(out / f"cache of {rank}")
        if (steps := case.pop("dies at", None)) is not None:
            # once per start, then it goes on to the end
            marks = [out / f"{name} died {number}" for number in range(len(steps))]
            died = sum(mark.exists() for mark in marks)
            dies = [DiesAt(steps[died], marks[died])] if died < len(steps) else []
            # large tables are gathered in a file, and all are large
            mapped.LARGE = 0
            ranker = trained({**case, "save_minutes": 0}, out / f"{name} run", resume=died > 0, callbacks=dies)
        else:
            before = counted.learnt
            ranker = trained(case)
            (out / f"{name}.{rank}.rows").write_text(str(counted.learnt - before))
        # replicas are equal, bit for bit: every rank writes its own, and of shards what it holds
        torch.save(dict(ranker.scorer.model.state_dict()), out / f"{name}.{rank}.pt")
        if rank == 0:
            ranker.save(out / f"{name} artefact")
            (out / f"{name}.json").write_text(json.dumps(ranker.history[-1].valid))


if __name__ == "__main__":
    main()
    end_process(0)
