from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from gatewise.errors import DeclarationError
from gatewise.tasks import (
    BinaryTask,
    FunnelTask,
    Task,
    evaluate_tasks,
    predict_tasks,
    summed_losses,
    targets_and_weights,
)

NAN = math.nan
WAYS = ["entire_space", "observed", "ips", "dr"]


def chain(learn: str = "entire_space", **options: object) -> list[Task]:
    click = BinaryTask("click")
    cart = FunnelTask("cart", after=[click], learn=learn, **options)
    return [click, cart, FunnelTask("buy", after=[click, cart], learn=learn, **options)]


def through(learn: str = "entire_space") -> list[Task]:
    click = BinaryTask("click")
    cart = FunnelTask("cart", after=[click], learn=learn)
    return [click, cart, FunnelTask("buy", after=[click], through=cart, learn=learn)]


def scores_of(tasks: list[Task], rows: int = 6, seed: int = 0) -> Tensor:
    draw = torch.Generator().manual_seed(seed)
    return torch.randn(rows, sum(task.num_scores for task in tasks), generator=draw, dtype=torch.float64)


def losses_of(tasks: list[Task], scores: Tensor, labels: Tensor, weights: Tensor | None = None) -> Tensor:
    targets, counted = targets_and_weights(tasks, labels, weights)
    return summed_losses(tasks, scores, targets.to(scores.dtype), counted)


LABELS = torch.tensor(
    [[0, NAN, NAN], [1, 0, 0], [1, 1, 0], [1, 1, 1], [NAN, NAN, NAN], [1, NAN, NAN]], dtype=torch.float64
)


# what is predicted


def test_the_joint_probability_is_the_product_to_the_last_bit() -> None:
    tasks = chain()
    scores = torch.cat([scores_of(tasks, 200) * 5, torch.tensor([[50.0, -50, 50], [-50, 50, -50]])]).float()
    found = predict_tasks(tasks, scores, torch.full((202, 3), NAN))
    assert list(found) == [
        "click", "cart_given_click", "click_and_cart", "buy_given_cart", "click_and_cart_and_buy",
    ]  # fmt: skip
    assert torch.equal(found["click_and_cart"], found["click"] * found["cart_given_click"])
    assert torch.equal(found["click_and_cart_and_buy"], found["click_and_cart"] * found["buy_given_cart"])
    for name, column in (("click", 0), ("cart_given_click", 1), ("buy_given_cart", 2)):
        torch.testing.assert_close(found[name], scores[:, column].double().sigmoid(), atol=1e-15, rtol=1e-12)
        assert found[name].dtype == torch.float64


def test_a_step_reached_by_two_ways_by_hand() -> None:
    tasks = through()
    scores = scores_of(tasks, 20)
    p = scores.sigmoid()
    found = predict_tasks(tasks, scores, torch.full((20, 3), NAN))
    given = p[:, 1] * p[:, 2] + (1 - p[:, 1]) * p[:, 3]
    torch.testing.assert_close(found["buy_given_click"], given, atol=1e-15, rtol=1e-12)
    assert torch.equal(found["click_and_buy"], found["click"] * found["buy_given_click"])


# losses


def by_hand(learn: str, p: Tensor, label: Tensor, clip: float = 0.01) -> tuple[list[float], list[int]]:
    """Return the summed losses of click, cart and buy from probabilities, row by row, and the sizes of the samples."""
    sums, sizes = [0.0, 0.0, 0.0], [0, 0, 0]

    def entropy(q: float, y: float) -> float:
        return -(y * math.log(q) + (1 - y) * math.log(1 - q))

    for row, known in zip(p.tolist(), label.tolist(), strict=True):
        click, cart, buy = known
        if not math.isnan(click):
            sums[0] += entropy(row[0], click)
            sizes[0] += 1
        steps = [(1, [click], cart), (2, [click, cart], buy)]
        for k, before, own in steps:
            came = 0.0 if 0 in before else (NAN if any(map(math.isnan, before)) else 1.0)
            if math.isnan(came) or (came == 1 and math.isnan(own)):
                continue
            taken = own if came == 1 else 0.0
            reach = math.prod(row[:k])
            if learn == "observed":
                if came != 1:
                    continue
                sums[k] += entropy(row[k], own)
            elif learn == "entire_space":
                sums[k] += entropy(reach * row[k], taken)
            elif came == 1:
                sums[k] += entropy(row[k], own) / max(reach, clip)
            sizes[k] += 1
    return sums, sizes


