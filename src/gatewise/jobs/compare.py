"""A model beside its controls, on the same rows, seed and options."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from gatewise import declare
from gatewise.analysis import dense_parameters, matched_control
from gatewise.assembly import Surroundings
from gatewise.declare import Recipe
from gatewise.errors import DeclarationError
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
        parameters: of trunk and towers, without embeddings, of each ranker.
    """

    name: str
    rankers: tuple[Ranker, ...]
    metrics: Metrics
    parameters: tuple[int, ...]


def compare(recipe: Recipe, tables: Tables, run_dir: Path, progress: bool | None = None) -> Iterator[Contender]:
    """Train the recipe's model and, with as many parameters, a shared bottom and single-task models; yield each.

    The recipe's own run is written into ``run_dir``, the controls' into ``run_dir/controls``.

    Raises:
        DeclarationError: the recipe's model is a control itself, or there are no test rows to judge on.
    """
    model = recipe.model
    if not isinstance(model, (declare.OMoE, declare.MMoE)):
        raise DeclarationError(f"compare: expected a model with experts, mmoe or omoe, found {model.kind}")
    if tables.test is None:
        raise DeclarationError("compare: needs test rows, and the recipe's data has none")
    name = type(model).__name__
    ranker = train_recipe(recipe, tables, run_dir, progress=progress, label=name)
    yield _judged(name, (ranker,), tables.test)

    around = Surroundings.of(model, ranker.scorer.model.input_layer, [task.name for task in recipe.tasks])
    budget = dense_parameters(model, around)
    shared = matched_control(declare.SharedBottom, model, around, budget)
    folder = run_dir / "controls" / "shared_bottom"
    control = train_recipe(replace(recipe, model=shared), tables, folder, progress=progress, label="shared bottom")
    yield _judged("shared bottom", (control,), tables.test)

    alone = matched_control(declare.SingleTask, model, replace(around, tasks=around.tasks[:1]), budget)
    rankers = []
    for task in recipe.tasks:
        # a step of a funnel means nothing without those before it
        tasks_of_one = recipe.schema().only(task.name).tasks
        single = replace(recipe, tasks=tasks_of_one, model=alone, balance=declare.Static())
        folder = run_dir / "controls" / f"single_task_{task.name}"
        rankers.append(train_recipe(single, tables, folder, progress=progress, label=f"single task {task.name}"))
    yield _judged("single task", tuple(rankers), tables.test)


def _judged(name: str, rankers: tuple[Ranker, ...], test: Source) -> Contender:
    metrics = {task: values for ranker in rankers for task, values in ranker.evaluate(test).items()}
    sizes = tuple(ranker.scorer.model.num_parameters(embeddings=False) for ranker in rankers)
    return Contender(name, rankers, metrics, sizes)
