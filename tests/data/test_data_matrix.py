from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatewise.data.matrix import BLOCK_ROWS, Coded, side_by_side


@settings(max_examples=25, deadline=None)
@given(st.lists(st.sampled_from([None, 0, 1, 3]), min_size=1, max_size=5), st.integers(0, 3), st.integers(-1, 1))
def test_columns_and_matrices_stand_side_by_side(widths, blocks, more):
    rows = max(blocks * BLOCK_ROWS + more, 0)
    rng = np.random.default_rng(0)
    pieces = [rng.integers(0, 99, (rows,) if width is None else (rows, width)).astype(np.int32) for width in widths]
    found = side_by_side(pieces, rows, np.int32)
    assert found.dtype == np.int32
    assert found.flags.c_contiguous
    assert found.flags.writeable
    np.testing.assert_array_equal(
        found, np.column_stack([piece.reshape(rows, -1) for piece in pieces]) if rows else found
    )
    assert found.shape == (rows, sum(1 if width is None else width for width in widths))


@pytest.mark.parametrize("rows", [0, 5])
def test_nothing_to_put_side_by_side(rows):
    found = side_by_side([], rows, np.float32)
    assert (found.shape, found.dtype) == ((rows, 0), np.float32)


@pytest.mark.parametrize("largest", [2, 200, 70_000])
def test_columns_that_are_looked_up_on_the_way_stand_beside_others(largest: int) -> None:
    rng, rows = np.random.default_rng(0), 2 * BLOCK_ROWS + 3
    values = rng.integers(0, 2**31 - 1, largest + 1).astype(np.int32)
    codes = rng.integers(0, largest + 1, rows).astype(np.min_scalar_type(largest))
    plain = rng.integers(0, 9, rows).astype(np.int32)
    found = side_by_side([plain, Coded(values, codes), plain], rows, np.int32)
    np.testing.assert_array_equal(found, np.column_stack([plain, values[codes], plain]))
