"""Numbers encoded by tensors, and lists cut to length, beside what the encoder does with NumPy and Arrow."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
import torch

import gatewise as gw
from gatewise.data import NumericColumn
from gatewise.export.numbers import encode_numbers
from gatewise.export.padding import cut

COLUMNS = {
    "spread": [0.5, 1, 1, 1, 1, 1, 2, 3.5, -4, 1e6, None],
    "constant": [3.0, 3.0, 3.0],
    "without null": [1.0, 2.0, 5.0],
    "null alone": pa.array([None, None], pa.float64()),
}


def learnt(feature: gw.Numeric, values: pa.Array) -> NumericColumn:
    column = NumericColumn(feature)
    column.absorb(column.prepare(values))
    column.learn()
    return column


@pytest.mark.parametrize("transform", ["standard", "log", "quantile", "none", "bucket"])
@pytest.mark.parametrize("name", COLUMNS)
def test_they_are_those_of_the_encoder(transform: str, name: str) -> None:
    train = pa.array(COLUMNS[name], pa.float64())
    encoder = learnt(gw.Numeric("x", transform=transform, buckets=4), train)
    column = pa.array([*train.to_pylist(), -1e30, 0.0, 0.99, 1.01, 3.4e38, None], pa.float64())
    expected = encoder.encode_column(column)
    numbers = encoder.prepare(column)
    given = torch.from_numpy(np.where(numbers.missing, np.nan, numbers.values))
    # beside another column, with more or fewer knots
    other = learnt(encoder.feature, pa.array([0.0, 1.0, 2.0, 7.0]))
    found = encode_numbers([other, encoder], torch.stack([given, given], dim=1)).numpy()
    value = expected if expected.ndim == 1 else expected[:, 0]
    assert found.shape == (len(column), 2)
    np.testing.assert_allclose(found[:, 1], value, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(("keep", "expected"), [("last", [3, 4]), ("first", [1, 2])])
def test_lists_are_cut_on_one_side(keep: str, expected: list[int]) -> None:
    rows = torch.tensor([[1, 2, 3, 4, -1], [7, -1, -1, -1, -1], [-1] * 5])
    (found,) = cut(2, keep, rows)
    assert found[:, :2].tolist() == [expected, [7, -1], [-1, -1]]
    assert (found[:, 2:] == -1).all()
