"""Write the KuaiRand section of docs/results.md: multi-task models, single-task models and LightGBM, forward in time.

python scripts/kuairand_results.py [--seeds 5] [--data FOLDER]

What was learnt is kept in runs/kuairand_results, by commit, seed and contestant: an interrupted run goes on from there.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property, partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from kuairand_lightgbm import FIXED, Rows, columns_of, grown, tuned
from results_page import ROOT, commit, machine, write_section

import gatewise as gw
from gatewise.analysis import dense_parameters, matched_control, nearest_width
from gatewise.analysis.controls import COMMON
from gatewise.assembly import Surroundings, build_model, build_tasks
from gatewise.data import TableEncoder
from gatewise.files import write_atomically
from gatewise.jobs import Tables, find_tables
from gatewise.jobs.train import write_json
from gatewise.metrics import auc, bootstrap_difference, gauc, r2, spearman
from gatewise.ranker import Ranker

RECIPE = ROOT / "recipes" / "datasets" / "kuairand.yaml"
KEPT = ROOT / "runs" / "kuairand_results"
IDS = ("user_id", "video_id", "author_id", "music_id")  # the recipe leaves them out; LightGBM may have them
NOTES = """\
A count beside a task is that of its positives in the test, or of the users who have rows of both classes there.
Follows, comments and forwards are so rare that most of what differs is chance. The last row of the first table says
how far: MMoE's AUC less LightGBM's, both of seed 0, when the users of the test are drawn anew. A constant has no
order, so its AUC is one half.

All stop on the validation day, and none saw the test before. MMoE's options were chosen on that day with one seed, in
some thirty runs; LightGBM's among six a task: a larger search may close the small gaps. The other networks take MMoE's
options unchanged, as wide as their parameters outside the embeddings come nearest to MMoE's,
each single-task model by itself. A multi-task model keeps the epoch whose mean over tasks is best, a single-task
model and LightGBM what suits the task.

LightGBM reads categories as the encoder's codes, declared categorical, numbers as they are, and a 0/1 column a tag.
With a learning rate of {lr} it chose by the validation loss of each task, with seed 0, how large its trees are and
whether it also reads the ids of user, video, author and music: {options}. Its seconds leave the choice out.

Mind the GAUC. A user's history is made of the labels of the same user a moment ago: among rows of one user that hold
both classes, those after a click hold fewer clicks than those before it. `user_click_rate` alone has an AUC of
{up_auc} for clicks and a GAUC of {up_gauc}; its opposite has a GAUC of {down_gauc}. So this GAUC falls as a model
learns to read the history, and rises when it learns users by heart.

Tried for MMoE on the validation day, one run each:

- Embeddings of user and video from 3 rows on, as many as LightGBM may have: clicks and long views get worse after the
  third or fourth epoch, unless L2 or small steps keep the embeddings from learning. From 10 to 20 rows on: no clear
  gain.
