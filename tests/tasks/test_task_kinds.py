"""What every kind of task promises, asserted for all of them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass

import pytest
import torch
from torch import Tensor

from gatewise.balance import Static
from gatewise.layout import Layout
from gatewise.metrics import MAE, R2
from gatewise.nn import InputLayer, MMoE, MultiTaskModel, TensorTable, Towers
from gatewise.tasks import (
    BinaryTask,
    CountTask,
    DurationTask,
    FunnelTask,
    JointTask,
    LifetimeValueTask,
    MulticlassTask,
    OrdinalTask,
    RankedBinaryTask,
    RegressionTask,
    Task,
    predict_tasks,
    summed_losses,
    targets_and_weights,
)
from gatewise.training import Trainer, make_optimizer

NAN, INF = math.nan, math.inf
GARBAGE = [NAN, INF, -INF, 1e30, -1e30]


def draw(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def binary(rows: int) -> Tensor:
    return torch.rand(rows, 1, generator=draw(1)).round()


def numbers(rows: int) -> Tensor:
    return torch.randn(rows, 1, generator=draw(2))


def positions(rows: int) -> Tensor:
    return torch.randint(0, 3, (rows, 1), generator=draw(3))


def amounts(rows: int) -> Tensor:
    return (2 * torch.randn(rows, 1, generator=draw(4))).clamp(min=0)


def times(rows: int) -> Tensor:
    """Return watched times, some at 0 and some at the limit, and limits, some without one."""
    limit = torch.rand(rows, 1, generator=draw(5)) * 4 + 1
    limit[::5] = NAN
    time = (2 * torch.randn(rows, 1, generator=draw(6)) + 2).clamp(min=0)
    return torch.cat([torch.where(time > limit, limit, time), limit], dim=1)


def funnel(rows: int) -> Tensor:
    """Return clicks, carts after them and purchases after those."""
    click, cart = (torch.rand(rows, 2, generator=draw(7)) < 0.7).unbind(dim=1)
    buy = torch.rand(rows, generator=draw(8)) < 0.5
    return torch.stack([click, cart & click, buy & click], dim=1)


class LogCosh(Task):
    metrics = (MAE, R2)
    summary = R2

    def losses(self, scores: Tensor, targets: Tensor) -> Tensor:
        error = (scores - targets).abs()
        return error + torch.nn.functional.softplus(-2 * error) - math.log(2)

    def predict(self, scores: Tensor) -> Tensor:
        return scores.double()


def funnel_of(learn: str, *, through: bool = False) -> Callable[[str | None], list[Task]]:
    def make(within: str | None) -> list[Task]:
        click = BinaryTask("click")
        cart = FunnelTask("cart", after=[click], learn=learn)
        return [click, cart, FunnelTask("buy", after=[click], learn=learn, through=cart if through else None)]

    return make


@dataclass(frozen=True)
class Kind:
    """How a kind is made, given the task within which it is, and labels for it."""

    make: Callable[[str | None], list[Task]]
    labels: Callable[[int], Tensor]


def kind(cls: type[Task], labels: Callable[[int], Tensor], **options: object) -> Kind:
    return Kind(lambda within: [cls("y", within=within, **options)], labels)


KINDS = {
    "binary": kind(BinaryTask, binary, rate=0.3),
    "focal": kind(BinaryTask, binary, focal=2.0),
    "pairwise": kind(RankedBinaryTask, binary),
    "listwise": kind(RankedBinaryTask, binary, ranking="listwise"),
    "jrc": kind(JointTask, binary, calibration_share=0.4, rate=0.3),
    "mse": kind(RegressionTask, numbers, mean=0.5, std=2.0),
    "mae": kind(RegressionTask, numbers, loss="mae"),
    "huber": kind(RegressionTask, numbers, loss="huber", delta=0.7),
    "quantile": kind(RegressionTask, numbers, loss="quantile", quantile=0.9),
    "multiclass": kind(MulticlassTask, positions, classes=["a", "b", "c"]),
    "ordinal": kind(OrdinalTask, positions, levels=[0, 1, 2]),
    "poisson": kind(CountTask, positions, mean=1.2),
    "tweedie": kind(CountTask, amounts, loss="tweedie", power=1.3, mean=0.8),
    "lifetime_value": kind(LifetimeValueTask, amounts, rate=0.4, log_mean=0.3, log_std=1.5),
    "duration": kind(DurationTask, amounts, log_mean=0.4, log_std=0.8),
    "duration with a limit": kind(DurationTask, times, limited=True, log_mean=0.9, log_std=0.6),
    "custom": kind(LogCosh, numbers),
    **{f"funnel {learn}": Kind(funnel_of(learn), funnel) for learn in ("entire_space", "observed", "ips", "dr")},
    "funnel through": Kind(funnel_of("entire_space", through=True), funnel),
}
STEPS = [name for name in KINDS if name.startswith("funnel")]
ALONE = [name for name in KINDS if name not in STEPS]
GROUPS = torch.arange(40) // 5


def prepared(name: str, rows: int = 40) -> tuple[list[Task], Tensor, Tensor | None]:
    """Return a kind's tasks with targets and weights of some labels."""
    tasks = KINDS[name].make(None)
    return tasks, *targets_and_weights(tasks, KINDS[name].labels(rows).double(), None)


