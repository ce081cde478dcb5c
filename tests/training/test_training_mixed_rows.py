"""Earlier rows in every batch: as many as declared, from any batch on, and nothing of one kind leaks into the other."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from gatewise.errors import DeclarationError
from gatewise.nn import Batch, Ragged, TensorTable
from gatewise.training import MixedRows


class Share:
    """One of several processes, as far as rows go."""

    def __init__(self, rank: int, size: int) -> None:
        self.rank, self.size = rank, size


def ragged(lengths: Tensor, values: Tensor) -> Ragged:
    return Ragged(values, torch.cat([torch.zeros(1, dtype=torch.long), lengths.cumsum(0)]))


def rows(count: int, first: int, longest: int = 2, *, weights: bool = False) -> TensorTable:
    """Return rows with the ids ``first ..``, lists of their own id, and groups of two rows."""
    ids = torch.arange(first, first + count)
    lengths = torch.arange(count) % (longest + 1)
    items = torch.repeat_interleave(ids, lengths)
    floats = ids.float().unsqueeze(1)
    return TensorTable(
        ids.unsqueeze(1),
        (ragged(lengths, items),),
        floats,
        floats.double(),
        weights=torch.full((count, 1), 0.5) if weights else None,
        targets=floats,
        groups=torch.arange(count) // 2,
        number_lists=(ragged(lengths, items.float()),),
    )


def ids_of(batch: Batch) -> list[int]:
    ids = batch.inputs.ids[:, 0]
    # every row carries its own lists, weights and targets along
    items = batch.inputs.lists[0]
    assert (torch.where(items < 0, ids.unsqueeze(1), items) == ids.unsqueeze(1)).all()
    numbers = batch.inputs.number_lists[0]
    assert numbers.isnan().equal(items < 0)
    assert batch.targets[:, 0].equal(ids.float())
    return ids.tolist()


def mixed(share: float = 0.3, batch_size: int = 10, earlier: int = 9) -> MixedRows:
    return MixedRows(rows(25, 0), rows(earlier, 1000, longest=5, weights=True), batch_size, share)


def test_an_epoch_is_all_rows_of_today_and_a_share_of_earlier_ones() -> None:
    found = mixed()
    batches = [ids_of(batch) for batch in found.batches(10, seed=3)]
    assert [len(batch) for batch in batches] == [10, 10, 10, 7]
    assert found.rows == sum(map(len, batches)) == 25 + 4 * 3
    assert sorted(i for batch in batches for i in batch if i < 1000) == list(range(25))
    earlier = [i for batch in batches for i in batch if i >= 1000]
    # nine rows are gone through once before any comes again
    assert sorted(earlier[:9]) == list(range(1000, 1009))
    assert len(earlier) == 12
    assert found.passes == pytest.approx(12 / 9)
    other = [ids_of(batch) for batch in found.batches(10, seed=4)]
    assert other != batches
    assert [ids_of(batch) for batch in found.batches(10, seed=3)] == batches


def test_a_place_is_one_number_and_processes_share_every_batch() -> None:
    found = mixed()
    whole = [ids_of(batch) for batch in found.batches(10, seed=3)]
    for first in range(5):
        assert [ids_of(batch) for batch in found.batches(10, seed=3, first=first)] == whole[first:]
    ranks = [list(found.batches(10, seed=3, processes=Share(rank, 2))) for rank in range(2)]
    for one, other, expected in zip(*ranks, whole, strict=True):
        assert sorted(ids_of(one) + ids_of(other)) == sorted(expected)


def test_weights_and_groups_stay_apart() -> None:
    for batch in mixed().batches(10, seed=3, whole_groups=True):
        old = batch.inputs.ids[:, 0] >= 1000
        assert batch.weights is not None
        assert batch.weights[:, 0].equal(torch.where(old, 0.5, 1.0))
        assert batch.groups is not None
        assert not set(batch.groups[old].tolist()) & set(batch.groups[~old].tolist())
        own = batch.inputs.ids[:, 0] - torch.where(old, 1000, 0)
        for group in batch.groups.unique():
            assert len((own[batch.groups == group] // 2).unique()) == 1


@pytest.mark.parametrize(
    ("batch_size", "earlier", "message"),
    [(1, 9, "a batch needs room for two rows, found batch_size 1"), (10, 0, "expected rows, found an empty table")],
)
def test_what_cannot_be_mixed_is_refused(batch_size: int, earlier: int, message: str) -> None:
    with pytest.raises(DeclarationError, match=message):
        mixed(batch_size=batch_size, earlier=earlier)


@pytest.mark.parametrize(("share", "expected"), [(0.001, 1), (0.999, 9), (0.5, 5)])
def test_there_is_always_a_row_of_each_kind(share: float, expected: int) -> None:
    assert mixed(share, earlier=100).earlier_per_batch == expected
