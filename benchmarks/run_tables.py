"""Run contestants on the collection of tables, and write the section of docs/results.

python benchmarks/run_tables.py [--tables choices|held_out|all|NAME ...] [--contestants NAME ...] [--seeds 3]
                                [--folder runs/tables] [--data ../shared/data] [--cap 300] [--ablations] [--small]

What is done is kept in the folder and not done again. The summary is printed, or a section written if no names are
given and all is done: that of docs/results about all tables; with --small the one about tables of at most 5,000
rows, where RealMLP and TabM take part; with --ablations that of docs/training.md, of the default less each of its
parts.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import torch

import gatewise as gw
from page import ROOT, machine, write_section
from tables import peers
from tables.ablations import LEVEL, ablations
from tables.collection import DIGESTS, HELD_OUT, SLOW, SMALL, TABLES, absent
from tables.contestants import ABLATIONS, CONTESTANTS, NEEDS, OTHERS, PEERS, TREES
from tables.resampling import SAMPLES
from tables.summary import Found, details, is_kept, keep, read, summary

INTRO = """## An open collection of tables

`make tables`: {tables} tables with several tasks each, {rows} rows ({machine}). They are cut forward in time, by group
or at random: 70 % to learn from, 15 % to stop on, 15 % to judge on. Every contestant has the options that it has by
default, and {seeds} seeds; shared bottom and single task have the default's other parts (members, embedded numbers,
length). The size of {trees} is chosen on the validation rows, per task. Metrics are each kind's main one (AUC, R2,
Gini, Spearman); a rank is over the {contestants} contestants, per task; equal means share ranks, and both win. Tables
that are held out judge defaults; none was chosen by them. CPU seconds are those of the first seed.

Against {trees}: the test rows are drawn anew {samples} times, for all contestants alike, row by row also where groups
were kept whole. A contestant is *level or above* if the 95 % interval of its mean metric over seeds less that of
{trees} reaches 0 or lies above, *above* if its mean is greater, and *clearly* so if the interval leaves out 0; the
second table has + where it is clearly above and - where it is clearly below. The interval covers the choice of test
rows, not that of seeds.
"""
SMALL_INTRO = """### Beside RealMLP and TabM, on small tables

