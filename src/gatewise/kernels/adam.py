"""Adam on whole tensors, and on some rows of a matrix."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from gatewise.kernels.library import compiled


@dataclass(frozen=True)
class AdamStep:
    r"""The numbers of step t.

    .. math::
        m \leftarrow \beta_1 m + (1 - \beta_1) g, \quad v \leftarrow \beta_2 v + (1 - \beta_2) g^2, \quad
        w \leftarrow (1 - \eta \lambda) w
        - \frac{\eta}{1 - \beta_1^t} \frac{m}{\sqrt{v / (1 - \beta_2^t)} + \epsilon}

    with :math:`g` the gradient, plus :math:`\lambda w` where decay is not ``decoupled`` (then w is not shrunk).

    References:
        Kingma, Ba: Adam: A Method for Stochastic Optimization. ICLR 2015.
        Loshchilov, Hutter: Decoupled Weight Decay Regularization. ICLR 2019.
    """

    count: int
    lr: float
    betas: tuple[float, float]
    eps: float
    weight_decay: float
    decoupled: bool

    @functools.cached_property
    def factors(self) -> tuple[float, ...]:
        """Corrected rate, both betas, factor of the second moment's root, epsilon, factor of the weights, and share of
        the weights to add to the gradient.
        """
        first, second = self.betas
        step_size, root_scale = self.lr / (1 - first**self.count), 1 / math.sqrt(1 - second**self.count)
        shrink, decay = (1 - self.lr * self.weight_decay, 0.0) if self.decoupled else (1.0, self.weight_decay)
        return step_size, first, second, root_scale, self.eps, shrink, decay


Moments = tuple[Tensor, Tensor]
"""Moving means of the gradient and of its square."""


def update_adam(
    weights: Sequence[Tensor], gradients: Sequence[Tensor], moments: Sequence[Moments], step: AdamStep
) -> None:
    """Update whole tensors and their moments in place.

    Shape:
        - weights, gradients and both moments: equal shapes per weight
    """
    library = compiled(*weights)
    if library is None or not all(weight.is_contiguous() for weight in weights):
        for weight, gradient, (first, second) in zip(weights, gradients, moments, strict=True):
            _update(weight, gradient, first, second, step)
        return
    gradients = [gradient.contiguous() for gradient in gradients]
    library.adam((weights, [first for first, _ in moments], [second for _, second in moments], gradients), step.factors)


def update_adam_rows(weight: Tensor, rows: Tensor, gradient: Tensor, moments: Moments, step: AdamStep) -> None:
    """Update some rows of a matrix and of its moments in place.

    Shape:
        - weight and both moments: ``[any, dim]``
        - rows: ``[row]`` int64, distinct
        - gradient: ``[row, dim]``
    """
    library = compiled(weight)
    if library is None or not weight.is_contiguous():
        with torch.no_grad():
            some = [tensor[rows] for tensor in (weight, *moments)]
            _update(some[0], gradient, some[1], some[2], step)
            for tensor, new in zip((weight, *moments), some, strict=True):
                tensor[rows] = new
        return
    library.adam_rows(weight, moments, rows.contiguous(), gradient.contiguous(), step.factors)


@torch.no_grad()
def _update(weight: Tensor, gradient: Tensor, first: Tensor, second: Tensor, step: AdamStep) -> None:
    step_size, beta1, beta2, root_scale, eps, shrink, decay = step.factors
    gradient = torch.add(gradient, weight, alpha=decay) if decay else gradient
    first.lerp_(gradient, 1 - beta1)
    second.mul_(beta2).addcmul_(gradient, gradient, value=1 - beta2)
    weight.mul_(shrink).addcdiv_(first, (second.sqrt() * root_scale).add_(eps), value=-step_size)
