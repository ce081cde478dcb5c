"""A model beside its controls, on the same rows, seed and options, trained one after the other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from gatewise.declare import Recipe
from gatewise.errors import DeclarationError
from gatewise.jobs.contestants import Part
from gatewise.jobs.line_up import line_up
from gatewise.jobs.tables import Source, Tables
from gatewise.jobs.train import train_recipe
from gatewise.ranker import Ranker
from gatewise.tasks import Metrics


@dataclass(frozen=True)
class Contender:
    """One way of modelling the tasks, with its metrics on the test rows.

    Attributes:
        name: as shown in tables.
        rankers: one, or one a task for single-task models.
        metrics: of every task on the test rows.
        parameters: outside the embeddings, of each ranker.
    """

    name: str
    rankers: tuple[Ranker, ...]
    metrics: Metrics
    parameters: tuple[int, ...]


def with_controls(recipe: Recipe, tables: Tables, run_dir: Path, progress: bool | None = None) -> Iterator[Contender]:
    """Train the recipe's model and, with as many parameters, a shared bottom and single-task models; yield each.

    The recipe's own run is written into ``run_dir``, the controls' into ``run_dir/controls``, in place of earlier ones.

    Raises:
        DeclarationError: there are no test rows to judge on.
    """
    if tables.test is None:
        raise DeclarationError("compare: needs test rows, and the recipe's data has none")
    ranker = train_recipe(recipe, tables, run_dir, overwrite=True, progress=progress, label=type(recipe.model).__name__)
    own, *controls = line_up(recipe.schema(), recipe, ranker.scorer.encoder)
    yield _judged(own.name, [(own.parts[0], ranker)], tables.test)
    for control in controls:
        rankers = []
        for part in control.parts:
            label = control.name if len(control.parts) == 1 else f"{control.name} {part.judged[0]}"
            folder = run_dir / "controls" / label.replace(" ", "_")
            alike = replace(
                recipe,
                tasks=part.schema.tasks,
                model=part.options.model,
                balance=part.options.balance,
                training=part.options.training,
                calibration=None,
                # of a task alone there is nothing to fuse
                fusion=None,
            )
            rankers.append((part, train_recipe(alike, tables, folder, overwrite=True, progress=progress, label=label)))
        yield _judged(control.name, rankers, tables.test)


def _judged(name: str, rankers: list[tuple[Part, Ranker]], test: Source) -> Contender:
    metrics: Metrics = {}
    for part, ranker in rankers:
        own = {output for task in ranker.scorer.tasks if task.name in part.judged for output in task.outputs}
        metrics |= {output: values for output, values in ranker.evaluate(test).items() if output in own}
    sizes = tuple(ranker.scorer.model.num_parameters(embeddings=False) for _, ranker in rankers)
    return Contender(name, tuple(ranker for _, ranker in rankers), metrics, sizes)
