r"""Shapley values: a sum taken apart among those who made it.

.. math::
    \phi_i = \sum_{S \not\ni i} \frac{|S|! \, (n - |S| - 1)!}{n!} \big(v(S \cup \{i\}) - v(S)\big), \qquad
    \sum_i \phi_i = v(\text{all}) - v(\emptyset)

Up to some players all coalitions are valued and the values are exact. With more, :math:`\phi_i` is the mean of what i
adds to those before it in random orders, each taken together with the same order backwards; the sum is exact all the
same.

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
    """What every player adds.

    Shape:
        - values: ``[player, score]`` float64
        - errors: ``[player, score]``, standard errors of the values; 0 where they are exact
        - empty: ``[score]``, the value without any player; with random draws its mean over these
    """

    values: Tensor
    errors: Tensor
    empty: Tensor


def exact_shapley(value: Callable[[Tensor], Tensor], players: int) -> Shapley:
    """Return exact Shapley values.

    Args:
        value: of coalitions ``[coalition, player]`` bool: ``[coalition, score]``; called once with all of them.
        players: how many there are.

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
        value: of coalitions ``[coalition, player]`` bool, each with the number of its draw ``[coalition]``:
            ``[coalition, score]``; called once with all of them. A value may depend on the draw, such as on the row
            that absent features are taken from.
        players: how many there are.
        draws: how many random orders, each taken forwards and backwards.
        generator: draws them.

    Raises:
        DeclarationError: there are no draws.
    """
    if draws < 1:
        raise DeclarationError(f"explanation: expected draws of 1 or more, found {draws}")
    orders = torch.stack([torch.randperm(players, generator=generator) for _ in range(draws)])
    # [order, place]: every draw forwards, then backwards
    orders = torch.cat([orders, orders.flip(1)])
    places = orders.argsort(dim=1)
    # [order, step, player]: with each step one more has come
    members = places.unsqueeze(1) < torch.arange(players + 1).view(1, -1, 1)
    draw = torch.arange(draws).repeat(2).unsqueeze(1).expand(-1, players + 1)
    values = value(members.flatten(0, 1), draw.flatten()).double().view(2, draws, players + 1, -1)
    # [way, draw, player, score]
    added = values.diff(dim=2).gather(2, places.view(2, draws, players, 1).expand(-1, -1, -1, values.shape[3]))
    by_draw = added.mean(dim=0)
    errors = by_draw.std(dim=0) / math.sqrt(draws) if draws > 1 else torch.full_like(by_draw[0], torch.nan)
    return Shapley(by_draw.mean(dim=0), errors, values[0, :, 0].mean(dim=0))
