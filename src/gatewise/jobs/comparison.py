"""A comparison: contestants (ways of modelling the tasks) trained with several seeds, judged on the test rows."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from statistics import fmean
from tempfile import TemporaryDirectory
from typing import Any, TypedDict, Unpack

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch

from gatewise import declare
from gatewise.analysis import Verdict, check_verdicts, joined_epochs, spreads, unfinished_tasks, verdicts, worded
from gatewise.assembly import build_tasks, to_tensors
from gatewise.data import TableEncoder, declared_types, identity_of, needed_columns, pick_column, read_needed
from gatewise.declare import Cluster, Options, Recipe, Schema, TableSize, resolved
from gatewise.errors import DeclarationError, did_you_mean
from gatewise.files import held, write_atomically
from gatewise.jobs.compared import Comparison
from gatewise.jobs.contestants import Contestant, Cost
from gatewise.jobs.line_up import SINGLE_TASK, line_up
from gatewise.jobs.tables import Source, Tables, find_tables
from gatewise.jobs.train import write_json
from gatewise.jobs.trees import Trees
from gatewise.jobs.trials import Trial
from gatewise.jobs.workers import run_trials
from gatewise.progress import at_terminal, counting_down, working
from gatewise.ranker import Ranker
from gatewise.tasks import Predicted
from gatewise.training import choose_device

COMPARISON, TRIALS, TABLES = "comparison.json", "compare", "tables"


class Judging(TypedDict, total=False):
    """Options of training and judging contestants, see :func:`compare_contestants`."""

    seeds: int
    metrics: Collection[str]
    samples: int
    level: float
    workers: int | None
    cluster: Cluster | None
    progress: bool | None


def compare(
    what: Recipe | Ranker | str | Path,
    train: Any = None,
    valid: Any = None,
    test: Any = None,
    *,
    run_dir: str | Path | None = None,
    also: Sequence[str | declare.Architecture] = (),
    baseline: str | Trees | None = None,
    seeds: int = 5,
    metrics: Collection[str] = (),
    samples: int = 1000,
    level: float = 0.95,
    workers: int | None = None,
    cluster: Cluster | None = None,
    progress: bool | None = None,
) -> Comparison:
    """Compare a model with a shared bottom and single-task models of equal size, over several seeds.

    Every training is kept in the folder of the run: a comparison that was interrupted, or is asked for more seeds or
    contestants, trains only what is missing. If trainings run side by side, a script must call this function under
    ``if __name__ == "__main__"``, because every training is a process of its own.

    Args:
        what: a recipe, or its path; or a ranker, fitted or not, whose schema and options are used.
        train: rows to learn from, any table; a recipe brings its own tables.
        valid: rows to stop on.
        test: rows to judge on.
        run_dir: folder of the run; by default the recipe's, or a temporary folder.
        also: further architectures, or their kinds, such as ``["ple", "stem"]``; a kind gets about as many
            parameters as the model.
        baseline: ``"lightgbm"`` for gradient-boosted trees, one model per task (extra ``trees``), or ``Trees`` with
            other options.
        seeds: with how many seeds each contestant is trained.
        metrics: names of further metrics to give verdicts by, besides each task's summary metric, such as ``["ece"]``.
        samples: resamples of the bootstrap.
        level: the level of the bootstrap's intervals.
        workers: how many trainings run side by side; by default as many as torch would use threads, or as the
            cluster has workers.
        cluster: Ray cluster on which they run; by default that of the recipe, and without one this machine. All
            machines need the tables' files and the folder of the run.
        progress: show progress; by default when standard error is a terminal.

    Raises:
        DeclarationError: there are no test rows, or an option is not valid.
        TableError: a table does not hold what the schema declares.
        TrainingError: a training failed; says which.
        GatewiseError: there is no such cluster.
        MissingExtraError: the cluster needs Ray, which is not installed.
    """
    recipe, folder = (Recipe.read(what), Path(what).parent) if isinstance(what, (str, Path)) else (what, Path())
    if not isinstance(recipe, (Recipe, Ranker)):
        raise DeclarationError(f"compare: expected a recipe or a ranker, found {type(recipe).__name__}")
    schema, declared = (recipe.schema(), recipe) if isinstance(recipe, Recipe) else (recipe.schema, recipe.options)
    if isinstance(recipe, Recipe) and train is None:
        tables = find_tables(recipe, folder)
        run_dir, cluster = run_dir or recipe.output, cluster or recipe.cluster
    elif train is None or test is None:
        raise DeclarationError("compare: needs a training table and a test table")
    else:
        parts = {"train": train, "valid": valid, "test": test}
        tables = Tables(**{part: _source(table, schema, part) for part, table in parts.items()})
    with nullcontext(run_dir) if run_dir is not None else TemporaryDirectory() as place:
        return compare_models(
            schema,
            declared,
            tables,
            Path(place),
            also=also,
            baseline=baseline,
            seeds=seeds,
            metrics=metrics,
            samples=samples,
            level=level,
            workers=workers,
            cluster=cluster,
            progress=progress,
        )


def _source(table: Any, schema: Schema, part: str) -> Any:
    """Return a table as a file, or its needed columns; None for None."""
    if table is None or isinstance(table, (str, Path)):
        return table
    return read_needed(table, needed_columns(schema, weights=part == "train"))


def compare_models(
    schema: Schema,
    options: Options,
    tables: Tables,
    run_dir: Path,
    *,
    also: Sequence[str | declare.Architecture] = (),
    baseline: str | Trees | None = None,
    **how: Unpack[Judging],
) -> Comparison:
    """Compare a model with a shared bottom and single-task models of equal size, over several seeds.

    Args:
        schema: features and tasks.
        options: the model, its balance and training, whose seed is the first one.
        tables: rows to learn from, to stop on, and to judge on.
        run_dir: folder of the comparison.
        also: further architectures, or their kinds; a kind gets as many parameters as the model.
        baseline: ``"lightgbm"`` for gradient-boosted trees, one model per task, on the encoded features (extra
            ``trees``); or ``Trees`` with other options.
        **how: seeds and judging, see :func:`compare_contestants`, also for errors and warnings.
    """
    trees = trees_of(baseline, schema)

    def competing(encoder: TableEncoder, known: Options) -> list[Contestant]:
        return [*line_up(schema, known, encoder, also), *trees]

    return compare_contestants(schema, options, tables, run_dir, competing, **how)


def compare_contestants(
    schema: Schema,
    options: Options,
    tables: Tables,
    run_dir: Path,
    competing: Callable[[TableEncoder, Options], Sequence[Contestant]],
    against: str = SINGLE_TASK,
    *,
    seeds: int = 5,
    metrics: Collection[str] = (),
    samples: int = 1000,
    level: float = 0.95,
    workers: int | None = None,
    cluster: Cluster | None = None,
    progress: bool | None = None,
) -> Comparison:
    """Train all contestants with several seeds, and compare them on the test rows.

    Every training is kept in ``run_dir/compare``: a comparison that was interrupted, or is asked for more seeds or
    contestants, trains only what is missing. The result is also written as ``run_dir/comparison.json``.

    Args:
        schema: features and tasks.
        options: give the first seed, and the device of all trainings.
        tables: rows to learn from, to stop on, and to judge on.
        run_dir: folder of the comparison.
        competing: returns the contestants, given the encoder fitted on the training rows, and the options with what
            ``auto`` in them becomes for these rows.
        against: name of the contestant that verdicts compare the others with.
        seeds: with how many seeds each contestant is trained.
        metrics: names of further metrics to give verdicts by, besides each task's summary metric.
        samples: resamples of the bootstrap.
        level: the level of the bootstrap's intervals.
        workers: how many trainings run side by side, each in a process with one thread; by default as many as torch
            would use threads, and one on an accelerator.
        cluster: Ray cluster on which they run instead, by default as many as it has workers, each with its CPUs.
        progress: show progress; by default when standard error is a terminal.

    Raises:
        DeclarationError: there are no test rows, or an option is not valid.
        TableError: a table does not hold what the schema declares.
        TrainingError: a training failed; says which.

    Warns:
        GatewiseWarning: what the trainings warn of.
    """
    if tables.test is None:
        raise DeclarationError("compare: needs test rows, and the data has none")
    for name, count in (("seeds", seeds), ("workers", workers), ("samples", samples)):
        if count is not None and count < 1:
            raise DeclarationError(f"compare: {name}: expected 1 or more, found {count}")
    if not 0 < level < 1:
        raise DeclarationError(f"compare: level: expected a number between 0 and 1, found {level:g}")
    check_verdicts(metrics, build_tasks(schema))
    show = at_terminal() if progress is None else progress
    with held(run_dir):
        with working("looking at the tables", show):
            numbers = schema.embedding_numbers(options.model.numbers)
            encoder, train = TableEncoder.fit(numbers, tables.train, tables.moment(schema, tables.train))
            kept = _on_disk(tables, schema, run_dir / TRIALS / TABLES)
            known = resolved(options, TableSize(len(train), tables.valid is not None))
            trials = _trials(competing(encoder, known), options.training.seed, seeds, run_dir / TRIALS, _digest(kept))
        missing = [trial for each in trials for trial in each if not trial.done]
        own = 1 if choose_device(options.training.device).type != "cpu" else torch.get_num_threads()
        count = workers or (own if cluster is None else cluster.workers)
        with counting_down("trainings", sum(map(len, trials)), show) as tell:
            run_trials(missing, kept, min(count, len(missing)), tell, cluster)
        with working("drawing the test rows anew", show):
            found = _judged(encoder, options, tables, trials, against, metrics, samples, level)
        write_json(run_dir / COMPARISON, found.to_dict())
    return found


def trees_of(baseline: str | Trees | None, schema: Schema) -> list[Trees]:
    """Return the trees of a baseline, an empty list for None.

    Raises:
        DeclarationError: an unknown baseline, or a task that trees cannot learn.
        MissingExtraError: LightGBM is not installed.
    """
    if baseline is None:
        return []
    if isinstance(baseline, str) and baseline != "lightgbm":
        hint = did_you_mean(baseline, ["lightgbm"])
        raise DeclarationError(f"baseline: expected 'lightgbm', found {baseline!r}{hint}")
    trees = Trees(schema) if isinstance(baseline, str) else baseline
    trees.check()
    return [trees]


def _trials(competing: Sequence[Contestant], first: int, seeds: int, folder: Path, data: str) -> list[list[Trial]]:
    """Return, per seed, one trial per contestant."""
    return [
        [
            Trial(each, seed, folder / each.name.replace(" ", "_") / str(seed), _fingerprint(each, data))
            for each in competing
        ]
        for seed in range(first, first + seeds)
    ]


def _fingerprint(contestant: Contestant, data: str) -> str:
    """Return a digest of a contestant and its data, to recognise kept trainings; the seed is in the folder's name."""
    return hashlib.blake2b(json.dumps([contestant.declared(), data], sort_keys=True).encode()).hexdigest()


