"""Write the KuaiRand section of docs/results: multi-task models, single-task models and LightGBM, forward in time.

python scripts/kuairand_results.py [--seeds 5] [--data FOLDER]

Every training is kept in runs/kuairand_results, by commit: an interrupted run goes on from there.
"""

from __future__ import annotations

import argparse
import datetime
import json
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import torch
from kuairand_lightgbm import FIXED, PATIENCE, SIZES, TREES, Rows, columns_of, grown, tuned
from published_data import published
from results_page import ROOT, commit, machine, write_section

import gatewise as gw
from gatewise.analysis import COMMON
from gatewise.data import TableEncoder, read_table
from gatewise.declare import to_dict
from gatewise.jobs import Comparison, Tables, find_tables
from gatewise.jobs.comparison import compare_contestants
from gatewise.jobs.contestants import Contestant, Cost, Learnt
from gatewise.jobs.line_up import line_up
from gatewise.jobs.train import write_json
from gatewise.metrics import auc, gauc

RECIPE = ROOT / "recipes" / "datasets" / "kuairand.yaml"
KEPT = ROOT / "runs" / "kuairand_results"
IDS = ("user_id", "video_id", "author_id", "music_id")  # the recipe leaves them out; LightGBM may have them
NOTES = """\
A count beside a task is that of its positives in the test, or of the users who have rows of both classes there.
Follows, comments and forwards are so rare that most of what differs is chance. The last row of the first table says
how far: MMoE's AUC less LightGBM's, the mean over seeds, when the users of the test are drawn anew. A constant has no
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


@dataclass(frozen=True)
class Constant:
    """Every label's mean in the training rows."""

    tasks: Sequence[gw.Task]
    name: str = CONSTANT

    def declared(self) -> Any:
        """Return the tasks."""
        return [task.name for task in self.tasks]

    def learn(self, seed: int, tables: Tables) -> Learnt:  # noqa: ARG002
        """Predict means, whatever the seed."""
        train, rows = read_table(tables.train), read_table(tables.test).num_rows
        means = {task.name: np.full(rows, np.mean(train[task.name].to_numpy())) for task in self.tasks}
        return Learnt(means, Cost(None, 0.0, None, 0.0))


class LightGBM:
    """A model a task on the recipe's features and the ids, tuned once for all seeds."""

    name = LIGHTGBM

    def __init__(self, recipe: gw.Recipe, tables: Tables, folder: Path) -> None:
        self.tasks, self.tables, self.folder = recipe.tasks, tables, folder
        ids = [gw.Categorical(name, min_count=3) for name in IDS]
        self.schema = replace(recipe.schema(), features=[*recipe.features, *ids])

    def declared(self) -> Any:
        """Return what it reads, and what it chooses from."""
        return [to_dict(self.schema), FIXED, SIZES, TREES, PATIENCE]

    @cached_property
    def columns(self) -> tuple[Rows, Any]:
        """Return the rows to learn from and those of the test."""
        encoder, _ = TableEncoder.fit(self.schema, self.tables.train)
        train, valid, test = (columns_of(encoder, part) for part in self.tables.parts.values())
        return Rows(train, valid, self.tables.train, self.tables.valid), test

    def chosen(self, task: gw.Task) -> dict[str, Any]:
        """Return what suits a task on the validation rows."""
        path = self.folder / f"{LIGHTGBM} {task.name}.json"
        if not path.exists():
            write_json(path, tuned(self.columns[0], task, IDS))
            say(path.stem)
        return json.loads(path.read_text())

    def learn(self, seed: int, tables: Tables) -> Learnt:  # noqa: ARG002
        """Train a model a task, on its own tables, which have the ids, too."""
        chosen = {task.name: self.chosen(task) for task in self.tasks}
        rows, test = self.columns
        started = time.perf_counter()
        models = {task.name: grown(rows, task, chosen[task.name], seed) for task in self.tasks}
        seconds = time.perf_counter() - started
        columns = {name: model.predict(test.without(chosen[name]["without"]).values) for name, model in models.items()}
        return Learnt(columns, Cost(None, seconds, None, 0.0))


def contestants(recipe: gw.Recipe, encoder: TableEncoder) -> list[Contestant]:
    """Return all neural contestants, as large as the recipe's own model."""
    common = {name: getattr(recipe.model, name) for name in COMMON}
    widths = {"own_experts": 1, "shared_experts": 2, "expert_dims": [64, 32]}
    return list(line_up(recipe.schema(), recipe, encoder, [kind(**widths, **common) for kind in (gw.PLE, gw.STEM)]))


def compared(
    recipe: gw.Recipe, tables: Tables, seeds: int, folder: Path, samples: int = 1000
) -> Iterator[tuple[Comparison, LightGBM]]:
    """Yield how all compare with LightGBM, after each seed."""
    where = (recipe.schema(), recipe, tables, folder)
    trees = LightGBM(recipe, tables, folder)

    def competing(encoder: TableEncoder, _options: gw.declare.Options) -> list[Contestant]:
        return [Constant(recipe.tasks), trees, *contestants(recipe, encoder)]

    for count in range(1, seeds + 1):
        found = compare_contestants(*where, competing, LIGHTGBM, seeds=count, samples=samples, workers=1)
        yield found, trees


