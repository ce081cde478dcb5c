"""Bootstrap confidence intervals of any metric that takes weights."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from gatewise.errors import ShapeError
from gatewise.metrics.checks import check_count
from gatewise.metrics.metric import Grouped
from gatewise.metrics.sorting import ascending, descending_keys

Compute = Callable[..., float | Grouped | None]
"""``compute(*columns, weights=weights)``: every metric of this package, or a function with this signature."""


class Interval(NamedTuple):
    """A percentile interval.

    Attributes:
        low: The lower end; ``None`` if every resample is undefined.
        high: The upper end; ``None`` if every resample is undefined.
        level: Confidence level: the intended probability that such an interval holds the true value.
        samples: Number of resamples drawn.
        undefined: Number of resamples in which the metric was undefined; these are left out.
    """

    low: float | None
    high: float | None
    level: float
    samples: int
    undefined: int


def bootstrap_interval(
    compute: Compute,
    *columns: Tensor,
    weights: Tensor | None = None,
    groups: Tensor | None = None,
    samples: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> Interval:
    r"""Return the bootstrap interval of a metric: the rows are resampled with replacement.

    .. math::
        \left[Q_{(1 - \ell) / 2}, Q_{(1 + \ell) / 2}\right] \text{ of } m(w \, n^{(1)}), \dots, m(w \, n^{(S)}), \qquad
        n^{(s)} \sim \mathrm{Multinomial}\left(N; \tfrac{1}{N}, \dots, \tfrac{1}{N}\right)

    with quantiles Q at level :math:`\ell`, the metric m under weights, the given weights w (1 if none are given) and
    the number of times :math:`n_i^{(s)}` that resample s holds row i of N. A row drawn twice is a row of weight 2, so
    that no row is copied, and the rows are sorted once for all resamples.

    From `An Introduction to the Bootstrap <https://doi.org/10.1201/9780429246593>`_, chapter 13.

    Args:
        compute: A metric, such as :func:`gatewise.metrics.auc`.
        *columns: The metric's arguments before its weights, each ``[row]`` or ``[row, ...]``: targets, predictions and,
            for metrics within groups, the group ids.
        weights: ``[row]``, the rows' own weights, at least 0.
        groups: ``[row]``, integers: draw whole groups, such as users, whose rows are not independent. N is then the
            number of groups. For metrics within groups: ``bootstrap_interval(gauc, y, p, user, groups=user)``.
        samples: Number of resamples.
        level: Confidence level, between 0 and 1.
        seed: Seed of the draws, which do not depend on the columns' values or device.

    Returns:
        The interval, with the number of resamples that were undefined and left out.

    Raises:
        ShapeError: The columns differ in length, samples is not a positive whole number, or level is not between 0 and
            1; and all errors of the metric.

    Example:
        >>> import torch
        >>> from gatewise.metrics import mae
        >>> targets = torch.arange(1000.0)
        >>> interval = bootstrap_interval(mae, targets, targets + targets.remainder(3))
        >>> round(interval.low, 2), round(interval.high, 2)
        (0.95, 1.05)
    """
    _check("bootstrap_interval", columns, weights, groups, samples, level)
    measure = _measure(compute, columns)
    draws = _draws(columns[0], weights, groups, samples, seed)
    return _interval((measure(weight) for weight in draws), level)


def bootstrap_difference(
    compute: Compute,
    targets: Tensor,
    first: Tensor,
    second: Tensor,
    *columns: Tensor,
    weights: Tensor | None = None,
    groups: Tensor | None = None,
    samples: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> Interval:
    r"""Return the bootstrap interval of the first model's metric minus the second model's, on common resamples.

    .. math::
        \left[Q_{(1 - \ell) / 2}, Q_{(1 + \ell) / 2}\right] \text{ of }
        m_1(w \, n^{(s)}) - m_2(w \, n^{(s)}), \quad s = 1, \dots, S

    in the symbols of :func:`bootstrap_interval`. A difficult resample is difficult for both models, so that this
    interval is narrower than the models' own intervals suggest. If it holds 0, the models do not differ significantly.

    Args:
        compute: A metric, such as :func:`gatewise.metrics.auc`.
        targets: ``[row]``.
        first: ``[row]`` or ``[row, ...]``, the first model's predictions.
        second: The second model's predictions of the same rows.
        *columns: The metric's arguments after its predictions: for metrics within groups, the group ids.
        weights: As in :func:`bootstrap_interval`, like all further arguments.
        groups: ``[row]``, integers: draw whole groups.
        samples: Number of resamples.
        level: How likely the interval is meant to hold the true difference, between 0 and 1.
        seed: Seed of the draws.

    Returns:
        The interval; resamples in which the metric of either model is undefined are left out and counted.

    Raises:
        ShapeError: As :func:`bootstrap_interval`.

    Example:
        >>> import torch
        >>> from gatewise.metrics import mae
        >>> targets = torch.arange(100.0)
        >>> bootstrap_difference(mae, targets, targets + 2, targets - 1)
        Interval(low=1.0, high=1.0, level=0.95, samples=1000, undefined=0)
    """
    _check("bootstrap_difference", (targets, first, second, *columns), weights, groups, samples, level)
    options = {"weights": weights, "groups": groups, "samples": samples, "level": level, "seed": seed}
    return bootstrap_mean_difference(compute, targets, [first], [second], *columns, **options)  # type: ignore[arg-type]


def bootstrap_mean_difference(
    compute: Compute,
    targets: Tensor,
    first: Sequence[Tensor],
    second: Sequence[Tensor],
    *columns: Tensor,
    weights: Tensor | None = None,
    groups: Tensor | None = None,
    samples: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> Interval:
    r"""Return the bootstrap interval of the mean difference of two approaches, each trained with several seeds.

    .. math::
        \left[Q_{(1 - \ell) / 2}, Q_{(1 + \ell) / 2}\right] \text{ of }
        \frac{1}{|A|} \sum_{a \in A} m_a(w \, n^{(s)}) - \frac{1}{|B|} \sum_{b \in B} m_b(w \, n^{(s)}),
        \quad s = 1, \dots, S

    in the symbols of :func:`bootstrap_interval`, with the models A of the first approach and B of the second. All are
    judged on the same resamples. The interval covers the choice of test rows, for the given models; it covers the
    choice of seeds only by averaging over the models.

    Args:
        compute: A metric, such as :func:`gatewise.metrics.auc`.
        targets: ``[row]``.
        first: The predictions of every model of the first approach, each ``[row]`` or ``[row, ...]``.
        second: The predictions of every model of the second approach.
        *columns: As in :func:`bootstrap_difference`, like all further arguments.
        weights: ``[row]``.
        groups: ``[row]``, integers: draw whole groups.
        samples: Number of resamples.
        level: How likely the interval is meant to hold the true difference, between 0 and 1.
        seed: Seed of the draws.

    Returns:
        The interval; resamples in which the metric of any model is undefined are left out and counted.

    Raises:
        ShapeError: As :func:`bootstrap_interval`; or one of the approaches has no model.

    Example:
        >>> import torch
        >>> from gatewise.metrics import mae
        >>> targets = torch.arange(100.0)
        >>> bootstrap_mean_difference(mae, targets, [targets + 2, targets + 4], [targets - 1])[:2]
        (2.0, 2.0)
    """
    _check("bootstrap_mean_difference", (targets, *first, *second, *columns), weights, groups, samples, level)
    if not first or not second:
        raise ShapeError(
            f"bootstrap_mean_difference: expected a model on either side, found {len(first)}, {len(second)}"
        )
    one, other = (
        [_measure(compute, (targets, predictions, *columns)) for predictions in side] for side in (first, second)
    )
    draws = _draws(targets, weights, groups, samples, seed)
    return _interval((_difference(_mean(one, weight), _mean(other, weight)) for weight in draws), level)


def _check(
    name: str, columns: tuple[Tensor, ...], weights: Tensor | None, groups: Tensor | None, samples: int, level: float
) -> None:
    check_count(name, "samples", samples)
    if not 0 < level < 1:
        raise ShapeError(f"{name}: expected level between 0 and 1, found {level!r}")
    given = [values for values in (*columns, weights, groups) if values is not None]
    if len({values.shape[:1] for values in given}) != 1 or not given[0].dim():
        found = ", ".join(str(tuple(values.shape)) for values in given) or "none"
        raise ShapeError(f"{name}: expected columns of equal length, found {found}")


def _measure(compute: Compute, columns: tuple[Tensor, ...]) -> Callable[[Tensor], float | None]:
    """Return the metric as a function of weights, ``[row]``, with its columns sorted in advance."""
    order = _layout(columns)
    columns = tuple(column[order] for column in columns)

    def measured(weights: Tensor) -> float | None:
        found = compute(*columns, weights=weights.index_select(0, order))
        return found.value if isinstance(found, Grouped) else found

    return measured


def _layout(columns: tuple[Tensor, ...]) -> Tensor:
    """Return the order in which the rows are sorted for a metric: by group, if it has any, then by falling score.

    A float column counts as scores, an integer column as ids. The order of rows does not change a metric: a wrong
    guess only costs time.
    """
    order = torch.arange(len(columns[0]), device=columns[0].device)
    for column in columns[1:]:
        if column.dim() == 1:
            values = column.detach()[order]
            order = order[ascending(descending_keys(values.double()) if values.is_floating_point() else values)]
    return order


def _draws(rows: Tensor, weights: Tensor | None, groups: Tensor | None, samples: int, seed: int) -> Iterator[Tensor]:
    """Yield the weights of each resample, ``[row]``: the number of draws of a row or its group, times its own weight.

    Args:
        rows: any column, for the number of rows and the device.
        weights: ``[row]``, the rows' own weights.
        groups: ``[row]``, the groups to draw.
        samples: number of resamples.
        seed: seed of the draws.
    """
    generator = torch.Generator().manual_seed(seed)
    unit, units = None, len(rows)
    if groups is not None:
        ids, unit = torch.unique(groups, return_inverse=True)  # [unit], [row]
        units = len(ids)
    for _ in range(samples):
        drawn = torch.randint(max(units, 1), (units,), generator=generator)
        times = drawn.bincount(minlength=units).to(rows.device)  # [unit]
        times = times if unit is None else times.index_select(0, unit)  # [row]
        yield times if weights is None else times * weights.double()


def _interval(values: Iterable[float | None], level: float) -> Interval:
    found = list(values)
    defined = torch.tensor([value for value in found if value is not None], dtype=torch.float64)
    low, high = None, None
    if len(defined):
        ends = torch.tensor([(1 - level) / 2, (1 + level) / 2], dtype=torch.float64)
        low, high = defined.quantile(ends).tolist()
    return Interval(low, high, level, len(found), len(found) - len(defined))


def _difference(a: float | None, b: float | None) -> float | None:
    return None if a is None or b is None else a - b


def _mean(measures: Sequence[Callable[[Tensor], float | None]], weights: Tensor) -> float | None:
    """Return the mean of metrics under weights; None if one of them is undefined."""
    values = [measure(weights) for measure in measures]
    defined = [value for value in values if value is not None]
    return statistics.fmean(defined) if len(defined) == len(values) else None
