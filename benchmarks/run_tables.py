"""Run contestants on the collection of tables, and write the section of docs/results.md.

python benchmarks/run_tables.py [--tables NAME ...] [--contestants NAME ...] [--seeds 3] [--folder runs/tables]

What is done is kept in the folder and not done again; the section is written when all tables are done.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

import torch

import gatewise as gw
from page import machine, write_section
from tables.collection import DIGESTS, HELD_OUT, TABLES
from tables.contestants import CONTESTANTS
from tables.summary import Means, details, read, summary

INTRO = """## An open collection of tables

`make tables`: {tables} tables of PyPI packages with several tasks each, 420 to 336,776 rows ({machine}). They are cut
forward in time, by group or at random: 70 % to learn from, 15 % to stop on, 15 % to judge on. Every contestant has the
options that it has by default, and {seeds} seeds; the size of LightGBM is chosen on the validation rows, per task.
Metrics are each kind's main one (AUC, R2, Gini, Spearman); a rank is over the {contestants} contestants, per task.
Tables that are held out judge defaults; none was chosen by them.
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tables", nargs="*", default=list(TABLES))
    parser.add_argument("--contestants", nargs="*", default=list(CONTESTANTS))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--folder", type=Path, default=Path("runs/tables"))
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    gw.tune_process()
    for name in given.tables:
        run(name, given.contestants, given.seeds, given.folder)
    found, seconds = read(given.folder, given.contestants, given.seeds)
    if len(found) == len(TABLES):
        write(found, seconds, given.contestants, given.seeds)


def run(name: str, contestants: list[str], seeds: int, folder: Path) -> None:
    """Run the contestants that are not done yet on a table."""
    left = [(who, seed) for who in contestants for seed in range(seeds) if not kept(folder, name, who, seed).exists()]
    if not left:
        return
    table = TABLES[name]()
    if (digest := table.digest()) != DIGESTS[name]:
        sys.exit(f"{name}: its rows or its split are other ones: digest {digest}")
    parts, held = table.parts(), " (held out)" if name in HELD_OUT else ""
    for who, seed in left:
        found, path = CONTESTANTS[who](table, parts, seed), kept(folder, name, who, seed)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"digest": digest, **asdict(found)}))
        scores = " ".join(f"{output} {score:.4f}" for output, score in found.scores.items())
        print(f"{name}{held} {who} {seed}: {scores} | {found.seconds:.1f} s {found.remark}", flush=True)


def kept(folder: Path, name: str, who: str, seed: int) -> Path:
    """Return the file of a run."""
    return folder / name / f"{who}-{seed}.json"


def write(found: dict[str, Means], seconds: dict[str, float], contestants: list[str], seeds: int) -> None:
    """Write the section of docs/results.md."""
    tables = {name: TABLES[name]() for name in found}
    cut = {name: f"{table.rows.num_rows:,} rows, {table.cut}" for name, table in tables.items()}
    intro = INTRO.format(tables=len(found), machine=machine(), seeds=seeds, contestants=len(contestants))
    write_section("tables", f"{intro}\n{summary(found, contestants, seconds)}\n\n{details(found, contestants, cut)}\n")


if __name__ == "__main__":
    main()
