"""What every metric within groups promises alike, and each of them against its definition on all orders of ties."""

from __future__ import annotations

import functools
import itertools
import math
import time

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import ndcg_score, roc_auc_score

import gatewise.metrics
from gatewise.errors import ShapeError
from gatewise.metrics import GAUC, HIT_RATE, MRR, NDCG, Grouped, GroupMetric, gauc, hit_rate_at_k, mrr, ndcg_at_k

EVERY = [GAUC, NDCG, MRR, HIT_RATE]

every_metric = pytest.mark.parametrize("metric", EVERY, ids=lambda metric: metric.name)
Sample = tuple[torch.Tensor, torch.Tensor, torch.Tensor]


def sample(rows: int = 2000, levels: int = 10) -> Sample:
    generator = torch.Generator().manual_seed(7)
    targets = (torch.rand(rows, generator=generator) < 0.2).double()
    predictions = torch.rand(rows, generator=generator, dtype=torch.float64).mul(levels).round() - levels / 2
    groups = torch.randint(-(2**40), 2**40, (rows // 10,), generator=generator)
    return targets, predictions, groups[torch.randint(0, rows // 10, (rows,), generator=generator)]


def over_orders(measure, targets: np.ndarray, predictions: np.ndarray) -> float:
    """Average a measure of a list of targets over all orders that the predictions leave open."""
    blocks = [targets[predictions == score] for score in np.unique(predictions)[::-1]]
    orders = itertools.product(*(itertools.permutations(block) for block in blocks))
    return float(np.mean([measure(np.concatenate(order)) for order in orders]))


def reciprocal_rank(ordered: np.ndarray) -> float:
    return 1 / (1 + np.flatnonzero(ordered)[0])


def discounted(ordered: np.ndarray, k: int) -> float:
    return sum(gain / math.log2(place + 2) for place, gain in enumerate(ordered[:k]))


def by_group(value, targets: torch.Tensor, predictions: torch.Tensor, groups: torch.Tensor) -> dict[int, float]:
    """Compute ``value(targets, predictions)`` for every group, by a loop; None is left out."""
    found = {}
    for group in groups.unique().tolist():
        rows = groups == group
        one = value(targets[rows].numpy(), predictions[rows].numpy())
        if one is not None:
            found[group] = one
    return found


few_rows = st.lists(
    st.tuples(st.sampled_from([0, 1]), st.sampled_from([0.1, 0.5, 0.9]), st.integers(-1, 1)), min_size=1, max_size=7
)


@given(rows=few_rows, k=st.integers(1, 4))
@settings(max_examples=150, deadline=None)
def test_ties_are_the_mean_over_their_orders(rows: list[tuple[int, float, int]], k: int) -> None:
    targets, predictions = torch.tensor([row[:2] for row in rows], dtype=torch.float64).unbind(1)
    columns = targets, predictions, torch.tensor([row[2] for row in rows])

    def gain(ordered: np.ndarray) -> float:
        return discounted(ordered, k) / discounted(np.sort(ordered)[::-1], k)

    def hit(ordered: np.ndarray) -> float:
        return float(ordered[:k].any())

    for found, measure in [
        (mrr(*columns), reciprocal_rank),
        (hit_rate_at_k(*columns, k=k), hit),
        (ndcg_at_k(*columns, k=k), gain),
    ]:
        over_ties = functools.partial(over_orders, measure)
        expected = by_group(lambda y, p, value=over_ties: value(y, p) if y.any() else None, *columns)
        assert (found.groups, found.skipped) == (len(expected), len(columns[2].unique()) - len(expected))
        mean = np.mean(list(expected.values())) if expected else None
        assert found.value == pytest.approx(mean, abs=1e-12)


@pytest.mark.parametrize("levels", [3, 1000])
@pytest.mark.parametrize("weighted", [False, True])
def test_gauc_is_scikit_learns_auc_within_groups(levels: int, weighted: bool) -> None:
    targets, predictions, groups = sample(levels=levels)
    weights = torch.rand(2000, generator=torch.Generator().manual_seed(8), dtype=torch.float64)
    aucs, sizes = [], []
    for group in groups.unique():
        rows = groups == group
        if targets[rows].unique().numel() == 2:
            chosen = weights[rows] if weighted else torch.ones(int(rows.sum()))
            aucs.append(roc_auc_score(targets[rows], predictions[rows], sample_weight=chosen))
            sizes.append(float(chosen.sum()))
    found = gauc(targets, predictions, groups, weights if weighted else None)
    assert found.value == pytest.approx(np.average(aucs, weights=sizes), abs=1e-9)
    assert (found.groups, found.skipped) == (len(aucs), len(groups.unique()) - len(aucs))
    assert found.skipped > 0


@pytest.mark.parametrize("levels", [3, 1000])
@pytest.mark.parametrize("k", [1, 3, 10, 1000])
def test_ndcg_of_graded_gains_is_scikit_learns(levels: int, k: int) -> None:
    targets, predictions, groups = sample(levels=levels)
    targets = targets * torch.randint(1, 5, (2000,), generator=torch.Generator().manual_seed(8))
    expected = by_group(
        lambda y, p: ndcg_score([y], [p], k=k) if y.any() and len(y) > 1 else (1.0 if y.any() else None),
        targets,
        predictions,
        groups,
    )
    found = ndcg_at_k(targets, predictions, groups, k=k)
    assert found.value == pytest.approx(np.mean(list(expected.values())), abs=1e-9)
    assert found.groups == len(expected)


def test_by_hand() -> None:
    targets = torch.tensor([0, 0, 1, 1, 0, 0, 0])
    predictions = torch.tensor([0.9, 0.8, 0.1, 0.5, 0.5, 0.5, 0.7])
    groups = torch.tensor([3, 3, 3, 1, 1, 1, 2])
    # In group 3 the positive is third, in group 1 one of three ties, in group 2 there is none.
    assert mrr(targets, predictions, groups) == Grouped(pytest.approx((1 / 3 + (1 + 1 / 2 + 1 / 3) / 3) / 2), 2, 1)
    assert hit_rate_at_k(targets, predictions, groups, k=2) == Grouped(pytest.approx((0 + 2 / 3) / 2), 2, 1)
    assert gauc(targets, predictions, groups) == Grouped(0.25, 2, 1)
    gain = 1 / math.log2(4), (1 + 1 / math.log2(3) + 1 / math.log2(4)) / 3
    assert ndcg_at_k(targets, predictions, groups) == Grouped(pytest.approx(sum(gain) / 2), 2, 1)


def test_a_large_block_of_ties_has_its_expectation() -> None:
    rows = 100_000
    targets = (torch.arange(rows) < 1).long()
    tied, groups = torch.zeros(rows), torch.zeros(rows, dtype=torch.long)
    assert mrr(targets, tied, groups).value == pytest.approx(sum(1 / r for r in range(1, rows + 1)) / rows, rel=1e-6)
    assert hit_rate_at_k(targets, tied, groups, k=25_000).value == pytest.approx(0.25, rel=1e-6)


def test_ten_places_are_the_default() -> None:
    targets, predictions = (torch.arange(12) == 1).long(), torch.arange(12.0)  # the positive is eleventh
    groups = torch.zeros(12, dtype=torch.long)
    assert NDCG.compute(targets, predictions, groups).value == 0.0
    assert HIT_RATE.compute(targets, predictions, groups).value == 0.0
    assert hit_rate_at_k(targets, predictions, groups, k=11).value == 1.0
    assert ndcg_at_k(targets, predictions, groups, k=11).value == pytest.approx(1 / math.log2(12))


@every_metric
def test_the_order_of_rows_and_the_names_of_groups_do_not_matter(metric: GroupMetric) -> None:
    targets, predictions, groups = sample()
    expected = metric.compute(targets, predictions, groups)
    assert type(expected.value) is float
    order = torch.randperm(2000, generator=torch.Generator().manual_seed(8))
    found = metric.compute(targets[order], predictions[order], groups[order])
    assert found == Grouped(pytest.approx(expected.value, abs=1e-12), *expected[1:])
    renamed = -torch.unique(groups, return_inverse=True)[1].to(torch.int32)
    found = metric.compute(targets, predictions, renamed)
    assert found == Grouped(pytest.approx(expected.value, abs=1e-12), *expected[1:])


@every_metric
def test_rows_in_order_give_the_same_as_rows_that_are_sorted(metric: GroupMetric) -> None:
    targets, predictions, groups = sample()
    order = np.lexsort([-predictions.numpy(), groups.numpy()])
    found = metric.compute(targets[order], predictions[order], groups[order])
    expected = metric.compute(targets, predictions, groups)
    assert found == Grouped(pytest.approx(expected.value, abs=1e-12), *expected[1:])


@every_metric
@pytest.mark.parametrize("filler", [float("nan"), float("inf"), -7.0])
def test_a_row_of_weight_zero_is_absent_whatever_stands_in_it(metric: GroupMetric, filler: float) -> None:
    targets, predictions, groups = sample()
    weights = torch.randint(0, 2, (2000,), generator=torch.Generator().manual_seed(8))
    kept = weights > 0
    expected = metric.compute(targets[kept], predictions[kept], groups[kept])
    filled = targets.masked_fill(~kept, filler), predictions.masked_fill(~kept, filler)
    assert metric.compute(*filled, groups, weights) == expected


def test_a_weight_of_two_is_the_row_twice_in_gauc() -> None:
    targets, predictions, groups = sample()
    times = torch.randint(0, 4, (2000,), generator=torch.Generator().manual_seed(8))
    expected = gauc(*(column.repeat_interleave(times) for column in (targets, predictions, groups)))
    assert gauc(targets, predictions, groups, times) == Grouped(pytest.approx(expected.value, abs=1e-12), *expected[1:])


@every_metric
def test_a_weight_of_two_on_a_whole_group_is_the_group_twice(metric: GroupMetric) -> None:
    targets, predictions, groups = sample()
    index = torch.unique(groups, return_inverse=True)[1]
    twice = index % 3 == 0
    again = [torch.cat([values, values[twice]]) for values in (targets, predictions)]
    expected = metric.compute(*again, torch.cat([index, 1000 + index[twice]]))
    found = metric.compute(targets, predictions, groups, 1 + twice.long())
    assert found.value == pytest.approx(expected.value, abs=1e-12)


@every_metric
def test_no_rows_and_no_group_that_counts_are_undefined(metric: GroupMetric) -> None:
    none = torch.tensor([])
    assert metric.compute(none, none, none.long()) == Grouped(None, 0, 0)
    negatives = torch.zeros(3), torch.rand(3), torch.tensor([5, 5, 9])
    assert metric.compute(*negatives) == Grouped(None, 0, 2)
    assert metric.compute(*negatives, torch.zeros(3)) == Grouped(None, 0, 0)


def test_groups_of_one_row() -> None:
    one_each = torch.tensor([1, 0]), torch.tensor([0.5, 0.5]), torch.tensor([0, 1])
    assert gauc(*one_each) == Grouped(None, 0, 2)
    for metric in (NDCG, MRR, HIT_RATE):
        assert metric.compute(*one_each) == Grouped(1.0, 1, 1)


@every_metric
def test_infinite_scores_are_the_first_and_the_last(metric: GroupMetric) -> None:
    scores = torch.tensor([float("inf"), 0.0, -float("inf")])
    groups = torch.zeros(3, dtype=torch.long)
    assert metric.compute(torch.tensor([1, 0, 0]), scores, groups).value == 1.0


@every_metric
def test_changes_none_of_its_inputs(metric: GroupMetric) -> None:
    given_tensors = sample()
    kept = [values.clone() for values in given_tensors]
    metric.compute(*given_tensors)
    assert all(torch.equal(values, copy) for values, copy in zip(given_tensors, kept, strict=True))


@every_metric
def test_refusals(metric: GroupMetric) -> None:
    def refused(message: str, *tensors: torch.Tensor) -> None:
        with pytest.raises(ShapeError, match=f"^{metric.compute.__name__}: expected {message}$"):
            metric.compute(*tensors)

    ids, y, p = torch.tensor([0, 1]), torch.tensor([1.0, 0.0]), torch.tensor([0.5, 0.1])
    shapes = r"1-D tensors of equal length, found targets \(2,\), predictions \(2,\), groups \(3,\)"
    refused(shapes, y, p, torch.zeros(3, dtype=torch.long))
    refused("groups of integers, found torch.float32", y, p, ids.float())
    refused("predictions without NaN, found NaN in 1 of 2 rows", y, torch.tensor([0.5, float("nan")]), ids)
    refused("weights of at least 0, found -1", y, p, ids, torch.tensor([1.0, -1.0]))
    other = "targets of at least 0, found -1" if metric is NDCG else "targets of 0 and 1, found -1"
    refused(other, torch.tensor([1.0, -1.0]), p, ids)


@pytest.mark.parametrize("function", [ndcg_at_k, hit_rate_at_k])
@pytest.mark.parametrize("k", [0, -1, 1.5])
def test_refuses_other_numbers_of_places(function, k: float) -> None:
    with pytest.raises(ShapeError, match=f"^{function.__name__}: expected k to be a positive whole number, found {k}$"):
        function(*sample(), k=k)


def test_each_constant_bears_the_name_of_its_function() -> None:
    assert [metric.name for metric in EVERY] == ["gauc", "ndcg@10", "mrr", "hit_rate@10"]
    assert all(metric.greater_is_better for metric in EVERY)
    for metric in EVERY:
        name = metric.compute.__name__
        assert metric.compute is getattr(gatewise.metrics, name)
        assert getattr(gatewise.metrics, name.removesuffix("_at_k").upper()) is metric


@every_metric
def test_many_groups_take_no_loop(metric: GroupMetric) -> None:
    generator = torch.Generator().manual_seed(4)
    scores = torch.rand(1_000_000, generator=generator)
    targets = (torch.rand(1_000_000, generator=generator) < scores).float()
    groups = torch.randint(0, 100_000, (1_000_000,), generator=generator)
    began = time.process_time()
    found = metric.compute(targets, scores, groups)
    assert time.process_time() - began < 10  # a loop over 100,000 groups takes a minute and more
    assert found.groups + found.skipped == len(groups.unique())
    if metric is GAUC:
        assert found.value == pytest.approx(5 / 6, abs=3e-3)  # as of the whole: see test_metric_auc.py


def test_options_are_bound_with_partial() -> None:
    metric = GroupMetric("ndcg@3", functools.partial(ndcg_at_k, k=3), greater_is_better=True)
    assert metric.compute(*sample()) == ndcg_at_k(*sample(), k=3)
