"""Top-k gates: the weights of all but k experts are 0."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from typing_extensions import override

from gatewise.draws import generator
from gatewise.errors import ShapeError
from gatewise.nn.gates.softmax import SoftmaxGates
from gatewise.nn.layers import GroupLinear, check_sizes


class TopKGates(SoftmaxGates):
    r"""A softmax over the k experts with the largest logits.

    .. math::
        g^k(x)_i = \frac{e^{s_i}}{\sum_{j \in \mathrm{top}_k(s)} e^{s_j}} \text{ for } i \in \mathrm{top}_k(s),
        \text{ else } 0, \qquad s = W_k x + \epsilon \odot \ln(1 + e^{V_k x})

    with noise :math:`\epsilon \sim N(0, 1)` in training if ``noisy``; :math:`V_k` starts at zero. In evaluation mode
    an expert runs only on the rows that a gate gives it.

    Args:
        input_dim: width of the input.
        num_gates: number of gates.
        num_experts: number of experts.
        dims: hidden widths of every gate; none: linear.
        k: number of experts with a weight above 0.
        noisy: whether noise is added to the logits in training.
        **options: see :class:`SoftmaxGates`.

    Raises:
        ShapeError: k is above the number of experts that a gate reaches.

    Shape:
        - input ``[batch, input_dim]`` or ``[batch, gate, input_dim]``
        - output: :class:`Gated`; at most k weights per row are not 0

    References:
        Shazeer et al.: Outrageously Large Neural Networks: The Sparsely-Gated Mixture-of-Experts Layer. ICLR 2017.
    """

    sparse = True

    def __init__(
        self,
        input_dim: int,
        num_gates: int,
        num_experts: int,
        dims: tuple[int, ...] = (),
        *,
        k: int = 2,
        noisy: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(input_dim, num_gates, num_experts, dims, **options)
        check_sizes(k=k)
        check_k(k, num_experts, options.get("reach"))
        self.k = k
        self.noise = None
        if noisy:
            self.noise = GroupLinear(num_gates, self.hidden.output_dim, num_experts, bias=False)
            torch.nn.init.zeros_(self.noise.weight)

    @override
    def logits(self, x: Tensor) -> Tensor:
        features = self.features(x)
        scores: Tensor = self.linear(features)
        if self.noise is None or not self.training:
            return scores
        noise = torch.empty_like(scores).normal_(generator=generator(scores.device))
        return scores + noise * torch.nn.functional.softplus(self.noise(features))

    @override
    def weigh(self, logits: Tensor) -> Tensor:
        """Return a softmax over the k largest logits."""
        largest = logits.topk(self.k, dim=-1)
        return torch.zeros_like(logits).scatter(-1, largest.indices, largest.values.softmax(dim=-1))


def check_k(k: int, num_experts: int, reach: Tensor | None) -> None:
    """Refuse a k above the number of experts that a gate reaches."""
    fewest = num_experts
    if reach is not None and reach.device.type != "meta":
        fewest = int(reach.sum(dim=1).min())
    if k > fewest:
        raise ShapeError(f"k: expected at most {fewest}, as many experts as a gate reaches, found {k}")
