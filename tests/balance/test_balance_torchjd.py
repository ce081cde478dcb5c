"""Rules that take their weights from TorchJD, held to its own aggregators on whole gradients."""

from __future__ import annotations

import math
import sys

import pytest
import torch
from torchjd import aggregation, scalarization

from gatewise.balance import (
    FAMO,
    IMTLG,
    MGDA,
    AlignedMTL,
    CAGrad,
    DualProj,
    FairGrad,
    GeometricMean,
    GramianRule,
    PCGrad,
    SmoothTchebycheff,
    StepLosses,
    UPGrad,
)
from gatewise.errors import MissingExtraError

PAIRS = {
    "mgda": (MGDA, aggregation.MGDA),
    "pcgrad": (PCGrad, aggregation.PCGrad),
    "upgrad": (UPGrad, aggregation.UPGrad),
    "cagrad": (lambda: CAGrad(c=0.4), lambda: aggregation.CAGrad(c=0.4)),
    "imtl_g": (IMTLG, aggregation.IMTLG),
    "aligned_mtl": (AlignedMTL, aggregation.AlignedMTL),
    "dualproj": (DualProj, aggregation.DualProj),
    "fairgrad": (lambda: FairGrad(alpha=2.0), lambda: aggregation.FairGrad(alpha=2.0)),
}
GRADIENTS = {
    "in conflict": [[1.0, 2.0, 0.5], [-1.0, 0.5, 0.3], [0.2, -1.0, 1.0]],
    "in harmony": [[1.0, 0.2, 0.1], [0.9, 0.3, 0.0], [1.1, 0.0, 0.2]],
    "of two": [[1.0, -0.5, 2.0], [-0.7, 0.1, -0.2]],
}


def weigh(rule: GramianRule, gradients: torch.Tensor, present: torch.Tensor | None = None) -> torch.Tensor:
    there = torch.ones(len(gradients), dtype=torch.bool) if present is None else present
    return rule(StepLosses(there, torch.ones(len(gradients)), gradients @ gradients.T))


@pytest.mark.parametrize("case", GRADIENTS)
@pytest.mark.parametrize("kind", PAIRS)
def test_the_update_is_torchjds(kind: str, case: str) -> None:
    gradients = torch.tensor(GRADIENTS[case])
    make, reference = PAIRS[kind]
    torch.manual_seed(3)
    found = weigh(make(), gradients) @ gradients
    torch.manual_seed(3)
    expected = reference()(gradients)
    if kind == "fairgrad":
        # its length is our own
        found, expected = found / found.norm(), expected / expected.norm()
    torch.testing.assert_close(found, expected, atol=2e-4, rtol=2e-4)


@pytest.mark.parametrize("kind", PAIRS)
def test_small_gradients_are_not_taken_for_none(kind: str) -> None:
    """TorchJD's solvers ignore squared norms below 1e-4, which those of mean losses at a batch's rows often are."""
    gradients = torch.tensor(GRADIENTS["in conflict"])
    rule = PAIRS[kind][0]()
    torch.manual_seed(3)
    expected = weigh(rule, gradients)
    torch.manual_seed(3)
    torch.testing.assert_close(weigh(rule, 1e-5 * gradients), expected, atol=1e-4, rtol=1e-3)


@pytest.mark.parametrize("kind", ["upgrad", "dualproj", "pcgrad"])
def test_no_task_loses(kind: str) -> None:
    gradients = torch.tensor([[1.0, -0.5, 2.0], [-0.7, 0.1, -0.2]])
    assert float(gradients[0] @ gradients[1]) < 0
    assert float((gradients @ (weigh(PAIRS[kind][0](), gradients) @ gradients)).min()) > -1e-3


def test_rules_on_losses_are_torchjds_scalarizers() -> None:
    losses = torch.tensor([0.4, 1.5, 0.9], requires_grad=True)
    seen = StepLosses(torch.ones(3, dtype=torch.bool), losses.detach())
    for rule, scalarizer in (
        (GeometricMean(), scalarization.GeometricMean()),
        (SmoothTchebycheff(mu=0.3), scalarization.STCH(0.3, weights=torch.ones(3))),
        (FAMO(3), scalarization.FAMO(3)),
    ):
        (expected,) = torch.autograd.grad(scalarizer(losses), losses)
        torch.testing.assert_close(rule(seen), expected, atol=1e-5, rtol=1e-5)


def test_famo_learns_as_torchjds_does() -> None:
    rule, reference = FAMO(2), scalarization.FAMO(2)
    losses = torch.tensor([1.0, 2.0])
    for step in range(5):
        seen = StepLosses(torch.ones(2, dtype=torch.bool), losses)
        rule(seen)
        reference(losses)
        losses = losses * torch.tensor([0.9, 0.99 - 0.02 * step])
        rule.after_step(seen, losses)
        reference.update(losses)
    torch.testing.assert_close(rule.logits, reference._w.detach(), atol=1e-5, rtol=1e-4)


def test_two_gradients_in_conflict_by_hand() -> None:
    """Of unit gradients at 120 degrees PCGrad and UPGrad take from each half of the other."""
    gradients = torch.tensor([[1.0, 0.0], [-0.5, math.sqrt(0.75)]])
    assert weigh(PCGrad(), gradients).tolist() == pytest.approx([1.5, 1.5], rel=1e-5)
    assert weigh(UPGrad(), gradients).tolist() == pytest.approx([0.75, 0.75], rel=1e-3)
    assert weigh(MGDA(), gradients).tolist() == pytest.approx([0.5, 0.5], rel=1e-3)


def test_without_torchjd_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torchjd", None)
    with pytest.raises(MissingExtraError, match=r"balancing by UPGrad needs .*'gatewise\[balance\]'"):
        UPGrad()
    # as when a solver alone is missing
    monkeypatch.undo()
    monkeypatch.setattr(aggregation.CAGradWeighting, "_REQUIRED_DEPS", ["no_such_solver"])
    with pytest.raises(MissingExtraError, match="CAGrad"):
        CAGrad()
