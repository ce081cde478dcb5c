from __future__ import annotations

from collections.abc import Callable

import pytest

from gatewise.errors import DeclarationError
from gatewise.training import Trainer
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
