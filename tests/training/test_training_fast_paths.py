"""Whatever makes training fast gives the parameters of the plain way, to 1e-5 after 20 steps."""

from __future__ import annotations

import copy
import importlib
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from gatewise.errors import DeclarationError
from gatewise.kernels import library, wide_linear
from gatewise.nn import TensorTable
from gatewise.training import Trainer
from gatewise.training.optimizers import EMBEDDING_UPDATES, OPTIMIZERS

MakeTable = Callable[..., TensorTable]
MakeTrainer = Callable[..., Trainer]
STEPS = 20
# a half-precision product may round to the other side where its inputs differ in the last bit of single precision
TOLERANCE = {"bf16": 1e-4, "fp16": 1e-4}
RATES = {"sgd": 0.05, "adagrad": 0.05, "rmsprop": 0.002, "adam": 0.01, "adamw": 0.01}
OPTIONS: dict[str, dict[str, Any]] = {
    "plain": {},
    "clipped": {"clip_norm": 0.3},
    "accumulated": {"batch_size": 20, "accumulate": 2},
    "decayed": {"weight_decay": 0.1, "embedding_decay": 0.1},
    "bf16": {"precision": "bf16"},
    "fp16": {"precision": "fp16"},
    "all": {"clip_norm": 0.3, "batch_size": 20, "accumulate": 2, "weight_decay": 0.1, "embedding_decay": 0.1},
}


def trained(make_trainer: MakeTrainer, table: TensorTable, *, epochs: int = STEPS, **options: Any) -> dict[str, Tensor]:
    trainer = make_trainer(epochs=epochs, **{"batch_size": 40} | options)
    before = copy.deepcopy(trainer.model.state_dict())
    trainer.fit(table)
    after = copy.deepcopy({**trainer.model.state_dict(), **trainer.step.balance.state_dict()})
    # nothing is compared that did not learn
    moved = [name for name, value in before.items() if not torch.equal(value, after[name])]
    assert len(moved) == len(before)
    return after


