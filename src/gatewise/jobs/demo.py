"""A recipe's run beside its controls: a comparison with one seed that uses the run's own model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from typing_extensions import override

from gatewise.data import TableEncoder
from gatewise.declare import Options, Recipe
from gatewise.errors import DeclarationError
from gatewise.jobs.compared import Comparison
from gatewise.jobs.comparison import compare_contestants
from gatewise.jobs.contestants import Models, Part
from gatewise.jobs.line_up import line_up
from gatewise.jobs.tables import Tables
from gatewise.jobs.train import train_recipe
from gatewise.ranker import Ranker


@dataclass(frozen=True)
class TrainedPart(Part):
    """A trained model of a contestant, for a comparison with a single seed."""

    ranker: Ranker

    @override
    def fitted(self, seed: int, tables: Tables) -> Ranker:
        return self.ranker


def train_with_controls(
    recipe: Recipe, tables: Tables, run_dir: Path, *, progress: bool | None = None
) -> tuple[Ranker, Comparison]:
    """Train the recipe's model into ``run_dir``, and a shared bottom and single-task models of equal size.

    Returns:
        The recipe's model, and the comparison of all models on the test rows with the recipe's seed. Its times and
        verdicts mean nothing: the recipe's model was trained before, and the bootstrap draws a single sample.

    Raises:
        DeclarationError: there are no test rows to judge on.
    """
    if tables.test is None:
        raise DeclarationError("compare: needs test rows, and the recipe's data has none")
    ranker = train_recipe(recipe, tables, run_dir, overwrite=True, progress=progress, label=type(recipe.model).__name__)
    schema = recipe.schema()

    def competing(encoder: TableEncoder, known: Options) -> Sequence[Models]:
        own, *controls = line_up(schema, known, encoder)
        trained = tuple(TrainedPart(part.schema, part.options, part.judged, ranker) for part in own.parts)
        return [Models(own.name, trained), *controls]

    with TemporaryDirectory() as folder:
        found = compare_contestants(
            schema, recipe, tables, Path(folder), competing, seeds=1, samples=1, workers=1, progress=progress
        )
    return ranker, found
