"""Write the section of docs/results on labels that come late: made-up purchases whose true rates are known.

python scripts/late_results.py [--seeds 3] [--rows 100000]
"""

from __future__ import annotations

import argparse
import statistics
import warnings
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from results_page import machine, write_section

import gatewise as gw

DELAY = 7 * 86_400
START = 1_777_593_600
LATE = {"delay": "7d", "time": "time"}
WAYS: dict[str, tuple[str, dict[str, Any]]] = {
    "naive": ("no `delay`: what is not bought yet is a zero", {}),
    "wait": ('`delay="7d"`: rows younger than a week are left out', LATE),
    "delayed_feedback": ('`late="delayed_feedback"`', {**LATE, "late": "delayed_feedback", "seen": "bought_at"}),
    "importance": ('`late="importance"`', {**LATE, "late": "importance", "seen": "bought_at"}),
}
SHAPES = {
    "exponential": "exponential, 1.2 or 2.8 days on average by the ad, none after a week",
    "two humps": "two humps: half within a day, half after four to six days",
}
TEXT = """## Labels that come late

`make late` ({seeds} seeds: mean, and range in brackets)

{machine}. {rows:,} rows of {days:.1f} days with 40 users and 20 ads, whose purchases follow within a week; the table is
read on the last day, and {young:.0%} of its rows are younger than a week. The model is
`MMoE(experts=2, expert_dims=[16])` for every way.

| wait for a purchase | learnt by | mean predicted / true rate | error of single rates, root of the mean square |
|---|---|---|---|
{table}

The true rates are known because the purchases are made up; no model saw them, nor a purchase that came after the table
was read.
"""


class Log(NamedTuple):
    """Rows as they are read on the last day, and the true probability of a purchase within a week."""

    table: pa.Table
    rates: np.ndarray
    young: float


def log(rows: int, shape: str, seed: int, weeks: float) -> Log:
    """Draw rows of some weeks."""
    rng = np.random.default_rng(seed)
    user, ad = rng.integers(0, 40, rows), rng.integers(0, 20, rows)
    rates = 1 / (1 + np.exp(1.2 - np.linspace(-1, 1, 40)[user] - np.linspace(-0.5, 0.5, 20)[ad]))
    if shape == "exponential":
        mean = np.where(ad < 10, 0.17, 0.4)
        wait = -mean * np.log(1 - rng.random(rows) * (1 - np.exp(-1 / mean)))
    else:
        wait = np.where(rng.random(rows) < 0.5, rng.uniform(0, 0.1, rows), rng.uniform(0.6, 0.9, rows))
    age = rng.uniform(0, weeks, rows)
    bought = (rng.random(rows) < rates) & (wait <= age)
    time = START - age * DELAY
    moments = pa.array((time + wait * DELAY).astype(np.int64), mask=~bought)
    table = pa.table({"user": user, "ad": ad, "time": time.astype(np.int64), "bought_at": moments, "buy": bought})
    return Log(table, rates, float((age < 1).mean()))


def predicted(way: str, rows: Log, seed: int) -> np.ndarray:
    """Train one way and return the predicted probability of every row."""
    features = [gw.Categorical("user", dim=4), gw.Categorical("ad", dim=4)]
    ranker = gw.Ranker(
        gw.Schema(features, [gw.Binary("buy", **WAYS[way][1])]),
        gw.MMoE(experts=2, expert_dims=[16]),
        epochs=8,
        batch_size=512,
        lr=5e-3,
        schedule="cosine",
        seed=seed,
    )
    return ranker.fit(rows.table, progress=False).predict(rows.table)["buy"].to_numpy()


def main() -> None:
    """Run everything and write the section."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--weeks", type=float, default=1.2)
    options = parser.parse_args()
    warnings.simplefilter("ignore", gw.GatewiseWarning)
    lines, young = [], []
    for shape, words in SHAPES.items():
        rows = [log(options.rows, shape, seed, options.weeks) for seed in range(options.seeds)]
        young += [each.young for each in rows]
        for way, (name, _) in WAYS.items():
            found = [predicted(way, each, seed) for seed, each in enumerate(rows)]
            ratios = [float(own.mean() / each.rates.mean()) for own, each in zip(found, rows, strict=True)]
            errors = [float(((own - each.rates) ** 2).mean() ** 0.5) for own, each in zip(found, rows, strict=True)]
            lines.append(f"| {words} | {name} | {_cell(ratios)} | {_cell(errors)} |")
            print(lines[-1], flush=True)
    text = TEXT.format(
        seeds=options.seeds,
        machine=machine(),
        rows=options.rows,
        days=7 * options.weeks,
        young=statistics.mean(young),
        table="\n".join(lines),
    )
    write_section("late", text)


def _cell(values: list[float]) -> str:
    return f"{statistics.mean(values):.3f} ({min(values):.3f} to {max(values):.3f})"


if __name__ == "__main__":
    main()
