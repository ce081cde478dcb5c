"""A small model whose parts are known: an id, a list, two numbers; three experts, two tasks."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from gatewise.layout import EmbeddingField, Layout, ListColumn
from gatewise.nn import InputLayer, MMoE, MultiTaskModel, Ragged, TensorTable, Towers, Trunk
from gatewise.tasks import BinaryTask, RegressionTask, Task

LAYOUT = Layout(
    (EmbeddingField("user", 8, 3), EmbeddingField("tag", 7, 2)),
    (("user", 0),),
    (ListColumn("tags", 1, "mean"),),
    ("age", "price"),
)


@pytest.fixture
def tasks() -> list[Task]:
    return [BinaryTask("click"), RegressionTask("stars")]


@pytest.fixture
def table() -> TensorTable:
    """Return rows whose labels follow from age; some are missing."""
    draw = torch.Generator().manual_seed(0)
    count = 300
    users = torch.randint(2, 8, (count, 1), generator=draw)
    offsets = torch.cat([torch.zeros(1).long(), torch.randint(0, 4, (count,), generator=draw).cumsum(0)])
    tags = torch.randint(2, 7, (int(offsets[-1]),), generator=draw)
    floats = torch.randn(count, 2, generator=draw)
    labels = torch.stack([(floats[:, 0] > 0).double(), 3 + floats[:, 0].double()], dim=1)
    labels[::7, 0] = torch.nan
    return TensorTable(users, (Ragged(tags, offsets),), floats, labels, groups=torch.arange(count) // 5)


@pytest.fixture
def make_model() -> Callable[..., MultiTaskModel]:
    """Return a model of a trunk, by default MMoE; ``tower_dims`` are those of the towers."""

    def make(trunk: Callable[[int], Trunk] | None = None, tower_dims: tuple[int, ...] = (4,)) -> MultiTaskModel:
        torch.manual_seed(0)
        layer = InputLayer(LAYOUT)
        made = MMoE(layer.output_dim, 2, experts=3, expert_dims=(5,)) if trunk is None else trunk(layer.output_dim)
        for weight in layer.parameters():
            torch.nn.init.normal_(weight)
        return MultiTaskModel(layer, made, Towers(2, made.output_dim, tower_dims)).eval()

    return make
