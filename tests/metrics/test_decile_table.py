from __future__ import annotations

import numpy as np
import pytest
import torch

from gatewise.errors import ShapeError
from gatewise.metrics import Decile, decile_table


def sample() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    predictions = torch.rand(1000, generator=generator, dtype=torch.float64)
    return predictions * torch.rand(1000, generator=generator, dtype=torch.float64), predictions


@pytest.mark.parametrize("bins", [1, 4, 10])
def test_is_the_table_of_the_sorted_rows(bins: int) -> None:
    targets, predictions = sample()
    parts = np.array_split(np.argsort(-predictions.numpy()), bins)
    y, p = targets.numpy(), predictions.numpy()
    table = decile_table(targets, predictions, bins=bins)
    assert [row.rows for row in table] == [1000 / bins] * bins
    assert [row.prediction for row in table] == pytest.approx([p[part].mean() for part in parts])
    assert [row.target for row in table] == pytest.approx([y[part].mean() for part in parts])
    assert [row.share for row in table] == pytest.approx([y[part].sum() / y.sum() for part in parts])
    assert [row.cumulative for row in table] == pytest.approx(np.cumsum([row.share for row in table]))


def test_a_weight_is_a_repeated_row_and_the_order_does_not_matter() -> None:
    targets, predictions = sample()
    predictions = predictions.mul(40).round()
    times = torch.randint(0, 4, (1000,), generator=torch.Generator().manual_seed(2))
    expected = decile_table(targets.repeat_interleave(times), predictions.repeat_interleave(times))
    order = torch.randperm(1000, generator=torch.Generator().manual_seed(3))
    masked = torch.where(times > 0, targets, float("nan"))
    found = decile_table(masked[order], predictions[order], times[order])
    assert np.array(found) == pytest.approx(np.array(expected), abs=1e-12)
    assert sum(row.rows for row in found) == times.sum()


def test_ties_share_a_part_and_empty_parts_are_not_listed() -> None:
    table = decile_table(torch.tensor([4.0, 0.0, 2.0, 0.0]), torch.ones(4))
    assert table == [Decile(rows=4.0, prediction=1.0, target=1.5, share=1.0, cumulative=1.0)]


def test_no_value_has_no_shares() -> None:
    table = decile_table(torch.zeros(2), torch.tensor([2.0, 1.0]), bins=2)
    assert table == [Decile(1.0, 2.0, 0.0, None, None), Decile(1.0, 1.0, 0.0, None, None)]
    assert decile_table(torch.tensor([1.0, -1.0]), torch.ones(2)) == [Decile(2.0, 1.0, 0.0, None, None)]


def test_no_rows_is_no_table() -> None:
    assert decile_table(torch.tensor([]), torch.tensor([])) == []
    assert decile_table(torch.ones(2), torch.ones(2), torch.zeros(2)) == []


def test_refusals() -> None:
    with pytest.raises(ShapeError, match=r"^decile_table: expected bins to be a positive whole number, found 0$"):
        decile_table(torch.ones(2), torch.ones(2), bins=0)
    with pytest.raises(ShapeError, match=r"^decile_table: expected finite predictions, found inf$"):
        decile_table(torch.ones(1), torch.tensor([float("inf")]))
