"""One long list among short ones costs what its items cost, and changes nothing."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from gatewise.layout import AttentionPooling, EmbeddingField, GRUPooling, Layout, ListColumn, SelfAttentionPooling
from gatewise.nn import InputLayer, Inputs, ragged
from gatewise.nn.ragged import Ragged
from gatewise.nn.sequences import in_pieces

POOLINGS = {
    "mean": "mean",
    "sum": "sum",
    "max": "max",
    "attention": AttentionPooling("user", (4,), normalise=True),
    "gru": GRUPooling(None),
    "transformer": SelfAttentionPooling(None, heads=2, layers=1),
}


def layer_of(pooling: object) -> InputLayer:
    torch.manual_seed(0)
    fields = (EmbeddingField("user", 5, 8), EmbeddingField("tags", 30, 8))
    layer = InputLayer(Layout(fields=fields, ids=(("user", 0),), lists=(ListColumn("tags", 1, pooling),)))
    with torch.no_grad():
        layer.tables.weight_of_dim(8).normal_()
    return layer


def lists_of(lengths: list[int]) -> Ragged:
    generator = torch.Generator().manual_seed(1)
    values = torch.randint(0, 30, (sum(lengths),), generator=generator, dtype=torch.int32)
    return Ragged(values, torch.tensor([0, *torch.tensor(lengths).cumsum(0).tolist()]))


@pytest.mark.parametrize("places", [1, 7, 40])
@pytest.mark.parametrize("name", POOLINGS)
def test_pieces_pool_what_a_whole_does(name: str, places: int, monkeypatch: pytest.MonkeyPatch) -> None:
    lengths = [3, 0, 9, 1, 1, 4, 0, 2]
    layer, index = layer_of(POOLINGS[name]), torch.tensor([5, 2, 7, 1, 0, 3, 4, 6, 2])

    def run() -> tuple[Tensor, Tensor]:
        layer.zero_grad()
        ids = torch.arange(len(index), dtype=torch.int32).remainder(5).unsqueeze(1)
        x = layer(Inputs(ids, (lists_of(lengths).padded(index),), torch.zeros(len(index), 0))).x
        (x * torch.arange(1.0, x.numel() + 1).view_as(x).sin()).sum().backward()
        return x.detach(), layer.tables.weight_of_dim(8).grad.clone()

    whole = run()
    monkeypatch.setattr(in_pieces, "PLACES", places)
    monkeypatch.setattr(ragged, "MANY", places)
    torch.testing.assert_close(run(), whole, atol=1e-5, rtol=1e-5)


def test_padding_is_the_same_for_many_places(monkeypatch: pytest.MonkeyPatch) -> None:
    lists, index = lists_of([2, 0, 6, 1]), torch.tensor([3, 2, 1, 0, 2])
    few = lists.padded(index)
    monkeypatch.setattr(ragged, "MANY", 1)
    assert torch.equal(lists.padded(index), few)
    assert few.dtype == lists.values.dtype


class Largest(TorchDispatchMode):
    """Notes how many numbers the largest floating tensor has."""

    found = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]
        result = func(*args, **(kwargs or {}))
        if isinstance(result, Tensor) and result.is_floating_point():
            self.found = max(self.found, result.numel())
        return result


def test_one_long_list_does_not_make_the_others_as_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(in_pieces, "PLACES", 2**12)
    layer, rows, long = layer_of("mean"), 1000, 4000
    lists = lists_of([3] * (rows - 1) + [long])
    inputs = Inputs(
        torch.zeros(rows, 1, dtype=torch.int32), (lists.padded(torch.arange(rows)),), torch.zeros(rows, 0), checked=True
    )
    with Largest() as largest:
        layer(inputs).x.sum().backward()
    # padded to the longest there would be 32 million
    assert largest.found <= 2 * 2**12 * 8
