"""Steps of a model on another device than its embedding tables: no operation is on tensors of both."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from gatewise import declare, draws
from gatewise.assembly import build_balance
from gatewise.errors import ShapeError
from gatewise.nn import EmbeddingTables, HostTables, tables_of_kind
from gatewise.serving import Scorer
from gatewise.tasks import targets_and_weights
from gatewise.training import MovingAverages, make_optimizer
from gatewise.training.step import TrainingStep
from other_device import other_device
from torchrun_program import table, trained

CPU = torch.device("cpu")
CASES: dict[str, dict[str, Any]] = {
    "adam": {"name": "adam"},
    "rowwise": {"name": "sgd", "embedding_update": "rowwise_adagrad", "embedding_decay": 0.01},
    "a rule on gradients": {"name": "adagrad", "balance": "imtl_g", "accumulate": 2},
}


@pytest.fixture(scope="module")
def scorer() -> Scorer:
    return trained({"tables": "host"}).scorer


@pytest.fixture(autouse=True)
def _generators(monkeypatch: pytest.MonkeyPatch) -> None:
    """The other device has neither a generator nor half precision of its own."""
    make: Callable[[], torch.Generator] = torch.Generator
    monkeypatch.setattr(draws.torch, "Generator", lambda *_: make())
    monkeypatch.setattr(TrainingStep, "autocast", lambda _: nullcontext())


def steps(scorer: Scorer, device: torch.device, case: dict[str, Any], kind: type[EmbeddingTables]) -> dict[str, Tensor]:
    """Return weights, averages, the optimiser's state and scores after some steps with the model on a device."""
    options = dict(case)
    accumulate, rule = options.pop("accumulate", 1), options.pop("balance", "uncertainty")
    made = deepcopy(scorer)
    model = made.model.to(device)
    model.input_layer.tables = tables_of_kind(kind, model.input_layer.tables)
    rows = made.tensors(made.encoder.encode(table(300), weights=True))
    targets, weights = targets_and_weights(made.tasks, rows.labels, rows.weights.cpu())
    rows = replace(rows, targets=targets.to(device), weights=weights.to(device))
    declared = declare.from_dict(declare.Options, {"model": {"kind": "mmoe"}, "balance": rule}).balance
    balance = build_balance(declared, made.tasks).to(device)
    optimizer = make_optimizer(model=model, balance=balance, lr=0.01, **options)
    averages = MovingAverages(model, optimizer, 0.9)
    step = TrainingStep(model, made.tasks, balance=balance, optimizer=optimizer, clip_norm=0.5)
    model.train()
    batches = [*rows.batches(50, seed=0)]
    for start in range(0, len(batches), accumulate):
        step(batches[start : start + accumulate])
    found = {**model.state_dict(), "scores": model.score(rows)[0]}
    found |= {f"average of {name}": value for name, value in averages.state_dict()["moving"].items()}
    for name, weight in model.named_parameters():
        for what, value in optimizer.state[weight]["rule"].items():
            found[f"{what} of {name}"] = value
            assert value.device == weight.device
    return {name: value.detach().cpu() for name, value in found.items()}


@pytest.mark.parametrize("case", CASES)
def test_tables_stay_in_the_hosts_memory_and_steps_are_those_of_one_device(scorer: Scorer, case: str) -> None:
    wanted = steps(scorer, CPU, CASES[case], EmbeddingTables)
    with other_device() as device:
        found = steps(scorer, device, CASES[case], HostTables)
        moved = deepcopy(scorer.model).to(device)
        assert moved.device == device
        assert {weight.device for weight in moved.input_layer.tables.parameters()} == {CPU}
        assert {weight.device for weight in moved.towers.parameters()} == {device}
    torch.testing.assert_close(found, wanted, atol=2e-6, rtol=1e-5)


def test_what_the_other_device_refuses(scorer: Scorer) -> None:
    with other_device() as device:
        there, here = torch.ones(2).to(device), torch.ones(2)
        assert (there + here.sum()).tolist() == [3.0, 3.0]
        for mixed in (lambda: there + here, lambda: here.mul_(there.sum()), lambda: torch.stack([there[0], here[0]])):
            with pytest.raises(RuntimeError, match="expected all tensors on one device"):
                mixed()
        # tables of the CPU that do not fetch
        with pytest.raises(ShapeError, match="on meta"):
            steps(scorer, device, CASES["adam"], EmbeddingTables)