`python benchmarks/run_tables.py --small`: the {tables} tables of at most 5,000 rows ({machine}), {seeds} seeds.
RealMLP and TabM learn every task alone; both are made for GPUs, and a run has {cap:.0f} CPU seconds for all tasks.
"""
ABLATED_INTRO = """`python benchmarks/run_tables.py --ablations --seeds {seeds}`: the {tables} tables on which the
default learns within 40 CPU seconds ({machine}), {seeds} seed(s): how much greater the mean of a table's main metrics
is with the default than with the default less a part, with 95 % intervals over tables, and the number of tables on
which it is better, level (within {level}) and worse.
"""
GROUPS = {
    "all": tuple(TABLES),
    "choices": tuple(name for name in TABLES if name not in HELD_OUT),
    "held_out": tuple(name for name in TABLES if name in HELD_OUT),
    "small": SMALL,
    "quick": tuple(name for name in TABLES if name not in SLOW),
}
KNOWN = CONTESTANTS | PEERS | ABLATIONS | OTHERS
TRAINING = ROOT / "docs" / "training.md"


@dataclass(frozen=True)
class Part:
    """A part of the documentation: which contestants run on which tables, and who writes what of them.

    Attributes:
        tables: names of tables or groups.
        contestants: names.
        write: called with what was found and the number of seeds.
    """

    tables: tuple[str, ...]
    contestants: tuple[str, ...]
    write: Callable[[dict[str, Found], list[str], int], None]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", nargs="+", default=[], choices=[*GROUPS, *TABLES], metavar="NAME")
    parser.add_argument("--contestants", nargs="+", default=[], choices=KNOWN, metavar="NAME")
    parser.add_argument("--small", action="store_true", help="small tables, also with RealMLP and TabM")
    parser.add_argument("--ablations", action="store_true", help="the default less each of its parts")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--folder", type=Path, default=Path("runs/tables"))
    parser.add_argument("--data", type=Path, help="the folder of tables that no package brings, else GATEWISE_DATA")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--cap", type=float, default=peers.CAP, help="CPU seconds of a run of RealMLP or TabM")
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    gw.tune_process()
    peers.CAP = given.cap
    if given.data:
        os.environ["GATEWISE_DATA"] = str(given.data)
    part = PARTS["small" if given.small else "ablations" if given.ablations else "all"]
    tables = present(given.tables or list(part.tables))
    contestants = installed(given.contestants or list(part.contestants))
    for name in tables:
        run(name, contestants, given.seeds, given.folder)
    found = read(given.folder, contestants, given.seeds, tables)
    if not given.contestants and not given.tables and found.keys() == set(tables):
        part.write(found, contestants, given.seeds)
    else:
        print(f"\n{summary(found, contestants)}")
        if contestants[0] == "default" and contestants[1:]:
            print(f"\n{ablations(found, contestants[1:])}")


def present(names: list[str]) -> list[str]:
    """Return the tables that names and groups of names stand for, those left out whose files are absent."""
    found = dict.fromkeys(name for given in names for name in GROUPS.get(given, (given,)))
    for name in found:
        if reason := absent(name):
            print(f"{name} is left out: {reason}", flush=True)
    return [name for name in TABLES if name in found and not absent(name)]


def installed(names: list[str]) -> list[str]:
    """Return the contestants whose packages are there, and say of the others what to install."""
    missing = {who: [package for package in NEEDS.get(who, ()) if not find_spec(package)] for who in names}
    for who, packages in missing.items():
        if packages:
            print(f"{who} is left out: pip install -c constraints.txt {' '.join(packages)}", flush=True)
    return [who for who in names if not missing[who]]


def run(name: str, contestants: list[str], seeds: int, folder: Path) -> None:
    """Run the contestants that are not done yet on a table."""
    left = [(who, seed) for seed in range(seeds) for who in contestants if not is_kept(folder, name, who, seed)]
    if not left:
        return
    table = TABLES[name]()
    if (digest := table.digest()) != DIGESTS[name]:
        sys.exit(f"{name}: its rows or its split are other ones: digest {digest}")
    parts, held = table.parts(), " (held out)" if name in HELD_OUT else ""
    for who, seed in left:
        found = KNOWN[who](table, parts, seed)
        keep(folder, name, who, seed, digest, found)
        scores = " ".join(f"{output} {score:.4f}" for output, score in found.scores.items())
        print(f"{name}{held} {who} {seed}: {scores} | {found.seconds:.1f} s {found.remark}", flush=True)


def write(found: dict[str, Found], contestants: list[str], seeds: int, page: Path | None = None) -> None:
    """Write the section of docs/results about all tables."""
    _write("tables", INTRO, found, contestants, seeds, page)


def write_small(found: dict[str, Found], contestants: list[str], seeds: int, page: Path | None = None) -> None:
    """Write the section of docs/results about small tables."""
    _write("small tables", SMALL_INTRO, found, contestants, seeds, page)


def _write(
    section: str, about: str, found: dict[str, Found], contestants: list[str], seeds: int, page: Path | None
) -> None:
    tables = {name: TABLES[name]() for name in found}
    sizes = [table.rows.num_rows for table in tables.values()]
    cut = {name: f"{table.rows.num_rows:,} rows, {table.cut}" for name, table in tables.items()}
    intro = about.format(
        tables=len(found),
        rows=f"{min(sizes):,} to {max(sizes):,}",
        machine=machine(),
        seeds=seeds,
        contestants=len(contestants),
        trees=TREES,
        samples=SAMPLES,
        cap=peers.CAP,
    )
    write_section(section, f"{intro}\n{summary(found, contestants)}\n\n{details(found, contestants, cut)}\n", page)


def write_ablations(found: dict[str, Found], contestants: list[str], seeds: int, page: Path = TRAINING) -> None:
    """Write the section of docs/training.md."""
    intro = ABLATED_INTRO.format(tables=len(found), machine=machine(), seeds=seeds, level=LEVEL)
    write_section("ablations", f"{intro}\n{ablations(found, contestants[1:])}\n", page)


PARTS = {
    "all": Part(GROUPS["all"], tuple(CONTESTANTS), write),
    "small": Part(SMALL, (*CONTESTANTS, *PEERS), write_small),
    "ablations": Part(GROUPS["quick"], ("default", *ABLATIONS), write_ablations),
}


if __name__ == "__main__":
    main()