def scores_for(tasks: list[Task], rows: int = 40, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.randn(rows, sum(task.num_scores for task in tasks), generator=draw(9), dtype=dtype)


# propensities are taken without gradient, so differences of the loss say something else there
@pytest.mark.parametrize("name", [name for name in KINDS if name not in ("funnel ips", "funnel dr")])
def test_gradients_are_those_of_the_losses(name: str) -> None:
    tasks, targets, weights = prepared(name)
    targets = targets.double()

    def losses(scores: Tensor) -> Tensor:
        return summed_losses(tasks, scores, targets, weights, GROUPS)

    assert torch.autograd.gradcheck(losses, scores_for(tasks).requires_grad_())


@pytest.mark.parametrize("name", ALONE)
@pytest.mark.parametrize("size", [50.0, 1e4])
def test_losses_gradients_and_predictions_are_finite_at_extreme_scores(name: str, size: float) -> None:
    tasks, targets, _ = prepared(name)
    task = tasks[0]
    for extreme in itertools.product([-size, 0.0, size], repeat=task.num_scores):
        scores = torch.tensor(extreme).expand(40, -1).clone().requires_grad_()
        losses = summed_losses(tasks, scores, targets, None, GROUPS)
        losses.sum().backward()
        assert losses.isfinite().all()
        assert scores.grad.isfinite().all()
        predicted = predict_tasks(tasks, scores.detach(), KINDS[name].labels(40).double())
        assert all(column.isfinite().all() and column.dtype == torch.float64 for column in predicted.values())
        known = dict.fromkeys(["y"], KINDS[name].labels(40).double().squeeze(1))
        assert tuple(predicted) == task.columns
        # metrics take what is predicted there
        assert task.evaluate_among(known, predicted).keys() == set(task.outputs)


@pytest.mark.parametrize("name", ALONE)
def test_no_loss_is_negative(name: str) -> None:
    # of a loss below 0 uncertainty weighting would make ever more
    tasks, targets, _ = prepared(name)
    for spread in (0.1, 1.0, 10.0):
        scores = spread * scores_for(tasks, dtype=torch.float32)
        assert (tasks[0].losses(scores.squeeze(1), targets.squeeze(1)) > -1e-6).all()


@pytest.mark.parametrize("name", ALONE)
def test_a_row_by_itself_has_the_loss_that_it_has_among_others(name: str) -> None:
    tasks, targets, _ = prepared(name)
    scores = scores_for(tasks)
    together = tasks[0].losses(scores.squeeze(1), targets.double().squeeze(1))
    each = [
        tasks[0].losses(scores[row : row + 1].squeeze(1), targets.double()[row : row + 1].squeeze(1))
        for row in range(40)
    ]
    torch.testing.assert_close(torch.cat(each), together)
    assert together.shape == (40,)


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("rows", [0, 1])
def test_no_row_and_one_row_are_fine(name: str, rows: int) -> None:
    tasks, targets, weights = prepared(name, rows)
    scores = scores_for(tasks, rows, torch.float32).requires_grad_()
    losses = summed_losses(tasks, scores, targets, weights, GROUPS[:rows])
    losses.sum().backward()
    assert losses.shape == (len(tasks),)
    assert losses.isfinite().all()
    labels = KINDS[name].labels(rows).double()
    predicted = predict_tasks(tasks, scores.detach(), labels)
    assert list(predicted) == [column for task in tasks for column in task.columns]


@pytest.mark.parametrize("name", [name for name in KINDS if name not in STEPS and "wise" not in name])
def test_two_tasks_of_a_kind_have_the_losses_of_each(name: str) -> None:
    first, second = KINDS[name].make(None)[0], KINDS[name].make(None)[0]
    second.name = "z"
    tasks, labels = [first, second], KINDS[name].labels(40).double()
    targets, _ = targets_and_weights(tasks, torch.cat([labels, labels.flip(0)], dim=1), None)
    scores = scores_for(tasks, dtype=torch.float32)
    width, wide = first.num_scores, first.num_targets
    each = [
        first.losses(scores[:, :width].squeeze(1), targets[:, :wide].squeeze(1)).sum(),
        second.losses(scores[:, width:].squeeze(1), targets[:, wide:].squeeze(1)).sum(),
    ]
    torch.testing.assert_close(summed_losses(tasks, scores, targets, None), torch.stack(each))


def test_options_of_one_task_are_not_those_of_another() -> None:
    tasks: list[Task] = [
        RegressionTask("low", loss="quantile", quantile=0.1),
        RegressionTask("high", loss="quantile", quantile=0.9),
    ]
    losses = summed_losses(tasks, torch.zeros(1, 2), torch.ones(1, 2), None)
    assert losses.tolist() == pytest.approx([0.1, 0.9])
    counts: list[Task] = [CountTask("a", loss="tweedie", power=1.2), CountTask("b", loss="tweedie", power=1.8)]
    a, b = summed_losses(counts, torch.ones(1, 2), torch.zeros(1, 2), None).tolist()
    assert (a, b) == pytest.approx((math.exp(0.8) / 0.8, math.exp(0.2) / 0.2))


class Power(LogCosh):
    """A kind that says nothing of which tasks have the same losses."""

    def __init__(self, name: str, power: float) -> None:
        super().__init__(name)
        self.power = power

    def losses(self, scores: Tensor, targets: Tensor) -> Tensor:
        assert scores.shape == targets.shape == (5,)
        return (scores - targets).abs() ** self.power


def test_a_kind_sees_its_own_scores_alone() -> None:
    one, two = Power("one", 1.0), Power("two", 2.0)
    scores, targets = torch.full((5, 2), 3.0), torch.zeros(5, 2)
    assert summed_losses([one, two], scores, targets, None).tolist() == [15, 45]
    assert summed_losses([two], scores[:, :1], targets[:, :1], None).tolist() == [45]


@pytest.mark.parametrize("name", ALONE)
def test_an_untrained_model_starts_from_scores_that_are_all_given(name: str) -> None:
    task = KINDS[name].make(None)[0]
    bias = torch.tensor(task.initial_bias).expand(task.num_scores)
    assert bias.isfinite().all()


def trained(tasks: list[Task], table: TensorTable) -> dict[str, Tensor]:
    """Return all parameters after ten steps."""
    layout = Layout((), (), (), ("a", "b", "c"))
    with torch.random.fork_rng():
        torch.manual_seed(0)
        layer = InputLayer(layout)
        trunk = MMoE(layer.output_dim, len(tasks), experts=2, expert_dims=(4,))
        towers = Towers(len(tasks), 4, (3,), tuple(task.num_scores for task in tasks))
    model, rule = MultiTaskModel(layer, trunk, towers), Static()
    optimizer = make_optimizer("adam", model, rule, lr=0.05)
    trainer = Trainer(model, tasks, balance=rule, optimizer=optimizer, epochs=2, batch_size=8)
    trainer.fit(table)
    return model.state_dict()


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("garbage", GARBAGE)
def test_what_stands_at_masked_labels_changes_no_parameter(name: str, garbage: float) -> None:
    rows, step = 40, name in STEPS
    opened = (torch.rand(rows, 1, generator=draw(10)) < 0.7).double()
    tasks: list[Task] = [BinaryTask("open"), *KINDS[name].make("open")]
    labels = torch.cat([opened, KINDS[name].labels(rows).double()], dim=1)
    unlabelled, unweighted = torch.rand(rows, 2, generator=draw(11)).lt(0.2).unbind(dim=1)
    own = slice(-tasks[-1].num_labels, None)
    # of a funnel the last step: not taken where nobody came; of other kinds: outside the task that they are within
    masked = unweighted | (labels[:, 1] == 0 if step else opened[:, 0] == 0)
    assert 5 < masked.sum() < 35
    weights = torch.ones(rows, len(tasks))
    weights[unweighted, -1] = 0
    labels[unlabelled, own.start] = NAN
    found = []
    for value in (labels[:, own], torch.where(masked.unsqueeze(1), garbage, labels[:, own])):
        known = torch.cat([labels[:, : own.start], value], dim=1)
        floats = torch.randn(rows, 3, generator=draw(12))
        table = TensorTable(torch.zeros(rows, 0, dtype=torch.int64), (), floats, known, weights, groups=GROUPS)
        found.append(trained(tasks, table))
    assert found[0].keys() == found[1].keys()
    for key, value in found[0].items():
        assert value.isfinite().all()
        assert torch.equal(value, found[1][key]), key
