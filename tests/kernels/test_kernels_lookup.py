from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from gatewise.kernels import Lookup, gather, sum_rows

Both = Callable[[Callable[[], Any]], tuple[Any, Any]]
WIDTHS = [1, 3, 4, 8, 16, 17, 32, 64, 128, 200]


def draw(batch: int, columns: int, *, rows: int = 50, fields: int | None = None, lowest: int = -1) -> Lookup:
    """Return random lookups; columns beyond the number of fields read the first ones again."""
    generator = torch.Generator().manual_seed(batch * 100 + columns)
    ids = torch.randint(lowest, rows, (batch, columns), generator=generator, dtype=torch.int32)
    return Lookup(ids, torch.arange(columns) % (fields or columns) * rows)


def summed_by_hand(lookup: Lookup, gradient: Tensor, dim: int) -> dict[int, list[float]]:
    sums: dict[int, Tensor] = {}
    for b, ids in enumerate(lookup.ids.tolist()):
        for c, row in enumerate(ids):
            if row >= 0:
                at = row + int(lookup.offsets[c])
                sums[at] = sums.get(at, 0) + gradient[b, c * dim : (c + 1) * dim]
    return {row: value.tolist() for row, value in sums.items()}


def by_row(found: tuple[Tensor, Tensor]) -> dict[int, list[float]]:
    rows, sums = found
    assert len(set(rows.tolist())) == len(rows) == len(sums)
    return dict(zip(rows.tolist(), sums.tolist(), strict=True))


@pytest.mark.parametrize("dim", WIDTHS)
@pytest.mark.parametrize(("batch", "columns"), [(1, 1), (7, 3), (64, 23), (0, 3), (5, 0)])
def test_gather_reads_rows_and_zeros(batch: int, columns: int, dim: int, both: Both) -> None:
    lookup = draw(batch, columns)
    table = torch.randn(50 * columns, dim)
    expected = torch.zeros(batch, columns, dim)
    for b in range(batch):
        for c in range(columns):
            if lookup.ids[b, c] >= 0:
                expected[b, c] = table[int(lookup.ids[b, c]) + 50 * c]
    for found in both(lambda: gather(table, lookup)):
        assert torch.equal(found, expected.flatten(1))


def test_gather_appends_what_stands_beside(both: Both) -> None:
    lookup, table, beside = draw(6, 2), torch.randn(100, 3), torch.randn(6, 10)[:, 3:7]
    for found in both(lambda: gather(table, lookup, beside)):
        assert torch.equal(found, torch.cat([gather(table, lookup), beside], dim=1))


@pytest.mark.parametrize("dim", WIDTHS)
@pytest.mark.parametrize(
    ("batch", "columns", "fields"), [(1, 1, 1), (9, 4, 4), (64, 23, 23), (40, 6, 1), (40, 6, 4), (0, 3, 3), (5, 0, 1)]
)
def test_gradients_of_equal_rows_are_summed(batch: int, columns: int, fields: int, dim: int, both: Both) -> None:
    lookup = draw(batch, columns, fields=fields, rows=13)
    # a part of a wider matrix, as the input layer gives it
    gradient = torch.randn(batch, columns * dim + 5)[:, : columns * dim]
    expected = summed_by_hand(lookup, gradient, dim)
    for found in both(lambda: sum_rows([(lookup, gradient)], dim)):
        sums = by_row(found)
        assert sums.keys() == expected.keys()
        for row, values in expected.items():
            assert sums[row] == pytest.approx(values, abs=1e-5)


def test_several_lookups_of_one_matrix(both: Both) -> None:
    first, second = draw(8, 3), draw(8, 5, fields=3)
    gradients = torch.randn(8, 6), torch.randn(8, 10)
    expected = summed_by_hand(first, gradients[0], 2)
    for row, values in summed_by_hand(second, gradients[1], 2).items():
        expected[row] = [a + b for a, b in zip(expected.get(row, [0.0, 0.0]), values, strict=True)]
    for found in both(lambda: sum_rows([(first, gradients[0]), (second, gradients[1])], 2)):
        sums = by_row(found)
        assert sums.keys() == expected.keys()
        for row, values in expected.items():
            assert sums[row] == pytest.approx(values, abs=1e-5)


def test_padding_alone_gives_no_rows(both: Both) -> None:
    lookup = Lookup(torch.full((4, 3), -1), torch.zeros(3, dtype=torch.int64))
    for rows, sums in both(lambda: sum_rows([(lookup, torch.randn(4, 6))], 2)):
        assert (len(rows), tuple(sums.shape)) == (0, (0, 2))


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_the_same_sums_every_time(threads: int, both: Both) -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        lookup, gradient = draw(300, 9, fields=4), torch.randn(300, 36)
        first = by_row(both(lambda: sum_rows([(lookup, gradient)], 4))[0])
        for _ in range(5):
            assert by_row(sum_rows([(lookup, gradient)], 4)) == first
    finally:
        torch.set_num_threads(before)


def test_ids_of_64_bits_and_other_strides(both: Both) -> None:
    lookup = draw(10, 4)
    table, gradient = torch.randn(200, 3), torch.randn(12, 10).t()
    wide = Lookup(lookup.ids.long().t().contiguous().t(), lookup.offsets.int())
    for found, expected in zip(both(lambda: gather(table, wide)), both(lambda: gather(table, lookup)), strict=True):
        assert torch.equal(found, expected)
    for found in both(lambda: sum_rows([(wide, gradient)], 3)):
        assert by_row(found).keys() == summed_by_hand(lookup, gradient, 3).keys()
