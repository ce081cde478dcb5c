"""Change one option at a time on tables of several sizes, and write the section of docs/training.md.

python benchmarks/starting_values.py [--seeds 2] [--folder runs/starting_values]

The tables are those of the collection that choices may look at. What is done is kept and not done again.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from statistics import fmean
from typing import Any

import torch

import gatewise as gw
from page import ROOT, machine, write_section
from tables.collection import TABLES
from tables.contestants import ranker

NAMES = ("employees", "patients", "insurance", "crashes", "abortion")
BASE: dict[str, Any] = {"batch_size": 256, "lr": 1e-3, "epochs": 40, "patience": 5}
MODEL: dict[str, Any] = {"experts": 8, "expert_dims": [64, 32]}
CHANGES: dict[str, list[Any]] = {
    "batch_size": [32, 128, 1024],
    "lr": [3e-4, 3e-3],
    "experts": [2, 4, 16],
    "expert_dims": [[16], [32, 16], [128, 64]],
    "dropout": [0.1, 0.3],
    "numbers": ["piecewise_linear"],
}
PAGE = ROOT / "docs" / "training.md"


def contestant(option: str, value: Any) -> Any:
    """Return the contestant with one option changed."""
    if option in BASE:
        return ranker(model=gw.MMoE(**MODEL), **(BASE | {option: value}))
    return ranker(model=gw.MMoE(**(MODEL | {option: value})), **BASE)


def score(name: str, option: str, value: Any, seed: int, folder: Path) -> float:
    """Return the mean over tasks of the main metric of a run, which is done if it was not yet."""
    path = folder / name / f"{option}={value}-{seed}.json"
    if not path.exists():
        table = TABLES[name]()
        found = contestant(option, value)(table, table.parts(), seed)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"scores": found.scores, "seconds": found.seconds}))
        print(f"{name} {option}={value} {seed}: {fmean(found.scores.values()):.4f}, {found.seconds:.1f} s", flush=True)
    scores: Mapping[str, float] = json.loads(path.read_text())["scores"]
    return fmean(scores.values())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--folder", type=Path, default=ROOT / "runs" / "starting_values")
    given = parser.parse_args()
    torch.set_num_threads(1)
    gw.tune_process()

    def mean(name: str, option: str, value: Any) -> float:
        return fmean(score(name, option, value, seed, given.folder) for seed in range(given.seeds))

    base = {name: mean(name, "batch_size", BASE["batch_size"]) for name in NAMES}
    rows = {name: TABLES[name]().parts().train.num_rows for name in NAMES}
    lines = [
        "| option | " + " | ".join(f"{name}, {count:,} rows" for name, count in rows.items()) + " |",
        "| --- | " + " | ".join("---:" for _ in NAMES) + " |",
        "| starting values | " + " | ".join(f"{value:.4f}" for value in base.values()) + " |",
    ]
    for option, values in CHANGES.items():
        for value in values:
            cells = [f"{mean(name, option, value) - base[name]:+.4f}" for name in NAMES]
            lines.append(f"| `{option}: {value}` | " + " | ".join(cells) + " |")
    how = f"{given.seeds} seeds, the mean over tasks of each kind's main metric"
    intro = f"`python benchmarks/starting_values.py`, {how} ({machine()}).\n"
    write_section("starting values", intro + "\n" + "\n".join(lines), PAGE)


if __name__ == "__main__":
    main()
