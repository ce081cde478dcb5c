"""DSelect-k gates: a choice of k experts that is learnt by gradient descent."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn
from typing_extensions import override

from gatewise.errors import ShapeError
from gatewise.nn.gates.gates import Gated, Gates
from gatewise.nn.gates.penalties import entropy
from gatewise.nn.gates.top_k import check_k
from gatewise.nn.hidden import Hidden
from gatewise.nn.layers import GroupLinear, check_sizes
from gatewise.nn.perceptrons import GroupMLP


class DSelectKGates(Gates):
    r"""k selectors, each of which converges to one expert by a binary code.

    .. math::
        g(x)_i = \sum_{l=1}^{k} \mathrm{softmax}(A x)_l \, r(z_l)_i, \qquad
        r(z)_i = \prod_{j=1}^{m} S(z_j)^{B_{ij}} (1 - S(z_j))^{1 - B_{ij}}, \qquad z_l = Z_l x

    with :math:`m = \lceil \log_2 E \rceil` bits, where :math:`B_{ij}` is bit j of the number i, and the smooth step

    .. math:: S(t) = -\frac{2}{\gamma^3} t^3 + \frac{3}{2 \gamma} t + \frac12
        \text{ for } |t| < \gamma / 2, \text{ else } 0 \text{ or } 1

    so that a selector with all :math:`|z_j| \geq \gamma / 2` chooses exactly one expert. In static gates, z and the
    selectors' logits are parameters.

    Args:
        input_dim: width of the input.
        num_gates: number of gates.
        num_experts: E, the number of experts.
        dims: hidden widths of every gate; none: linear.
        k: number of selectors.
        per_row: whether the choice depends on the input.
        gamma: width of the smooth step.
        selector_entropy: strength of the selectors' entropy, summed over selectors and averaged over rows and gates;
            it drives each selector to one expert.
        unused_codes: strength of 1 / (probability of the codes that stand for experts), which keeps selectors away
            from unused codes; these exist if E is not a power of two.
        hidden: the hidden layers, see :class:`Hidden`.
        **common: see :class:`Gates`, except ``temperature``, ``z_loss`` and ``reach``, which need logits.

    Raises:
        ShapeError: k is above the number of experts, or these gates do not have an option.

    Shape:
        - input ``[batch, input_dim]`` or ``[batch, gate, input_dim]``
        - output: :class:`Gated`; after convergence at most k weights per row are not 0

    References:
        Hazimeh et al.: DSelect-k: Differentiable Selection in the Mixture of Experts with Applications to Multi-Task
        Learning. NeurIPS 2021.
    """

    codes: Tensor
    sparse = True

    def __init__(
        self,
        input_dim: int,
        num_gates: int,
        num_experts: int,
        dims: tuple[int, ...] = (),
        *,
        k: int = 2,
        per_row: bool = True,
        gamma: float = 1.0,
        selector_entropy: float = 1e-3,
        unused_codes: float = 1e-3,
        hidden: Hidden = Hidden(),
        **common: Any,
    ) -> None:
        super().__init__(input_dim, num_experts, **common)
        check_sizes(k=k)
        check_k(k, num_experts, None)
        for name, default in (("reach", None), ("temperature", 1.0), ("final_temperature", None), ("z_loss", 0.0)):
            if common.get(name, default) is not default and common[name] != default:
                raise ShapeError(f"{name}: gates that select by codes have no logits to apply it to")
        if gamma <= 0:
            raise ShapeError(f"gamma: expected a positive number, found {gamma}")
        self.k, self.gamma = k, gamma
        self.selector_entropy, self.unused_codes = selector_entropy, unused_codes
        self.bits = math.ceil(math.log2(num_experts))
        # [expert, bit]
        self.register_buffer("codes", _codes(num_experts, self.bits), persistent=False)
        self.all_codes_used = num_experts == 2**self.bits
        sizes = k * self.bits, k
        self.linear: GroupLinear | None = None
        if per_row:
            self.hidden = GroupMLP(num_gates, self.read_dim, dims, hidden=hidden)
            self.linear = GroupLinear(num_gates, self.hidden.output_dim, sum(sizes), gain=3**-0.5)
            _start_undecided(self.linear.weight.data[:, : sizes[0]], gamma)
            _start_undecided(self.linear.bias.data[:, : sizes[0]], gamma)  # type: ignore[union-attr]
        else:
            self.selection = nn.Parameter(torch.zeros(num_gates, sum(sizes)))
            _start_undecided(self.selection.data[:, : sizes[0]], gamma)

    @override
    def logits(self, x: Tensor) -> Tensor:
        """Return the codes' numbers z, then the selectors' logits, ``[batch, gate, k * bit + k]``."""
        if self.linear is None:
            return self.selection.expand(x.shape[0], -1, -1)
        scores: Tensor = self.linear(self.hidden(x) if len(self.hidden.layers) else x)
        return scores

    @override
    def forward(self, x: Tensor) -> Gated:
        """Return every gate's weights and, in training, their penalty."""
        numbers = self.logits(self.read(x))
        numbers = numbers.to(torch.promote_types(numbers.dtype, torch.float32))
        z, share = torch.split(numbers, [self.k * self.bits, self.k], dim=2)
        # [batch, gate, selector, expert]
        chosen = self.selectors(z.view(*z.shape[:2], self.k, self.bits))
        used = chosen.sum(dim=3)
        # NOTE[DIFF]: codes without an expert are removed and the rest scaled to sum to 1; in the paper the sum is
        # below 1 until selectors have left these codes
        probabilities = chosen if self.all_codes_used else chosen / used.unsqueeze(3).clamp(min=1e-6)
        weights = (share.softmax(dim=2).unsqueeze(3) * probabilities).sum(dim=2)
        if not self.all_codes_used:
            # if no selector has an expert, all selectors count equally
            total = weights.sum(dim=2, keepdim=True)
            weights = torch.where(total > 0.5, weights / total.clamp(min=0.5), 1 / self.num_experts)
        found = self.regularised(weights)
        if not self.training:
            return found
        owed = self.selector_entropy * entropy(chosen).sum(dim=(2, 3)).mean()
        if not self.all_codes_used:
            owed = owed + self.unused_codes * (1 / used.clamp(min=1e-3)).sum(dim=2).mean()
        return Gated(found.weights, owed if found.penalty is None else owed + found.penalty)

    def selectors(self, z: Tensor) -> Tensor:
        """Return the probability of every expert per selector, ``[..., expert]``, from ``[..., bit]``."""
        step = smooth_step(z, self.gamma).unsqueeze(-2)
        return torch.where(self.codes, step, 1 - step).prod(dim=-1)


def smooth_step(t: Tensor, gamma: float = 1.0) -> Tensor:
    """Return 0 below -gamma / 2, 1 above gamma / 2, and a cubic between them that joins both smoothly."""
    inside = t.clamp(-gamma / 2, gamma / 2)
    return inside * (1.5 / gamma - 2 / gamma**3 * inside.square()) + 0.5


def _codes(num_experts: int, bits: int) -> Tensor:
    numbers = torch.arange(num_experts).unsqueeze(1)
    return (numbers >> torch.arange(bits)) % 2 == 1


def _start_undecided(z: Tensor, gamma: float) -> None:
    nn.init.uniform_(z, -gamma / 100, gamma / 100)