def _users(test: pa.Table) -> torch.Tensor:
    return torch.tensor(test["user_id"].to_numpy())


def metric_table(metric: str, heads: Sequence[str], columns: dict[str, list[str]]) -> str:
    """Return a Markdown table: a row a contestant.

    Args:
        metric: what the table is called in its corner.
        heads: of the other columns.
        columns: by contestant, what stands there.
    """
    lines = [[metric, *heads], ["---", *["---:"] * len(heads)]]
    lines += [[name, *cells] for name, cells in columns.items()]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def spread(values: Sequence[float | None]) -> str:
    """Return mean and standard deviation, the latter where there is one; nothing where a value is undefined."""
    known = [value for value in values if value is not None]
    if len(known) < len(values):
        return ""
    mean = f"{statistics.fmean(known):.4f}"
    return mean if len(set(known)) == 1 else f"{mean} ± {statistics.stdev(known):.4f}"


def section(recipe: gw.Recipe, tables: Tables, found: Comparison, trees: LightGBM) -> str:
    """Return the section of what was found."""
    test = tables.test
    binary = [task for task in recipe.tasks if isinstance(task, gw.Binary)]
    (number,) = (task for task in recipe.tasks if isinstance(task, gw.Regression))

    def cells(tasks: Sequence[gw.Task], *metrics: str) -> dict[str, list[str]]:
        return {
            name: [spread(outputs[task.name][metric].values) for task in tasks for metric in metrics]
            for name, outputs in found.metrics.items()
        }

    positives = [f"{task.name} ({int(np.sum(test[task.name].to_numpy())):,})" for task in binary]
    mixed = [f"{task.name} ({_both_classes(test, task):,})" for task in binary]
    numbers = cells([number], "r2", "spearman")
    for name, cost in found.cost.items():
        sizes = cost.parameters or []
        numbers[name] += [f"{cost.seconds:.0f}" if cost.seconds else "", f"{max(sizes):,}" if sizes else ""]
    ends = [found.seesaw[MMOE][task.name] for task in binary]
    intervals = ["" if end.low is None else f"{end.low:+.4f} to {end.high:+.4f}" for end in ends]
    history = [_by_history(test, sign * _click_rate(tables)) for sign in (1, -1)]
    sizes = [f"{part.num_rows:,} {name}" for name, part in tables.parts.items()]
    where = f"{machine()}, LightGBM {version('lightgbm')}, {torch.get_num_threads()} threads, {datetime.date.today()}"
    return f"""## KuaiRand: six kinds of feedback and the play time, forward in time

`make kuairand` (recipe `recipes/datasets/kuairand.yaml`; {len(found.seeds)} seeds: mean ± standard deviation)

{where}. Rows, forward in time: {", ".join(sizes)}; training to 2 May 2022, validation on 3 May, test on 4 and 5 May.

{metric_table("AUC (positives)", positives, cells(binary, "auc"))}
| {MMOE} − {LIGHTGBM}, {found.level:.0%} | {" | ".join(intervals)} |

{metric_table("GAUC (users)", mixed, cells(binary, "gauc"))}

{metric_table("", ["play_time: R2", "play_time: Spearman", "seconds", "parameters"], numbers)}

{notes(history, {task.name: trees.chosen(task) for task in recipe.tasks})}"""


def _both_classes(test: pa.Table, task: gw.Task) -> int:
    labels = torch.from_numpy(test[task.name].to_numpy().astype(float))
    return gauc(labels, labels, _users(test)).groups


def _click_rate(tables: Tables) -> np.ndarray:
    """Return the share of a user's earlier impressions that were clicked; the training rate where there are none."""
    rate = np.mean(tables.train["click"].to_numpy())
    return tables.test["user_click_rate"].fill_null(rate).to_numpy()


def _by_history(test: pa.Table, rate: np.ndarray) -> dict[str, float | None]:
    """Return how well a rate orders clicks, all of them and each user's."""
    clicks, rates = (torch.from_numpy(column.astype(float)) for column in (test["click"].to_numpy(), rate))
    return {"auc": auc(clicks, rates), "gauc": gauc(clicks, rates, _users(test)).value}


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


def main() -> None:
    """Run everything and write the section after every seed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--data", type=Path)
    given = parser.parse_args()
    recipe = gw.Recipe.read(RECIPE, [f"data.path={published(given.data, 'kuairand_pure', 'KuaiRand-Pure').resolve()}"])
    tables = find_tables(recipe, ROOT)
    for found, trees in compared(recipe, tables, given.seeds, KEPT / commit()):
        write_section("kuairand", section(recipe, tables, found, trees))


if __name__ == "__main__":
    main()
