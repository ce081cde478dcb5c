from __future__ import annotations

import itertools
import math

import pytest
import torch
from torch import Tensor

from gatewise.analysis import exact_shapley, sampled_shapley
from gatewise.errors import DeclarationError


def game(members: Tensor, *_: Tensor) -> Tensor:
    """Return two values of each coalition: one with all sorts of interactions, one of the first player alone."""
    who = members.double()
    third = 7 * who[:, 1:4].prod(dim=1)
    first = (
        1 + third + 2 * who[:, 0] * who[:, 1] - 3 * who[:, 2] * who[:, 0] + who.sum(dim=1).square() + who[:, 3].sqrt()
    )
    return torch.stack([first, 5 * who[:, 0] - 1], dim=1)


def by_orders(players: int) -> Tensor:
    """Return Shapley values as the mean over all orders of the players."""
    totals = torch.zeros(players, 2).double()
    for order in itertools.permutations(range(players)):
        members = torch.zeros(1, players, dtype=torch.bool)
        for player in order:
            before = game(members)[0]
            members[0, player] = True
            totals[player] += game(members)[0] - before
    return totals / math.factorial(players)


def test_exact_values_are_the_mean_over_all_orders() -> None:
    found = exact_shapley(game, 5)
    torch.testing.assert_close(found.values, by_orders(5))
    assert found.empty.tolist() == [1.0, -1.0]
    assert not found.errors.any()
    # players 1 to 4 have nothing to do with the second value
    torch.testing.assert_close(found.values[:, 1], torch.tensor([5.0, 0, 0, 0, 0]).double())


def test_gloves() -> None:
    """One left glove and two right ones: a pair is worth 1, and the owner of the left one gets 2/3 of it."""
    found = exact_shapley(lambda who: (who[:, :1] & who[:, 1:].any(dim=1, keepdim=True)).double(), 3)
    torch.testing.assert_close(found.values[:, 0], torch.tensor([4 / 6, 1 / 6, 1 / 6]).double())


def test_sampled_values_come_near_and_sum_exactly() -> None:
    found = sampled_shapley(game, 5, 400, torch.Generator().manual_seed(0))
    exact = exact_shapley(game, 5).values
    assert ((found.values - exact).abs() <= 4 * found.errors + 1e-9).all()
    assert found.errors.max() > 0.01
    whole = game(torch.ones(1, 5, dtype=torch.bool))[0]
    torch.testing.assert_close(found.values.sum(dim=0), whole - found.empty)


def test_a_draw_has_one_background_for_its_whole_order() -> None:
    levels = torch.tensor([10.0, 20.0, 60.0]).double()

    def value(members: Tensor, draw: Tensor) -> Tensor:
        assert members.shape == (3 * 2 * 3, 2)
        return (levels[draw] + members.double() @ torch.tensor([1.0, 2.0]).double()).unsqueeze(1)

    found = sampled_shapley(value, 2, 3, torch.Generator().manual_seed(0))
    torch.testing.assert_close(found.values[:, 0], torch.tensor([1.0, 2.0]).double())
    assert found.empty.item() == pytest.approx(30)


def test_no_draws_are_refused() -> None:
    with pytest.raises(DeclarationError, match="expected draws of 1 or more, found 0"):
        sampled_shapley(game, 2, 0, torch.Generator())
