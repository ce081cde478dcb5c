"""A model that learns day after day: trained anew on all days, trained further, or left; each day is judged first.

python benchmarks/daily.py [--data FOLDER] [--seeds 0 3] [--ways WAY ...] [--page FILE]

With --ways the figures of these ways alone stand in a section of their own.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
import pyarrow as pa

import gatewise as gw
from gatewise.datasets import kuairand
from gatewise.jobs.day_by_day import DayByDay, Strategy
from page import ROOT, machine, write_section
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
SEEDS = (0, 3)
"""Seeds of the table of all ways; the defaults of an update were chosen with seeds 1 and 2."""
JUDGED = 6
"""Days that are judged, of eleven in the data set."""
CHOSEN_ON = (0, 2, 4)
"""The judged days, by number, on which the defaults of an update were chosen."""
AGAIN, YESTERDAY, STALE = "trained anew on all days", "trained anew on yesterday alone", "never updated"
UPDATE, REPLAY = "update", "update, replay"
FORMER: Mapping[str, Any] = {"epochs": 1, "lr": 2e-3, "schedule": None}
"""One pass at the rate of the training."""
STRATEGIES = (
    Strategy(AGAIN, "all"),
    Strategy(UPDATE, "further", optimizer=False),
    Strategy(REPLAY, "further", replay=True, optimizer=False),
    Strategy("update, half of each batch replay", "further", {"replay_share": 0.5}, replay=True, optimizer=False),
    Strategy("update, optimiser kept", "further"),
    Strategy("update, new values get no rows", "further", {"admit": False}, optimizer=False),
    Strategy("update, pull of 10", "further", {"pull": 10.0}, optimizer=False),
    Strategy("update, one epoch at the training's rate, constant", "further", FORMER, optimizer=False),
    Strategy(YESTERDAY, "latest"),
    Strategy(STALE, "nothing"),
)
OTHERS = (
    Strategy("update, 3 epochs", "further", {"epochs": 3}, optimizer=False),
    Strategy("update, 4 epochs", "further", {"epochs": 4}, optimizer=False),
    Strategy("update, replay, 4 epochs", "further", {"epochs": 4}, replay=True, optimizer=False),
    Strategy("update, 30 % of each batch replay", "further", {"replay_share": 0.3}, replay=True, optimizer=False),
)
"""Ways that are measured where they are named."""
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


def measured(
    data: Path | None,
    seeds: Sequence[int],
    rows: int | None,
    most_days: int | None,
    epochs: int,
    ways: Sequence[Strategy] = STRATEGIES,
) -> Iterator[tuple[Found, str]]:
    """Yield what was found so far and over what, after every day."""
    folder = published(data, "kuairand_pure", "KuaiRand-Pure").resolve()
    recipe = gw.Recipe.read(RECIPE, [f"data.path={folder}"])
    days = days_of(kuairand(folder), rows, most_days)
    found: Found = {each.name: Way() for each in ways}
    for turn, seed in enumerate(seeds):
        training = replace(recipe.training, epochs=epochs, seed=seed, keep_optimizer=True)
        options = gw.declare.Options(model=recipe.model, balance=recipe.balance, training=training)
        for count, today in enumerate(DayByDay(recipe.schema(), options, days, FIRST, ways).run(), 1):
            for name, judged in today.items():
                found[name].cpu.append(judged.cpu)
                for task in TASKS:
                    found[name].auc[task].append(judged.metrics[task]["auc"] or 0.0)
            sizes = [day.num_rows for day in days[FIRST + 1 : FIRST + 1 + (count if not turn else len(days))]]
            several = f", seeds {', '.join(map(str, seeds[: turn + 1]))}" if turn else ""
            over = f"{len(sizes)} days of {min(sizes):,} to {max(sizes):,} rows{several}"
            say(f"seed {seed}, day {count} of {len(days) - FIRST - 1}")
            yield found, over


def page_of(found: Found, over: str, epochs: int, command: str = COMMAND, title: str = "Learning day after day") -> str:
    """Return the section."""
    again, lines = found[AGAIN], list[list[str]]()
    for name, way in found.items():
        cells = []
        for task in TASKS:
            mean, less = fmean(way.auc[task]), fmean(way.auc[task]) - fmean(again.auc[task])
            cells.append(f"{mean:.4f}" + ("" if way is again else f" ({less:+.4f})"))
        share = sum(way.cpu) / sum(again.cpu)
        costs = ["0", ""] if name == STALE else [digits(sum(way.cpu)), "" if way is again else f"1/{1 / share:.1f}"]
        lines.append([name, *cells, *costs])
    heads = ["", *(f"{task} AUC" for task in TASKS), "CPU seconds", "of all days'"]
    return (
        f"## {title}\n\n`{command}`, which reads KuaiRand-Pure; {machine()}.\n\n"
        f"The model of `{RECIPE.relative_to(ROOT)}` learns from 25 to 28 April 2022, and then from one day more at a "
        f"time; each of {over}, from 30 April on, is judged before anything learns from it. AUC is the mean over days, "
        "and in brackets how much greater it is than that of training anew. A training from the beginning has "
        f"{epochs} epochs with the recipe's schedule and no validation rows; an update has the default options, "
        f"{gw.declare.Update().epochs} epochs among them, but for those that are named, and begins with a new "
        "optimiser but where one is kept. CPU seconds are those of all days together, from the rows to the model; rows "
        "for replay are drawn from all earlier days, and encoding all of these is counted.\n\n"
        + table(heads, lines)
        + _of_other_days(found)
        + "A day has some 300 likes, and a "
        "model's AUC of `like` moves by 0.03 from day to day.\n"
    )


def _of_other_days(found: Found) -> str:
    """Return what an update came to on those days on which nothing was chosen."""
    days = len(found[AGAIN].cpu)
    others = [place for place in range(days) if place % JUDGED not in CHOSEN_ON]
    if not others or UPDATE not in found:
        return "\n"
    said = []
    for name in (UPDATE, REPLAY):
        less = [fmean(found[name].auc[task][i] - found[AGAIN].auc[task][i] for i in others) for task in TASKS]
        said.append(f"{name}: " + ", ".join(f"`{task}` {each:+.4f}" for task, each in zip(TASKS, less, strict=True)))
    return (
        "\nRate, epochs, schedule and share were chosen on 30 April, 2 and 4 May with two other seeds, of some twenty "
        f"ways. On the three days between these alone, beside training anew: {'; '.join(said)}.\n"
    )


def section(
    data: Path | None = None,
    seeds: Sequence[int] = SEEDS,
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
    parser.add_argument("--seeds", type=int, nargs="+", default=SEEDS)
    parser.add_argument("--ways", nargs="+", choices=[each.name for each in (*STRATEGIES, *OTHERS)], metavar="WAY")
    parser.add_argument("--page", type=Path)
    given = parser.parse_args()
    if not given.ways:
        for found, over in measured(given.data, given.seeds, None, None, EPOCHS):
            write_section("daily", page_of(found, over, EPOCHS), given.page)
        return
    ways = [each for each in (*STRATEGIES, *OTHERS) if each.name in (AGAIN, *given.ways)]
    said = " ".join(["python benchmarks/daily.py --seeds", *map(str, given.seeds), "--ways", *map(repr, given.ways)])
    for found, over in measured(given.data, given.seeds, None, None, EPOCHS, ways):
        text = page_of(found, over, EPOCHS, said, "Learning day after day: some ways, on other seeds")
        write_section("daily ways", text, given.page)


if __name__ == "__main__":
    main()