def assert_same(found: dict[str, Tensor], expected: dict[str, Tensor], tolerance: float = 1e-5) -> None:
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value, atol=tolerance, rtol=0, msg=lambda text, n=name: f"{n}: {text}")


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_lazy_is_dense_where_every_step_reads_every_row(
    optimizer: str, options: str, make_table: MakeTable, make_trainer: MakeTrainer
) -> None:
    # all 40 rows are one step, and hold every id that there is; the reserved rows are zero, and stay so when they decay
    table = make_table(40)
    common = {"optimizer": optimizer, "lr": RATES[optimizer], "balance": "uncertainty", **OPTIONS[options]}
    lazy = trained(make_trainer, table, **common)
    dense = trained(make_trainer, table, embedding_update="dense", **common)
    assert_same(lazy, dense, TOLERANCE.get(options, 1e-5))


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("update", ["lazy", "rowwise_adagrad"])
@pytest.mark.parametrize("optimizer", ["adamw", "adam"])
def test_compiled_kernels_are_torch(
    optimizer: str,
    update: str,
    options: str,
    make_table: MakeTable,
    make_trainer: MakeTrainer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if library.library() is None:
        pytest.skip("needs a C compiler: apt-get install gcc libc6-dev")
    # ten rows a step: most ids are in some steps and not in others
    chosen = {"batch_size": 10, **OPTIONS[options], "optimizer": optimizer, "lr": 0.01, "embedding_update": update}
    if "accumulate" in chosen:
        chosen["batch_size"] = 5
    compiled = trained(make_trainer, make_table(40), epochs=STEPS // 4, **chosen)
    monkeypatch.setattr(library, "library", lambda: None)
    in_torch = trained(make_trainer, make_table(40), epochs=STEPS // 4, **chosen)
    assert_same(compiled, in_torch, TOLERANCE.get(options, 1e-5))


@pytest.mark.parametrize("norm", ["none", "batch", "layer"])
@pytest.mark.parametrize("options", ["plain", "all"])
def test_wide_layers_are_narrow_ones(
    options: str, norm: str, make_table: MakeTable, make_trainer: MakeTrainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    # not Adam: a bias before batch normalisation has no gradient but rounding, which Adam would blow up
    narrow = trained(make_trainer, make_table(40), norm=norm, **OPTIONS[options])
    calls = []
    group_linear = importlib.import_module("gatewise.kernels.group_linear")
    monkeypatch.setattr(group_linear, "WIDE", 1)
    monkeypatch.setattr(wide_linear, "BLOCK", 7)
    wide = wide_linear.wide_linear
    monkeypatch.setattr(group_linear, "wide_linear", lambda *a, **o: calls.append(o) or wide(*a, **o))
    found = trained(make_trainer, make_table(40), norm=norm, **OPTIONS[options])
    assert {"rectify": norm == "none"} in calls
    assert_same(found, narrow)


@pytest.mark.filterwarnings("ignore")  # torch's compiler warns of itself
@pytest.mark.skipif(shutil.which("g++") is None, reason="torch.compile needs a C++ compiler: apt-get install g++")
def test_compiled_steps_are_eager_ones(make_table: MakeTable, make_trainer: MakeTrainer) -> None:
    # a short last batch is among them
    common = {"optimizer": "adam", "lr": 0.01, "balance": "uncertainty", "batch_size": 16, "l2_embedding": 0.1}
    eager = trained(make_trainer, make_table(40), epochs=7, **common)
    assert_same(trained(make_trainer, make_table(40), epochs=7, compile=True, **common), eager)


@pytest.mark.parametrize("update", EMBEDDING_UPDATES)
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_resumed_is_never_stopped(
    optimizer: str, update: str, tmp_path: Path, make_table: MakeTable, make_trainer: MakeTrainer
) -> None:
    chosen = {
        "optimizer": optimizer, "lr": RATES[optimizer], "embedding_update": update, "batch_size": 10,
        "clip_norm": 0.5, "weight_decay": 0.1, "embedding_decay": 0.1,
    }  # fmt: skip
    whole = make_trainer(epochs=4, **chosen)
    whole.fit(make_table(40))
    make_trainer(epochs=2, run_dir=tmp_path, **chosen).fit(make_table(40))
    resumed = make_trainer(epochs=4, run_dir=tmp_path, **chosen)
    resumed.fit(make_table(40), resume=True)
    assert_same(resumed.model.state_dict(), whole.model.state_dict(), tolerance=0)


@pytest.mark.parametrize("update", ["lazy", "rowwise_adagrad"])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_rows_that_a_step_does_not_read_stay(
    optimizer: str, update: str, make_table: MakeTable, make_trainer: MakeTrainer
) -> None:
    trainer = make_trainer(
        optimizer=optimizer, embedding_update=update, weight_decay=0.1, embedding_decay=0.1, l2_embedding=0.1
    )
    table = trainer.prepare(make_table(40, missing=0.0))
    users = trainer.model.input_layer.tables.rows_of(0)
    for index in (torch.arange(40), torch.arange(40)[table.ids[:, 0] == 3]):
        before = users.detach().clone()
        trainer.step([table.batch(index)])
    moved = (users != before).any(dim=1)
    assert moved.tolist() == [row == 3 for row in range(8)]


def test_gradients_of_tables_hold_the_rows_of_the_step_alone(make_table: MakeTable, make_trainer: MakeTrainer) -> None:
    trainer = make_trainer()
    table = trainer.prepare(make_table(40))
    batches = [table.batch(torch.arange(3)), table.batch(torch.arange(3, 5))]
    trainer.step(batches)
    tables = trainer.model.input_layer.tables
    gradient = tables.weight_of_dim(3).grad
    assert gradient.is_sparse
    assert sorted(gradient._indices()[0].tolist()) == sorted(set(table.ids[:5, 0].tolist()))
    tags = tables.weight_of_dim(2).grad
    read = {int(tag) for batch in batches for tag in batch.inputs.lists[0].flatten() if tag >= 0}
    assert sorted(tags._indices()[0].tolist()) == sorted(read)


def test_adam_counts_all_steps_of_a_row(make_table: MakeTable, make_trainer: MakeTrainer) -> None:
    """A row that is read for the first time in step 3 is moved with the corrections of step 3."""
    trainer = make_trainer(optimizer="adam", lr=0.01)
    table = trainer.prepare(make_table(40, missing=0.0))
    users = trainer.model.input_layer.tables.rows_of(0)
    late = torch.arange(40)[table.ids[:, 0] == 3]
    others = torch.arange(40)[table.ids[:, 0] != 3]
    for index in (others, others, late):
        before = users[3].detach().clone()
        trainer.step([table.batch(index)])
    gradient = trainer.model.input_layer.tables.weight_of_dim(3).grad.to_dense()[3]
    first, second = 0.1 * gradient, 0.001 * gradient.square()
    expected = before - 0.01 * (first / (1 - 0.9**3)) / ((second / (1 - 0.999**3)).sqrt() + 1e-8)
    torch.testing.assert_close(users[3], expected, atol=1e-7, rtol=1e-5)


def test_clipping_measures_rows_that_are_read_twice_as_one(make_table: MakeTable, make_trainer: MakeTrainer) -> None:
    table = make_table(40, missing=0.0)
    table.ids[:] = 3
    norms = []
    for update in ("lazy", "dense"):
        trainer = make_trainer(optimizer="sgd", clip_norm=0.01, embedding_update=update)
        trainer.step([trainer.prepare(table).batch(torch.arange(40))])
        gradients = [p.grad.to_dense().flatten() for p in trainer.model.parameters()]
        norms.append(torch.cat(gradients))
    assert norms[0].norm().item() == pytest.approx(0.01, rel=1e-3)
    torch.testing.assert_close(norms[0], norms[1], atol=1e-7, rtol=0)


def test_compiling_without_a_compiler_is_said_before_training(
    make_trainer: MakeTrainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(DeclarationError, match=r"compile: needs a C\+\+ compiler such as g\+\+"):
        make_trainer(compile=True)
