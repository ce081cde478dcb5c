"""Ranking and calibration together, by two scores."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

import gatewise as gw
from gatewise.errors import DeclarationError
from gatewise.tasks import JointTask, predict_tasks, summed_losses, targets_and_weights

NAN = math.nan
SCORES = torch.tensor([[0.3, -1], [2, 0.5], [0.1, 1.5], [-0.7, 0.2], [0.4, 0.9], [1, 1]], dtype=torch.float64)
LABELS = torch.tensor([1.0, 0, 0, 1, NAN, 0], dtype=torch.float64)
GROUPS = torch.tensor([5, 5, 5, 9, 9, -1])
SHARE = 0.4


def loss(scores: Tensor, labels: Tensor, groups: Tensor | None) -> Tensor:
    task = JointTask("click", calibration_share=SHARE)
    targets, counted = targets_and_weights([task], labels[:, None], None)
    return summed_losses([task], scores, targets.double(), counted, groups)[0]


def test_by_hand() -> None:
    calibration = ranking = 0.0
    for row, (label, group) in enumerate(zip(LABELS.tolist(), GROUPS.tolist(), strict=True)):
        if math.isnan(label):
            continue
        own = SCORES[row, int(label)].item()
        calibration -= own - math.log(sum(math.exp(s) for s in SCORES[row].tolist()))
        # in group 9, the row without a label is not compared: row 3 has no competitor
        others = [i for i in range(6) if GROUPS[i] == group and not LABELS[i].isnan()]
        if group >= 0:
            ranking -= own - math.log(sum(math.exp(SCORES[i, int(label)].item()) for i in others))
    expected = SHARE * calibration + (1 - SHARE) * ranking
    assert loss(SCORES, LABELS, GROUPS).item() == pytest.approx(expected, rel=1e-9)
    assert loss(SCORES, LABELS, None).item() == pytest.approx(SHARE * calibration, rel=1e-9)


def test_the_level_of_a_row_moves_its_order_alone() -> None:
    raised = SCORES + torch.arange(6.0)[:, None]
    before, after = (predict_tasks([JointTask("click")], s, LABELS[:, None])["click"] for s in (SCORES, raised))
    torch.testing.assert_close(before, after)
    torch.testing.assert_close(before, SCORES.softmax(dim=1)[:, 1])
    assert loss(raised, LABELS, None).item() == pytest.approx(loss(SCORES, LABELS, None).item())
    assert loss(raised, LABELS, GROUPS).item() != pytest.approx(loss(SCORES, LABELS, GROUPS).item())


def test_gradients_and_the_untrained_model() -> None:
    assert torch.autograd.gradcheck(lambda s: loss(s, LABELS, GROUPS), (SCORES.clone().requires_grad_(),))
    task = JointTask("click", rate=0.2)
    start = torch.tensor([task.initial_bias], dtype=torch.float64)
    assert task.predict(start).item() == pytest.approx(0.2)


def test_what_does_not_go_with_it_is_one_line() -> None:
    features = [gw.Categorical("item")]
    with pytest.raises(DeclarationError, match="jrc compares rows of a group, and the schema has no 'group'"):
        gw.Schema(features=features, tasks=[gw.Binary("y", loss="jrc")])
    steps = [gw.Binary("y", loss="jrc"), gw.Binary("z", after="y")]
    with pytest.raises(DeclarationError, match="task 'z': after 'y' has loss 'jrc'"):
        gw.Schema(features=features, tasks=steps, group="g")
    for options in ({"focal": 1.0}, {"ranking": "pairwise"}, {"after": "x"}):
        with pytest.raises(DeclarationError, match="does not go with loss 'jrc'"):
            gw.Binary("y", loss="jrc", **options)
    with pytest.raises(DeclarationError, match="calibration_share belongs to loss 'jrc'"):
        gw.Binary("y", calibration_share=0.2)
    tasks = [gw.Binary("y", loss="jrc"), gw.Binary("z")]
    schema = gw.Schema(features=features, tasks=tasks, group="g")
    with pytest.raises(DeclarationError, match="task 'y' has loss 'jrc'"):
        gw.Ranker(schema, gw.MMoE(ordered=["y", "z"], expectation=0.1))
