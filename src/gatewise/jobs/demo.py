"""A recipe's run beside its controls: a comparison with one seed that uses the run's own model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from typing_extensions import override

from gatewise.analysis import Cut, GateUsage, SliceVerdict, cut_table, verdicts_by_slice
from gatewise.data import TableEncoder, column_names, read_table
from gatewise.declare import Options, Recipe
from gatewise.errors import DeclarationError
from gatewise.jobs.compared import Comparison
from gatewise.jobs.comparison import compare_contestants
from gatewise.jobs.contestants import Learnt, Models, Part
from gatewise.jobs.line_up import SINGLE_TASK, line_up
from gatewise.jobs.tables import Tables
from gatewise.jobs.train import train_recipe
from gatewise.ranker import Ranker
from gatewise.tasks import Predicted


@dataclass(frozen=True)
class Demonstration:
    """A trained model beside its controls.

    Attributes:
        ranker: the recipe's model.
        comparison: of all models on the test rows with the recipe's seed. Its times and verdicts mean nothing: the
            recipe's model was trained before, and the bootstrap draws a single sample.
        gates: the use of the task's gates on the test rows, on all of them and then per segment; empty without gates.
        sharing: the recipe's model beside the single-task models, per output and segment, for the one seed.
    """

    ranker: Ranker
    comparison: Comparison
    gates: list[GateUsage]
    sharing: list[SliceVerdict]


@dataclass(frozen=True)
class TrainedPart(Part):
    """A trained model of a contestant, for a comparison with a single seed."""

    ranker: Ranker

    @override
    def fitted(self, seed: int, tables: Tables) -> Ranker:
        return self.ranker


@dataclass(frozen=True)
class KeptModels(Models):
    """A contestant whose predictions for the test rows are kept."""

    columns: dict[str, np.ndarray] = field(default_factory=dict)

    @override
    def learn(self, seed: int, tables: Tables) -> Learnt:
        found = super().learn(seed, tables)
        self.columns.update(found.columns)
        return found


def train_with_controls(
    recipe: Recipe, tables: Tables, run_dir: Path, *, by: str, bins: int = 3, progress: bool | None = None
) -> Demonstration:
    """Train the recipe's model into ``run_dir``, and a shared bottom and single-task models of equal size.

    Args:
        recipe: the model, its data and training.
        tables: rows to learn from, to stop on, and to judge on.
        run_dir: folder of the run.
        by: the column of the test rows by which they are cut into segments; without the column there is one: all rows.
        bins: number of bins, if the column holds numbers.
        progress: show progress; by default when standard error is a terminal.

    Raises:
        DeclarationError: there are no test rows to judge on.
    """
    if tables.test is None:
        raise DeclarationError("compare: needs test rows, and the recipe's data has none")
    ranker = train_recipe(recipe, tables, run_dir, overwrite=True, progress=progress, label=type(recipe.model).__name__)
    schema, kept = recipe.schema(), dict[str, KeptModels]()

    def competing(encoder: TableEncoder, known: Options) -> Sequence[Models]:
        own, *controls = line_up(schema, known, encoder)
        trained = tuple(TrainedPart(part.schema, part.options, part.judged, ranker) for part in own.parts)
        for each in (Models(own.name, trained), *controls):
            kept[each.name] = KeptModels(each.name, each.parts)
        return list(kept.values())

    with TemporaryDirectory() as folder:
        # with one worker everything is learnt in this process, whose contestants are kept
        found = compare_contestants(
            schema, recipe, tables, Path(folder), competing, seeds=1, samples=1, workers=1, progress=progress
        )
    own = next(iter(kept))
    gates, sharing = _by_segment(ranker, tables.test, {who: kept[who].columns for who in (own, SINGLE_TASK)}, by, bins)
    return Demonstration(ranker, found, gates, sharing)


def _by_segment(
    ranker: Ranker, test: Any, beside: Mapping[str, Mapping[str, np.ndarray]], by: str, bins: int
) -> tuple[list[GateUsage], list[SliceVerdict]]:
    """Return the gates of the test rows, on all rows and by segment, and the verdicts by segment."""
    cuts = cut_table(read_table(test, [by]), [by], bins=bins) if by in column_names(test) else []
    own = ranker.scorer.predicted(test)

    def predicted(columns: Mapping[str, np.ndarray]) -> Predicted:
        return Predicted(own.tasks, {name: torch.from_numpy(each) for name, each in columns.items()}, own.labels)

    trained = {who: [predicted(columns)] for who, columns in beside.items()}
    sharing = verdicts_by_slice(trained, SINGLE_TASK, cuts or [Cut(None, None, slice(None))])
    if ranker.scorer.gates(test) is None:
        return [], sharing
    usage = ranker.gate_usage(test, by if cuts else None, bins=bins)
    return [each for each in usage if each.layer == usage[-1].layer], sharing
