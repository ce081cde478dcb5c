from __future__ import annotations

import numpy as np
import pytest
import torch

import gatewise as gw
from gatewise.training.affinity import task_affinity


@pytest.fixture
def found():
    """Return a small fitted ranker of a label, the same one in another unit, and another one."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(600, 4))
    one, other = np.abs(x[:, 0]), np.abs(x[:, 1])
    table = {f"x{i}": x[:, i] for i in range(4)} | {"one": one, "same": 5 * one, "other": other}
    schema = gw.Schema(
        features=[gw.Numeric(f"x{i}") for i in range(4)],
        tasks=[gw.Regression("one"), gw.Regression("same"), gw.Regression("other")],
    )
    model = gw.SharedBottom(bottom_dims=[2], tower_dims=[])
    ranker = gw.Ranker(schema, model, epochs=20, batch_size=100, lr=0.02).fit(table)
    scorer = ranker.scorer
    return scorer, scorer.tensors(scorer.encode(table))


def test_alike_tasks_lower_each_other_and_tasks_that_want_the_same_units_raise_each_other(found):
    scorer, table = found
    affinity = task_affinity(scorer.model, scorer.tasks, table, step=0.05)
    assert affinity.shape == (3, 3)
    assert (affinity.diag() > 0).all()
    assert affinity[0, 1] > 0 < affinity[1, 0]
    assert affinity[0, 2] < 0 > affinity[2, 0]


def test_the_step_is_that_of_a_hand_and_leaves_no_trace(found):
    scorer, table = found
    before = {name: value.clone() for name, value in scorer.model.state_dict().items()}
    affinity = task_affinity(scorer.model, scorer.tasks, table, batch_size=600, step=0.02)
    assert all(torch.equal(value, before[name]) for name, value in scorer.model.state_dict().items())

    def losses():
        scores = scorer.model(table.inputs(torch.arange(600))).scores
        targets = torch.stack([t.targets(table.labels[:, k]) for k, t in enumerate(scorer.tasks)], dim=1).float()
        return torch.stack([t.losses(scores[:, k], targets[:, k]).mean() for k, t in enumerate(scorer.tasks)])

    shared = list(scorer.model.trunk.parameters())
    first = losses()
    gradients = torch.autograd.grad(first[2], shared)
    sizes = [torch.cat([part.flatten() for part in parts]).norm() for parts in (shared, gradients)]
    with torch.no_grad():
        for weight, gradient in zip(shared, gradients, strict=True):
            weight -= 0.02 * sizes[0] / sizes[1] * gradient
    expected = 1 - losses() / first
    # long enough to lower the own loss by half of what the gradient predicts, so this is the first step tried
    assert expected[2] > 0.02 * sizes[0] * sizes[1] / first[2] / 2
    assert affinity[2].tolist() == pytest.approx(expected.tolist(), abs=1e-5)


def converged() -> tuple[gw.Ranker, dict[str, np.ndarray]]:
    """Return a model that has learnt three tasks without noise nearly to the end."""
    x = np.random.default_rng(1).normal(size=(500, 2))
    table = {"a": x[:, 0], "b": x[:, 1], "one": x[:, 0], "same": 5 * x[:, 0], "other": x[:, 1]}
    schema = gw.Schema(
        features=[gw.Numeric("a"), gw.Numeric("b")],
        tasks=[gw.Regression("one"), gw.Regression("same"), gw.Regression("other")],
    )
    model = gw.SharedBottom(bottom_dims=[16], tower_dims=[])
    how = {"epochs": 60, "batch_size": 50, "lr": 0.02, "schedule": "cosine"}
    return gw.Ranker(schema, model, **how).fit(table), table


def test_a_converged_model_has_small_affinities_of_known_signs():
    ranker, table = converged()
    assert ranker.evaluate(table)["one"]["r2"] > 0.999
    scorer = ranker.scorer
    found = task_affinity(scorer.model, scorer.tasks, scorer.tensors(scorer.encode(table)), batch_size=100)
    # no step is too long for its own task, however small the loss; nor is any much longer than it need be
    assert (found.diag() > 0).all()
    assert (found.diag() <= 0.2).all()
    assert found.abs().max() < 1


def test_where_no_step_lowers_a_loss_the_affinity_is_undefined():
    ranker, table = fitted(LABELS)
    scorer = ranker.scorer
    with torch.no_grad():
        for weight in scorer.model.towers.parameters():
            weight.zero_()
    rows = scorer.tensors(scorer.encode(table))
    # towers that read nothing give the trunk no gradient
    assert task_affinity(scorer.model, scorer.tasks, rows).isnan().all()


def fitted(labels: dict[str, np.ndarray], **options: object) -> tuple[gw.Ranker, dict[str, np.ndarray]]:
    x = np.random.default_rng(1).normal(size=(200, 2))
    table = {"a": x[:, 0], "b": x[:, 1]} | {name: x @ weights for name, weights in labels.items()}
    schema = gw.Schema(
        features=[gw.Numeric("a"), gw.Numeric("b")], tasks=[gw.Regression("one"), gw.Regression("other")]
    )
    model = gw.SharedBottom(bottom_dims=[8], tower_dims=[], **options)
    return gw.Ranker(schema, model, epochs=2, batch_size=50).fit(table), table


LABELS = {"one": np.array([1.0, 0.5]), "other": np.array([-0.5, 1.0])}


def test_nothing_is_dropped_and_the_model_stays_in_training():
    ranker, table = fitted(LABELS, dropout=0.5)
    scorer = ranker.scorer
    tensors = scorer.tensors(scorer.encode(table))
    expected = task_affinity(scorer.model.eval(), scorer.tasks, tensors)
    assert torch.equal(task_affinity(scorer.model.train(), scorer.tasks, tensors), expected)
    assert scorer.model.training


def test_batches_without_a_label_do_not_count():
    ranker, table = fitted(LABELS)
    scorer = ranker.scorer
    first, second = ({name: column[rows] for name, column in table.items()} for rows in (slice(100), slice(100, 200)))
    partly = {name: column.copy() for name, column in table.items()}
    partly["other"][:100] = np.nan

    def affinity(rows: dict[str, np.ndarray]) -> torch.Tensor:
        return task_affinity(scorer.model, scorer.tasks, scorer.tensors(scorer.encode(rows)), batch_size=100)

    found, expected = affinity(partly), affinity(second)
    assert found[1].tolist() == pytest.approx(expected[1].tolist(), abs=1e-6)
    assert found[0, 1] == pytest.approx(expected[0, 1].item(), abs=1e-6)
    assert found[0, 0] == pytest.approx((affinity(first)[0, 0] + expected[0, 0]).item() / 2, abs=1e-6)
