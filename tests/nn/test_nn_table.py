from __future__ import annotations

import random
from dataclasses import replace
from itertools import chain

import pytest
import torch

from gatewise.nn import Ragged, TensorTable


def ragged(lists: list[list[int]]) -> Ragged:
    offsets = torch.tensor([0, *(len(items) for items in lists)]).cumsum(0)
    return Ragged(torch.tensor([item for items in lists for item in items], dtype=torch.int32), offsets)


def table(rows: int) -> TensorTable:
    return TensorTable(
        torch.arange(rows).unsqueeze(1), (), torch.empty(rows, 0), torch.arange(rows).double().unsqueeze(1)
    )


@pytest.mark.parametrize("seed", range(5))
def test_padded_gives_the_chosen_lists(seed: int) -> None:
    draw = random.Random(seed)
    lists = [[draw.randrange(100) for _ in range(draw.choice([0, 0, 1, 2, 7]))] for _ in range(30)]
    columns = ragged(lists)
    for count in (0, 1, 4, 50):
        index = [draw.randrange(30) for _ in range(count)]
        padded = columns.padded(torch.tensor(index, dtype=torch.long))
        longest = max((len(lists[i]) for i in index), default=0)
        assert padded.shape == (count, longest)
        assert padded.tolist() == [lists[i] + [-1] * (longest - len(lists[i])) for i in index]


@pytest.mark.parametrize("lists", [[[]], [[], []], [[], [5]], [[5], []], [[5, 6], [], [], [7]]])
def test_padded_with_empty_lists_anywhere(lists: list[list[int]]) -> None:
    longest = max(len(items) for items in lists)
    expected = [items + [-1] * (longest - len(items)) for items in lists]
    assert ragged(lists).padded(torch.arange(len(lists))).tolist() == expected


@pytest.mark.parametrize("rows", [0, 1, 8, 13])
def test_batches_cover_every_row_once_from_any_batch_on(rows: int) -> None:
    whole = replace(table(rows), targets=torch.arange(rows).float().unsqueeze(1))
    for seed in (None, 0):
        batches = [batch.targets.flatten().tolist() for batch in whole.batches(4, seed)]
        assert all(0 < len(index) <= 4 for index in batches)
        assert all(len(index) == 4 for index in batches[:-1])
        found = list(chain.from_iterable(batches))
        assert sorted(found) == list(range(rows))
        assert seed == 0 or found == list(range(rows))
        for first in range(len(batches) + 2):
            later = [batch.targets.flatten().tolist() for batch in whole.batches(4, seed, first=first)]
            assert later == batches[first:]


def test_shuffling_follows_the_generator() -> None:
    def order(seed: int) -> list[int]:
        return table(50).order(seed).tolist()

    assert order(3) == order(3)
    assert order(3) != order(4)
    assert order(3) != list(range(50))


def test_batch_takes_the_same_rows_of_everything() -> None:
    rows = 6
    whole = TensorTable(
        ids=torch.arange(rows).unsqueeze(1),
        lists=(ragged([[i] * i for i in range(rows)]),),
        floats=torch.arange(rows).float().unsqueeze(1),
        labels=torch.zeros(rows, 1, dtype=torch.float64),
        weights=torch.arange(rows).float().unsqueeze(1),
        targets=torch.arange(rows).float().unsqueeze(1),
    )
    batch = whole.batch(torch.tensor([4, 0, 2]))
    for values in (batch.inputs.ids, batch.inputs.floats, batch.targets, batch.weights):
        assert values.flatten().tolist() == [4, 0, 2]
    assert batch.inputs.lists[0].tolist() == [[4, 4, 4, 4], [-1] * 4, [2, 2, -1, -1]]


def test_a_batch_needs_targets() -> None:
    with pytest.raises(ValueError, match="no targets"):
        table(3).batch(torch.tensor([0]))


def test_to_a_device_keeps_labels_and_values() -> None:
    moved = table(3).to(torch.device("cpu"))
    assert torch.equal(moved.labels, table(3).labels)
    assert len(moved) == 3
    assert moved.device.type == "cpu"
