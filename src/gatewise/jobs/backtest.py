"""A backtest: days that have passed, each judged before it is learnt, by several ways of learning day after day."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa

from gatewise.analysis import advise, main_metrics, rows_by_day
from gatewise.assembly import build_tasks
from gatewise.data import declared_types, needed_columns, read_needed
from gatewise.declare import Options, Recipe, Schema, Update, from_dict
from gatewise.errors import DeclarationError, TableError
from gatewise.files import held
from gatewise.jobs.backtested import Backtest
from gatewise.jobs.day_by_day import DayByDay, Judged, Strategy, strategies_named
from gatewise.jobs.kept_days import KeptDays
from gatewise.jobs.tables import all_rows
from gatewise.jobs.train import write_json
from gatewise.progress import at_terminal, counting_down, hushed, working
from gatewise.ranker import Ranker

BACKTEST, PAGE, DAYS = "backtest.json", "backtest.html", "days"
NAMES = ("retrain", "update", "update+replay", "stale")
"""The strategies that are tried where none are named."""
MOST_DAYS = 1000
"""Values of a column above which they are no days."""
SHARE = 3
"""The first model learns from one in so many days, unless it is said otherwise."""


def backtest(
    what: Recipe | Ranker | str | Path,
    table: Any = None,
    *,
    by: str | None = None,
    overrides: list[str] | None = None,
    strategies: Sequence[str] = NAMES,
    first: int | None = None,
    run_dir: str | Path | None = None,
    epochs: int | None = None,
    lr: float | None = None,
    pull: float = 0.0,
    replay_share: float | None = None,
    progress: bool | None = None,
) -> Backtest:
    """Go through days that have passed, judge each before it is learnt, and say how to learn from day to day.

    A first model learns from the first days. From then on every strategy learns a day, and is judged on the next one:
    ``retrain`` trains anew on all days so far, ``update`` trains further on the latest one, ``update+replay`` mixes
    rows of earlier days into it, ``latest`` trains anew on the latest day alone, and ``stale`` learns nothing more.
    After Ctrl-C the result has the days that were judged by all strategies so far. The same call goes on behind the
    last day that was judged, also where the process was killed: ``run_dir`` keeps the judged days, and the models
    behind the last one, under a digest of recipe and rows.

    Args:
        what: a recipe, or its path; or a ranker, fitted or not, whose schema and options are used.
        table: any table; a recipe brings its own rows, those of all its parts.
        by: the column of dates, times, or seconds since 1970, of which days are made; any other value is a period of
            its own. By default the one by which the recipe splits.
        overrides: options of a recipe in a file that take the place of its own, such as ``["training.epochs=3"]``.
        strategies: which of the strategies are tried.
        first: how many days the first model learns from; by default a third of them.
        run_dir: folder in which ``backtest.json`` and the judged days are kept; by default the recipe's, with
            ``-backtest``.
        epochs: of every update, see :class:`gatewise.declare.Update`, whose defaults stand for what is None.
        lr: of every update.
        pull: of every update.
        replay_share: of every update with replay.
        progress: whether to show progress; by default when standard error is a terminal.

    Raises:
        DeclarationError: an unknown strategy, an option that is not valid, or no column of days.
        TableError: a table lacks a column, or has too few days or too many.
        TrainingError: a loss is not finite.
    """
    folder = Path(what).parent if isinstance(what, (str, Path)) else Path()
    recipe = Recipe.read(what, overrides or []) if isinstance(what, (str, Path)) else what
    if not isinstance(recipe, (Recipe, Ranker)):
        raise DeclarationError(f"backtest: expected a recipe or a ranker, found {type(recipe).__name__}")
    schema, options = (recipe.schema(), recipe) if isinstance(recipe, Recipe) else (recipe.schema, recipe.options)
    by = by or _column_of(recipe)
    given = {"lr": lr, "pull": pull} | ({} if epochs is None else {"epochs": epochs})
    from_dict(Update, {**given, **({} if replay_share is None else {"replay_share": replay_share})}, source="backtest")
    tried = strategies_named(list(strategies), given, replay_share=replay_share)
    show = at_terminal() if progress is None else progress
    with working("looking at the table", show):
        rows = _rows(recipe, folder, table, by, schema)
        days = _days(rows, by, first)
    place = Path(run_dir) if run_dir else Path(f"{recipe.output}-backtest") if isinstance(recipe, Recipe) else None
    with nullcontext(place) if place is not None else TemporaryDirectory() as kept, held(Path(kept)):
        return _run(schema, options, days, by, tried, first or max(1, len(days) // SHARE), Path(kept), show)


def _column_of(recipe: Recipe | Ranker) -> str:
    """Return the column of days where none was named.

    Raises:
        DeclarationError: the recipe does not split by time.
    """
    split = recipe.data.split if isinstance(recipe, Recipe) else None
    if split is None or split.time is None:
        raise DeclarationError("backtest: needs the column of days or times (--by, in Python by=)")
    return split.time


def _rows(recipe: Recipe | Ranker, folder: Path, table: Any, by: str, schema: Schema) -> pa.Table:
    if table is not None:
        return read_needed(table, [*needed_columns(schema, weights=True), by], declared_types(schema))
    if isinstance(recipe, Recipe):
        return all_rows(recipe, folder, by)
    raise DeclarationError("backtest: a ranker brings no rows: give a table")


def _days(rows: pa.Table, by: str, first: int | None) -> list[tuple[str, pa.Table]]:
    """Return the rows of every day, of enough days and not of too many."""
    days = rows_by_day(rows, by)
    begun = max(1, len(days) // SHARE) if first is None else first
    if begun < 1:
        raise DeclarationError(f"backtest: first: expected 1 day or more, found {first}")
    if len(days) > MOST_DAYS:
        raise TableError(
            f"time {by!r}: {len(days):,} different values, such as {days[0][0]!r}, are no days: expected dates, times, "
            "or seconds since 1970"
        )
    if len(days) < begun + 2:
        raise TableError(
            f"time {by!r}: expected {begun + 2} days or more, {begun} for the first model, one to learn and one to "
            f"judge, found {len(days)}"
        )
    return days


def _run(
    schema: Schema,
    options: Options,
    days: Sequence[tuple[str, pa.Table]],
    by: str,
    strategies: Sequence[Strategy],
    first: int,
    folder: Path,
    show: bool,
) -> Backtest:
    """Judge day after day, and keep the result in a file."""
    loop = DayByDay(schema, options, [rows for _, rows in days], first, strategies)
    kept = KeptDays.of(folder / DAYS, schema, options, days, first, strategies)
    found = list[dict[str, Judged]]()
    result: Backtest | None = None
    try:
        for judged in _counted(loop.run(kept), len(days) - first - 1, show):
            found.append(judged)
            result = _result(schema, by, days, first, found)
            write_json(folder / BACKTEST, result.to_dict())
    except KeyboardInterrupt:
        if result is None:
            raise
        return Backtest(**{**vars(result), "interrupted": True})
    assert result is not None
    return result


def _counted(days: Iterator[dict[str, Judged]], total: int, show: bool) -> Iterator[dict[str, Judged]]:
    """Yield what was judged, and show how many days are left and how long they will take."""
    with counting_down("days judged", total, show) as tell:
        started = time.monotonic()
        for done in range(1, total + 1):
            with hushed():
                judged = next(days)
            yield judged
            left = total - done
            tell(left, (time.monotonic() - started) / done * left)


def _result(
    schema: Schema, by: str, days: Sequence[tuple[str, pa.Table]], first: int, found: Sequence[dict[str, Judged]]
) -> Backtest:
    metrics = main_metrics(build_tasks(schema))
    judged = days[first + 1 : first + 1 + len(found)]
    by_strategy = {name: [day[name] for day in found] for name in found[0]}
    values = {
        name: {
            output: {metric: [day.metrics[output].get(metric) for day in of] for metric in of[0].metrics[output]}
            for output in of[0].metrics
        }
        for name, of in by_strategy.items()
    }
    main = {output: metric.name for output, metric in metrics.items()}
    cpu = {name: [day.cpu for day in of] for name, of in by_strategy.items()}
    daily = {name: {output: of[output][main[output]] for output in main} for name, of in values.items()}
    return Backtest(
        by=by,
        first=(days[0][0], days[first - 1][0]),
        days=[name for name, _ in judged],
        rows=[rows.num_rows for _, rows in judged],
        metrics=values,
        main=main,
        cpu=cpu,
        unseen={
            name: {feature: [day.unseen[feature] for day in of] for feature in of[0].unseen}
            for name, of in by_strategy.items()
        },
        advice=advise(daily, {name: sum(seconds) for name, seconds in cpu.items()}, metrics),
    )