def _on_disk(tables: Tables, schema: Schema, folder: Path) -> Tables:
    """Return the tables as files, which other processes can read; tables in memory are written."""

    def file_of(name: str, source: Source | None) -> Source | None:
        if source is None or isinstance(source, (str, Path)):
            return source
        needed = needed_columns(schema, weights=name == "train")
        rows = source if isinstance(source, pa.Table) else read_needed(source, needed, declared_types(schema))
        path = folder / f"{name}.parquet"
        present = [column for column in needed if column in rows.column_names]
        # Parquet cannot hold every type of a table in memory
        chosen = pa.table({column: pick_column(rows, column, f"column {column!r}") for column in present})
        write_atomically(path, lambda temporary: pq.write_table(chosen, temporary))
        return path

    files = {name: file_of(name, source) for name, source in tables.parts.items()}
    return Tables(**files, now=tables.now)


def _digest(tables: Tables) -> str:
    """Return a digest of all rows."""
    digest = hashlib.blake2b()
    if tables.now is not None:
        digest.update(f"now {tables.now}".encode())
    for name, source in tables.parts.items():
        digest.update(name.encode())
        if isinstance(source, (str, Path)) and Path(source).is_file():
            with Path(source).open("rb") as file:
                digest.update(hashlib.file_digest(file, "blake2b").digest())
        elif source is not None:
            digest.update(identity_of(source).encode())
    return digest.hexdigest()