- `input_norm: batch`: comments and likes gain much, clicks and long views lose a little. `layer` does not help.
- No clear gain, or a loss: static balance; numbers as `piecewise_linear`; rates by quantile; larger embeddings of the
  users' codes; 8 experts of [64, 32] or of [128, 64]; batches of 512 and 2,048; rates of 1e-3 and 3e-3; dropout up to
  0.3, also of the input; L2 from 0.3 to 100; normalised hidden layers."""
CONSTANT, LIGHTGBM, MMOE = "constant", "LightGBM", "MMoE"

Predictions = dict[str, np.ndarray]
"""For every task a column ``[row]``."""


@dataclass(frozen=True)
class Learnt:
    """What a contestant predicts of the test rows, and what it took.

    Attributes:
        predictions: of all tasks.
        seconds: of training, of all its models.
        size: parameters outside the embeddings, of the largest of its models; or what was chosen, for LightGBM.
    """

    predictions: Predictions
    seconds: float = 0.0
    size: Any = None


def contestants(recipe: gw.Recipe, train: pa.Table) -> dict[str, list[gw.Recipe]]:
    """Return the recipes of every neural contestant, one or one a task, all as large as the recipe's own model."""
    schema, model = recipe.schema(), recipe.model
    encoder, _ = TableEncoder.fit(schema, train)
    tasks = build_tasks(schema, encoder.statistics)
    common = {name: getattr(model, name) for name in COMMON}

    def size(architecture: gw.Architecture) -> int:
        return build_model(architecture, encoder.layout, tasks).num_parameters(embeddings=False)

    def own_and_shared(kind: type[gw.PLE] | type[gw.STEM]) -> gw.Architecture:
        def of_width(width: int) -> gw.Architecture:
            return kind(own_experts=1, shared_experts=2, expert_dims=[2 * width, width], **common)

        return of_width(nearest_width(lambda width: size(of_width(width)), size(model)))

    around = Surroundings.of(
        model, build_model(model, encoder.layout, tasks).input_layer, [task.name for task in tasks]
    )
    budget = dense_parameters(model, around)
    alone = matched_control(gw.SingleTask, model, replace(around, tasks=around.tasks[:1]), budget)
    static = replace(recipe, model=alone, balance="static")
    return {
        "single task": [replace(static, tasks=schema.only(task.name).tasks) for task in tasks],
        "shared bottom": [replace(recipe, model=matched_control(gw.SharedBottom, model, around, budget))],
        MMOE: [recipe],
        "PLE": [replace(recipe, model=own_and_shared(gw.PLE))],
        "STEM": [replace(recipe, model=own_and_shared(gw.STEM))],
    }


def train(recipes: list[gw.Recipe], tables: Tables, seed: int) -> Learnt:
    """Train a contestant's models on one seed."""
    predictions: Predictions = {}
    seconds, sizes = 0.0, []
    for recipe in recipes:
        seeded = replace(recipe, training=replace(recipe.training, seed=seed))
        started = time.perf_counter()
        ranker = Ranker.from_options(recipe.schema(), seeded).fit(tables.train, tables.valid, progress=False)
        seconds += time.perf_counter() - started
        sizes.append(ranker.scorer.model.num_parameters(embeddings=False))
        found = ranker.predict(tables.test)
        predictions |= {name: found[name].to_numpy() for name in found.column_names}
    return Learnt(predictions, seconds, max(sizes))


class LightGBM:
    """A model a task on the recipe's features and the ids, tuned once for all seeds."""

    def __init__(self, recipe: gw.Recipe, tables: Tables, folder: Path) -> None:
        self.tasks, self.tables, self.folder = recipe.tasks, tables, folder
        ids = [gw.Categorical(name, min_count=3) for name in IDS]
        self.schema = replace(recipe.schema(), features=[*recipe.features, *ids])

    @cached_property
    def columns(self) -> tuple[Rows, Any]:
        """Return the rows to learn from and those of the test."""
        encoder, _ = TableEncoder.fit(self.schema, self.tables.train)
        train, valid, test = (columns_of(encoder, part) for part in vars(self.tables).values())
        return Rows(train, valid, self.tables.train, self.tables.valid), test

    def chosen(self, task: gw.Task) -> dict[str, Any]:
        """Return what suits a task on the validation rows."""
        path = chosen_path(self.folder, task)
        if not path.exists():
            write_json(path, tuned(self.columns[0], task, IDS))
            say(path.stem)
        return json.loads(path.read_text())

    def learn(self, seed: int) -> Learnt:
        """Train a model a task."""
        chosen = {task.name: self.chosen(task) for task in self.tasks}
        rows, test = self.columns
        predictions: Predictions = {}
        started = time.perf_counter()
        models = {task.name: grown(rows, task, chosen[task.name], seed) for task in self.tasks}
        seconds = time.perf_counter() - started
        for name, model in models.items():
            predictions[name] = model.predict(test.without(chosen[name]["without"]).values)
        return Learnt(predictions, seconds)


def chosen_path(folder: Path, task: gw.Task) -> Path:
    """Return where is kept what LightGBM chose for a task."""
    return folder / f"{LIGHTGBM} {task.name}.json"


def choices(recipe: gw.Recipe, folder: Path) -> dict[str, Any]:
    """Return what LightGBM chose, by task."""
    return {task.name: json.loads(chosen_path(folder, task).read_text()) for task in recipe.tasks}


