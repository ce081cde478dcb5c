"""The section of docs/results.md on the paper's experiments."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from grid import BATCHES, COSINES, RATES, ROWS, SETS, Grid
from models import KINDS
from setting import Setting

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from page import machine

FAILED = 0.2
Results = Mapping[Setting, list[float]]
NAMES = {"mmoe": "MMoE", "omoe": "OMoE", "shared_bottom": "shared bottom"}
TEXT = """## The paper's made-up tasks

`make paper`; {machine}. {steps:,} steps of Adam, {seeds} seeds of every setting at once ({count} settings).

Two regressions whose weights have a given cosine, as in the MMoE paper (KDD 2018; `gatewise.datasets.related_tasks`),
and its sizes: 8 experts of 16, towers of 8, a shared bottom of 113. The paper gives neither batch size, steps, amount
of data nor the chosen rate, and they decide the outcome. So here is a map. A cell holds the mean of the final losses
(both tasks, labels standardised, fresh rows) and how many of the seeds end above {failed}: MMoE / OMoE / shared bottom.
The lowest mean is bold where it is lower than the next one by more than both standard errors together.

{maps}

The paper's figures over 200 runs, for comparison (cosine 0.5 / 0.9 / 1): MMoE .081 / .082 / .072 with 6 / 6.5 / 4.5 %
above 0.2, OMoE .147 / .119 / .079 with 11.5 / 9 / 7 %, shared bottom .256 / .222 / .200 with 56 / 47 / 35.5 %.

### What helps where runs fail

MMoE, cosine 0.5, batches of 32 fresh rows.

{remedies}
"""


def section(chosen: Grid, results: Results) -> str:
    """Return the section; settings that were not run are left out."""
    first = chosen.settings[0]
    maps = [text for rows in ROWS for batch in BATCHES if (text := _map(first, rows, batch, results))]
    return TEXT.format(
        machine=machine(),
        steps=first.steps,
        seeds=first.seeds,
        count=len(results),
        failed=FAILED,
        maps="\n\n".join(maps),
        remedies=_remedies(chosen, results),
    )


def _map(first: Setting, rows: int | None, batch: int, results: Results) -> str:
    data = "fresh rows at every step" if rows is None else f"{rows:,} rows, repeated"
    lines = [
        f"**Batches of {batch}, {data}**\n",
        "| rate | " + " | ".join(f"cosine {cosine:g}" for cosine in COSINES) + " |",
        "|---" * (1 + len(COSINES)) + "|",
    ]
    for lr in RATES:
        cells = []
        for cosine in COSINES:
            at = replace(first, cosine=cosine, lr=lr, batch=batch, rows=rows)
            cells.append(_cell([results.get(replace(at, kind=kind)) for kind in KINDS]))
        lines.append(f"| {lr:g} | " + " | ".join(cells) + " |")
    return "\n".join(lines) if any("/" in line for line in lines[3:]) else ""


def _cell(runs: list[list[float] | None]) -> str:
    known = [losses for losses in runs if losses is not None]
    if len(known) < len(runs):
        return "not run"
    means = [statistics.mean(losses) for losses in known]
    errors = [statistics.stdev(losses) / len(losses) ** 0.5 for losses in known]
    best, second = sorted(range(len(means)), key=means.__getitem__)[:2]
    clear = means[second] - means[best] > errors[best] + errors[second]
    shown = [f"**{mean:.3f}**" if clear and i == best else f"{mean:.3f}" for i, mean in enumerate(means)]
    failed = [str(sum(loss > FAILED for loss in losses)) for losses in known]
    return f"{' / '.join(shown)} ({' / '.join(failed)})"


def _remedies(chosen: Grid, results: Results) -> str:
    names = {chosen: " + ".join(f"`{name}`" for name in chosen) or "none" for chosen in SETS}
    rates = sorted({setting.lr for setting in chosen.remedies})
    lines = [
        "| remedy | " + " | ".join(f"rate {lr:g}: mean, worst, above {FAILED}" for lr in rates) + " |",
        "|---" * (1 + len(rates)) + "|",
    ]
    for remedies, name in names.items():
        cells = []
        for lr in rates:
            losses = next((results.get(s) for s in chosen.remedies if (s.lr, s.remedies) == (lr, remedies)), None)
            cells.append(_spread(losses) if losses else "not run")
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _spread(losses: list[float]) -> str:
    failed = sum(loss > FAILED for loss in losses)
    return f"{statistics.mean(losses):.3f}, {max(losses):.3f}, {failed} of {len(losses)}"
