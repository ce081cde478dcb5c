"""A tiny training that has everything: an id, a list, floats, two tasks, missing labels."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch

from gatewise.assembly import build_balance
from gatewise.declare import Options, from_dict
from gatewise.layout import EmbeddingField, Layout, ListColumn
from gatewise.nn import Hidden, InputLayer, MMoE, MultiTaskModel, Ragged, TensorTable, Towers, Trunk
from gatewise.tasks import BinaryTask, RegressionTask
from gatewise.training import Trainer, make_optimizer

LAYOUT = Layout(
    (EmbeddingField("user", 8, 3), EmbeddingField("tag", 7, 2)),
    (("user", 0),),
    (ListColumn("tags", 1, "mean"),),
    ("age", "price"),
)


def _table(rows: int = 40, *, seed: int = 0, missing: float = 0.2, weighted: bool = False) -> TensorTable:
    """Draw rows whose labels can be learnt; every task has a label in about ``1 - missing`` of them."""
    draw = torch.Generator().manual_seed(seed)
    users = torch.randint(2, 8, (rows, 1), generator=draw)
    offsets = torch.cat([torch.zeros(1).long(), torch.randint(0, 4, (rows,), generator=draw).cumsum(0)])
    tags = torch.randint(2, 7, (int(offsets[-1]),), generator=draw)
    floats = torch.randn(rows, 2, generator=draw)
    signal = floats.sum(dim=1) + (users[:, 0] - 4.5) / 3
    labels = torch.stack([(signal > 0).double(), 3 + signal.double()], dim=1)
    labels[torch.rand(rows, 2, generator=draw) < missing] = math.nan
    weights = torch.rand(rows, 2, generator=draw) if weighted else None
    return TensorTable(users, (Ragged(tags, offsets),), floats, labels, weights)


def _trainer(
    *,
    kind: type[Trainer] = Trainer,
    norm: str = "none",
    dropout: float = 0.0,
    balance: str | dict[str, Any] = "static",
    optimizer: str = "sgd",
    lr: float = 0.05,
    embedding_lr: float | None = None,
    weight_decay: float = 0.0,
    momentum: float = 0.9,
    embedding_update: str = "lazy",
    embedding_decay: float = 0.0,
    schedule: Callable[[torch.optim.Optimizer], Any] | None = None,
    task_weights: tuple[float, float] = (1.0, 1.0),
    tasks: list[Any] | None = None,
    l2_embedding: float = 0.0,
    l2_dense: float = 0.0,
    trunk: type[Trunk] | None = None,
    experts: dict[str, int] | None = None,
    averages: Callable[[MultiTaskModel, torch.optim.Optimizer], Any] | None = None,
    **options: Any,
) -> Trainer:
    """Return a trainer of a model that is the same every time."""
    experts = {"experts": 3} if experts is None else experts
    with torch.random.fork_rng():
        torch.manual_seed(0)
        layer = InputLayer(LAYOUT)
        count = 2 if tasks is None else len(tasks)
        made_trunk = (trunk or MMoE)(
            layer.output_dim, count, expert_dims=(6, 4), hidden=Hidden(norm=norm, dropout=dropout), **experts
        )
        towers = Towers(count, 4, (3,), hidden=Hidden(norm=norm, dropout=dropout))
    model = MultiTaskModel(layer, made_trunk, towers, l2_embedding=l2_embedding, l2_dense=l2_dense)
    if tasks is None:
        tasks = [BinaryTask("liked", task_weights[0]), RegressionTask("rating", task_weights[1], mean=3.0, std=1.5)]
    rule = build_balance(from_dict(Options, {"balance": balance}).balance, tasks)
    made = make_optimizer(
        optimizer,
        model,
        rule,
        lr=lr,
        embedding_lr=embedding_lr,
        weight_decay=weight_decay,
        momentum=momentum,
        embedding_update=embedding_update,
        embedding_decay=embedding_decay,
    )
    made_schedule = None if schedule is None else schedule(made)
    options = {"epochs": 3, "batch_size": 8, "averages": averages and averages(model, made)} | options
    return kind(model, tasks, balance=rule, optimizer=made, schedule=made_schedule, **options)


@pytest.fixture(autouse=True, scope="package")
def _one_thread() -> Iterator[None]:
    """Compute on one thread: models this small only wait for a second one."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def make_table() -> Callable[..., TensorTable]:
    return _table


@pytest.fixture
def make_trainer() -> Callable[..., Trainer]:
    return _trainer
