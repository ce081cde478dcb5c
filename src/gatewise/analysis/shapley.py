r"""Shapley values: the contribution of every player to a value.

.. math::
    \phi_i = \sum_{S \not\ni i} \frac{|S|! \, (n - |S| - 1)!}{n!} \big(v(S \cup \{i\}) - v(S)\big), \qquad
    \sum_i \phi_i = v(\text{all}) - v(\emptyset)

For few players all coalitions are valued and the values are exact. For more, :math:`\phi_i` is the mean of what i adds
to the players before it in random orders, each order used forwards and backwards; the sum is exact in both cases.

References:
    Shapley: A Value for n-person Games. 1953.
    Štrumbelj, Kononenko: Explaining prediction models and individual predictions with feature contributions. Knowledge
    and Information Systems, 2014.
    Mitchell et al.: Sampling Permutations for Shapley Value Estimation. JMLR 2022 (orders taken both ways).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from gatewise.errors import DeclarationError


class Shapley(NamedTuple):
    """The Shapley values of all players.

    Shape:
        - values: ``[player, score]`` float64
        - errors: ``[player, score]``, standard errors of the values; 0 if exact
        - empty: ``[score]``, the value without any player; the mean over draws for random orders
    """

    values: Tensor
    errors: Tensor
    empty: Tensor


def exact_shapley(value: Callable[[Tensor], Tensor], players: int) -> Shapley:
    """Return exact Shapley values.

    Args:
        value: from coalitions ``[coalition, player]`` bool to ``[coalition, score]``; called once, with all coalitions.
        players: the number of players.

    Example:
        >>> added = exact_shapley(lambda who: 1 + who.double() @ torch.tensor([[2.0], [-3.0]]).double(), 2)
        >>> added.values.tolist(), added.empty.tolist()
        ([[2.0], [-3.0]], [1.0])
    """
    numbers = torch.arange(2**players)
    # [coalition, player]
    members = (numbers.unsqueeze(1) >> torch.arange(players)) % 2 == 1
    values, sizes = value(members).double(), members.sum(dim=1)
    weights = torch.tensor(
        [1 / (players * math.comb(players - 1, size)) for size in range(players)], dtype=torch.float64
    )
    found = []
    for player in range(players):
        without = numbers[~members[:, player]]
        added = values[without + 2**player] - values[without]
        found.append(weights[sizes[without]] @ added)
    stacked = torch.stack(found) if found else values.new_empty(0, values.shape[1])
    return Shapley(stacked, torch.zeros_like(stacked), values[0])


def sampled_shapley(
    value: Callable[[Tensor, Tensor], Tensor], players: int, draws: int, generator: torch.Generator
) -> Shapley:
    """Return Shapley values from random orders.

    Args:
        value: from coalitions ``[coalition, player]`` bool and the number of each one's draw ``[coalition]`` to
            ``[coalition, score]``; called once, with all coalitions. A value may depend on the draw, such as on the row
            of absent features.
        players: the number of players.
        draws: the number of random orders, each used forwards and backwards.
        generator: draws them.

    Raises:
        DeclarationError: ``draws`` is below 1.
    """
    if draws < 1:
        raise DeclarationError(f"explanation: expected draws of 1 or more, found {draws}")
    orders = torch.stack([torch.randperm(players, generator=generator) for _ in range(draws)])
    # [order, place]: every draw forwards, then backwards
    orders = torch.cat([orders, orders.flip(1)])
    places = orders.argsort(dim=1)
    # [order, step, player]: each step adds one player
    members = places.unsqueeze(1) < torch.arange(players + 1).view(1, -1, 1)
    draw = torch.arange(draws).repeat(2).unsqueeze(1).expand(-1, players + 1)
    values = value(members.flatten(0, 1), draw.flatten()).double().view(2, draws, players + 1, -1)
    # [way, draw, player, score]
    added = values.diff(dim=2).gather(2, places.view(2, draws, players, 1).expand(-1, -1, -1, values.shape[3]))
    by_draw = added.mean(dim=0)
    errors = by_draw.std(dim=0) / math.sqrt(draws) if draws > 1 else torch.full_like(by_draw[0], torch.nan)
    return Shapley(by_draw.mean(dim=0), errors, values[0, :, 0].mean(dim=0))