def _judged(
    encoder: TableEncoder,
    options: Options,
    tables: Tables,
    trials: list[list[Trial]],
    against: str,
    metrics: Collection[str],
    samples: int,
    level: float,
) -> Comparison:
    """Return the comparison of all trials on the test rows."""
    tasks = build_tasks(encoder.schema, encoder.statistics)
    side = options.model.side
    assert tables.test is not None
    as_of = tables.moment(encoder.schema, tables.test)
    encoded = encoder.encode(tables.test, optional=() if side is None else side.features, as_of=as_of)
    rows = to_tensors(encoded, sum(task.num_labels for task in tasks))

    def predicted(trial: Trial) -> Predicted:
        found = trial.predictions()
        columns = {name: torch.from_numpy(found[name].to_numpy().copy()) for name in found.column_names}
        return Predicted(tasks, columns, rows.labels, rows.groups)

    by_contestant = list(zip(*trials, strict=True))
    names = [seeds[0].contestant.name for seeds in by_contestant]
    trained = {name: [predicted(trial) for trial in seeds] for name, seeds in zip(names, by_contestant, strict=True)}

    trees = next((each.contestant.name for each in trials[0] if isinstance(each.contestant, Trees)), None)

    cost = {name: _mean([trial.cost() for trial in seeds]) for name, seeds in zip(names, by_contestant, strict=True)}
    unfinished = unfinished_tasks({name: each.epochs for name, each in cost.items()})
    unshared = [name for name, each in cost.items() if each.parameters is None]

    def over(baseline: str) -> list[Verdict]:
        found = verdicts(trained, baseline, metrics, samples=samples, level=level)
        return worded(found, baseline, tasks, unfinished, unshared)

    return Comparison(
        seeds=tuple(seed[0].seed for seed in trials),
        rows=len(encoded),
        level=level,
        against=against,
        metrics={name: spreads([each.evaluate() for each in found]) for name, found in trained.items()},
        verdicts=over(against),
        over_trees=[] if trees is None else over(trees),
        cost=cost,
        tasks=tuple(task.name for task in tasks),
        affinity=dict(_affinities(by_contestant)),
        unfinished=unfinished,
    )


def _affinities(by_contestant: Sequence[Sequence[Trial]]) -> Iterator[tuple[str, list[list[float | None]]]]:
    """Yield the mean affinity over seeds, of every contestant with affinities."""
    for trials in by_contestant:
        found = [affinity for trial in trials if (affinity := trial.affinity()) is not None]
        if found:
            # None becomes NaN, and a mean with one is undefined
            mean = np.mean(np.array(found, dtype=np.float64), axis=0).tolist()
            yield trials[0].contestant.name, [[None if np.isnan(value) else value for value in row] for row in mean]


def _mean(costs: Sequence[Cost]) -> Cost:
    rates = [cost.rows_per_second for cost in costs if cost.rows_per_second is not None]
    return Cost(
        parameters=costs[0].parameters,
        seconds=fmean(cost.seconds for cost in costs),
        rows_per_second=fmean(rates) if rates else None,
        latency=fmean(cost.latency for cost in costs),
        epochs=joined_epochs([cost.epochs for cost in costs]),
    )
