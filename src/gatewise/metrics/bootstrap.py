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
"""``compute(*columns, weights=weights)``: every metric of this package, and whatever takes weights as they do."""


class Interval(NamedTuple):
    """A percentile interval.

    Attributes:
        low: Its lower end; ``None`` where every resample is undefined.
        high: Its upper end; ``None`` where every resample is undefined.
        level: How likely such an interval is meant to hold the true value.
        samples: How many resamples were drawn.
        undefined: In how many of them the metric was undefined; these are left out.
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
    r"""Return the interval in which a metric lies when the rows are drawn anew, with replacement.

    .. math::
        \left[Q_{(1 - \ell) / 2}, Q_{(1 + \ell) / 2}\right] \text{ of } m(w \, n^{(1)}), \dots, m(w \, n^{(S)}), \qquad
        n^{(s)} \sim \mathrm{Multinomial}\left(N; \tfrac{1}{N}, \dots, \tfrac{1}{N}\right)

    with quantiles Q at level :math:`\ell`, the metric m under weights, the given weights w (1 where none are given)
    and how often :math:`n_i^{(s)}` resample s holds row i of N. A row drawn twice is a row of weight 2, so no row is
    copied, and the rows are sorted once for all resamples.

    From `An Introduction to the Bootstrap <https://doi.org/10.1201/9780429246593>`_, chapter 13.

    Args:
        compute: A metric, such as :func:`gatewise.metrics.auc`.
        *columns: What the metric takes before its weights, each ``[row]`` or ``[row, ...]``: targets, predictions and,
            within groups, the group ids.
        weights: ``[row]``, the rows' own weights, at least 0.
        groups: ``[row]``, integers: draw whole groups, such as users, whose rows are not independent. N is then their
            number. A metric within groups asks for it: ``bootstrap_interval(gauc, y, p, user, groups=user)``.
        samples: How many resamples.
        level: How likely the interval is meant to hold the true value, between 0 and 1.
        seed: Of the draws, which do not depend on the columns' values or device.

    Returns:
        The interval, and how many resamples were undefined and left out of it.

    Raises:
        ShapeError: The columns differ in length, samples is no positive whole number or level not between 0 and 1; and
            what the metric raises.

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
    r"""Return the interval of the first model's metric less the second's, both judged on the same resamples.

    .. math::
        \left[Q_{(1 - \ell) / 2}, Q_{(1 + \ell) / 2}\right] \text{ of }
        m_1(w \, n^{(s)}) - m_2(w \, n^{(s)}), \quad s = 1, \dots, S

    in the symbols of :func:`bootstrap_interval`. What makes a resample hard is hard for both models and cancels, so
    this interval is narrower than the two models' own would suggest. One that holds 0 does not tell the models apart.

    Args:
        compute: A metric, such as :func:`gatewise.metrics.auc`.
        targets: ``[row]``.
        first: ``[row]`` or ``[row, ...]``, the first model's predictions.
        second: The second model's predictions of the same rows.
        *columns: What the metric takes after its predictions: within groups, the group ids.
        weights: As in :func:`bootstrap_interval`, as are all that follow.
        groups: ``[row]``, integers: draw whole groups.
        samples: How many resamples.
        level: How likely the interval is meant to hold the true difference, between 0 and 1.
        seed: Of the draws.

    Returns:
        The interval; resamples where the metric of either model is undefined are left out and counted.

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
    r"""Return the interval of the difference of two ways of modelling, each trained with several seeds.

    .. math::
        \left[Q_{(1 - \ell) / 2}, Q_{(1 + \ell) / 2}\right] \text{ of }
        \frac{1}{|A|} \sum_{a \in A} m_a(w \, n^{(s)}) - \frac{1}{|B|} \sum_{b \in B} m_b(w \, n^{(s)}),
        \quad s = 1, \dots, S

    in the symbols of :func:`bootstrap_interval`, with the models A of the first way and B of the second. All are judged
    on the same resamples. The interval covers the chance of which rows were tested, for the models at hand; the chance
    of their seeds lies in it only so far as a mean over them evens it out.

    Args:
        compute: A metric, such as :func:`gatewise.metrics.auc`.
        targets: ``[row]``.
        first: The predictions of every model of the first way, each ``[row]`` or ``[row, ...]``.
        second: Those of the second.
        *columns: As in :func:`bootstrap_difference`, as is all that follows.
        weights: ``[row]``.
        groups: ``[row]``, integers: draw whole groups.
        samples: How many resamples.
        level: How likely the interval is meant to hold the true difference, between 0 and 1.
        seed: Of the draws.

    Returns:
        The interval; resamples where the metric of any model is undefined are left out and counted.

    Raises:
        ShapeError: As :func:`bootstrap_interval`; or one of the two ways has no model.

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
    """Return the metric as a function of weights, ``[row]``, its columns laid out so that it need not sort them."""
    order = _layout(columns)
    columns = tuple(column[order] for column in columns)

    def measured(weights: Tensor) -> float | None:
        found = compute(*columns, weights=weights.index_select(0, order))
        return found.value if isinstance(found, Grouped) else found

    return measured


def _layout(columns: tuple[Tensor, ...]) -> Tensor:
    """Return the order in which a metric finds its rows sorted: by group, if it has any, and then from the top.

    Scores are told from ids by being floats. The order of the rows changes no metric: a wrong guess costs time alone.
    """
    order = torch.arange(len(columns[0]), device=columns[0].device)
    for column in columns[1:]:
        if column.dim() == 1:
            values = column.detach()[order]
            order = order[ascending(descending_keys(values.double()) if values.is_floating_point() else values)]
    return order


def _draws(rows: Tensor, weights: Tensor | None, groups: Tensor | None, samples: int, seed: int) -> Iterator[Tensor]:
    """Give the weights of each resample, ``[row]``: how often it draws the row or its group, times its own weight.

    Args:
        rows: any column, for the number of rows and the device.
        weights: ``[row]``, the rows' own weights.
        groups: ``[row]``, the groups to draw.
        samples: how many resamples.
        seed: of the draws.
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
    """Return the mean of metrics under weights; None where one of them is undefined."""
    values = [measure(weights) for measure in measures]
    defined = [value for value in values if value is not None]
    return statistics.fmean(defined) if len(defined) == len(values) else None