@pytest.mark.parametrize("learn", ["entire_space", "observed", "ips"])
def test_losses_by_hand(learn: str) -> None:
    tasks, clip = chain(learn, clip=0.3), 0.3
    scores = scores_of(tasks)
    sums, sizes = by_hand(learn, scores.sigmoid(), LABELS, clip)
    assert losses_of(tasks, scores, LABELS).tolist() == pytest.approx(sums, rel=1e-9)
    targets, counted = targets_and_weights(tasks, LABELS, None)
    assert counted.sum(dim=0).tolist() == sizes
    assert not targets.isnan().any()


def test_the_doubly_robust_loss_by_hand() -> None:
    click = BinaryTask("click")
    tasks = [click, FunnelTask("buy", after=[click], learn="dr", clip=0.2)]
    assert tasks[1].num_scores == 2
    labels = torch.tensor([[0, NAN], [1, 0], [1, 1], [0, 0]], dtype=torch.float64)
    scores = scores_of(tasks, 4)
    expected = 0.0
    for (p, q, r), (came, own) in zip(scores.sigmoid().tolist(), labels.tolist(), strict=True):
        seen = came / max(p, 0.2)
        own = 0.0 if came == 0 else own
        pseudo = r + seen * (own - r)
        expected += -(pseudo * math.log(q) + (1 - pseudo) * math.log(1 - q))
        expected += seen * -(own * math.log(r) + (1 - own) * math.log(1 - r))
    assert losses_of(tasks, scores, labels)[1].item() == pytest.approx(expected, rel=1e-6)


def test_pseudo_labels_and_propensities_take_no_gradient() -> None:
    click = BinaryTask("click")
    labels = torch.tensor([[0, NAN], [1, 0], [1, 1]], dtype=torch.float64)
    for learn, columns in (("ips", [0]), ("dr", [0])):
        tasks = [click, FunnelTask("buy", after=[click], learn=learn)]
        scores = scores_of(tasks, 3).requires_grad_()
        losses_of(tasks, scores, labels)[1].backward()
        assert not scores.grad[:, columns].any()
        assert scores.grad[:, 1].abs().sum() > 0
    # where nobody came the imputed label is what teaches, and there alone "ips" teaches nothing
    assert scores.grad[0, 1] != 0
    assert scores.grad[0, 2] == 0


def test_the_entire_space_reaches_both_towers() -> None:
    click = BinaryTask("click")
    tasks = [click, FunnelTask("buy", after=[click])]
    scores = scores_of(tasks, 2).requires_grad_()
    losses_of(tasks, scores, torch.tensor([[0, NAN], [1, 1]], dtype=torch.float64))[1].backward()
    assert (scores.grad != 0).all()


@pytest.mark.parametrize("learn", WAYS)
@pytest.mark.parametrize("score", [50.0, -50.0, 300.0, -300.0, 0.0])
def test_losses_and_gradients_are_finite_at_any_score(learn: str, score: float) -> None:
    for tasks in (chain(learn), through(learn)):
        width = sum(task.num_scores for task in tasks)
        for sign in (1.0, -1.0):
            row = torch.full((1, width), score)
            row[:, 1::2] *= sign
            scores = row.expand(6, -1).clone().requires_grad_()
            losses = losses_of(tasks, scores, LABELS)
            losses.sum().backward()
            assert losses.isfinite().all()
            assert scores.grad.isfinite().all()


