"""The section of docs/results on the paper's experiments."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from ablation import ablation
from figures import figures
from grid import BATCHES, COSINES, RATES, ROWS, Grid
from points import Point, points
from reading import reading
from summary import FAILED, Results

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from page import machine

TEXT = """## The paper's made-up tasks

`make paper`; {machine}. Adam; {seeds} seeds of every point of the map, {steps:,} steps; up to {many} of the others.

Two regressions whose weights have a given cosine, as in the MMoE paper (KDD 2018; `gatewise.datasets.related_tasks`),
and its sizes: 8 experts of 16, towers of 8, a shared bottom of 113. The paper gives neither batch size, steps, amount
of data nor the chosen rate, and they decide the outcome. So here is a map. Losses are those of fresh rows at the end of
the training, the mean of both tasks, labels standardised; a run above {failed} has failed.

![Means of MMoE beside shared bottom and OMoE on the map of rates, batches, data and cosines](../images/paper_map.svg)

{reading}

### Most like the paper's Figures 4 and 5

{figures}

### What helps where runs fail

{ablation}

### The map

A cell holds the mean of the final losses and how many of the seeds end above {failed}: MMoE / OMoE / shared bottom. The
lowest mean is bold where it is lower than the next one by more than both standard errors together.

{maps}
"""


def section(chosen: Grid, results: Results) -> str:
    """Return the section; settings that were not run are left out."""
    first = chosen.settings[0]
    found = points(first, results)
    return TEXT.format(
        machine=machine(),
        steps=first.steps,
        seeds=first.seeds,
        many=chosen.figures[0].seeds,
        failed=FAILED,
        reading=reading(found),
        figures=figures(chosen, results),
        ablation=ablation(chosen, results),
        maps="\n\n".join(_map(found, rows, batch) for rows in ROWS for batch in BATCHES),
    )


def _map(found: Sequence[Point], rows: int | None, batch: int) -> str:
    cells = {(p.at.lr, p.at.cosine): _cell(p) for p in found if (p.at.rows, p.at.batch) == (rows, batch)}
    data = "fresh rows at every step" if rows is None else f"{rows:,} rows, repeated"
    lines = [
        f"**Batches of {batch}, {data}**\n",
        "| rate | " + " | ".join(f"cosine {cosine:g}" for cosine in COSINES) + " |",
        "|---" * (1 + len(COSINES)) + "|",
    ]
    shown = {lr: " | ".join(cells.get((lr, cosine), "not run") for cosine in COSINES) for lr in RATES}
    return "\n".join([*lines, *(f"| {lr:g} | {row} |" for lr, row in shown.items())])


def _cell(point: Point) -> str:
    means = [f"{summary.mean:.3f}" for summary in point.found]
    if point.best is not None:
        means[point.best] = f"**{means[point.best]}**"
    return f"{' / '.join(means)} ({' / '.join(str(summary.failed) for summary in point.found)})"
