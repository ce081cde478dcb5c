from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatewise.data.arrays import as_type, filled, null_mask


@settings(max_examples=25, deadline=None)
@given(st.lists(st.none() | st.integers(-3, 3), max_size=8), st.integers(0, 3))
def test_nulls_are_found_and_filled(values, skip):
    array = pa.array(values, pa.int32()).slice(skip)
    assert null_mask(array).tolist() == [value is None for value in values[skip:]]
    assert filled(array, 9).tolist() == [9 if value is None else value for value in values[skip:]]
    assert (null_mask(array).dtype, filled(array, 9).dtype) == (bool, np.int32)


def test_a_column_of_nulls():
    assert null_mask(pa.nulls(2)).tolist() == [True, True]


def test_the_type_wanted():
    array = pa.array([1, None])
    assert as_type(array, pa.int64()) is array
    assert as_type(array, pa.float64()).equals(pa.array([1.0, None]))
    with pytest.raises(pa.ArrowInvalid):
        as_type(pa.array([2**53 + 1]), pa.float64())
    assert as_type(pa.array([2**53 + 1]), pa.float64(), safe=False).to_pylist() == [2.0**53]
