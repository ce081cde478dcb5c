"""Every balancing rule within the loop: with accumulation, clipping, half precision, lazy and dense updates."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any, get_args

import pytest
import torch
from torch import Tensor

from gatewise import declare
from gatewise.balance import FAMO, BalanceRule, StepLosses
from gatewise.errors import DeclarationError
from gatewise.nn import PLE, SharedBottom, SingleTask, TensorTable
from gatewise.processes import Alone
from gatewise.tasks import BinaryTask, RegressionTask, summed_losses
from gatewise.training import Trainer
from gatewise.training.gradients import TaskGradients, experts_of, last_shared_layer

MakeTable = Callable[..., TensorTable]
MakeTrainer = Callable[..., Trainer]
KINDS = [kind for cls in get_args(get_args(declare.AnyBalance)[0]) if (kind := cls().kind) != "tuned_static"]
AT_GRADIENTS = [
    *("gradnorm", "metabalance", "db_mtl", "mgda", "pcgrad", "upgrad", "cagrad", "imtl_g", "aligned_mtl"),
    *("dualproj", "fairgrad", "nash_mtl"),
]
# a solver's answer moves with its input, and some do so at the edge of a case
CLOSE = {"mgda": 1e-3}


def step(trainer: Trainer, table: TensorTable, *groups: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
    """Make one step of the given groups of rows; return the weights given and all gradients."""
    table = trainer.prepare(table)
    torch.manual_seed(11)
    weights = trainer.step([table.batch(group) for group in groups or (torch.arange(len(table)),)]).weights
    named = [*trainer.model.named_parameters(), *trainer.step.balance.named_parameters()]
    return weights, {name: torch.zeros_like(p) if p.grad is None else p.grad.to_dense() for name, p in named}


def state_of(trainer: Trainer) -> dict[str, Tensor]:
    return copy.deepcopy({**trainer.model.state_dict(), **trainer.step.balance.state_dict()})


def assert_close(found: dict[str, Tensor], expected: dict[str, Tensor], tolerance: float = 1e-5) -> None:
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        torch.testing.assert_close(
            found[name], value, atol=tolerance, rtol=tolerance, equal_nan=True, msg=lambda text, n=name: f"{n}: {text}"
        )


# Declared weights


@pytest.mark.parametrize("kind", KINDS)
def test_doubling_a_declared_weight_doubles_the_gradient(
    kind: str, make_table: MakeTable, make_trainer: MakeTrainer
) -> None:
    found = [step(make_trainer(balance=kind, task_weights=(weight, 1.0)), make_table()) for weight in (1.0, 2.0, 3.0)]
    (once, first), (twice, second), (thrice, third) = found
    torch.testing.assert_close(twice, once * torch.tensor([2.0, 1.0]))
    torch.testing.assert_close(thrice, once * torch.tensor([3.0, 1.0]))
    # the first task's own part of the tower, and what each further unit of weight adds to everything else
    torch.testing.assert_close(second["towers.weight"][0], 2 * first["towers.weight"][0], atol=1e-6, rtol=1e-4)
    torch.testing.assert_close(second["towers.weight"][1], first["towers.weight"][1], atol=1e-6, rtol=1e-4)
    assert bool(first["towers.weight"][0].any())
    for name in first:
        added, again = second[name] - first[name], third[name] - second[name]
        torch.testing.assert_close(again, added, atol=2e-6 * max(1, float(once.abs().max())), rtol=1e-3)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("kept", [0, 1])
def test_a_weight_of_zero_leaves_the_other_task_alone(
    kind: str, kept: int, make_table: MakeTable, make_trainer: MakeTrainer
) -> None:
    table = make_table()
    weights = (1.0, 0.0) if kept == 0 else (0.0, 1.0)
    _, switched_off = step(make_trainer(balance=kind, task_weights=weights), table)
    table.labels[:, 1 - kept] = math.nan
    given, alone = step(make_trainer(balance=kind), table)
    assert_close(switched_off, alone, 1e-6)
    assert float(given[kept]) > 0
    assert not alone["towers.weight"][1 - kept].any()


@pytest.mark.parametrize("kind", KINDS)
def test_one_task_trains(kind: str, make_table: MakeTable, make_trainer: MakeTrainer) -> None:
    table = make_table()
    table = replace(table, labels=table.labels[:, :1])
    trainer = make_trainer(balance=kind, tasks=[BinaryTask("liked")], conflict_every=1)
    history = trainer.fit(table)
    assert history[-1].train["liked"]["loss"] < history[0].train["liked"]["loss"]
    assert history[-1].conflict == []


# What the rule sees


@pytest.mark.parametrize("rows", [32, 29])
@pytest.mark.parametrize("kind", KINDS)
def test_accumulating_is_one_large_batch(
    kind: str, rows: int, make_table: MakeTable, make_trainer: MakeTrainer
) -> None:
    table = make_table(rows, missing=0.4)
    table.labels[8:16, 0] = math.nan  # one of the small batches has no label of the first task
    found = []
    for size in (8, rows):
        trainer = make_trainer(balance=kind, l2_embedding=0.05, weight_decay=0.1, lr=0.1)
        weights, gradients = step(trainer, table, *torch.arange(rows).split(size))
        found.append(({"weights": weights} | gradients, state_of(trainer)))
    for left, right in zip(*found, strict=True):
        assert_close(left, right, CLOSE.get(kind, 1e-4))


class Listening(BalanceRule):
    """Keeps what it sees, and the random number that it draws."""

    needs = "gramian"
    needs_outcome = True

    def __init__(self, at: str = "representation") -> None:
        super().__init__()
        self.at, self.seen, self.after, self.drawn, self.epochs = at, [], [], [], []

    def forward(self, seen: StepLosses) -> Tensor:
        self.seen.append(seen)
        self.drawn.append(float(torch.rand(())))
        return torch.tensor([1.0, 0.5])

    def after_step(self, seen: StepLosses, losses: Tensor) -> None:
        assert seen is self.seen[-1]
        self.after.append(losses)

    def after_epoch(self, losses: Tensor) -> None:
        self.epochs.append(losses)


def listening(make_trainer: MakeTrainer, at: str = "representation", **options: Any) -> tuple[Trainer, Listening]:
    trainer = make_trainer(**options)
    trainer.step.balance = rule = Listening(at)
    return trainer, rule


def plain_losses(trainer: Trainer, table: TensorTable) -> tuple[Tensor, Any]:
    """Return the mean losses of a whole table, with all that they came from."""
    table = trainer.prepare(table)
    batch = table.batch(torch.arange(len(table)))
    vectors = trainer.model.input_layer(batch.inputs)
    scores = trainer.model.from_vectors(vectors).scores
    return summed_losses(trainer.tasks, scores, batch.targets, batch.weights) / batch.weights.sum(dim=0), vectors


@pytest.mark.parametrize("precision", ["fp32", "fp16"])
@pytest.mark.parametrize("size", [40, 16, 8])
@pytest.mark.parametrize("at", ["representation", "experts", "last_shared_layer"])
def test_the_gramian_is_that_of_the_whole_step(
    at: str, size: int, precision: str, make_table: MakeTable, make_trainer: MakeTrainer
) -> None:
    table = make_table(missing=0.3)
    trainer, rule = listening(make_trainer, at, precision=precision)
    losses, vectors = plain_losses(trainer, table)
    sites = {"representation": lambda: [vectors.x], "experts": lambda: experts_of(trainer.model.trunk)}
    sites["last_shared_layer"] = lambda: last_shared_layer(trainer.model.trunk)
    gradients = [
        torch.cat([part.flatten() for part in torch.autograd.grad(loss, sites[at](), retain_graph=True)])
        for loss in losses
    ]
    expected = torch.stack(gradients) @ torch.stack(gradients).T
    step(trainer, table, *torch.arange(40).split(size))
    tolerance = 1e-4 if precision == "fp32" else 2e-2
    torch.testing.assert_close(rule.seen[0].gramian, expected, atol=tolerance * float(expected.max()), rtol=tolerance)
    torch.testing.assert_close(rule.seen[0].losses, losses.detach(), atol=1e-6, rtol=tolerance)
    assert rule.seen[0].present.tolist() == [True, True]


@pytest.mark.parametrize("update", ["lazy", "dense"])
def test_looking_leaves_no_trace(update: str, make_table: MakeTable, make_trainer: MakeTrainer) -> None:
    """Dropout, running means and steps are those of the same weights given without looking."""
    options: dict[str, Any] = {"norm": "batch", "dropout": 0.3, "embedding_update": update}
    looking, rule = listening(make_trainer, **options)
    plain = make_trainer(balance={"kind": "static", "weights": {"rating": 0.5}}, **options)
    given = plain.step.balance.forward

    def drawing(seen: StepLosses) -> Tensor:
        # as the other rule does, which moves the random state on
        torch.rand(())
        return given(seen)

    plain.step.balance.forward = drawing  # type: ignore[method-assign]
    looking.fit(make_table())
    plain.fit(make_table())
    assert_close(dict(looking.model.state_dict()), dict(plain.model.state_dict()), 0)
    assert len(rule.seen) == 15


def test_a_rehearsal_sees_what_the_step_then_does(make_table: MakeTable, make_trainer: MakeTrainer) -> None:
    trainer, rule = listening(make_trainer, norm="batch", dropout=0.3)
    table = trainer.prepare(make_table())
    before = {name: value.clone() for name, value in trainer.model.named_buffers() if "num_batches" in name}
    for _ in range(3):
        batches = [table.batch(index) for index in torch.arange(40).split(10)]
        made = trainer.step(batches)
        torch.testing.assert_close(rule.seen[-1].losses, made.summed / made.counted, atol=1e-6, rtol=1e-5)
        torch.testing.assert_close(made.losses, made.summed / made.counted)
        assert made.rows == 40
    assert before
    for name, value in before.items():
        # four batches a step, each counted once, neither in the rehearsal nor in the look at the outcome
        assert trainer.model.get_buffer(name) - value == 12


def test_a_rule_that_draws_has_other_numbers_at_every_step(make_table: MakeTable, make_trainer: MakeTrainer) -> None:
    trainer, rule = listening(make_trainer, accumulate=2)
    trainer.fit(make_table())
    assert len(set(rule.drawn)) == len(rule.drawn) == 9


@pytest.mark.parametrize("size", [40, 10])
def test_a_rules_parameters_learn_from_its_own_loss(
    size: int, make_table: MakeTable, make_trainer: MakeTrainer
) -> None:
    """By hand, of uncertainty: the declared weight times 1/2 - c L at s = 0; nothing for a task without rows."""
    table = make_table()
    trainer = make_trainer(balance="uncertainty", task_weights=(2.0, 3.0))
    losses, _ = plain_losses(trainer, table)
    _, gradients = step(trainer, table, *torch.arange(40).split(size))
    expected = torch.tensor([2.0, 3.0]) * (0.5 - torch.tensor([1.0, 0.5]) * losses.detach())
    torch.testing.assert_close(gradients["log_variances"], expected)
    table.labels[:, 1] = math.nan
    _, gradients = step(make_trainer(balance="uncertainty", task_weights=(2.0, 3.0)), table)
    torch.testing.assert_close(gradients["log_variances"], expected * torch.tensor([1.0, 0.0]))


def test_the_outcome_is_that_of_the_same_rows_and_dropout(make_table: MakeTable, make_trainer: MakeTrainer) -> None:
    trainer, rule = listening(make_trainer, dropout=0.5, lr=1e-12)
    step(trainer, make_table())
    torch.testing.assert_close(rule.after[0], rule.seen[0].losses)
    trainer, rule = listening(make_trainer, lr=0.05)
    step(trainer, make_table())
    losses, _ = plain_losses(trainer, make_table())
    torch.testing.assert_close(rule.after[0], losses.detach())
    assert bool((rule.after[0] != rule.seen[0].losses).all())


def test_epochs_are_told_by_their_mean_losses(make_table: MakeTable, make_trainer: MakeTrainer) -> None:
    table = make_table()
    table.labels[:, 1] = math.nan
    trainer, rule = listening(make_trainer)
    history = trainer.fit(table)
    assert [float(losses[0]) for losses in rule.epochs] == pytest.approx(
        [record.train["liked"]["loss"] for record in history]
    )
    assert all(math.isnan(losses[1]) for losses in rule.epochs)


def test_weights_are_those_of_steps_with_the_task(make_table: MakeTable, make_trainer: MakeTrainer) -> None:
    """A step without a row of the task was not given a weight of 0."""
    table = make_table(16, missing=0.0)
    table.labels[:, 1] = torch.where(torch.arange(16) == 3, table.labels[:, 1], torch.nan)
    trainer = make_trainer(balance="nash_mtl", epochs=1)
    record = trainer.fit(table)[0]
    # one of two steps has a row of it: there the mean of the two weights is 1, in the other step it is alone
    assert record.train["liked"]["weight"] * 2 - 1 + record.train["rating"]["weight"] == pytest.approx(2, rel=1e-4)
    assert record.train["rating"]["weight"] > 0.1


# With everything else


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "options",
    [
        {"precision": "bf16"},
        {"precision": "fp16", "clip_norm": 0.5, "accumulate": 2},
        {"embedding_update": "dense", "clip_norm": 0.5, "dropout": 0.2, "norm": "batch"},
        {"embedding_update": "rowwise_adagrad", "accumulate": 3, "l2_dense": 0.01},
    ],
    ids=["bf16", "fp16 clipped accumulated", "dense", "row-wise accumulated"],
)
def test_every_rule_learns_with(
    kind: str, options: dict[str, Any], make_table: MakeTable, make_trainer: MakeTrainer
) -> None:
    train = make_table(120, missing=0.1)
    trainer = make_trainer(balance=kind, optimizer="adamw", lr=0.02, epochs=12, batch_size=20, **options)
    history = trainer.fit(train)
    for task in ("liked", "rating"):
        assert history[-1].train[task]["loss"] < 0.95 * history[0].train[task]["loss"], task
        assert math.isfinite(history[-1].train[task]["weight"])


@pytest.mark.parametrize("kind", KINDS)
def test_lazy_is_dense(kind: str, make_table: MakeTable, make_trainer: MakeTrainer) -> None:
    found = []
    for update in ("lazy", "dense"):
        trainer = make_trainer(balance=kind, embedding_update=update, batch_size=40, epochs=6, clip_norm=0.3)
        trainer.fit(make_table())
        found.append(state_of(trainer))
    assert_close(*found, CLOSE.get(kind, 1e-4))


def test_fp16_asks_no_rule_where_gradients_overflow(make_table: MakeTable, make_trainer: MakeTrainer) -> None:
    trainer = make_trainer(balance="upgrad", precision="fp16")
    table = make_table(missing=0.0)
    table.floats[:] *= 3000
    before = state_of(trainer)
    weights, _ = step(trainer, table)
    assert weights.tolist() == [1, 1]
    assert_close(state_of(trainer), before, 0)


def test_compiling_and_gradients_do_not_go_together(make_trainer: MakeTrainer) -> None:
    with pytest.raises(DeclarationError, match="compile: UPGrad needs every task's gradient"):
        make_trainer(balance="upgrad", compile=True)


@pytest.mark.parametrize("kind", AT_GRADIENTS)
@pytest.mark.parametrize("at", ["experts", "last_shared_layer"])
def test_gradients_can_be_taken_at_weights(
    kind: str, at: str, make_table: MakeTable, make_trainer: MakeTrainer
) -> None:
    trainer = make_trainer(balance={"kind": kind, "at": at}, epochs=1)
    trainer.fit(make_table())
    assert trainer.step.balance.at == at


# What is shared


def test_own_experts_are_not_shared(make_table: MakeTable, make_trainer: MakeTrainer) -> None:
    """Of PLE's last level the shared expert's last layer alone counts."""
    trainer = make_trainer(trunk=PLE, experts={"own_experts": 1, "shared_experts": 1})
    table = make_table()
    (weight,) = last_shared_layer(trainer.model.trunk)
    assert weight is trainer.model.trunk.levels[-1].experts.experts.mlp.layers[2].weight
    gradients = TaskGradients(trainer.model, ["last_shared_layer"], trainer.step.scaler, Alone())
    losses, vectors = plain_losses(trainer, table)
    gradients.add(losses, vectors)
    shared = torch.stack([torch.autograd.grad(loss, weight, retain_graph=True)[0][-1].flatten() for loss in losses])
    torch.testing.assert_close(gradients.gramian("last_shared_layer"), shared @ shared.T)
    whole = torch.stack([torch.autograd.grad(loss, weight, retain_graph=True)[0].flatten() for loss in losses])
    assert not torch.allclose(whole @ whole.T, shared @ shared.T)


def test_experts_are_told_from_gates(make_trainer: MakeTrainer) -> None:
    trunk = make_trainer().model.trunk
    names = {name for name, weight in trunk.named_parameters() if any(weight is found for found in experts_of(trunk))}
    assert names == {name for name, _ in trunk.named_parameters() if "gates" not in name}
    assert [weight.shape for weight in last_shared_layer(trunk)] == [(3, 4, 6)]
    bottom = SharedBottom(5, 2, bottom_dims=(6, 4))
    assert len(experts_of(bottom)) == 4
    assert last_shared_layer(bottom)[0] is bottom.bottom.layers[2].weight


# Conflicts


def test_conflicts_are_those_of_the_gradients(make_table: MakeTable, make_trainer: MakeTrainer) -> None:
    table = make_table(missing=0.0)
    trainer = make_trainer(epochs=1, batch_size=40, conflict_every=1)
    losses, vectors = plain_losses(trainer, replace(table, weights=torch.ones(40, 2)))
    expected = []
    for inputs in ([vectors.x], experts_of(trainer.model.trunk)):
        one, other = (
            torch.cat([part.flatten() for part in torch.autograd.grad(loss, inputs, retain_graph=True)])
            for loss in losses
        )
        cosine, ratio = torch.cosine_similarity(one, other, dim=0), one.norm() / other.norm()
        expected.append((float(cosine), float(ratio)))
    (record,) = trainer.fit(table)
    assert [(found["at"], found["tasks"], found["steps"]) for found in record.conflict] == [
        ("representation", ["liked", "rating"], 1),
        ("experts", ["liked", "rating"], 1),
    ]
    for found, (cosine, ratio) in zip(record.conflict, expected, strict=True):
        assert found["cosine"] == pytest.approx(cosine, abs=1e-4)
        assert found["norm_ratio"] == pytest.approx(ratio, rel=1e-4)


@pytest.mark.parametrize("kind", ["static", "famo", "upgrad", "gradnorm"])
@pytest.mark.parametrize("accumulate", [1, 2])
def test_looking_at_conflicts_changes_nothing(
    kind: str, accumulate: int, make_table: MakeTable, make_trainer: MakeTrainer
) -> None:
    options = {"balance": kind, "accumulate": accumulate, "dropout": 0.2, "norm": "batch"}
    watched, plain = make_trainer(conflict_every=2, **options), make_trainer(**options)
    watched.fit(make_table())
    plain.fit(make_table())
    assert_close(state_of(watched), state_of(plain), 0)
    steps = 5 if accumulate == 1 else 3
    assert [found["steps"] for found in watched.history[0].conflict] == [math.ceil(steps / 2)] * 2
    assert plain.history[0].conflict == []


def test_conflicts_that_are_undefined(make_table: MakeTable, make_trainer: MakeTrainer) -> None:
    table = make_table()
    table.labels[:, 1] = math.nan
    (record,) = make_trainer(epochs=1, conflict_every=1).fit(table)
    undefined = {"tasks": ["liked", "rating"], "cosine": None, "norm_ratio": None, "steps": 0}
    assert record.conflict == [{"at": "representation", **undefined}, {"at": "experts", **undefined}]


def test_what_is_not_shared_has_no_conflict(make_table: MakeTable, make_trainer: MakeTrainer) -> None:
    class Apart(SingleTask):
        def __init__(self, *args: Any, expert_dims: tuple[int, ...], **options: Any) -> None:
            super().__init__(*args, bottom_dims=expert_dims, **options)

    trainer = make_trainer(epochs=1, conflict_every=1, trunk=Apart, experts={})
    at_rows, at_weights = trainer.fit(make_table(missing=0.0))[0].conflict
    assert at_rows["steps"] == 5
    assert at_weights["steps"] == 0


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_tasks_that_want_the_same_or_the_opposite(
    sign: float, make_table: MakeTable, make_trainer: MakeTrainer
) -> None:
    table = make_table(missing=0.0)
    # so far from any score that the scores do not matter
    wanted = 1e6 * (table.labels[:, 1] - 3)
    table = replace(table, labels=torch.stack([wanted, 2 * sign * wanted], dim=1))
    trainer = make_trainer(
        tasks=[RegressionTask("one"), RegressionTask("other")], epochs=1, batch_size=40, conflict_every=1, lr=1e-9
    )
    with torch.no_grad():
        for parameter in (*trainer.model.towers.parameters(), *trainer.model.trunk.levels[0].gates.parameters()):
            parameter[1] = parameter[0]
    for found in trainer.fit(table)[0].conflict:
        assert found["cosine"] == pytest.approx(sign, abs=1e-3)
        assert found["norm_ratio"] == pytest.approx(0.5, rel=1e-3)


def test_famo_hears_of_steps(make_table: MakeTable, make_trainer: MakeTrainer) -> None:
    trainer = make_trainer(balance="famo")
    trainer.fit(make_table())
    assert isinstance(trainer.step.balance, FAMO)
    assert float(trainer.step.balance.steps) == 15
    assert bool(trainer.step.balance.logits.any())
