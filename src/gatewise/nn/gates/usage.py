"""How gates use experts: sums over all rows that passed the gates."""

from __future__ import annotations

import torch
from torch import Tensor

from gatewise.processes import Processes, total


class Usage:
    r"""Statistics of gates' weights over many rows, summed batch by batch.

    .. math:: \bar g_i = \frac1N \sum_b g_{bi}, \qquad \bar H = -\frac1N \sum_b \sum_i g_{bi} \log g_{bi}, \qquad
        m = \frac1N \sum_b \max_i g_{bi}, \qquad u_i = \frac1N \sum_b [\, i = \arg\max_j g_{bj} \,]

    The relative entropy is :math:`\bar H / \log E`, where E counts the experts that the gate reaches.

    Args:
        reach: ``[gate, expert]`` bool, the experts that each gate weighs; None: all.

    Example:
        >>> usage = Usage()
        >>> usage.add(torch.tensor([[[1.0, 0.0]], [[0.5, 0.5]]]))
        >>> usage.weights.tolist(), usage.relative_entropy.tolist(), usage.utilisation.tolist()
        ([[0.75, 0.25]], [0.5], [[1.0, 0.0]])
    """

    def __init__(self, reach: Tensor | None = None) -> None:
        self.reach = None if reach is None else reach.cpu()
        self.rows = 0
        # sums of weights, of entropies, of largest weights, and of rows in which an expert's weight is the largest
        self._sums: list[Tensor] | None = None

    def add(self, weights: Tensor) -> None:
        """Add the weights ``[batch, gate, expert]`` of some rows; of equal weights the first counts as the largest."""
        exact = weights.detach().double()
        largest, leader = exact.max(dim=2, keepdim=True)
        leads = torch.zeros_like(exact).scatter_(2, leader, 1.0)
        found = (exact, torch.special.entr(exact).sum(dim=2), largest.squeeze(2), leads)
        sums = [part.sum(dim=0).cpu() for part in found]
        self.rows += len(weights)
        self._sums = sums if self._sums is None else [a + b for a, b in zip(self._sums, sums, strict=True)]

    def sum_over(self, processes: Processes) -> None:
        """Sum over all processes; each process has added its own rows."""
        self.rows = total(processes, self.rows)
        if self._sums is not None:
            self._sums = [processes.sum(part) for part in self._sums]

    @property
    def weights(self) -> Tensor:
        """Mean weights, ``[gate, expert]``."""
        return self._mean(0)

    @property
    def entropy(self) -> Tensor:
        """Mean entropy per row, ``[gate]``."""
        return self._mean(1)

    @property
    def relative_entropy(self) -> Tensor:
        """Mean entropy divided by the entropy of even weights, ``[gate]``; 0 for a gate that reaches one expert."""
        even = self.reached.sum(dim=1).double().log()
        return torch.where(even > 0, self.entropy / even, 0.0)

    @property
    def largest(self) -> Tensor:
        """Mean over rows of the largest weight, ``[gate]``."""
        return self._mean(2)

    @property
    def utilisation(self) -> Tensor:
        """Share of rows in which each expert's weight is the largest, ``[gate, expert]``."""
        return self._mean(3)

    @property
    def reached(self) -> Tensor:
        """Mask of the experts that each gate weighs, ``[gate, expert]`` bool."""
        shape = self._mean(0).shape
        return torch.ones(shape, dtype=torch.bool) if self.reach is None else self.reach.expand(shape)

    def _mean(self, part: int) -> Tensor:
        assert self._sums is not None, "no rows were added"
        return self._sums[part] / max(self.rows, 1)
