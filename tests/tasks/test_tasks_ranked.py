from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from gatewise.errors import DeclarationError
from gatewise.tasks import BinaryTask, RankedBinaryTask, summed_losses, targets_and_weights

NAN = math.nan
SCORES = torch.tensor([0.3, -1.0, 2.0, 0.5, 0.1, 1.5, -0.7], dtype=torch.float64)
LABELS = torch.tensor([1.0, 0, 0, 1, 1, NAN, 0], dtype=torch.float64)
GROUPS = torch.tensor([5, 5, 5, 5, 9, 9, -1])


def ranking_part(ranking: str, scores: Tensor, labels: Tensor, groups: Tensor | None) -> Tensor:
    """Return what the ranking loss adds to the sum of the cross entropies."""
    found = []
    for task in (RankedBinaryTask("click", ranking=ranking, ranking_weight=3.0), BinaryTask("click")):
        targets, counted = targets_and_weights([task], labels[:, None], None)
        found.append(summed_losses([task], scores[:, None], targets.double(), counted, groups)[0])
    return (found[0] - found[1]) / 3.0


def pairwise_by_hand(positive: float, negatives: list[float]) -> float:
    return sum(math.log1p(math.exp(other - positive)) for other in negatives) / len(negatives)


def test_pairs_by_hand() -> None:
    # group 5: rows 0 and 3 against 1 and 2; group 9: row 5 has no label, so row 4 has no competitor; row 6: no group
    expected = pairwise_by_hand(0.3, [-1.0, 2.0]) + pairwise_by_hand(0.5, [-1.0, 2.0])
    assert ranking_part("pairwise", SCORES, LABELS, GROUPS).item() == pytest.approx(expected, rel=1e-9)


def test_lists_by_hand() -> None:
    share = math.log(sum(math.exp(s) for s in (0.3, -1.0, 2.0, 0.5)))
    # alone among the labelled rows of its group, row 4 has the whole share
    expected = (share - 0.3) + (share - 0.5)
    assert ranking_part("listwise", SCORES, LABELS, GROUPS).item() == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("ranking", ["pairwise", "listwise"])
def test_order_of_rows_and_other_groups_change_nothing(ranking: str) -> None:
    order = torch.tensor([6, 2, 5, 0, 3, 1, 4])
    whole = ranking_part(ranking, SCORES, LABELS, GROUPS)
    torch.testing.assert_close(ranking_part(ranking, SCORES[order], LABELS[order], GROUPS[order]), whole)
    torch.testing.assert_close(ranking_part(ranking, SCORES[:4], LABELS[:4], GROUPS[:4] - 5), whole)
    assert ranking_part(ranking, SCORES, LABELS, None) == 0
    assert ranking_part(ranking, SCORES, LABELS, torch.full((7,), -1)) == 0
    assert ranking_part(ranking, SCORES, torch.full((7,), NAN), GROUPS) == 0
    assert ranking_part(ranking, SCORES[:0], LABELS[:0], GROUPS[:0]) == 0


@pytest.mark.parametrize("ranking", ["pairwise", "listwise"])
def test_gradients(ranking: str) -> None:
    scores = SCORES.clone().requires_grad_()
    assert torch.autograd.gradcheck(lambda s: ranking_part(ranking, s, LABELS, GROUPS), (scores,))
    for extreme in (50.0, -50.0):
        wide = (SCORES.sign() * extreme).float().requires_grad_()
        ranking_part(ranking, wide.double(), LABELS, GROUPS).backward()
        assert wide.grad.isfinite().all()


@pytest.mark.parametrize("ranking", ["pairwise", "listwise"])
def test_a_row_outside_the_sample_competes_with_nobody(ranking: str) -> None:
    found = []
    for garbage in (0.0, 40.0):
        scores = SCORES.clone()
        scores[5] = garbage  # its label is missing
        scores = scores.requires_grad_()
        ranking_part(ranking, scores, LABELS, GROUPS).backward()
        found.append(scores.grad)
    assert torch.equal(*found)
    assert found[0][5] == 0


def test_unknown_losses_are_refused() -> None:
    with pytest.raises(DeclarationError, match="ranking: expected one of pairwise, listwise, found 'pair'"):
        RankedBinaryTask("click", ranking="pair")
