from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from gatewise.errors import DeclarationError
from gatewise.nn import TensorTable
from gatewise.training import Trainer, step_decay
from gatewise.training.optimizers import OPTIMIZERS


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_parameter_once_and_decay_on_dense_matrices_only(name: str, make_trainer: Callable[..., Trainer]) -> None:
    trainer = make_trainer(optimizer=name, balance="uncertainty", norm="layer", weight_decay=0.1)
    decayed, others, tables = trainer.step.optimizer.param_groups
    ids = [id(p) for group in (decayed, others, tables) for p in group["params"]]
    named = [*trainer.model.named_parameters(), *trainer.step.balance.named_parameters()]
    assert sorted(ids) == sorted(id(p) for _, p in named)
    assert [group["weight_decay"] for group in (decayed, others, tables)] == [0.1, 0.0, 0.0]
    in_decay = {id(p) for p in decayed["params"]}
    names = {name for name, p in named if id(p) not in in_decay}
    assert {name.rpartition(".")[2] for name in names} == {"bias", "scale", "shift", "dim_3", "dim_2", "log_variances"}


def test_momentum_is_that_of_sgd(make_trainer: Callable[..., Trainer]) -> None:
    assert [rule.momentum for rule in make_trainer(optimizer="sgd", momentum=0.5).step.optimizer.rules] == [0.5] * 2
    make_trainer(optimizer="adamw", momentum=0.5)


def test_an_unknown_optimizer(make_trainer: Callable[..., Trainer]) -> None:
    with pytest.raises(
        DeclarationError, match=r"optimizer: expected one of adamw, .*, found 'adm'; did you mean 'adam'"
    ):
        make_trainer(optimizer="adm")


@pytest.mark.parametrize("update", ["lazy", "rowwise_adagrad", "dense"])
def test_embeddings_have_a_learning_rate_of_their_own(
    update: str, make_trainer: Callable[..., Trainer], make_table: Callable[..., TensorTable]
) -> None:
    def moved(**options: float) -> dict[str, torch.Tensor]:
        trainer = make_trainer(embedding_update=update, lr=0.1, momentum=0.0, epochs=1, batch_size=64, **options)
        before = {name: weight.detach().clone() for name, weight in trainer.model.named_parameters()}
        trainer.fit(make_table(64))
        return {name: weight.detach() - before[name] for name, weight in trainer.model.named_parameters()}

    common, slower = moved(), moved(embedding_lr=0.025)
    for name, step in common.items():
        factor = 0.25 if "tables" in name else 1.0
        torch.testing.assert_close(slower[name], factor * step, rtol=1e-3, atol=1e-6)
    assert any(step.abs().max() > 0 for name, step in common.items() if "tables" in name)


def test_a_schedule_changes_both_learning_rates(make_trainer: Callable[..., Trainer]) -> None:
    trainer = make_trainer(
        lr=0.1, embedding_lr=0.02, schedule=lambda found: step_decay(found, every=1, factor=0.5, unit="epoch")
    )
    optimizer = trainer.step.optimizer
    optimizer.step()
    trainer.step.schedule.after_epoch(None)
    assert [group["lr"] for group in optimizer.param_groups] == pytest.approx([0.05, 0.01])