@pytest.mark.parametrize("learn", WAYS)
def test_gradients_are_those_of_the_losses(learn: str) -> None:
    click = BinaryTask("click")
    for tasks in ([click, FunnelTask("buy", after=[click], learn=learn)], chain(learn), through(learn)):
        labels = LABELS[:, : len(tasks)]
        if learn in ("ips", "dr"):
            # what is detached in the loss is held fixed in the check
            continue
        scores = scores_of(tasks).requires_grad_()
        assert torch.autograd.gradcheck(lambda s, t=tasks, y=labels: losses_of(t, s, y), (scores,))


# samples


@pytest.mark.parametrize("learn", WAYS)
@pytest.mark.parametrize("garbage", [NAN, math.inf, -1e30, 7.0])
def test_what_stands_under_an_untaken_step_reaches_nothing(learn: str, garbage: float) -> None:
    for tasks in (chain(learn), through(learn)):
        found = []
        for value in (0.0, garbage):
            labels = LABELS.clone()
            labels[0, 1:] = value  # no click
            labels[4, 1:] = value  # not known whether there was one
            scores = scores_of(tasks).float().requires_grad_()
            losses = losses_of(tasks, scores, labels)
            losses.sum().backward()
            found.append((losses.detach(), scores.grad))
        assert torch.equal(found[0][0], found[1][0])
        assert torch.equal(found[0][1], found[1][1])


def test_a_row_without_weight_for_the_step_before_still_counts_for_the_step() -> None:
    click = BinaryTask("click")
    labels = torch.tensor([[1.0, 1.0], [1.0, 0.0], [0.0, NAN]], dtype=torch.float64)
    for learn in WAYS:
        tasks = [click, FunnelTask("buy", after=[click], learn=learn)]
        scores = scores_of(tasks, 3)
        weights = torch.tensor([[0.0, 1.0], [0.0, 1.0], [1.0, 1.0]])
        assert losses_of(tasks, scores, labels, weights)[1] == losses_of(tasks, scores, labels)[1]


def test_each_output_is_judged_on_its_own_rows() -> None:
    tasks, scores = chain(), scores_of(chain(), 300)
    draw = torch.Generator().manual_seed(3)
    click, cart, buy = (torch.rand(300, generator=draw) < rate for rate in (0.6, 0.5, 0.5))
    labels = torch.stack([click, click & cart, click & cart & buy], dim=1).double()
    found = evaluate_tasks(tasks, scores, labels)
    predicted = predict_tasks(tasks, scores, labels)
    for output, rows, wanted in (
        ("cart_given_click", click, labels[:, 1]),
        ("click_and_cart", click | ~click, labels[:, 1]),
        ("buy_given_cart", click & cart, labels[:, 2]),
        ("click_and_cart_and_buy", click | ~click, labels[:, 2]),
    ):
        alone = BinaryTask("x").evaluate(wanted[rows], predicted[output][rows])
        assert found[output] == alone, output
    # the label of a step that nobody came to is not looked at
    labels[~click, 1:] = NAN
    assert evaluate_tasks(tasks, scores, labels) == found


def test_no_click_at_all_is_safe() -> None:
    labels = torch.tensor([[0.0, NAN, NAN]] * 6, dtype=torch.float64)
    for learn in WAYS:
        for tasks in (chain(learn), through(learn)):
            scores = scores_of(tasks).requires_grad_()
            losses_of(tasks, scores, labels).sum().backward()
            assert scores.grad.isfinite().all()
            found = evaluate_tasks(tasks, scores.detach(), labels)
            assert found["cart_given_click"]["auc"] is None
            assert found["click_and_cart"]["log_loss"] is not None


def test_unknown_ways_are_refused() -> None:
    with pytest.raises(DeclarationError, match=r"learn: expected one of entire_space, .* found 'entire'; did you mean"):
        FunnelTask("buy", after=[BinaryTask("click")], learn="entire")