def constant(recipe: gw.Recipe, tables: Tables) -> Learnt:
    """Predict every label's mean in the training rows."""
    rows = tables.test.num_rows
    return Learnt({task.name: np.full(rows, np.mean(tables.train[task.name].to_numpy())) for task in recipe.tasks})


def kept(path: Path, learn: Callable[[], Learnt]) -> Learnt:
    """Learn, or read what was learnt before; the JSON is written last, so that it says that all is there."""
    table = path.with_suffix(".parquet")
    if not path.exists():
        learnt = learn()
        write_atomically(table, lambda temporary: pq.write_table(pa.table(learnt.predictions), temporary))
        write_json(path, {"seconds": learnt.seconds, "size": learnt.size})
        say(f"{path.stem}: {learnt.seconds:.0f} s")
    columns = pq.read_table(table)
    return Learnt({name: columns[name].to_numpy() for name in columns.column_names}, **json.loads(path.read_text()))


def learnt_by(recipe: gw.Recipe, tables: Tables, seeds: int, folder: Path) -> Iterator[dict[str, list[Learnt]]]:
    """Yield all that was learnt, by contestant, after each seed."""
    neural = contestants(recipe, tables.train)
    trees = LightGBM(recipe, tables, folder)
    found: dict[str, list[Learnt]] = {CONSTANT: [constant(recipe, tables)]}
    for seed in range(seeds):
        learn = {LIGHTGBM: trees.learn} | {name: partial(train, recipes, tables) for name, recipes in neural.items()}
        for name, of_seed in learn.items():
            learnt = kept(folder / f"seed {seed} {name}.json", partial(of_seed, seed))
            found.setdefault(name, []).append(learnt)
        yield found


def judged(test: pa.Table, task: gw.Task, predictions: np.ndarray) -> dict[str, float | None]:
    """Return AUC and GAUC of a binary task, R2 and rank correlation of a number."""
    labels, found = (torch.from_numpy(column.astype(float)) for column in (test[task.name].to_numpy(), predictions))
    if isinstance(task, gw.Regression):
        return {"r2": r2(labels, found), "spearman": spearman(labels, found)}
    return {"auc": auc(labels, found), "gauc": gauc(labels, found, _users(test)).value}


def _users(test: pa.Table) -> torch.Tensor:
    return torch.tensor(test["user_id"].to_numpy())


def metric_table(metric: str, heads: list[str], runs: dict[str, list[list[float | None]]]) -> str:
    """Return a Markdown table: a row a contestant, with mean and standard deviation over its seeds.

    Args:
        metric: what the table is called in its corner.
        heads: of the other columns.
        runs: by contestant, for every seed a figure a column; None is undefined.
    """
    lines = [[metric, *heads], ["---", *["---:"] * len(heads)]]
    lines += [[name, *map(_cell, zip(*seeds, strict=True))] for name, seeds in runs.items()]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(values: tuple[float | None, ...]) -> str:
    known = [value for value in values if value is not None]
    if not known:
        return ""
    digits = 4 if max(map(abs, known)) < 10 else 0
    mean = f"{statistics.mean(known):,.{digits}f}"
    return mean if len(known) == 1 else f"{mean} ± {statistics.stdev(known):,.{digits}f}"


def difference(test: pa.Table, task: gw.Task, first: Learnt, second: Learnt) -> str:
    """Return in which interval the difference of two AUCs lies when users are drawn anew; nothing where undefined."""
    columns = [test[task.name].to_numpy(), first.predictions[task.name], second.predictions[task.name]]
    tensors = [torch.from_numpy(column.astype(float)) for column in columns]
    interval = bootstrap_difference(auc, *tensors, groups=_users(test))
    return "" if interval.low is None else f"{interval.low:+.4f} to {interval.high:+.4f}"


