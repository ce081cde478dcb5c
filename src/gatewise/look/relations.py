"""What the columns of a table say about each other: leaks, duplicates, funnels, labels that go together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import pyarrow as pa

from gatewise.declare import Binary, Multiclass, Task, column_of
from gatewise.look import words
from gatewise.look.alone import auc_alone, cells, r2_alone, ranks
from gatewise.look.column import Column
from gatewise.look.measured import Measured, measure

ROWS = 50_000
"""Rows that columns are compared on."""
DECIDED, SUSPECT = {"AUC": 0.98, "R2": 0.99}, {"AUC": 0.95, "R2": 0.95}
"""What one column alone reaches where it decides a label, and where that is to be doubted."""
ALWAYS, FEWEST = 0.995, 30
"""Share of ones from which a label is always 1 where another column has a value, and the fewest such rows."""
USUAL = 0.8
"""A label that is 1 this often is 1 beside many columns."""
SAME, NEAR = 0.9999, 0.999
FEW_ROWS = 50
"""Fewest rows of a table whose columns are compared: of fewer, agreement is chance."""
MOST_CLASSES = 5
MANY, CLOSE = 50, 0.9
"""Values of columns that are compared as ids, and the share of the values of one id that another one has."""
IMPLIED = 0.002
"""Most conflicts of a step with the step before, as a share of its ones."""


@dataclass(frozen=True)
class Leak:
    """A column that tells a label better than anything known beforehand should.

    Attributes:
        column: the column.
        label: the label.
        how: in words.
        score: AUC or R2 of the column alone.
        level: ``decides`` (leave it out) or ``suspect`` (look at it).
    """

    column: str
    label: str
    how: str
    score: float
    level: Literal["decides", "suspect"]


@dataclass(frozen=True)
class Duplicate:
    """A column that says what another one says, with the reason in words; ``exact``: value by value."""

    column: str
    of: str
    how: str
    exact: bool


@dataclass(frozen=True)
class Step:
    """A label that is 1 only where another is: a step of a funnel, with the share of conflicts."""

    after: str
    before: str
    conflicts: float


@dataclass(frozen=True)
class Relations:
    """What columns say about each other.

    Attributes:
        leaks: columns that tell labels too well, the clearest first.
        duplicates: columns that repeat others.
        steps: labels that imply another one.
        alone: ``[label][column]``, how well a column alone tells a label: AUC, or R2 of ranks.
        labels: names of the labels that are numbers.
        correlation: ``[label, label]``, rank correlation of labels, NaN where it is undefined.
    """

    leaks: tuple[Leak, ...]
    duplicates: tuple[Duplicate, ...]
    steps: tuple[Step, ...]
    alone: Mapping[str, Mapping[str, float]]
    labels: tuple[str, ...]
    correlation: tuple[tuple[float, ...], ...]


class _Told(NamedTuple):
    """What columns tell of labels.

    Attributes:
        features: the columns that are no label and vary.
        labels: the tasks by the column of their label.
        targets: by label, what is told of it, see :func:`_targets`.
        alone: ``[label][column]``, how well a column alone tells a label; empty: too few rows.
        leaks: the columns that tell a label too well, the clearest first.
    """

    features: Mapping[str, Measured]
    labels: Mapping[str, Task]
    targets: Mapping[str, Sequence[np.ndarray]]
    alone: Mapping[str, Mapping[str, float]]
    leaks: Sequence[Leak]


def relate(found: Mapping[str, Measured], tasks: Sequence[Task]) -> Relations:
    """Return the relations of the columns to the labels of tasks, and to each other."""
    rows = len(next(iter(found.values())).codes) if found else 0
    if rows > ROWS:
        chosen = np.sort(np.random.default_rng(0).permutation(rows)[:ROWS])
        found = {name: _some(each, chosen) for name, each in found.items()}
    enough = min(rows, ROWS) >= FEW_ROWS
    features, labels, targets, alone, leaks = _told(found, tasks, enough=enough)
    numbers = {name: each[0] for name, each in targets.items() if not isinstance(labels[name], Multiclass)}
    return Relations(
        tuple(leaks),
        tuple(_duplicates(features)) if enough else (),
        tuple(_steps({name: numbers[name] for name in numbers if _may_be_a_step(labels[name])}, labels)),
        alone,
        tuple(numbers),
        _correlation(list(numbers.values())),
    )


def leaks_among(table: pa.Table, columns: Sequence[str], tasks: Sequence[Task]) -> Sequence[Leak]:
    """Return which columns of a table tell labels better than anything known beforehand should, the clearest first.

    Args:
        table: some rows; of fewer than 50 nothing is said.
        columns: names of the columns that may leak, such as those that features read.
        tasks: their labels stand in the table.
    """
    if table.num_rows < FEW_ROWS:
        return []
    names = dict.fromkeys([*columns, *map(column_of, tasks)])
    return _told({name: measure(table, name, table.num_rows) for name in names}, tasks, enough=True).leaks


def _told(found: Mapping[str, Measured], tasks: Sequence[Task], *, enough: bool) -> _Told:
    """Return what columns tell of the labels of tasks, which are among them; without ``enough`` rows no leak."""
    labels = {column_of(task): task for task in tasks}
    targets = {name: list(_targets(found[name], task)) for name, task in labels.items()}
    features = {name: each for name, each in found.items() if name not in labels and _varies(each.column)}
    alone = {name: _alone(features, targets[name], labels[name]) for name in labels} if enough else {}
    leaks = _leaks(features, targets, labels, alone) if enough else ()
    return _Told(features, labels, targets, alone, sorted(leaks, key=lambda leak: (leak.level, -leak.score)))


def _varies(column: Column) -> bool:
    """Whether a column differs from row to row; null is a value, too."""
    return column.distinct + (column.nulls > 0) > 1


def _some(each: Measured, rows: np.ndarray) -> Measured:
    return Measured(each.column, each.codes[rows], None if each.numbers is None else each.numbers[rows])


def _targets(label: Measured, task: Task) -> Iterator[np.ndarray]:
    """Yield what of a label is told: 0 and 1, ranks, or each of the most frequent classes against the others."""
    if isinstance(task, Multiclass):
        counts = np.bincount(label.codes[label.codes >= 0])
        for code in np.argsort(-counts, kind="stable")[: MOST_CLASSES if len(counts) > 2 else 1]:
            yield np.where(label.is_null, np.nan, label.codes == code)
    elif label.numbers is not None:
        yield label.numbers if isinstance(task, Binary) else ranks(label.numbers)
    else:
        yield np.full(len(label.codes), np.nan)


def _alone(features: Mapping[str, Measured], targets: Sequence[np.ndarray], task: Task) -> dict[str, float]:
    judge = auc_alone if isinstance(task, (Binary, Multiclass)) else r2_alone
    found = {}
    for name, each in features.items():
        if each.column.kind in ("list", "vector") and each.column.separator == "":
            continue
        scores = [score for target in targets if (score := judge(cells(each), target)) is not None]
        if judge is r2_alone and each.numbers is not None and scores:
            # what rises with the label tells it better than cells of a small table can
            scores = [max(scores[0], _correlated(ranks(each.numbers), targets[0]) ** 2)]
        if scores:
            found[name] = float(np.mean(scores))
    return found


def _leaks(
    features: Mapping[str, Measured],
    targets: Mapping[str, Sequence[np.ndarray]],
    labels: Mapping[str, Task],
    alone: Mapping[str, Mapping[str, float]],
) -> Iterator[Leak]:
    for label, task in labels.items():
        metric = "AUC" if isinstance(task, (Binary, Multiclass)) else "R2"
        for name, score in alone[label].items():
            how = f"{name!r} alone tells {label!r} with {metric} {score:.3f}"
            if score >= DECIDED[metric]:
                yield Leak(name, label, how, score, "decides")
            elif isinstance(task, Binary) and (always := _always(features[name], targets[label][0])):
                yield Leak(name, label, f"{label!r} is 1 wherever {name!r} {always}", score, "decides")
            elif score >= SUSPECT[metric]:
                yield Leak(name, label, how, score, "suspect")


def _always(feature: Measured, target: np.ndarray) -> str:
    """Return in which rows of a column a label is always 1, in words; empty: in none that tell."""
    labelled = ~np.isnan(target)
    rate = float(target[labelled].mean()) if labelled.any() else 1.0
    if rate > USUAL:
        return ""
    masks = {"has a value": ~feature.is_null}
    if feature.column.frequent and feature.column.kind in ("whole", "number", "truth", "text"):
        usual = np.bincount(feature.codes + 1)[1:].argmax()
        masks[f"is not {feature.column.frequent[0][0]}"] = ~feature.is_null & (feature.codes != usual)
    for said, mask in masks.items():
        chosen = labelled & mask
        rows = int(chosen.sum())
        if _beyond_chance(rows, rate) and rows < labelled.sum() and target[chosen].mean() >= ALWAYS:
            return f"{said} ({rows:,} of {int(labelled.sum()):,} rows)"
    return ""


def _beyond_chance(rows: int, rate: float) -> bool:
    """Whether so many rows are all 1 by chance less often than once in a million."""
    return rows >= FEWEST and bool(rows * -np.log(max(rate, 1e-12)) > 14)


def _duplicates(features: Mapping[str, Measured]) -> Iterator[Duplicate]:
    first_with: dict[bytes, str] = {}
    left: dict[str, np.ndarray] = {}
    for name, each in features.items():
        if each.column.kind in ("vector",) or (each.column.kind == "list" and not each.column.separator):
            continue
        key = _by_first_appearance(each.codes).tobytes()
        # ids that are unique per row agree with each other by nature
        if key in first_with and each.column.distinct < each.column.known:
            yield Duplicate(name, first_with[key], f"tells the same rows apart as {first_with[key]!r}", True)
            continue
        first_with.setdefault(key, name)
        if each.numbers is not None and _is_amount(each.column):
            left[name] = each.numbers
    yield from _near(left)
    yield from _finer({name: each for name, each in features.items() if name in set(first_with.values())})


def _is_amount(column: Column) -> bool:
    """Whether a column holds amounts: numbers of ids go with each other for no reason."""
    named = words.names_an_id(column.name) or words.names_a_person(column.name)
    counted = column.rises or (column.kind == "whole" and column.distinct == column.known)
    return column.is_number and column.distinct > 2 and not named and not counted


def _finer(features: Mapping[str, Measured]) -> Iterator[Duplicate]:
    """Yield columns whose value follows from that of another one with hardly more values, as titles from ids."""
    many = {name: each for name, each in features.items() if each.column.kind in ("text", "whole") and _has_many(each)}
    for name, each in many.items():
        for other, finer in many.items():
            count, finest = each.codes.max() + 1, finer.codes.max() + 1
            if other == name or not CLOSE * finest <= each.column.distinct < finer.column.distinct:
                continue
            pairs = len(np.unique(finer.codes * (count + 1) + each.codes))
            if pairs <= 1.01 * len(np.unique(finer.codes)):
                yield Duplicate(name, other, f"follows from {other!r}, which has hardly more values", True)
                break


def _has_many(each: Measured) -> bool:
    return each.column.distinct > MANY and each.column.distinct < 0.5 * each.column.known


def _by_first_appearance(codes: np.ndarray) -> np.ndarray:
    """Return codes renumbered in order of first appearance, as rows that were chosen from all need."""
    _, first, place = np.unique(codes, return_index=True, return_inverse=True)
    order = np.empty(len(first), dtype=np.int64)
    order[np.argsort(first, kind="stable")] = np.arange(len(first))
    renumbered: np.ndarray = np.where(codes < 0, -1, order[place])
    return renumbered


def _near(numbers: Mapping[str, np.ndarray]) -> Iterator[Duplicate]:
    names = list(numbers)
    if len(names) < 2:
        return
    filled = np.stack([np.where(np.isfinite(each), each, _mean(each)) for each in numbers.values()])
    centred = filled - filled.mean(axis=1, keepdims=True)
    norms = np.sqrt((centred**2).sum(axis=1))
    norms[norms == 0] = 1.0
    scaled = centred / norms[:, np.newaxis]
    close = np.abs(scaled @ scaled.T)
    for place in range(1, len(names)):
        near = int(close[place, :place].argmax())
        if close[place, near] >= NEAR:
            how = f"goes with {names[near]!r} (correlation {close[place, near]:.4f})"
            yield Duplicate(names[place], names[near], how, bool(close[place, near] >= SAME))


def _mean(values: np.ndarray) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else 0.0


def _may_be_a_step(task: Task) -> bool:
    return isinstance(task, Binary) or task.kind == "lifetime_value"


def _steps(values: Mapping[str, np.ndarray], labels: Mapping[str, Task]) -> Iterator[Step]:
    """Yield, for every label that implies others, the rarest of those."""
    lowest = {name: np.nanmin(each) if np.isfinite(each).any() else 0.0 for name, each in values.items()}
    for after, target in values.items():
        taken = target > lowest[after] if labels[after].kind == "lifetime_value" else target == 1
        if taken.sum() < FEWEST:
            continue
        found: list[tuple[float, str, float]] = []
        for before, earlier in values.items():
            if before == after or not isinstance(labels[before], Binary):
                continue
            known = taken & ~np.isnan(earlier)
            rate = float(np.nanmean(earlier))
            conflicts = float((earlier[known] == 0).mean()) if known.any() else 1.0
            # a step takes fewer rows than the step before: else the two are one
            fewer = taken.sum() < 0.98 * np.nansum(earlier) or labels[after].kind == "lifetime_value"
            if conflicts <= IMPLIED and fewer and _beyond_chance(int(known.sum()), rate):
                found.append((rate, before, conflicts))
        if found:
            _, before, conflicts = min(found)
            yield Step(after, before, conflicts)


def _correlation(values: Sequence[np.ndarray]) -> tuple[tuple[float, ...], ...]:
    ranked = [ranks(each) for each in values]
    return tuple(tuple(_correlated(one, other) for other in ranked) for one in ranked)


def _correlated(one: np.ndarray, other: np.ndarray) -> float:
    both = ~np.isnan(one) & ~np.isnan(other)
    if both.sum() < 3 or one[both].std() == 0 or other[both].std() == 0:
        return float("nan")
    return float(np.corrcoef(one[both], other[both])[0, 1])