def section(recipe: gw.Recipe, tables: Tables, found: dict[str, list[Learnt]], chosen: dict[str, Any]) -> str:
    """Return the section of what was found."""
    test = tables.test
    binary = [task for task in recipe.tasks if isinstance(task, gw.Binary)]
    (number,) = (task for task in recipe.tasks if isinstance(task, gw.Regression))
    scores = {
        name: [{task.name: judged(test, task, run.predictions[task.name]) for task in recipe.tasks} for run in runs]
        for name, runs in found.items()
    }

    def runs_of(metric: str) -> dict[str, list[list[float | None]]]:
        return {name: [[run[t.name][metric] for t in binary] for run in runs] for name, runs in scores.items()}

    positives = [int(np.sum(test[task.name].to_numpy())) for task in binary]
    mixed = [_both_classes(test, task) for task in binary]
    numbers = {
        name: [
            [*(score[number.name][metric] for metric in ("r2", "spearman")), run.seconds or None, run.size]
            for score, run in zip(scores[name], runs, strict=True)
        ]
        for name, runs in found.items()
    }
    intervals = [difference(test, task, found[MMOE][0], found[LIGHTGBM][0]) for task in binary]
    history = [judged(test, binary[0], sign * _click_rate(tables)) for sign in (1, -1)]
    sizes = [f"{part.num_rows:,} {name}" for name, part in vars(tables).items()]
    where = f"{machine()}, LightGBM {version('lightgbm')}, {torch.get_num_threads()} threads, {datetime.date.today()}"
    heads = [
        [f"{task.name} ({count:,})" for task, count in zip(binary, counts, strict=True)]
        for counts in (positives, mixed)
    ]
    seeds = len(found[MMOE])
    return f"""## KuaiRand: six kinds of feedback and the play time, forward in time

`make kuairand` (recipe `recipes/datasets/kuairand.yaml`; {seeds} seeds: mean ± standard deviation)

{where}. Rows, forward in time: {", ".join(sizes)}; training to 2 May 2022, validation on 3 May, test on 4 and 5 May.

{metric_table("AUC (positives)", heads[0], runs_of("auc"))}
| {MMOE} − {LIGHTGBM}, 95 % | {" | ".join(intervals)} |

{metric_table("GAUC (users)", heads[1], runs_of("gauc"))}

{metric_table("", ["play_time: R2", "play_time: Spearman", "seconds", "parameters"], numbers)}

{notes(history, chosen)}"""


def _both_classes(test: pa.Table, task: gw.Task) -> int:
    labels = torch.from_numpy(test[task.name].to_numpy().astype(float))
    return gauc(labels, labels, _users(test)).groups


def _click_rate(tables: Tables) -> np.ndarray:
    """Return the share of a user's earlier impressions that were clicked; the training rate where there are none."""
    rate = np.mean(tables.train["click"].to_numpy())
    return tables.test["user_click_rate"].fill_null(rate).to_numpy()


def notes(history: list[dict[str, float | None]], chosen: dict[str, Any]) -> str:
    """Say what the tables compare, what was tried, and what to beware of."""
    up, down = history
    options = "; ".join(
        f"{task}: {choice['num_leaves']} leaves, {'without' if choice['without'] else 'with'} ids"
        for task, choice in chosen.items()
    )
    figures = {"up_auc": up["auc"], "up_gauc": up["gauc"], "down_gauc": down["gauc"]}
    shown = {name: f"{value:.3f}" for name, value in figures.items() if value is not None}
    return NOTES.format(options=options, lr=FIXED["learning_rate"], **shown)


def say(text: str) -> None:
    """Show progress."""
    print(f"{datetime.datetime.now():%H:%M:%S} {text}", flush=True)


def published(data: Path | None) -> Path:
    """Return the folder of the data: as given, in GATEWISE_DATA, or where the recipe looks for it."""
    home = os.environ.get("GATEWISE_DATA")
    return data or (Path(home) / "kuairand_pure" if home else ROOT / "data" / "KuaiRand-Pure")


def main() -> None:
    """Run everything and write the section after every seed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--data", type=Path)
    given = parser.parse_args()
    recipe = gw.Recipe.read(RECIPE, [f"data.path={published(given.data).resolve()}"])
    tables, folder = find_tables(recipe, ROOT), KEPT / commit()
    for found in learnt_by(recipe, tables, given.seeds, folder):
        write_section("kuairand", section(recipe, tables, found, choices(recipe, folder)))


if __name__ == "__main__":
    main()
